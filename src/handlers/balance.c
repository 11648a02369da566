#include "handlers/balance.h"

#include "base/alloc.h"
#include "base/random.h"
#include "base/siphash.h"
#include "cert/keys.h"
#include "http/cookie.h"
#include "http/query.h"

#include <stdlib.h>

/* So that the shares of DYNAMIC_UPSTREAMS_MAX upstreams with the largest weight fit in 32 bits. */
enum { WEIGHT_UNIT = 64 };

struct balance_state {
    uint64_t chance; /* of xorshift: nothing depends on its being foreseen */
    size_t turn;
    size_t n;
    int64_t credit[]; /* weighted_round_robin */
};

struct balance_state *balance_state_new(size_t n)
{
    struct balance_state *st = xalloc(sizeof *st + n * sizeof st->credit[0]);

    random_bytes(&st->chance, sizeof st->chance);
    st->chance |= 1; /* xorshift stays at zero */
    st->n = n;
    return st;
}

void balance_state_free(struct balance_state *st)
{
    free(st);
}

/* One call of balance_choose(). */
struct choice {
    struct balance_state *st;
    struct exchange *ex;
    const struct candidate *list;
    size_t n;
    struct str *cookie;
};

/* ---- by chance and by turns ---- */

static size_t below(struct balance_state *st, size_t n)
{
    st->chance ^= st->chance << 13;
    st->chance ^= st->chance >> 7;
    st->chance ^= st->chance << 17;
    return (size_t)(st->chance % n);
}

/* RFC 2782: beside others, one with the weight 0 has a very small chance. */
static size_t share_of(const struct candidate *c)
{
    return c->upstream->weight == 0 ? 1 : (size_t)c->upstream->weight * WEIGHT_UNIT;
}

/* Of those that are usable each with its share of the chance, without adding them up first. */
static int choose_random(const struct balance *b, const struct choice *c)
{
    int chosen = BALANCE_NONE;
    size_t total = 0;

    (void)b;
    for (size_t i = 0; i < c->n; i++) {
        if (!c->list[i].usable)
            continue;
        total += share_of(&c->list[i]);
        if (below(c->st, total) < share_of(&c->list[i]))
            chosen = (int)i;
    }
    return chosen;
}

static int choose_first(const struct balance *b, const struct choice *c)
{
    (void)b;
    for (size_t i = 0; i < c->n; i++)
        if (c->list[i].usable)
            return (int)i;
    return BALANCE_NONE;
}

static bool have_equal_shares(const struct choice *c)
{
    size_t share = 0;

    for (size_t i = 0; i < c->n; i++) {
        if (!c->list[i].usable)
            continue;
        if (share != 0 && share_of(&c->list[i]) != share)
            return false;
        share = share_of(&c->list[i]);
    }
    return true;
}

/* Those that DNS gives a weight come in another order whenever it is asked: turns would not give
 * each its share. */
static int choose_round_robin(const struct balance *b, const struct choice *c)
{
    if (!have_equal_shares(c))
        return choose_random(b, c);
    for (size_t i = 0; i < c->n; i++) {
        size_t at = (c->st->turn + i) % c->n;

        if (!c->list[at].usable)
            continue;
        c->st->turn = at + 1;
        return (int)at;
    }
    return BALANCE_NONE;
}

/* Smooth: each gets its weight, the one with the most credit is chosen and pays for all. */
static int choose_weighted(const struct balance *b, const struct choice *c)
{
    int chosen = BALANCE_NONE;
    int64_t total = 0;

    for (size_t i = 0; i < c->n && i < c->st->n; i++) {
        unsigned weight = i < b->n_weights ? b->weights[i] : 1;

        if (!c->list[i].usable || weight == 0)
            continue;
        c->st->credit[i] += weight;
        total += weight;
        if (chosen == BALANCE_NONE || c->st->credit[i] > c->st->credit[chosen])
            chosen = (int)i;
    }
    if (chosen != BALANCE_NONE)
        c->st->credit[chosen] -= total;
    return chosen;
}

