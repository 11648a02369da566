#include "conf/tls_options.h"

#include "base/alloc.h"

int tls_options_email(const struct directive_args *d, struct tls_conf *tls, const struct token *t)
{
    size_t at = str_chr(t->text, '@');

    if (at == 0 || at + 1 >= t->text.len)
        return directive_error(d, t, "'" STR_FMT "' is no e-mail address", STR_ARG(t->text));
    tls->email = directive_cstr(d, t);
    return 0;
}

int tls_options_ca(const struct directive_args *d, struct tls_conf *tls)
{
    const struct token *t = &d->args[0];

    if (!str_starts(t->text, STR_LIT("https://")) && !str_starts(t->text, STR_LIT("http://")))
        return directive_error(d, t, "'" STR_FMT "' is no URL of an ACME directory (https://...)",
                               STR_ARG(t->text));
    tls->ca = directive_cstr(d, t);
    return 0;
}

int tls_options_ca_root(const struct directive_args *d, struct tls_conf *tls)
{
    tls->ca_root = directive_path(d, &d->args[0]);
    return 0;
}

int tls_options_key_type(const struct directive_args *d, struct tls_conf *tls)
{
    static const char *const names[] = {"p256",    "p384",    "rsa2048", "rsa3072",
                                        "rsa4096", "ed25519", NULL};
    static const enum key_type types[] = {KEY_P256,    KEY_P384,    KEY_RSA2048,
                                          KEY_RSA3072, KEY_RSA4096, KEY_ED25519};
    const struct token *t = &d->args[0];

    for (size_t i = 0; names[i] != NULL; i++)
        if (str_is(t->text, names[i])) {
            tls->key_type = types[i];
            return 0;
        }
    return directive_unknown(d, t, "key type", names);
}

/* ---- external account binding ---- */

static int set_key_id(const struct directive_args *d)
{
    ((struct tls_conf *)d->target)->eab_key_id = directive_cstr(d, &d->args[0]);
    return 0;
}

/* RFC 8555 7.3.4: the key is base64url; Caddy's users paste it with or without padding. */
static bool is_base64url(struct str s)
{
    while (str_ends(s, STR_LIT("=")))
        s.len--;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.p[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '-' || c == '_'))
            return false;
    }
    return s.len > 0;
}

static int set_mac_key(const struct directive_args *d)
{
    if (!is_base64url(d->args[0].text))
        return directive_error(d, &d->args[0], "the MAC key must be base64url text");
    ((struct tls_conf *)d->target)->eab_mac_key = directive_cstr(d, &d->args[0]);
    return 0;
}

static const struct directive eab_rows[] = {
    {.name = "key_id", .min_args = 1, .max_args = 1, .set = set_key_id, .help = "key_id ID"},
    {.name = "mac_key", .min_args = 1, .max_args = 1, .set = set_mac_key, .help = "mac_key KEY"},
    {0},
};

int tls_options_eab(const struct directive_args *d, struct tls_conf *tls)
{
    tls->eab_key_id = tls->eab_mac_key = "";
    if (d->n_args == 2 && !d->node->has_block) {
        struct directive_args key = *d;

        key.target = tls;
        set_key_id(&key);
        key.args++;
        return set_mac_key(&key);
    }
    if (d->n_args > 0)
        return directive_error(d, &d->node->words[0],
                               "write the key id and the MAC key, or a "
                               "block of key_id and mac_key");
    if (directive_block(d, eab_rows, NULL, tls) != 0)
        return -1;
    if (tls->eab_key_id[0] == '\0' || tls->eab_mac_key[0] == '\0')
        return directive_error(d, &d->node->words[0], "both key_id and mac_key are needed");
    return 0;
}

/* ---- renewal ---- */

int tls_options_renewal_ratio(const struct directive_args *d, struct tls_conf *tls)
{
    static const unsigned scale[] = {0, 100, 10, 1};
    const struct token *t = &d->args[0];
    struct str digits = t->text;
    uint64_t n;

    if (str_starts(digits, STR_LIT("0.")))
        digits = str_from(digits, 2);
    else if (str_starts(digits, STR_LIT(".")))
        digits = str_from(digits, 1);
    if (digits.len == t->text.len || digits.len > 3 || !str_to_uint(digits, 999, &n) || n == 0)
        return directive_error(d, t,
                               "'" STR_FMT "' is no ratio between 0 and 1, such as 0.33, with at "
                               "most three digits",
                               STR_ARG(t->text));
    tls->renewal_permille = (unsigned)n * scale[digits.len];
    return 0;
}

/* ---- issuers ---- */

static int set_issuer_email(const struct directive_args *d)
{
    return tls_options_email(d, d->target, &d->args[0]);
}

static int set_issuer_dir(const struct directive_args *d)
{
    return tls_options_ca(d, d->target);
}

static int set_issuer_eab(const struct directive_args *d)
{
    return tls_options_eab(d, d->target);
}

static int set_issuer_root(const struct directive_args *d)
{
    return tls_options_ca_root(d, d->target);
}

static const struct directive acme_rows[] = {
    {.name = "dir", .min_args = 1, .max_args = 1, .set = set_issuer_dir, .help = "dir URL"},
    {.name = "eab",
     .max_args = 2,
     .block = true,
     .set = set_issuer_eab,
     .help = "eab KEY_ID MAC_KEY"},
    {.name = "email",
     .min_args = 1,
     .max_args = 1,
     .set = set_issuer_email,
     .help = "email ADDRESS"},
    {.name = "trusted_roots",
     .min_args = 1,
     .max_args = 1,
     .set = set_issuer_root,
     .help = "trusted_roots FILE"},
    {0},
};

static const struct directive internal_rows[] = {{0}};

int tls_options_issuer(const struct directive_args *d, struct tls_conf *tls, bool *internal)
{
    static const char *const issuers[] = {"acme", "internal", NULL};
    struct directive_args url = *d;

    *internal = str_is(d->args[0].text, "internal");
    if (*internal && d->n_args > 1)
        return directive_error(d, &d->args[1], "nothing follows 'internal'");
    if (*internal)
        return directive_block(d, internal_rows, refused_issuer, tls);
    if (str_is(d->args[0].text, "zerossl"))
        return directive_error(d, &d->args[0],
                               "write 'acme' with the URL of its directory and an 'eab'");
    if (!str_is(d->args[0].text, "acme"))
        return directive_unknown(d, &d->args[0], "issuer", issuers);
    url.args++;
    url.n_args--;
    if (url.n_args > 0 && tls_options_ca(&url, tls) != 0)
        return -1;
    return directive_block(d, acme_rows, refused_issuer, tls);
}
