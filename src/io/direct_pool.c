/* Upstreams, connections that wait for work, and blocks of memory. */
#include "io/direct_priv.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { PREAMBLE_IDLE_MS = 15 * 1000 }; /* the one client that it is for may have gone */

/* ---- origins ---- */

/* *port is left as it is where none is said. */
static bool split_authority(struct str authority, struct str *host, uint16_t *port)
{
    size_t colon = authority.len;
    uint64_t number;

    for (size_t i = authority.len; i > 0 && authority.p[i - 1] != ']'; i--)
        if (authority.p[i - 1] == ':')
            colon = i - 1;
    *host = (struct str){authority.p, colon};
    if (colon == authority.len)
        return host->len > 0;
    if (!str_to_uint(str_from(authority, colon + 1), UINT16_MAX, &number) || number == 0)
        return false;
    *port = (uint16_t)number;
    return host->len > 0;
}

static bool is_key(struct str key, bool is_unix)
{
    struct sockaddr_un sun;
    struct str host;
    uint16_t port = 0;

    return is_unix ? key.len > 0 && key.len < sizeof sun.sun_path
                   : split_authority(key, &host, &port);
}

static bool set_local(const char *text, struct address *out)
{
    *out = (struct address){0};
    if (text == NULL)
        return true;
    out->family = strchr(text, ':') != NULL ? AF_INET6 : AF_INET;
    return inet_pton(out->family, text, out->bytes) == 1;
}

static struct origin *origin_new(const struct wire *wire, struct str key, bool is_unix, bool secure,
                                 uint32_t hash)
{
    struct origin *o = xalloc(sizeof *o + key.len + 1);

    memcpy(o->key, key.p, key.len);
    o->key_len = key.len;
    o->hash = hash;
    o->wire = wire;
    o->is_unix = is_unix;
    o->secure = secure;
    o->port = secure ? 443 : 80;
    list_init(&o->item);
    list_init(&o->idle);
    if (!is_unix)
        (void)split_authority((struct str){o->key, o->key_len}, &o->host, &o->port);
    return o;
}

static bool asks(const struct origin *o, const struct dns_servers *servers)
{
    if (o->servers == NULL || servers == NULL)
        return o->servers == servers;
    return dns_servers_same(o->servers, servers);
}

struct origin *direct_origin_get(struct direct *d, const struct wire *wire,
                                 const struct transfer_spec *spec, struct err *e)
{
    const struct str plain = STR_LIT("http://"), tls = STR_LIT("https://");
    const bool is_unix = spec->unix_socket != NULL;
    struct str url = str_of(spec->url), key;
    const bool secure = str_starts(url, tls);
    struct address local;
    struct list *bucket;
    uint32_t hash;

    if (!str_starts(url, plain) && (!secure || wire->records)) {
        err_set(e, ERR_INVALID, "%s does not begin with http://", spec->url);
        return NULL;
    }
    key = str_from(url, secure ? tls.len : plain.len);
    key.len = str_chr(key, '/');
    if (is_unix || spec->connect_to != NULL)
        key = str_of(is_unix ? spec->unix_socket : spec->connect_to);
    if (!set_local(spec->local_address, &local)) {
        err_set(e, ERR_INVALID, "%s is no address to connect from", spec->local_address);
        return NULL;
    }
    hash = str_hash_nocase(key);
    bucket = &d->origins[hash % ORIGIN_BUCKETS];
    for (struct list *at = bucket->next; at != bucket; at = at->next) {
        struct origin *o = container_of(at, struct origin, item);

        if (o->hash == hash && o->wire == wire && o->is_unix == is_unix && o->secure == secure &&
            memcmp(&o->local, &local, sizeof local) == 0 && asks(o, spec->servers) &&
            str_eq((struct str){o->key, o->key_len}, key)) {
            o->refs++;
            return o;
        }
    }
    if (!is_key(key, is_unix)) {
        err_set(e, ERR_INVALID, "'" STR_FMT "' is no address to connect to", STR_ARG(key));
        return NULL;
    }
    struct origin *o = origin_new(wire, key, is_unix, secure, hash);
    o->local = local;
    if (spec->servers != NULL) {
        o->servers = xalloc(sizeof *o->servers);
        *o->servers = *spec->servers;
    }
    list_add_tail(bucket, &o->item);
    o->refs = 1;
    return o;
}