/* ---- by load ---- */

static unsigned load_of(const struct candidate *c)
{
    return atomic_load_explicit(&c->state->in_flight, memory_order_relaxed);
}

/* The least busy of those seen so far; among equals each has the same chance. */
struct least {
    int chosen;
    unsigned load;
    size_t equals;
};

static void weigh(const struct choice *c, size_t i, struct least *least)
{
    unsigned load = load_of(&c->list[i]);

    if (least->chosen != BALANCE_NONE && load > least->load)
        return;
    least->equals = least->chosen != BALANCE_NONE && load == least->load ? least->equals + 1 : 1;
    if (below(c->st, least->equals) == 0)
        least->chosen = (int)i;
    least->load = load;
}

static int choose_least_conn(const struct balance *b, const struct choice *c)
{
    struct least least = {.chosen = BALANCE_NONE};

    (void)b;
    for (size_t i = 0; i < c->n; i++)
        if (c->list[i].usable)
            weigh(c, i, &least);
    return least.chosen;
}

/* The least busy of a sample: a reservoir of b->choose of them. */
static int choose_random_choose(const struct balance *b, const struct choice *c)
{
    size_t *sample = arena_alloc(c->ex->arena, b->choose * sizeof *sample);
    struct least least = {.chosen = BALANCE_NONE};
    size_t seen = 0, size = 0;

    for (size_t i = 0; i < c->n; i++) {
        size_t at;

        if (!c->list[i].usable)
            continue;
        at = size < b->choose ? size++ : below(c->st, seen + 1);
        if (at < size)
            sample[at] = i;
        seen++;
    }
    for (size_t k = 0; k < size; k++)
        weigh(c, sample[k], &least);
    return least.chosen;
}

/* ---- by hash ---- */

/* The same on every machine of a cluster and after every start, so under no secret key. */
static const struct siphash_key no_key;

/* The key is hashed once, whatever its length; the numbers of a pair are hashed together. */
static int choose_by_hash(const struct choice *c, struct str key)
{
    uint64_t pair[2] = {siphash(&no_key, key), 0}, highest = 0;
    int chosen = BALANCE_NONE;

    for (size_t i = 0; i < c->n; i++) {
        uint64_t hash;

        if (!c->list[i].usable)
            continue;
        pair[1] = siphash(&no_key, c->list[i].upstream->names.address);
        hash = siphash(&no_key, (struct str){(const char *)pair, sizeof pair});
        if (chosen != BALANCE_NONE && hash <= highest)
            continue;
        highest = hash;
        chosen = (int)i;
    }
    return chosen;
}

static int choose_ip_hash(const struct balance *b, const struct choice *c)
{
    (void)b;
    return choose_by_hash(c, c->ex->remote_host);
}

static int choose_client_ip_hash(const struct balance *b, const struct choice *c)
{
    (void)b;
    return choose_by_hash(c, c->ex->client_ip);
}

static int choose_uri_hash(const struct balance *b, const struct choice *c)
{
    (void)b;
    return choose_by_hash(c, c->ex->target);
}

static int choose(const struct balance *b, const struct choice *c);

static int choose_fallback(const struct balance *b, const struct choice *c)
{
    return b->fallback != NULL ? choose(b->fallback, c) : choose_random(b, c);
}

/* All values count: of a client that sends several, the upstream may read any one. */
static struct str join_values(struct arena *a, const struct query *q, struct str name)
{
    size_t len = 0;
    char *text, *at;

    for (size_t i = 0; i < q->n; i++)
        len += str_eq(q->list[i].key, name) ? q->list[i].value.len + 1 : 0;
    if (len == 0)
        return STR_LIT("");
    text = at = arena_bytes(a, len);
    for (size_t i = 0; i < q->n; i++) {
        if (!str_eq(q->list[i].key, name))
            continue;
        at = mempcpy(at, q->list[i].value.p, q->list[i].value.len);
        *at++ = ',';
    }
    return (struct str){text, len - 1};
}

