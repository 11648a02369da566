/* Certificates that need no CA of others: from the embedded local CA, and from files. */
#include "cert/manager_priv.h"

#include "base/file.h"
#include "base/log.h"
#include "cert/x509.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

/* ---- the local CA ---- */

static int open_local_ca(struct manager *m, struct err *e)
{
    if (m->local_ca == NULL)
        m->local_ca = local_ca_open(m->store, manager_now_s(m), e);
    return m->local_ca == NULL ? -1 : 0;
}

int managed_check_local(struct managed *n, struct str chain_pem, struct err *e)
{
    struct err none; /* what cannot be judged now is served until it is renewed */

    return open_local_ca(n->m, &none) != 0 ? 0 : local_ca_check(n->m->local_ca, chain_pem, e);
}

static int issue(struct managed *n, struct vault_cert *c, struct err *e)
{
    struct manager *m = n->m;

    if (open_local_ca(m, e) != 0)
        return -1;
    return local_ca_issue(m->local_ca, str_of(n->name), n->tls->key_type, manager_now_s(m),
                          &c->chain_pem, &c->key_pem, e);
}

void managed_issue_local(struct managed *n)
{
    struct vault_cert c;
    struct err e;

    vault_cert_init(&c);
    if (issue(n, &c, &e) == 0) {
        vault_drop_public_since(n->m->store, n->name);
        managed_obtained(n, &c, "");
    } else if (e.code == ERR_BUSY) { /* another process, or a clock that will be set soon */
        if (strcmp(n->reason, e.msg) != 0)
            log_info("cert", "%s: has to wait: %s", n->name, e.msg);
        snprintf(n->reason, sizeof n->reason, "%s", e.msg);
        managed_unlock(n);
        timer_set(n->m->loop, &n->timer, e.retry_ms > 0 ? e.retry_ms : STORE_LOCK_RETRY_MS);
    } else {
        managed_failed(n, &e);
    }
    vault_cert_fini(&c);
}

/* ---- files ---- */

/* Whether path changed since *seen, which is brought up to date. */
static int look_at(const char *path, struct timespec *seen, bool *changed, struct err *e)
{
    struct stat st;

    if (stat(path, &st) == -1)
        return err_sys(e, "%s", path);
    if (st.st_mtim.tv_sec != seen->tv_sec || st.st_mtim.tv_nsec != seen->tv_nsec)
        *changed = true;
    *seen = st.st_mtim;
    return 0;
}

static int read_pair(struct managed *n, struct err *e)
{
    struct vault_cert c;
    int rc = -1;

    vault_cert_init(&c);
    if (file_read(AT_FDCWD, n->tls->cert_file, &c.chain_pem, e) != 0 ||
        file_read(AT_FDCWD, n->tls->key_file, &c.key_pem, e) != 0)
        goto out;
    c.cred = cred_new(buf_str(&c.chain_pem), buf_str(&c.key_pem), e);
    if (c.cred == NULL)
        err_wrap(e, "%s", n->tls->cert_file);
    else
        rc = managed_adopt(n, buf_str(&c.chain_pem), &c.cred, e);
out:
    vault_cert_fini(&c);
    return rc;
}

/* Files that cannot be read leave what is served as it is: whoever replaces them does so in two
 * steps, and the next look may find both. */
static void files_failed(struct managed *n, const struct err *e)
{
    n->cert_mtime = (struct timespec){0, 0}; /* read again at the next look */
    if (n->retry.last_s == 0 || strcmp(n->retry.error, e->msg) != 0)
        log_error("cert", "%s: %s%s", n->name, e->msg,
                  n->cred == NULL ? "" : "; the old certificate stays in use");
    n->retry.last_s = manager_now_s(n->m);
    snprintf(n->retry.error, sizeof n->retry.error, "%s", e->msg);
    if (n->cred == NULL) {
        snprintf(n->reason, sizeof n->reason, "%s", e->msg);
        manager_changed(n->m);
    }
}

void managed_look_files(struct managed *n)
{
    bool changed = false;
    struct err e;

    if (look_at(n->tls->cert_file, &n->cert_mtime, &changed, &e) != 0 ||
        look_at(n->tls->key_file, &n->key_mtime, &changed, &e) != 0)
        files_failed(n, &e);
    else if (changed && read_pair(n, &e) != 0)
        files_failed(n, &e);
    else if (changed) {
        memset(&n->retry, 0, sizeof n->retry);
        if (n->not_after_s < manager_now_s(n->m))
            log_error("cert", "%s: the certificate in %s has expired", n->name, n->tls->cert_file);
        if (n->loaded)
            log_info("cert", "%s: took up %s again", n->name, n->tls->cert_file);
    }
    timer_set(n->m->loop, &n->timer, n->m->conf->options.renew_interval_ms);
}
