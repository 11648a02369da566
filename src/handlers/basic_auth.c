/* A hash takes a tenth of a second and more, so that a worker never computes one:
 *  1. Credentials that were judged lately are known by their tag, a MAC: answered at once.
 *  2. For others a verification is handed to a helper thread (io/offload.h), or the exchange joins
 *     one that is under way for the same credentials. If too many wait already, of all or of its
 * own network, it is 503: who guesses passwords does not keep others out.
 *  3. on_verified() notes the result and lets every exchange that waits go on, or answers 401.
 *  4. An exchange that ends meanwhile leaves; a verification that nobody waits for is taken back if
 *     it has not begun.
 * Nobody learns from the time an answer takes which users there are: for one that is not there, the
 * hash of another is computed, always the same one for one name. */
#include "handlers/basic_auth.h"

#include "base/alloc.h"
#include "base/password.h"
#include "handlers/auth_cache.h"
#include "handlers/basic_auth_conf.h"
#include "handlers/credentials.h"
#include "handlers/network.h"
#include "http/route.h"
#include "http/vars.h"
#include "io/offload.h"

#include <assert.h>
#include <stdlib.h>

enum {
    RIGHT_SETS = 128, /* of the caches, each a row's and a worker's */
    WRONG_SETS = 8,   /* for a client that does not give up */
    CLIENT_MAX = 16   /* verifications for one network, of a row and a worker */
};

/* What one worker keeps for one directive. */
struct auth_state {
    const struct basic_auth_conf *conf;
    struct offload *offload;
    struct mailbox *home;
    struct siphash_key key;
    struct auth_cache right;
    struct auth_cache wrong;
    struct verification *verifications; /* under way */
};

/* An exchange that waits; in its arena. */
struct waiter {
    struct waiter *next;
    struct exchange *ex;
    const struct basic_auth_conf *conf; /* pinned by the exchange */
    struct verification *verification;  /* NULL: it waits no more */
};

struct verification {
    struct offload_job job;
    struct verification *next;
    struct auth_state *state; /* NULL: has gone, or has nothing more to do with it */
    struct waiter *waiters;
    struct siphash128 tag;
    uint64_t client;               /* who asked first: client_of() */
    const struct account *account; /* NULL: there is none of that name; read for waiters only */
    enum password_answer answer;

    /* What the helper thread works on. */
    char hash[PASSWORD_HASH_MAX];
    char password[CREDENTIALS_MAX];
    size_t password_len;
};

/* ---- answers ---- */

static void challenge(const struct basic_auth_conf *conf, struct exchange *ex)
{
    fields_set(&ex->response, ex->arena, STR_LIT("WWW-Authenticate"), conf->challenge);
    route_fail(ex, 401, STR_LIT("not authenticated"));
}

static void accept_user(struct exchange *ex, const struct account *account)
{
    vars_set(ex, STR_LIT("auth.user.id"), account->user);
}

static void refuse_for_now(struct exchange *ex)
{
    fields_set(&ex->response, ex->arena, STR_LIT("Retry-After"), STR_LIT("1"));
    route_fail(ex, 503, STR_LIT("too many passwords to verify"));
}

/* ---- verifications ---- */

static void verification_free(struct verification *v)
{
    explicit_bzero(v->password, sizeof v->password);
    free(v);
}

static void unlink_verification(struct verification *v)
{
    struct verification **at = &v->state->verifications;

    while (*at != v)
        at = &(*at)->next;
    *at = v->next;
}

/* In a helper thread. */
static void verify(struct offload_job *j)
{
    struct verification *v = container_of(j, struct verification, job);

    v->answer = password_verify(v->hash, (struct str){v->password, v->password_len});
}

static void let_go(struct waiter *w, const struct verification *v)
{
    if (v->answer == PASSWORD_UNKNOWN) {
        route_fail(w->ex, 500, STR_LIT("the password cannot be verified"));
    } else if (v->answer == PASSWORD_WRONG || v->account == NULL) {
        challenge(w->conf, w->ex);
    } else {
        accept_user(w->ex, v->account);
        route_continue(w->ex);
    }
}

static void note_answer(struct auth_state *st, const struct verification *v)
{
    if (v->answer == PASSWORD_RIGHT && v->account != NULL)
        auth_cache_add(&st->right, v->tag);
    else if (v->answer != PASSWORD_UNKNOWN)
        auth_cache_add(&st->wrong, v->tag);
}

/* Everything that belongs to the state is done first: an exchange that goes on may end, and with
 * the last one the state. */
static void on_verified(struct offload_job *j)
{
    struct verification *v = container_of(j, struct verification, job);
    struct waiter *w;

    if (v->state != NULL) {
        unlink_verification(v);
        note_answer(v->state, v);
        v->state = NULL;
    }
    while ((w = v->waiters) != NULL) {
        v->waiters = w->next;
        w->verification = NULL;
        let_go(w, v);
    }
    verification_free(v);
}

static void on_exchange_end(void *arg)
{
    struct waiter *w = arg, **at;
    struct verification *v = w->verification;

    if (v == NULL)
        return;
    for (at = &v->waiters; *at != w; at = &(*at)->next)
        continue;
    *at = w->next;
    if (v->waiters == NULL && v->state != NULL && offload_cancel(v->state->offload, &v->job)) {
        unlink_verification(v);
        verification_free(v);
    }
}

static struct verification *find_verification(const struct auth_state *st, struct siphash128 tag)
{
    struct verification *v = st->verifications;

    while (v != NULL && (v->tag.half[0] != tag.half[0] || v->tag.half[1] != tag.half[1]))
        v = v->next;
    return v;
}