static int choose_query(const struct balance *b, const struct choice *c)
{
    struct query q = query_parse(c->ex->arena, c->ex->query);
    struct str key = join_values(c->ex->arena, &q, b->name);

    return key.len > 0 ? choose_by_hash(c, key) : choose_fallback(b, c);
}

static int choose_header(const struct balance *b, const struct choice *c)
{
    struct str key = str_eq_nocase(b->name, STR_LIT("Host"))
                         ? c->ex->authority
                         : fields_joined(&c->ex->request, c->ex->arena, b->name);

    return key.len > 0 ? choose_by_hash(c, key) : choose_fallback(b, c);
}

/* ---- by cookie ---- */

/* A MAC of the upstream's address: it tells nothing about it to the client. */
static struct str cookie_value(const struct balance *b, struct arena *a, const struct upstream *u)
{
    uint8_t mac[SHA256_LEN];
    char *hex = arena_alloc(a, 2 * sizeof mac + 1);

    hmac_sha256(b->secret, u->names.address, mac);
    for (size_t i = 0; i < sizeof mac; i++) {
        hex[2 * i] = "0123456789abcdef"[mac[i] >> 4];
        hex[2 * i + 1] = "0123456789abcdef"[mac[i] & 15];
    }
    return (struct str){hex, 2 * sizeof mac};
}

/* The browser may be on TLS although we are not, behind a proxy that we trust. */
static bool is_secure(const struct exchange *ex)
{
    return ex->secure || (ex->trusted_peer &&
                          str_is(fields_get(&ex->request, STR_LIT("X-Forwarded-Proto")), "https"));
}

static struct str set_cookie(const struct balance *b, const struct choice *c,
                             const struct upstream *u)
{
    struct arena *a = c->ex->arena;
    struct str age = STR_LIT("");

    if (b->max_age_s > 0)
        age = arena_printf(a, "; Max-Age=%llu", (unsigned long long)b->max_age_s);
    return arena_printf(a, STR_FMT "=" STR_FMT "; Path=/" STR_FMT "; HttpOnly; %s",
                        STR_ARG(b->name), STR_ARG(cookie_value(b, a, u)), STR_ARG(age),
                        is_secure(c->ex) ? "Secure; SameSite=None" : "SameSite=Lax");
}

static int choose_cookie(const struct balance *b, const struct choice *c)
{
    struct str has = cookie_get(&c->ex->request, b->name);
    int chosen;

    for (size_t i = 0; has.len > 0 && i < c->n; i++)
        if (c->list[i].usable &&
            str_eq_secret(has, cookie_value(b, c->ex->arena, c->list[i].upstream)))
            return (int)i;
    chosen = choose_fallback(b, c);
    if (chosen != BALANCE_NONE)
        *c->cookie = set_cookie(b, c, c->list[chosen].upstream);
    return chosen;
}

/* ---- all ---- */

static int choose(const struct balance *b, const struct choice *c)
{
    static int (*const kinds[])(const struct balance *, const struct choice *) = {
        [BALANCE_ROUND_ROBIN] = choose_round_robin,
        [BALANCE_RANDOM] = choose_random,
        [BALANCE_RANDOM_CHOOSE] = choose_random_choose,
        [BALANCE_FIRST] = choose_first,
        [BALANCE_WEIGHTED] = choose_weighted,
        [BALANCE_LEAST_CONN] = choose_least_conn,
        [BALANCE_IP_HASH] = choose_ip_hash,
        [BALANCE_CLIENT_IP_HASH] = choose_client_ip_hash,
        [BALANCE_URI_HASH] = choose_uri_hash,
        [BALANCE_QUERY] = choose_query,
        [BALANCE_HEADER] = choose_header,
        [BALANCE_COOKIE] = choose_cookie,
    };

    return kinds[b->kind](b, c);
}

int balance_choose(const struct balance *b, struct balance_state *st, struct exchange *ex,
                   const struct candidate *list, size_t n, struct str *cookie)
{
    const struct choice c = {st, ex, list, n, cookie};

    *cookie = (struct str){NULL, 0};
    return choose(b, &c);
}
