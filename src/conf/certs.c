#include "conf/certs.h"

#include <stdlib.h>

/* ---- where a certificate comes from ---- */

static int refuse(struct conf_builder *b, const struct site_address *sa, const char *why)
{
    return diag_error(b->diag, &sa->token, "'" STR_FMT "': %s", STR_ARG(sa->token.text), why);
}

/* By what the site says, then by the options, then by the kind of name. */
static int decide(struct conf_builder *b, const struct site_draft *site,
                  const struct site_address *sa, enum cert_source *out)
{
    const struct global *g = &b->global;

    *out = site->tls_directive;
    if (sa->address.kind == HOST_ANY)
        return refuse(b, sa,
                      "a site with TLS needs a host name, so that it can have a certificate");
    if (*out != CERT_NONE)
        return 0;
    if (g->auto_https == AUTO_HTTPS_OFF || g->auto_https == AUTO_HTTPS_DISABLE_CERTS)
        return refuse(b, sa,
                      "auto_https is off, so this site has no certificate: write http:// before "
                      "the address, or tls with a certificate and a key");
    *out = CERT_INTERNAL;
    if ((g->local_certs || sa->address.local) && !site->tls_acme)
        return 0;
    if (sa->address.kind == HOST_WILDCARD)
        return refuse(b, sa,
                      "a wildcard certificate needs the dns-01 challenge, which is not supported "
                      "yet: write tls internal, or tls with a certificate and a key");
    if (sa->address.kind == HOST_IP)
        return refuse(b, sa, "certificates of a CA for IP addresses are not supported yet");
    *out = CERT_ACME;
    return 0;
}

/* The settings of a site with another source: its names may differ (localhost, example.com). */
static const struct tls_conf *settings(struct conf_builder *b, struct site_draft *site,
                                       enum cert_source source)
{
    struct tls_conf *tls = &site->site->tls;

    if (tls->source == CERT_NONE)
        tls->source = source;
    if (tls->source == source)
        return tls;
    if (site->other_tls == NULL) { /* only two sources can be mixed: ACME and internal */
        site->other_tls = arena_alloc(b->arena, sizeof *tls);
        *site->other_tls = *tls;
        site->other_tls->source = source;
    }
    return site->other_tls;
}

int certs_add(struct conf_builder *b, struct site_draft *site, const struct site_address *sa,
              struct needs *needs, enum cert_source *source)
{
    if (decide(b, site, sa, source) != 0)
        return -1;
    needs->list = arena_grow(b->scratch, needs->list, needs->n, &needs->cap, sizeof *needs->list);
    needs->list[needs->n++] =
        (struct need){arena_strdup(b->arena, sa->address.host), settings(b, site, *source),
                      &sa->token, site->tls_token.line == 0};
    return 0;
}

/* ---- one row a name ---- */

static bool same_text(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

/* Whether two settings lead to the same certificate. */
static bool same_settings(const struct tls_conf *a, const struct tls_conf *b)
{
    if (a == b)
        return true;
    if (a->source != b->source || a->key_type != b->key_type ||
        a->renewal_permille != b->renewal_permille)
        return false;
    if (a->source == CERT_FILES)
        return same_text(a->cert_file, b->cert_file) && same_text(a->key_file, b->key_file);
    if (a->source == CERT_INTERNAL)
        return true;
    return same_text(a->email, b->email) && same_text(a->ca, b->ca) &&
           same_text(a->ca_root, b->ca_root) && same_text(a->eab_key_id, b->eab_key_id) &&
           same_text(a->eab_mac_key, b->eab_mac_key);
}

static int compare(const void *a, const void *b)
{
    const struct need *x = a, *y = b;
    int c = strcmp(x->name, y->name);

    if (c == 0)
        c = (x->at->line > y->at->line) - (x->at->line < y->at->line);
    return c != 0 ? c : (x->at->column > y->at->column) - (x->at->column < y->at->column);
}

static int compare_name(const void *key, const void *need)
{
    return strcmp(key, ((const struct need *)need)->name);
}

/* As in Caddy, a site without a tls directive uses the wildcard certificate of another site's files
 * if that covers its name. */
static void use_wildcard(const struct needs *needs, struct need *need, struct arena *scratch)
{
    const char *dot = strchr(need->name, '.');
    const struct need *wildcard;

    if (!need->automatic || dot == NULL || needs->n == 0)
        return;
    wildcard = bsearch(arena_printf(scratch, "*%s", dot).p, needs->list, needs->n,
                       sizeof needs->list[0], compare_name);
    if (wildcard != NULL && wildcard->tls->source == CERT_FILES)
        need->tls = wildcard->tls;
}

void certs_settle(struct conf_builder *b, struct needs *needs)
{
    size_t n = 0;

    if (needs->n > 1)
        qsort(needs->list, needs->n, sizeof needs->list[0], compare);
    for (size_t i = 0; i < needs->n; i++) {
        const struct need *need = &needs->list[i];
        const struct need *last = n == 0 ? NULL : &needs->list[n - 1];

        if (last == NULL || !same_text(last->name, need->name))
            needs->list[n++] = *need;
        else if (!same_settings(last->tls, need->tls))
            diag_error(b->diag, need->at,
                       "'%s' has other tls settings at " STR_FMT ":%u:%u: one name can have only "
                       "one certificate",
                       need->name, STR_ARG(last->at->file), last->at->line, last->at->column);
    }
    needs->n = n;
    if (b->global.auto_https == AUTO_HTTPS_IGNORE_LOADED)
        return;
    for (size_t i = 0; i < n; i++)
        use_wildcard(needs, &needs->list[i], b->scratch);
}
