/* "lintel certs list": a table of the managed names, read from storage. */
#include "cert/manager_priv.h"

#include "base/date.h"
#include "base/file.h"
#include "cert/store_layout.h"
#include "cert/vault.h"
#include "cert/x509.h"

#include <fcntl.h>
#include <stdio.h>
#include <time.h>

enum { DAY_S = 86400, DAY_LEN = 10 };

static const char row_format[] = "%-32s %-8s %-34s %-10s %5s  %-20s  %s\n";

struct row {
    const char *source;
    char issuer[64];
    char not_after[DATE_RFC3339_LEN + 1];
    char days[24];
    char renewal[DATE_RFC3339_LEN + 1];
    char note[sizeof((struct retry *)NULL)->error + 64];
};

static const char *const sources[] = {[CERT_NONE] = "none",
                                      [CERT_ACME] = "acme",
                                      [CERT_INTERNAL] = "internal",
                                      [CERT_FILES] = "files"};

static void fill_facts(struct row *row, const struct x509_chain *chain, const struct tls_conf *tls,
                       int64_t now_s)
{
    int64_t not_after = x509_not_after_s(chain);
    int64_t renew = schedule_renew_at(x509_not_before_s(chain), not_after, tls->renewal_permille,
                                      str_hash_nocase(str_of(x509_serial(chain))));

    snprintf(row->issuer, sizeof row->issuer, "%s", x509_issuer(chain));
    date_format_rfc3339(not_after, row->not_after);
    row->not_after[DAY_LEN] = '\0';
    snprintf(row->days, sizeof row->days, "%lld", (long long)((not_after - now_s) / DAY_S));
    if (tls->source != CERT_FILES)
        date_format_rfc3339(renew, row->renewal);
    if (not_after < now_s)
        snprintf(row->note, sizeof row->note, "expired");
}

static void fill_retry(struct row *row, struct store *st, const struct cert_need *need)
{
    struct retry r;
    char next[DATE_RFC3339_LEN + 1];

    retry_load(st, need->tls->ca, need->name, manager_conf_hash(need->tls), &r);
    if (r.last_s == 0)
        return;
    date_format_rfc3339(r.next_s, next);
    snprintf(row->note, sizeof row->note, "failed, next attempt %s: %s", next, r.error);
}

/* Files or what is stored; c holds it. */
static int load(struct store *st, const struct cert_need *need, struct vault_cert *c, struct err *e)
{
    const struct tls_conf *tls = need->tls;

    if (tls->source == CERT_FILES)
        return file_read(AT_FDCWD, tls->cert_file, &c->chain_pem, e);
    if (st == NULL)
        return err_set(e, ERR_NOT_FOUND, "no storage yet");
    return vault_load(st, tls->source == CERT_ACME ? tls->ca : STORE_LOCAL_CA, need->name, c, e);
}

static void fill(struct row *row, struct store *st, const struct cert_need *need, int64_t now_s)
{
    struct vault_cert c;
    struct x509_chain *chain = NULL;
    struct err e;

    *row = (struct row){.source = sources[need->tls->source]};
    vault_cert_init(&c);
    if (load(st, need, &c, &e) == 0)
        chain = x509_chain_parse(buf_str(&c.chain_pem), &e);
    if (chain != NULL)
        fill_facts(row, chain, need->tls, now_s);
    else
        snprintf(row->note, sizeof row->note, "%s",
                 e.code == ERR_NOT_FOUND && need->tls->source != CERT_FILES ? "none yet" : e.msg);
    x509_chain_free(chain);
    vault_cert_fini(&c);
    if (need->tls->source == CERT_ACME && st != NULL)
        fill_retry(row, st, need);
}

static const char *or_dash(const char *s)
{
    return s[0] == '\0' ? "-" : s;
}

static int print(struct buf *out, const char *name, const struct row *row, struct err *e)
{
    if (buf_printf(out, row_format, name, row->source, or_dash(row->issuer),
                   or_dash(row->not_after), or_dash(row->days), or_dash(row->renewal),
                   row->note[0] == '\0' ? "ok" : row->note) != 0)
        return err_set(e, ERR_LIMIT, "too many certificates to list");
    return 0;
}

int manager_list(const struct conf *conf, struct buf *out, struct err *e)
{
    const struct row head = {.source = "SOURCE",
                             .issuer = "ISSUER",
                             .not_after = "NOT AFTER",
                             .days = "DAYS",
                             .renewal = "RENEWAL",
                             .note = "STATE"};
    struct store *st = store_fs_new(conf->options.storage, NULL);
    int rc = print(out, "NAME", &head, e);

    for (size_t i = 0; i < conf->n_certs && rc == 0; i++) {
        struct row row;

        fill(&row, st, &conf->certs[i], (int64_t)time(NULL));
        rc = print(out, conf->certs[i].name, &row, e);
    }
    store_free(st);
    return rc;
}