void direct_origin_unref(struct origin *o)
{
    assert(o->refs > 0);
    if (--o->refs > 0)
        return;
    list_del(&o->item);
    free(o->servers);
    free(o);
}

/* ---- connections ---- */

struct direct_conn *direct_conn_new(const struct direct_transfer *t, int fd)
{
    struct direct_conn *c = xalloc(sizeof *c + t->preamble_len);

    c->src = (struct event_source){.fd = fd, .on_event = direct_conn_on_event};
    c->d = t->d;
    c->origin = t->origin;
    c->origin->refs++;
    c->group = t->idle.group;
    c->preamble_len = t->preamble_len;
    memcpy(c->preamble, t->head, t->preamble_len);
    list_init(&c->of_origin);
    list_init(&c->of_all);
    return c;
}

static void leave_pool(struct direct_conn *c)
{
    list_del(&c->of_origin);
    list_del(&c->of_all);
    c->origin->n_idle--;
    c->d->n_idle--;
}

void direct_conn_close(struct direct_conn *c)
{
    if (!list_empty(&c->of_all))
        leave_pool(c);
    direct_tls_free(c->tls);
    loop_del(c->d->loop, &c->src);
    close(c->src.fd);
    direct_origin_unref(c->origin);
    free(c);
}

/* ---- idle ones ---- */