static uint64_t client_of(const struct auth_state *st, const struct exchange *ex)
{
    struct in6_addr network;

    return siphash(&st->key, network_of(ex->remote_host, NETWORK_IPV6_PREFIX, &network));
}

static bool asks_too_much(const struct auth_state *st, uint64_t client)
{
    unsigned n = 0;

    for (const struct verification *v = st->verifications; v != NULL; v = v->next)
        n += v->client == client;
    return n >= CLIENT_MAX;
}

/* The account whose hash is computed for a user that is not there. */
static const struct account *decoy(const struct auth_state *st, struct str user)
{
    return &st->conf->accounts[str_hash_nocase(user) % st->conf->n_accounts];
}

/* NULL if too many wait already. account: of that user, or NULL. */
static struct verification *start_verification(struct auth_state *st, struct siphash128 tag,
                                               const struct account *account,
                                               const struct credentials *c, uint64_t client)
{
    const char *hash = (account != NULL ? account : decoy(st, c->user))->hash;
    struct verification *v;

    if (asks_too_much(st, client))
        return NULL;
    v = xalloc(sizeof *v);

    v->job.run = verify;
    v->job.done = on_verified;
    v->state = st;
    v->tag = tag;
    v->account = account;
    memcpy(v->hash, hash, strlen(hash) + 1);
    v->client = client;
    memcpy(v->password, c->password.p, c->password.len);
    v->password_len = c->password.len;
    if (!offload_start(st->offload, st->home, &v->job)) {
        verification_free(v);
        return NULL;
    }
    v->next = st->verifications;
    st->verifications = v;
    return v;
}

static void wait_for(struct verification *v, const struct basic_auth_conf *conf,
                     struct exchange *ex)
{
    struct waiter *w = arena_alloc(ex->arena, sizeof *w);

    *w = (struct waiter){v->waiters, ex, conf, v};
    v->waiters = w;
    exchange_defer(ex, on_exchange_end, w);
}

/* ---- the handler ---- */

/* One Authorization field: of two, each reader may take another. */
static bool read_credentials(const struct exchange *ex, struct credentials *c)
{
    return fields_count(&ex->request, STR_LIT("Authorization")) == 1 &&
           credentials_parse(c, fields_get(&ex->request, STR_LIT("Authorization")));
}

/* A name ends before the first colon, so that no two pairs make the same text. */
static struct siphash128 tag_of(const struct auth_state *st, const struct credentials *c)
{
    size_t len = c->user.len + 1 + c->password.len;

    return siphash128(&st->key, (struct str){c->user.p, len});
}

static enum verdict judge(struct auth_state *st, const struct credentials *c, struct exchange *ex)
{
    const struct account *account = account_find(st->conf, c->user);
    struct siphash128 tag = tag_of(st, c);
    struct verification *v;

    if (account != NULL && auth_cache_has(&st->right, tag)) {
        accept_user(ex, account);
        return NEXT;
    }
    if (auth_cache_has(&st->wrong, tag)) {
        challenge(st->conf, ex);
        return TAKEN;
    }
    v = find_verification(st, tag);
    if (v == NULL)
        v = start_verification(st, tag, account, c, client_of(st, ex));
    if (v == NULL)
        refuse_for_now(ex);
    else
        wait_for(v, st->conf, ex);
    return TAKEN;
}

static enum verdict basic_auth_handle(const void *conf, struct exchange *ex)
{
    struct credentials c;
    enum verdict verdict = TAKEN;

    if (read_credentials(ex, &c))
        verdict = judge(ex->handler_state, &c, ex);
    else
        challenge(conf, ex);
    explicit_bzero(&c, sizeof c);
    return verdict;
}

static int basic_auth_start(const void *conf, const struct worker_env *env, void **state,
                            struct err *e)
{
    struct auth_state *st = xalloc(sizeof *st);

    (void)e;
    st->conf = conf;
    st->offload = env->offload;
    st->home = env->home;
    siphash_key_init(&st->key);
    auth_cache_init(&st->right, RIGHT_SETS);
    auth_cache_init(&st->wrong, WRONG_SETS);
    *state = st;
    return 0;
}

/* No exchange is left, so that nobody waits. What has not begun is taken back; what runs comes to
 * an end without us. */
static void basic_auth_stop(void *state)
{
    struct auth_state *st = state;

    while (st->verifications != NULL) {
        struct verification *v = st->verifications;

        assert(v->waiters == NULL);
        st->verifications = v->next;
        v->state = NULL;
        if (offload_cancel(st->offload, &v->job))
            verification_free(v);
    }
    auth_cache_fini(&st->right);
    auth_cache_fini(&st->wrong);
    explicit_bzero(&st->key, sizeof st->key);
    free(st);
}

static const struct handler_type basic_auth_handler = {.name = "basic_auth",
                                                       .start = basic_auth_start,
                                                       .stop = basic_auth_stop,
                                                       .handle = basic_auth_handle};

#define BASIC_AUTH                                                                                 \
    .places = IN_HANDLERS, .max_args = 2, .block = true, .type = &basic_auth_handler,              \
    .conf_size = sizeof(struct basic_auth_conf), .set = basic_auth_set

const struct directive basic_auth_directives[] = {
    {.name = "basic_auth",
     BASIC_AUTH,
     .help = "basic_auth [matcher] [bcrypt|argon2id [<realm>]] { <user> <hash> ... }: passwords"},
    {.name = "basicauth", BASIC_AUTH, .help = "basicauth: the old name of basic_auth"},
    {0},
};
