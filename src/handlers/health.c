/* A check:
 *  1. its timer starts a transfer, and itself for the next check.
 *  2. a redirect is followed, where that was asked for, at the same upstream.
 *  3. on_done judges status and body; so many verdicts in a row change the upstream's state.
 */
#include "handlers/health.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/log.h"
#include "base/regex.h"
#include "handlers/fastcgi_params.h"
#include "handlers/proxy_preamble.h"
#include "io/loop.h"
#include "io/transfer.h"

#include <stdio.h>
#include <stdlib.h>

enum { REDIRECTS_MAX = 10, MAX_HEAD = 64 * 1024 };

struct check {
    struct health *h;
    size_t index;
    struct timer timer;
    struct transfer *transfer; /* NULL: none under way */
    struct buf location;       /* of a redirect; empty: none */
    unsigned redirects;
    int status;
    struct buf body;
    size_t received; /* of it, HEALTH_BODY_MAX at most */
    size_t sent;     /* of the request's body */
    unsigned in_a_row;
    bool well; /* the last verdict */
};

struct health {
    struct health_params params;
    struct arena *arena; /* what one judgement needs */
    size_t n;
    struct check checks[];
};

/* ---- the verdict ---- */

static void change(struct check *c, bool sick, const char *why)
{
    struct upstream_state *s = &c->h->params.states->list[c->index];
    const char *name = c->h->params.upstreams[c->index].name;

    if (atomic_exchange_explicit(&s->sick, sick, memory_order_relaxed) == sick)
        return;
    if (sick)
        log_warn("proxy", "upstream %s: unhealthy: %s", name, why);
    else
        log_info("proxy", "upstream %s: healthy again", name);
}

static void judge(struct check *c, bool well, const char *why)
{
    const struct health_conf *conf = c->h->params.conf;

    c->in_a_row = c->well == well ? c->in_a_row + 1 : 1;
    c->well = well;
    if (c->in_a_row >= (well ? conf->passes : conf->fails))
        change(c, !well, why);
}

static bool has_right_status(const struct check *c)
{
    const struct response_match *wanted = &c->h->params.conf->status;
    const struct fields none = {0};

    if (wanted->n_statuses == 0)
        return c->status >= 200 && c->status < 300;
    return response_match(wanted, c->status, &none);
}

static bool has_right_body(const struct check *c)
{
    const struct health_conf *conf = c->h->params.conf;
    bool right =
        conf->body == NULL || regex_matches(conf->body, c->h->arena, buf_str(&c->body), NULL);

    arena_reset(c->h->arena);
    return right;
}

/* ---- the transfer ---- */

static void ask(struct check *c, const char *target);

static void on_field(void *arg, struct str name, struct str value)
{
    struct check *c = arg;

    if (!c->h->params.conf->follow_redirects || !str_eq_nocase(name, STR_LIT("Location")))
        return;
    buf_clear(&c->location);
    if (buf_append_str(&c->location, value) != 0)
        buf_clear(&c->location); /* too long: it leads nowhere */
}

static void on_head(void *arg, int status, int64_t content_length)
{
    (void)content_length;
    ((struct check *)arg)->status = status;
}

static void conclude(struct check *c);

/* What goes beyond that changes no verdict, and some answers have no end. */
static bool on_body(void *arg, struct str bytes)
{
    struct check *c = arg;
    size_t room = HEALTH_BODY_MAX - c->received, n = bytes.len < room ? bytes.len : room;

    c->received += n;
    if (c->h->params.conf->body != NULL && buf_append(&c->body, bytes.p, n) != 0)
        buf_clear(&c->body);
    if (c->received < HEALTH_BODY_MAX)
        return true;
    transfer_cancel(c->transfer);
    c->transfer = NULL;
    conclude(c);
    return true;
}

static enum pull on_pull(void *arg, char *buf, size_t cap, size_t *n)
{
    struct check *c = arg;
    struct str rest = str_from(c->h->params.conf->request_body, c->sent);

    if (rest.len == 0)
        return PULL_END;
    *n = rest.len < cap ? rest.len : cap;
    memcpy(buf, rest.p, *n);
    c->sent += *n;
    return PULL_BYTES;
}

static bool is_redirect(const struct check *c)
{
    return c->location.len > 0 && (c->status == 301 || c->status == 302 || c->status == 303 ||
                                   c->status == 307 || c->status == 308);
}

/* Where the path begins: behind "scheme://authority" or "//authority", if there is one. */
static size_t path_at(struct str location)
{
    size_t at = str_chr(location, '/'); /* a scheme has none */

    if (at + 1 < location.len && location.p[at + 1] == '/' &&
        (at == 0 || location.p[at - 1] == ':'))
        at += 2 + strcspn(location.p + at + 2, "/?#");
    else if (at > 0)
        return location.len;
    return location.p[at] == '/' ? at : location.len;
}