/* Nothing has come, and the peer has not closed. */
static bool is_quiet(struct direct_conn *c)
{
    char byte;
    ssize_t n = recv(c->src.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

    c->readable = false;
    return n == -1 && (errno == EAGAIN || errno == EINTR) &&
           (c->tls == NULL || direct_tls_is_quiet(c->tls));
}

static struct idlers *idlers_of(const struct direct_conn *c)
{
    enum idlers_kind kind = c->origin->wire->records ? IDLE_FASTCGI : IDLE_HTTP;

    return &c->d->idle[c->preamble_len > 0 ? IDLE_PREAMBLE : kind];
}

/* The one of all that has been idle longest, roughly: those that are of least use come first. */
static void close_longest_idle(struct direct *d)
{
    static const enum idlers_kind order[] = {IDLE_PREAMBLE, IDLE_HTTP, IDLE_FASTCGI};

    for (size_t i = 0; i < ARRAY_LEN(order); i++) {
        struct list *conns = &d->idle[order[i]].conns;

        if (list_empty(conns))
            continue;
        direct_conn_close(container_of(conns->next, struct direct_conn, of_all));
        return;
    }
}

bool direct_pool_shrink(struct direct *d)
{
    if (d->n_idle == 0)
        return false;
    close_longest_idle(d);
    return true;
}

/* Those of a group; *first is the one that has been idle longest, roughly. */
static unsigned count_idle(struct direct *d, uint64_t group, struct direct_conn **first)
{
    unsigned n = 0;

    for (size_t i = 0; i < IDLE_KINDS; i++) {
        struct list *conns = &d->idle[i].conns;

        for (struct list *at = conns->next; at != conns; at = at->next) {
            struct direct_conn *c = container_of(at, struct direct_conn, of_all);

            if (c->group == group && n++ == 0)
                *first = c;
        }
    }
    return n;
}

/* One more can be kept then. There is something to count only when there are many in all. */
static void keep_below(struct direct *d, const struct transfer_idle *idle)
{
    struct direct_conn *first = NULL;

    while (idle->max != 0 && d->n_idle >= idle->max &&
           count_idle(d, idle->group, &first) >= idle->max)
        direct_conn_close(first);
}

static unsigned max_each(const struct direct *d, const struct transfer_idle *idle)
{
    const unsigned max = d->limits.idle_max_per_upstream;

    return idle->max_each != 0 && idle->max_each < max ? idle->max_each : max;
}

static bool is_worn(struct direct_conn *c)
{
    const unsigned max = c->origin->wire->requests_max;

    return max != 0 && ++c->served >= max;
}

void direct_pool_put(struct direct_conn *c, const struct transfer_idle *idle)
{
    struct direct *d = c->d;
    struct origin *o = c->origin;
    struct idlers *idlers = idlers_of(c);

    if (d->limits.idle_max == 0 || is_worn(c) || (c->readable && !is_quiet(c))) {
        direct_conn_close(c);
        return;
    }
    while (o->n_idle >= max_each(d, idle))
        direct_conn_close(container_of(o->idle.prev, struct direct_conn, of_origin));
    keep_below(d, idle);
    if (d->n_idle >= d->limits.idle_max)
        close_longest_idle(d);
    c->used = true;
    c->since_ms = loop_now_ms(d->loop);
    list_add_tail(o->idle.next, &c->of_origin); /* before the first */
    list_add_tail(&idlers->conns, &c->of_all);
    o->n_idle++;
    d->n_idle++;
    if (idlers->timer.slot == 0)
        timer_set(d->loop, &idlers->timer, idlers->timeout_ms);
}

/* Whether the connection has waited for longer than the transfer finds right. */
static bool is_old(const struct direct_conn *c, unsigned idle_ms)
{
    return idle_ms != 0 && loop_now_ms(c->d->loop) - c->since_ms >= idle_ms;
}

static bool is_for(const struct direct_conn *c, const struct direct_transfer *t)
{
    return c->preamble_len == t->preamble_len &&
           memcmp(c->preamble, t->head, c->preamble_len) == 0 &&
           (c->tls == NULL || direct_tls_is_for(c->tls, t->peer));
}

/* What has come since the loop last looked would pass for the answer: so each is asked. */
bool direct_pool_take(struct direct_transfer *t)
{
    struct list *idle = &t->origin->idle, *next;

    if (t->idle_ms == TRANSFER_ONCE)
        return false;
    for (struct list *at = idle->next; at != idle; at = next) {
        struct direct_conn *c = container_of(at, struct direct_conn, of_origin);

        next = at->next;
        if (!is_for(c, t))
            continue;
        if (!is_old(c, t->idle_ms) && is_quiet(c)) {
            leave_pool(c);
            c->t = t;
            t->conn = c;
            t->head_sent = t->preamble_len;
            return true;
        }
        direct_conn_close(c);
    }
    return false;
}

/* Whatever comes now belongs to no request; a mere sign that there is room to write may come. */
void direct_pool_event(struct direct_conn *c)
{
    if (c->hung_up || (c->readable && !is_quiet(c)))
        direct_conn_close(c);
}

static void on_timer(struct timer *timer)
{
    struct idlers *idlers = container_of(timer, struct idlers, timer);
    struct loop *loop = idlers->d->loop;
    const uint64_t now = loop_now_ms(loop);

    while (!list_empty(&idlers->conns)) {
        struct direct_conn *c = container_of(idlers->conns.next, struct direct_conn, of_all);
        uint64_t due = c->since_ms + idlers->timeout_ms;

        if (due > now) {
            timer_set(loop, timer, due - now);
            return;
        }
        direct_conn_close(c);
    }
}

void direct_pool_init(struct direct *d)
{
    const unsigned usual_ms = d->limits.idle_timeout_ms;
    const unsigned timeouts_ms[] = {[IDLE_HTTP] = usual_ms,
                                    [IDLE_FASTCGI] = direct_wire_fcgi.idle_ms,
                                    [IDLE_PREAMBLE] =
                                        usual_ms < PREAMBLE_IDLE_MS ? usual_ms : PREAMBLE_IDLE_MS};

    for (size_t i = 0; i < IDLE_KINDS; i++) {
        d->idle[i] =
            (struct idlers){.d = d, .timer = {.on_timer = on_timer}, .timeout_ms = timeouts_ms[i]};
        list_init(&d->idle[i].conns);
    }
}

void direct_pool_fini(struct direct *d)
{
    for (size_t i = 0; i < ARRAY_LEN(d->idle); i++)
        timer_cancel(d->loop, &d->idle[i].timer);
    while (d->n_idle > 0)
        close_longest_idle(d);
    while (d->free_blocks != NULL) {
        struct block *b = d->free_blocks;

        d->free_blocks = b->next;
        free(b);
    }
}

/* ---- blocks ---- */

struct block *direct_block_get(struct direct *d)
{
    struct block *b = d->free_blocks;

    if (b != NULL) {
        d->free_blocks = b->next;
        d->n_free_blocks--;
    } else {
        b = xrealloc_array(NULL, 1, sizeof *b); /* not zeroed: that would cost */
    }
    b->start = b->end = 0;
    return b;
}

void direct_block_put(struct direct *d, struct block **block)
{
    struct block *b = *block;

    *block = NULL;
    if (b == NULL)
        return;
    if (d->n_free_blocks == FREE_BLOCKS_MAX) {
        free(b);
        return;
    }
    b->next = d->free_blocks;
    d->free_blocks = b;
    d->n_free_blocks++;
}
