#include "http/service.h"

#include "base/alloc.h"
#include "http/access_log.h"
#include "http/client_ip.h"
#include "http/error_page.h"
#include "http/hsts.h"
#include "http/route.h"

#include <stdlib.h>

struct service {
    unsigned refs;
    struct conf *conf;
    void **states; /* by slot: conf.handlers */
    struct cert_set *certs;
    struct access_log *log;
    struct error_pages *error_pages; /* made with the first error */
};

enum { CLIENT_GONE = 499 }; /* in the log: it did not wait for the answer; no status of HTTP's */

static const char challenge_prefix[] = "/.well-known/acme-challenge/"; /* RFC 8555 8.3 */

/* ---- life ---- */

static void stop_handlers(struct service *s)
{
    for (size_t i = 0; i < s->conf->n_handlers; i++) {
        const struct handler_conf *h = &s->conf->handlers[i];

        if (h->type->stop != NULL && s->states[i] != NULL)
            h->type->stop(s->states[i]);
    }
}

static int start_handlers(struct service *s, const struct worker_env *env, struct err *e)
{
    for (size_t i = 0; i < s->conf->n_handlers; i++) {
        const struct handler_conf *h = &s->conf->handlers[i];

        if (h->type->start != NULL && h->type->start(h->conf, env, &s->states[i], e) != 0)
            return err_wrap(e, STR_FMT ":%u: %s", STR_ARG(h->file), h->line, h->type->name);
    }
    return 0;
}

void *service_state(const struct service *s, size_t slot)
{
    return s->states[slot];
}

struct service *service_new(struct conf *conf, const struct worker_env *env, struct access_log *al,
                            struct err *e)
{
    struct service *s = xalloc(sizeof *s);

    s->refs = 1;
    s->conf = conf_ref(conf);
    s->log = al;
    s->states = xalloc(conf->n_handlers * sizeof *s->states);
    if (start_handlers(s, env, e) != 0) {
        service_unref(s);
        return NULL;
    }
    return s;
}

void service_retire(struct service *s)
{
    for (size_t i = 0; i < s->conf->n_handlers; i++)
        if (s->conf->handlers[i].type->retire != NULL && s->states[i] != NULL)
            s->conf->handlers[i].type->retire(s->states[i]);
}

struct service *service_ref(struct service *s)
{
    s->refs++;
    return s;
}

void service_unref(struct service *s)
{
    if (s == NULL || --s->refs > 0)
        return;
    stop_handlers(s);
    free(s->states);
    cert_set_unref(s->certs);
    error_pages_free(s->error_pages);
    conf_unref(s->conf);
    free(s);
}

struct error_pages *service_error_pages(struct service *s)
{
    if (s->error_pages == NULL)
        s->error_pages = error_pages_new();
    return s->error_pages;
}

const struct conf *service_conf(const struct service *s)
{
    return s->conf;
}

void service_set_certs(struct service *s, struct cert_set *set)
{
    struct cert_set *old = s->certs;

    s->certs = set == NULL ? NULL : cert_set_ref(set);
    cert_set_unref(old);
}

/* ---- routing ---- */

/* Answers an http-01 challenge on a plain connection. False if the path is none that is open: a
 * site may then serve it (from a webroot of another client), but it is never redirected. */
static bool answer_challenge(struct service *s, struct exchange *ex)
{
    struct str token = str_from(ex->path, sizeof challenge_prefix - 1);
    struct str answer = {NULL, 0};

    if (s->certs != NULL)
        answer = cert_set_http01(s->certs, token);
    if (answer.len == 0)
        return false;
    fields_add(&ex->response, ex->arena, STR_LIT("Content-Type"),
               STR_LIT("application/octet-stream"));
    /* The set may be replaced before the answer is out. */
    exchange_respond_bytes(ex, 200, arena_str(ex->arena, answer));
    return true;
}

/* "host", "host:8443" or "[::1]:8443"; the port is left out where it is the scheme's own. */
static struct str https_authority(struct exchange *ex, uint16_t port)
{
    const char *open = memchr(ex->host.p, ':', ex->host.len) != NULL ? "[" : "";
    const char *close = *open != '\0' ? "]" : "";

    if (port == 443)
        return arena_printf(ex->arena, "%s" STR_FMT "%s", open, STR_ARG(ex->host), close);
    return arena_printf(ex->arena, "%s" STR_FMT "%s:%u", open, STR_ARG(ex->host), close, port);
}

static void redirect_to_https(struct exchange *ex, uint16_t port)
{
    struct str location = arena_printf(ex->arena, "https://" STR_FMT STR_FMT "%s" STR_FMT,
                                       STR_ARG(https_authority(ex, port)), STR_ARG(ex->raw_path),
                                       ex->query.p == NULL ? "" : "?", STR_ARG(ex->query));

    fields_add(&ex->response, ex->arena, STR_LIT("Location"), location);
    ex->close = true; /* what follows comes over another connection */
    exchange_respond(ex, 308);
}