/* Of a redirect, its path and query: who is asked stays the same. NULL: there is none. */
static const char *target_of(struct buf *location)
{
    const struct str all = buf_str(location);
    const size_t at = path_at(all), end = str_chr(all, '#');

    for (size_t i = 0; i < all.len; i++)
        if (all.p[i] <= ' ' || all.p[i] == '\x7f')
            return NULL;
    if (at >= end)
        return NULL;
    location->p[end] = '\0'; /* what follows '#' is for whoever is redirected (RFC 9110 10.2.2) */
    return location->p + at;
}

/* It has answered. */
static void conclude(struct check *c)
{
    const char *target = is_redirect(c) ? target_of(&c->location) : NULL;
    char text[64];

    if (target != NULL && c->redirects++ < REDIRECTS_MAX) {
        ask(c, target);
        return;
    }
    snprintf(text, sizeof text, "it answered %d", c->status);
    if (!has_right_status(c))
        judge(c, false, text);
    else if (!has_right_body(c))
        judge(c, false, "its answer does not match health_body");
    else
        judge(c, true, "");
}

static void on_done(void *arg, enum transfer_result result, const char *why)
{
    struct check *c = arg;

    c->transfer = NULL;
    if (result == TRANSFER_OK)
        conclude(c);
    else if (result != TRANSFER_EXHAUSTED) /* which says nothing of the upstream */
        judge(c, false, why);
}

static const struct transfer_events events = {.on_field = on_field,
                                              .on_head = on_head,
                                              .on_body = on_body,
                                              .on_done = on_done,
                                              .pull = on_pull};

static const char **lines_for(struct check *c, const struct upstream *u)
{
    const struct health_conf *conf = c->h->params.conf;
    const char **lines = arena_alloc(c->h->arena, (conf->n_lines + 3) * sizeof *lines);
    size_t n = 0;

    if (!conf->has_host)
        lines[n++] = arena_printf(c->h->arena, "Host: " STR_FMT, STR_ARG(u->authority)).p;
    lines[n++] = "User-Agent: Lintel";
    for (size_t i = 0; i < conf->n_lines; i++)
        lines[n++] = conf->lines[i];
    lines[n] = NULL;
    return lines;
}

static void ask(struct check *c, const char *target)
{
    const struct health_conf *conf = c->h->params.conf;
    const struct upstream *u = &conf->asked[c->index];
    struct transfer_spec spec = {
        .events = &events,
        .arg = c,
        .method = conf->method,
        .target = target,
        .fields = lines_for(c, u),
        .body_len = (int64_t)conf->request_body.len,
        .connect_timeout_ms = (unsigned)conf->timeout_ms,
        .total_timeout_ms = (unsigned)conf->timeout_ms,
        .max_head = MAX_HEAD,
    };
    struct fastcgi_params params;
    struct err e;

    upstream_spec(u, &spec);
    spec.preamble = proxy_preamble_own(c->h->arena, u->how->proxy_protocol);
    if (c->h->params.fastcgi != NULL) {
        fastcgi_params_plain(c->h->arena, c->h->params.fastcgi, &spec, &params);
        spec.params = params.list;
        spec.n_params = params.n;
    }
    c->transfer = transfer_start(c->h->params.transport, &spec, &e);
    if (c->transfer == NULL)
        judge(c, false, e.msg);
    c->status = 0;
    c->sent = c->received = 0;
    buf_clear(&c->location);
    buf_clear(&c->body);
    arena_reset(c->h->arena);
}

static void on_timer(struct timer *t)
{
    struct check *c = container_of(t, struct check, timer);

    timer_set(c->h->params.loop, t, c->h->params.conf->interval_ms);
    if (c->transfer != NULL)
        return; /* it takes longer than the interval: its timeout will tell */
    c->redirects = 0;
    ask(c, c->h->params.conf->target);
}

/* ---- life ---- */

struct health *health_start(const struct health_params *p)
{
    size_t n = p->states->n;
    struct health *h;

    if (p->conf->asked == NULL)
        return NULL;
    h = xalloc(sizeof *h + n * sizeof h->checks[0]);
    h->params = *p;
    h->arena = arena_new();
    h->n = n;
    for (size_t i = 0; i < n; i++) {
        h->checks[i] = (struct check){.h = h,
                                      .index = i,
                                      .timer = {.on_timer = on_timer},
                                      .location = BUF_INIT(4096),
                                      .body = BUF_INIT(HEALTH_BODY_MAX)};
        timer_set(p->loop, &h->checks[i].timer, 0);
    }
    return h;
}

void health_stop(struct health *h)
{
    if (h == NULL)
        return;
    for (size_t i = 0; i < h->n; i++) {
        struct check *c = &h->checks[i];

        if (c->transfer != NULL)
            transfer_cancel(c->transfer);
        timer_cancel(h->params.loop, &c->timer);
        buf_fini(&c->location);
        buf_fini(&c->body);
    }
    arena_free(h->arena);
    free(h);
}
