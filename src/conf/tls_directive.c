#include "conf/tls_directive.h"

#include "conf/build.h"
#include "conf/tls_options.h"

static struct tls_conf *tls_of(const struct directive_args *d)
{
    return &((struct site *)d->target)->tls;
}

static int set_tls_ca(const struct directive_args *d)
{
    d->builder->current->tls_acme = true;
    return tls_options_ca(d, tls_of(d));
}

static int set_tls_ca_root(const struct directive_args *d)
{
    d->builder->current->tls_acme = true;
    return tls_options_ca_root(d, tls_of(d));
}

static int set_tls_key_type(const struct directive_args *d)
{
    return tls_options_key_type(d, tls_of(d));
}

static int set_tls_eab(const struct directive_args *d)
{
    d->builder->current->tls_acme = true;
    return tls_options_eab(d, tls_of(d));
}

static int parse_version(const struct directive_args *d, const struct token *t,
                         enum tls_version *out)
{
    static const char *const names[] = {"tls1.2", "tls1.3", NULL};

    if (str_is(t->text, names[0]))
        *out = TLS_1_2;
    else if (str_is(t->text, names[1]))
        *out = TLS_1_3;
    else
        return directive_unknown(d, t, "TLS version", names);
    return 0;
}

static int set_tls_protocols(const struct directive_args *d)
{
    struct tls_conf *tls = tls_of(d);

    if (parse_version(d, &d->args[0], &tls->min_version) != 0)
        return -1;
    if (d->n_args == 1)
        return 0;
    if (parse_version(d, &d->args[1], &tls->max_version) != 0)
        return -1;
    if (tls->min_version > tls->max_version)
        return directive_error(d, &d->args[0], "the lowest version is above the highest");
    return 0;
}

/* HTTP/1.1 is all that is spoken: h2 in the list is a wish for later. */
static int set_tls_alpn(const struct directive_args *d)
{
    static const char *const known[] = {"http/1.1", "h2", NULL};
    bool http1 = false;

    for (size_t i = 0; i < d->n_args; i++) {
        if (!str_is(d->args[i].text, "http/1.1") && !str_is(d->args[i].text, "h2"))
            return directive_unknown(d, &d->args[i], "protocol", known);
        http1 |= str_is(d->args[i].text, "http/1.1");
    }
    if (http1)
        return 0;
    return directive_error(d, &d->args[0], "'http/1.1' is missing: HTTP/2 is not spoken yet");
}

static int set_tls_issuer(const struct directive_args *d)
{
    bool internal = false;

    if (tls_options_issuer(d, tls_of(d), &internal) != 0)
        return -1;
    if (internal)
        d->builder->current->tls_directive = CERT_INTERNAL;
    else
        d->builder->current->tls_acme = true;
    return 0;
}

static int set_tls_ratio(const struct directive_args *d)
{
    return tls_options_renewal_ratio(d, tls_of(d));
}

/* A site with an address has a managed certificate in any case, but for files. */
static int set_tls_automate(const struct directive_args *d)
{
    (void)d;
    return 0;
}

static const struct directive tls_rows[] = {
    {.name = "alpn",
     .min_args = 1,
     .max_args = -1,
     .set = set_tls_alpn,
     .help = "alpn PROTOCOL..."},
    {.name = "ca", .min_args = 1, .max_args = 1, .set = set_tls_ca, .help = "ca URL"},
    {.name = "ca_root",
     .min_args = 1,
     .max_args = 1,
     .set = set_tls_ca_root,
     .help = "ca_root FILE"},
    {.name = "eab", .max_args = 2, .block = true, .set = set_tls_eab, .help = "eab KEY_ID MAC_KEY"},
    {.name = "force_automate", .set = set_tls_automate, .help = "force_automate"},
    {.name = "issuer",
     .min_args = 1,
     .max_args = 2,
     .block = true,
     .set = set_tls_issuer,
     .help = "issuer internal | issuer acme [URL] { dir, email, eab, trusted_roots }"},
    {.name = "key_type",
     .min_args = 1,
     .max_args = 1,
     .set = set_tls_key_type,
     .help = "key_type TYPE"},
    {.name = "protocols",
     .min_args = 1,
     .max_args = 2,
     .set = set_tls_protocols,
     .help = "protocols LOWEST [HIGHEST]"},
    {.name = "renewal_window_ratio",
     .min_args = 1,
     .max_args = 1,
     .set = set_tls_ratio,
     .help = "renewal_window_ratio RATIO"},
    {0},
};

/* A single word that is neither "internal" nor an e-mail address. */
static int refuse_word(const struct directive_args *d, const struct token *t)
{
    if (str_is(t->text, "off"))
        return directive_error(d, t, "for a site without TLS, write 'http://' before its address");
    if (str_is(t->text, "self_signed"))
        return directive_error(d, t, "write 'tls internal': the local CA signs the certificate");
    return directive_error(d, t,
                           "'" STR_FMT "' is neither 'internal' nor an e-mail address; a "
                           "certificate needs its key beside it: 'tls CERT KEY'",
                           STR_ARG(t->text));
}

/* "tls internal", "tls EMAIL" or "tls CERT KEY", any of them with a block, or a block alone. */
int tls_directive_set(const struct directive_args *d)
{
    struct site_draft *site = d->builder->current;
    struct tls_conf *tls = tls_of(d);

    site->tls_token = d->node->words[0];
    if (d->n_args == 0 && !d->node->has_block)
        return directive_error(d, &d->node->words[0],
                               "'tls' needs internal, an e-mail address, CERT KEY, or a block");
    if (d->n_args == 2) {
        site->tls_directive = CERT_FILES;
        tls->cert_file = directive_path(d, &d->args[0]);
        tls->key_file = directive_path(d, &d->args[1]);
    } else if (d->n_args == 1 && str_is(d->args[0].text, "internal")) {
        site->tls_directive = CERT_INTERNAL;
    } else if (d->n_args == 1 && !str_is(d->args[0].text, "force_automate")) {
        if (str_chr(d->args[0].text, '@') == d->args[0].text.len)
            return refuse_word(d, &d->args[0]);
        if (tls_options_email(d, tls, &d->args[0]) != 0)
            return -1;
    }
    if (directive_block(d, tls_rows, refused_tls, d->target) != 0)
        return -1;
    tls->source = site->tls_directive;
    if (site->tls_acme && tls->source != CERT_NONE)
        return directive_error(d, &d->node->words[0],
                               "a CA (ca, ca_root, eab, issuer acme) is of no use beside '%s'",
                               tls->source == CERT_FILES ? "CERT KEY" : "internal");
    return 0;
}