static void add_hsts(struct service *s, struct exchange *ex)
{
    const struct hsts_conf *hsts = &ex->site->hsts;
    const struct cert_entry *entry = NULL;
    struct str value = hsts->value;

    if (hsts->mode == HSTS_OFF || !ex->secure)
        return;
    if (hsts->mode == HSTS_RAMP) {
        if (s->certs != NULL)
            entry = cert_set_find(s->certs, ex->host);
        value = hsts_ramp(entry == NULL ? 0 : entry->public_since_s, loop_wall_s(ex->loop));
    }
    if (value.len > 0)
        fields_add(&ex->response, ex->arena, STR_LIT("Strict-Transport-Security"), value);
}

/* OPTIONS * asks about the server as a whole (RFC 9110 9.3.7); no other method may use "*". */
static void answer_asterisk(struct exchange *ex)
{
    if (!str_is(ex->method, "OPTIONS")) {
        exchange_respond_error(ex, 400);
        return;
    }
    fields_add(&ex->response, ex->arena, STR_LIT("Allow"), STR_LIT("GET, HEAD, OPTIONS"));
    exchange_respond(ex, 204);
}

/* "strict_sni_host": the name of the handshake and the host are one. */
static bool is_sni_misused(const struct service *s, const struct exchange *ex)
{
    return s->conf->options.strict_sni && ex->secure && !str_eq_nocase(ex->sni, ex->host);
}

void service_handle(struct service *s, struct exchange *ex)
{
    bool challenge = !ex->secure && str_starts(ex->path, (struct str){challenge_prefix,
                                                                      sizeof challenge_prefix - 1});
    const struct host_entry *entry;

    client_ip_find(ex, &s->conf->options);
    fields_add(&ex->response, ex->arena, STR_LIT("Server"), STR_LIT("Lintel"));
    if (challenge && answer_challenge(s, ex))
        return;
    if (str_is(ex->path, "*")) {
        answer_asterisk(ex);
        return;
    }
    entry = listener_find(ex->listener, ex->host);
    if (entry == NULL) {
        exchange_respond_error(ex, 421); /* RFC 9110 15.5.20 */
    } else if (entry->site != NULL && !is_sni_misused(s, ex)) {
        ex->site = entry->site;
        add_hsts(s, ex);
        route_start(ex, &ex->site->route);
    } else if (entry->site != NULL) {
        exchange_respond_error(ex, 421);
    } else if (challenge) {
        exchange_respond_error(ex, 404);
    } else {
        redirect_to_https(ex, entry->https_port);
    }
}

/* ---- the access log ---- */

enum nearness { NOT_FOR, FOR_ANY, BY_WILDCARD, EXACT };

/* "*.example.com" is for one more label, as in addresses. */
static enum nearness nearness_of(struct str pattern, struct str host)
{
    if (pattern.len == 0 || str_is(pattern, "*"))
        return FOR_ANY;
    if (str_eq_nocase(pattern, host))
        return EXACT;
    if (str_starts(pattern, STR_LIT("*.")) && str_chr(host, '.') < host.len &&
        str_eq_nocase(str_from(pattern, 1), str_from(host, str_chr(host, '.'))))
        return BY_WILDCARD;
    return NOT_FOR;
}

static enum nearness log_nearness(const struct site_log *log, struct str host)
{
    enum nearness best = log->n_hosts == 0 ? EXACT : NOT_FOR;

    for (size_t i = 0; i < log->n_hosts; i++) {
        enum nearness n = nearness_of(log->hosts[i], host);

        best = n > best ? n : best;
    }
    return best;
}

static void write_log(struct service *s, struct exchange *ex, const struct log_conf *log)
{
    if (access_log_wants(ex, log))
        s->log->write(s->log, log, access_log_line(ex, log));
}

/* The logs of the site that are nearest to the host. */
static void write_site_logs(struct service *s, struct exchange *ex)
{
    struct str host = exchange_original(ex).host;
    enum nearness nearest = FOR_ANY;

    for (size_t i = 0; i < ex->site->n_logs; i++) {
        enum nearness n = log_nearness(&ex->site->logs[i], host);

        nearest = n > nearest ? n : nearest;
    }
    for (size_t i = 0; i < ex->site->n_logs; i++)
        if (log_nearness(&ex->site->logs[i], host) == nearest)
            write_log(s, ex, ex->site->logs[i].log);
}

void service_log(struct service *s, struct exchange *ex)
{
    if (s->log == NULL || ex->site == NULL || ex->unlogged)
        return;
    if (!ex->responded && !ex->close)
        ex->status = CLIENT_GONE;
    if (ex->named_logs.list == NULL)
        write_site_logs(s, ex);
    for (size_t i = 0; i < ex->named_logs.n; i++)
        write_log(s, ex, ex->named_logs.list[i]);
}
