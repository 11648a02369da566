/* basic_auth: the Authorization field, the cache, the directive, and exchanges that wait. */
#include "handlers/basic_auth.h"

#include "base/alloc.h"
#include "base/password.h"
#include "conf/load.h"
#include "handlers/auth_cache.h"
#include "handlers/basic_auth_conf.h"
#include "handlers/credentials.h"
#include "http/handler.h"
#include "http/match.h"
#include "http/service.h"
#include "http/vars.h"
#include "io/offload.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

/* "secret" and "other", of the lowest cost. */
#define SECRET "$2a$04$CCCCCCCCCCCCCCCCCCCCC.4K7lyz.nKATbsiu/RcZjqWyDNnj87qG"
#define OTHER "$2a$04$abcdefghijklmnopqrstuu0HtfOlPbTiymk5tcV.3TsFPDd3SYZqu"

/* ---- the Authorization field ---- */

static const struct {
    const char *value;
    const char *user; /* NULL: refused */
    const char *password;
} fields[] = {
    {"Basic Qm9iOmhpY2N1cA==", "Bob", "hiccup"},
    {"basic Qm9iOmhpY2N1cA==", "Bob", "hiccup"},
    {"BASIC   Qm9iOmhpY2N1cA==", "Bob", "hiccup"},
    {"Basic YTpiOmM=", "a", "b:c"},
    {"Basic Og==", "", ""},
    {"Basic YTo=", "a", ""},
    {"Basic w6Q6w7Y=", "\xc3\xa4", "\xc3\xb6"},
    {"Basic Qm9i", NULL, NULL}, /* no colon */
    {"Basic Qm9iOmhpY2N1cA", NULL, NULL},
    {"Basic Qm9iOmhpY2N1cA== ", NULL, NULL},
    {"Basic Qm9iOmhpY2N1cA==, Basic YTo=", NULL, NULL},
    {"Basic Qm9iOmhpY2N1cA-_", NULL, NULL},
    {"Basic\tQm9iOmhpY2N1cA==", NULL, NULL},
    {"BasicQm9iOmhpY2N1cA==", NULL, NULL},
    {"Basic", NULL, NULL},
    {"Basic ", NULL, NULL},
    {"", NULL, NULL},
    {"Bearer Qm9iOmhpY2N1cA==", NULL, NULL},
};

static void reads_the_field(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        struct credentials c;

        if (credentials_parse(&c, str_of(fields[i].value)) != (fields[i].user != NULL))
            fail_msg("row %zu", i);
        if (fields[i].user == NULL)
            continue;
        assert_true(str_is(c.user, fields[i].user));
        assert_true(str_is(c.password, fields[i].password));
    }
}

static void bounds_the_field(void **state)
{
    struct buf value = BUF_INIT(4096);
    struct credentials c;

    (void)state;
    assert_int_equal(buf_puts(&value, "Basic YTph"), 0);
    while (value.len < 6 + (CREDENTIALS_MAX / 3) * 4)
        assert_int_equal(buf_puts(&value, "YWFh"), 0);
    assert_true(credentials_parse(&c, buf_str(&value)));
    assert_int_equal(c.password.len, CREDENTIALS_MAX / 3 * 3 - 2);
    assert_int_equal(buf_puts(&value, "YWFh"), 0);
    assert_false(credentials_parse(&c, buf_str(&value)));
    buf_fini(&value);
}

/* ---- the cache ---- */

static struct siphash128 tag(uint64_t set, uint64_t rest)
{
    return (struct siphash128){{set, rest}};
}

static void forgets_what_was_not_used_for_longest(void **state)
{
    struct auth_cache c;

    (void)state;
    auth_cache_init(&c, 2);
    assert_false(auth_cache_has(&c, tag(0, 0)));
    for (uint64_t i = 0; i < AUTH_CACHE_SET; i++)
        auth_cache_add(&c, tag(0, i));
    assert_false(auth_cache_has(&c, tag(1, 0)));
    assert_false(auth_cache_has(&c, tag(2, 0))); /* the same set */
    assert_true(auth_cache_has(&c, tag(0, 0)));
    auth_cache_add(&c, tag(0, 1));
    auth_cache_add(&c, tag(2, 7)); /* for 2 */
    auth_cache_add(&c, tag(1, 7)); /* another set */
    for (uint64_t i = 0; i < AUTH_CACHE_SET; i++)
        assert_int_equal(auth_cache_has(&c, tag(0, i)), i != 2);
    assert_true(auth_cache_has(&c, tag(2, 7)));
    auth_cache_fini(&c);
}

/* ---- the directive ---- */

static enum verdict answer(const void *conf, struct exchange *ex)
{
    (void)conf;
    exchange_respond(ex, 200);
    return TAKEN;
}

static int nothing(const struct directive_args *d)
{
    (void)d;
    return 0;
}

static const struct handler_type answer_handler = {.name = "answer", .handle = answer};
static const struct directive answer_directives[] = {
    {.name = "respond", .places = IN_HANDLERS, .type = &answer_handler, .set = nothing, .help = ""},
    {0},
};
static const struct directive *const tables[] = {basic_auth_directives, answer_directives, NULL};
static const struct language language = {.directives = tables, .matchers = http_matchers};

static struct conf *load(const char *directive, struct buf *errors, struct buf *warnings)
{
    struct buf text = BUF_INIT(4096);
    struct conf *conf;

    assert_int_equal(buf_printf(&text, "http://a.test {\n%s\nrespond\n}\n", directive), 0);
    conf = conf_parse("f", buf_str(&text), &language, errors, warnings);
    buf_fini(&text);
    return conf;
}

static const struct {
    const char *directive;
    const char *error;
} wrong[] = {
    {"basic_auth", "f:2:1: 'basic_auth' needs a block of users and hashes of their passwords\n"},
    {"basic_auth {\n}",
     "f:2:1: 'basic_auth' needs a block of users and hashes of their passwords\n"},
    {"basic_auth md5 {\na " SECRET "\n}",
     "f:2:12: unknown hash algorithm 'md5': there are bcrypt, argon2id\n"},
    {"basic_auth bcrypr {\na " SECRET "\n}",
     "f:2:12: unknown hash algorithm 'bcrypr'; did you mean 'bcrypt'?\n"},
    {"basic_auth bcrypt x y {\na " SECRET "\n}", "f:2:21: 'basic_auth' takes at most 2 arguments"},
    {"basic_auth {\na\n}", "f:3:1: an account is a user and the hash of a password\n"},
    {"basic_auth {\na hiccup\nb Aa0=\n}",
     "f:3:3: the hash of a password is wanted here, not a password: make one with 'lintel "
     "hash-password'\n"
     "f:4:3: the hash of a password is wanted here, not a password: make one with 'lintel "
     "hash-password'\n"},
    {"basic_auth {\na $2a$04$zu.kurz\n}", "f:3:3: this is no bcrypt hash\n"},
    {"basic_auth {\na $2a$17$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW\n}",
     "f:3:3: the cost of a bcrypt hash is 4 to 16, not 17\n"},
    {"basic_auth {\nb " SECRET "\na " SECRET "\nb " OTHER "\n}",
     "f:5:1: user 'b' is there twice\n"},
    {"basic_auth {\n\"\" " SECRET "\n}", "f:3:1: the name of a user is empty\n"},
    {"basic_auth {\na:b " SECRET "\n}",
     "f:3:1: no client can send the name of a user with a colon in it\n"},
    {"basic_auth bcrypt \"a\tb\" {\na " SECRET "\n}",
     "f:2:19: a realm holds no control characters\n"},
};

static void says_what_is_wrong(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        struct buf errors = BUF_INIT(1 << 16);

        assert_null(load(wrong[i].directive, &errors, NULL));
        if (strstr(errors.p, "hiccup") != NULL || strstr(errors.p, "$2a$") != NULL)
            fail_msg("a secret: %s", errors.p);
        for (const char *want = wrong[i].error, *end; *want != '\0'; want = end) {
            size_t len = strcspn(want, "\n");

            end = want + len + (want[len] != '\0');
            if (memmem(errors.p, errors.len, want, len) == NULL)
                fail_msg("row %zu: %s", i, errors.p);
        }
        buf_fini(&errors);
    }
}

static const struct basic_auth_conf *conf_of(const struct conf *conf)
{
    return conf->handlers[0].conf;
}

static void compiles(void **state)
{
    struct buf errors = BUF_INIT(1 << 16), warnings = BUF_INIT(1 << 16);
    struct conf *conf;

    (void)state;
    conf =
        load("basic_auth {\nc " SECRET "\na " OTHER
             "\nb JDJhJDA0JENDQ0NDQ0NDQ0NDQ0NDQ0NDQ0NDQy40SzdseXoubktBVGJzaXUvUmNaanFXeURObmo4N3FH"
             "\n}",
             &errors, &warnings);
    if (conf == NULL)
        fail_msg("%s", errors.p);
    assert_int_equal(warnings.len, 0);
    assert_int_equal(conf_of(conf)->n_accounts, 3);
    assert_string_equal(account_find(conf_of(conf), STR_LIT("a"))->hash, OTHER);
    assert_string_equal(account_find(conf_of(conf), STR_LIT("b"))->hash, SECRET);
    assert_string_equal(account_find(conf_of(conf), STR_LIT("c"))->hash, SECRET);
    assert_null(account_find(conf_of(conf), STR_LIT("A")));
    assert_null(account_find(conf_of(conf), STR_LIT("")));
    assert_null(account_find(conf_of(conf), STR_LIT("d")));
    assert_true(str_is(conf_of(conf)->challenge, "Basic realm=\"restricted\""));
    conf_unref(conf);
    conf = load("basicauth /x bcrypt `a \"b\\` {\nc " SECRET "\n}", &errors, &warnings);
    assert_non_null(
        strstr(warnings.p, "f:2:1: warning: 'basicauth' is the old name of 'basic_auth'"));
    assert_true(str_is(conf_of(conf)->challenge, "Basic realm=\"a \\\"b\\\\\""));
    conf_unref(conf);
    buf_fini(&errors);
    buf_fini(&warnings);
}

/* ---- exchanges ---- */

enum { QUEUE = 2, LONG_QUEUE = 64, CLIENT_MAX = 16, LIMIT_MS = 20000 };

struct rig {
    struct loop *loop;
    struct mailbox box;
    struct offload *offload;
    struct conf *conf;
    struct service *service;
    struct timer limit;
    unsigned awaited, answered;
};

static struct rig rig;

struct request {
    struct exchange ex;
    struct arena *arena;
};

static void on_respond(struct exchange *ex)
{
    (void)ex;
    if (++rig.answered == rig.awaited)
        loop_stop(rig.loop);
}

static const struct exchange_engine engine = {.respond = on_respond};

static void on_limit(struct timer *t)
{
    (void)t;
    fail_msg("waited in vain");
}

static int set_up_queue(size_t queue)
{
    struct err e;

    rig = (struct rig){.limit.on_timer = on_limit};
    rig.loop = loop_new(&e);
    assert_int_equal(mailbox_init(&rig.box, rig.loop, NULL, &e), 0);
    rig.offload = offload_new(1, queue);
    rig.conf = load("basic_auth {\nc " SECRET "\na " OTHER "\n}", NULL, NULL);
    rig.service = service_new(
        rig.conf, &(struct worker_env){.loop = rig.loop, .offload = rig.offload, .home = &rig.box},
        NULL, &e);
    timer_set(rig.loop, &rig.limit, LIMIT_MS);
    return 0;
}

static int set_up(void **state)
{
    (void)state;
    return set_up_queue(QUEUE);
}

static int set_up_long(void **state)
{
    (void)state;
    return set_up_queue(LONG_QUEUE);
}

static int tear_down(void **state)
{
    (void)state;
    timer_cancel(rig.loop, &rig.limit);
    service_unref(rig.service);
    offload_wait(rig.offload, &rig.box);
    mailbox_fini(&rig.box);
    offload_free(rig.offload);
    conf_unref(rig.conf);
    loop_free(rig.loop);
    return 0;
}

/* value: of the Authorization field, or NULL. */
static void begin_from(struct request *r, const char *value, const char *from)
{
    struct exchange *ex = &r->ex;

    r->arena = arena_new();
    exchange_init(ex, &engine, rig.loop, r->arena, rig.service);
    ex->listener = &rig.conf->listeners[0];
    ex->method = STR_LIT("GET");
    ex->target = STR_LIT("/");
    ex->authority = STR_LIT("a.test");
    ex->remote_host = str_of(from);
    if (value != NULL) /* the engine's text goes with the exchange: a copy */
        fields_add(&ex->request, r->arena, STR_LIT("authorization"),
                   arena_str(r->arena, str_of(value)));
    assert_true(exchange_set_target(ex));
    service_handle(rig.service, ex);
}

static void begin(struct request *r, const char *value)
{
    begin_from(r, value, "192.0.2.1");
}

static void end(struct request *r)
{
    exchange_fini(&r->ex);
    arena_free(r->arena);
}

static void await(unsigned n)
{
    struct err e;

    rig.awaited = n;
    if (rig.answered < n)
        assert_int_equal(loop_run(rig.loop, &e), 0);
    assert_int_equal(rig.answered, n);
}

#define C_SECRET "Basic YzpzZWNyZXQ="
#define C_OTHER "Basic YzpvdGhlcg=="
#define A_OTHER "Basic YTpvdGhlcg=="
#define A_WRONG "Basic YTp4"
#define X_SECRET "Basic eDpzZWNyZXQ="
#define X_OTHER "Basic eDpvdGhlcg=="

static void expect(struct request *r, int status, const char *user)
{
    struct str challenge = fields_get(&r->ex.response, STR_LIT("www-authenticate"));

    assert_int_equal(r->ex.status, status);
    assert_int_equal(challenge.p != NULL, status == 401);
    assert_true(str_eq(vars_get(&r->ex, STR_LIT("auth.user.id")), str_of(user)));
}

static const struct {
    const char *value;
    int status;
    const char *user;
} outcomes[] = {
    {C_SECRET, 200, "c"}, {A_OTHER, 200, "a"},   {C_OTHER, 401, NULL},
    {A_WRONG, 401, NULL}, {X_SECRET, 401, NULL}, {X_OTHER, 401, NULL},
};

static void judges_and_remembers(void **state)
{
    struct request r;
    unsigned n = 0;

    (void)state;
    begin(&r, NULL);
    expect(&r, 401, NULL);
    end(&r);
    begin(&r, "Basic x");
    expect(&r, 401, NULL);
    end(&r);
    n = rig.answered;
    for (size_t i = 0; i < ARRAY_LEN(outcomes); i++) {
        begin(&r, outcomes[i].value);
        assert_false(r.ex.responded);
        await(++n);
        expect(&r, outcomes[i].status, outcomes[i].user);
        end(&r);
    }
    for (size_t i = 0; i < ARRAY_LEN(outcomes); i++) {
        begin(&r, outcomes[i].value);
        assert_true(r.ex.responded); /* at once */
        expect(&r, outcomes[i].status, outcomes[i].user);
        end(&r);
    }
}

static void joins_those_that_say_the_same(void **state)
{
    struct request r[10], other;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(r); i++)
        begin(&r[i], C_SECRET);
    begin(&other, A_WRONG);
    end(&r[3]); /* gone before the end */
    await(ARRAY_LEN(r));
    for (size_t i = 0; i < ARRAY_LEN(r); i++) {
        if (i == 3)
            continue;
        expect(&r[i], 200, "c");
        end(&r[i]);
    }
    expect(&other, 401, NULL);
    end(&other);
}

/* Holds the only helper up. */
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static atomic_bool held;

static void hold(struct offload_job *j)
{
    (void)j;
    atomic_store(&held, true);
    pthread_mutex_lock(&gate);
    pthread_mutex_unlock(&gate);
}

static void held_up(struct offload_job *j)
{
    (void)j;
}

static void close_gate(struct offload_job *j)
{
    *j = (struct offload_job){.run = hold, .done = held_up};
    atomic_store(&held, false);
    pthread_mutex_lock(&gate);
    assert_true(offload_start(rig.offload, &rig.box, j));
    while (!atomic_load(&held))
        sched_yield();
}

static void refuses_when_too_many_wait(void **state)
{
    struct request a, b, c, d;
    struct offload_job j;

    (void)state;
    close_gate(&j);
    begin(&a, C_SECRET);
    begin(&b, A_WRONG);
    begin(&c, A_OTHER);
    assert_int_equal(c.ex.status, 503);
    assert_true(str_is(fields_get(&c.ex.response, STR_LIT("retry-after")), "1"));
    end(&c);
    end(&b); /* makes room: it had not begun */
    begin(&d, A_OTHER);
    assert_false(d.ex.responded);
    pthread_mutex_unlock(&gate);
    await(3);
    expect(&a, 200, "c");
    expect(&d, 200, "a");
    end(&a);
    end(&d);
}

/* "Basic " and a user "u", with one of 26 passwords. */
static void begin_guess(struct request *r, int i, const char *from)
{
    char value[] = "Basic dTph"; /* u:a */

    assert_true(i < 26);
    value[sizeof "Basic dTp" - 1] = "hijklmnopqrstuvwxyz0123456"[i];
    begin_from(r, value, from);
}

static void keeps_room_for_others(void **state)
{
    struct request guesses[CLIENT_MAX], more, joined, other;
    struct offload_job j;

    (void)state;
    close_gate(&j);
    for (int i = 0; i < CLIENT_MAX; i++)
        begin_guess(&guesses[i], i, i % 2 == 0 ? "2001:db8::1" : "2001:db8::2:3");
    begin_guess(&more, CLIENT_MAX, "2001:db8::4");
    assert_int_equal(more.ex.status, 503);
    begin_guess(&joined, 0, "2001:db8::4");
    assert_false(joined.ex.responded);
    begin_from(&other, C_SECRET, "2001:db8:0:1::1");
    assert_false(other.ex.responded);
    pthread_mutex_unlock(&gate);
    await(1 + CLIENT_MAX + 2);
    for (int i = 0; i < CLIENT_MAX; i++) {
        expect(&guesses[i], 401, NULL);
        end(&guesses[i]);
    }
    expect(&joined, 401, NULL);
    expect(&other, 200, "c");
    end(&more);
    end(&joined);
    end(&other);
}

static void may_end_while_it_is_verified(void **state)
{
    struct request r;
    struct err e;

    (void)state;
    for (int i = 0; i < 20; i++) {
        begin(&r, C_SECRET);
        end(&r);
        service_unref(rig.service); /* as after a reload: with it the state goes */
        rig.service = service_new(
            rig.conf,
            &(struct worker_env){.loop = rig.loop, .offload = rig.offload, .home = &rig.box}, NULL,
            &e);
    }
    begin(&r, C_SECRET);
    await(1);
    expect(&r, 200, "c");
    end(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_the_field),
        cmocka_unit_test(bounds_the_field),
        cmocka_unit_test(forgets_what_was_not_used_for_longest),
        cmocka_unit_test(says_what_is_wrong),
        cmocka_unit_test(compiles),
        cmocka_unit_test_setup_teardown(judges_and_remembers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(joins_those_that_say_the_same, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refuses_when_too_many_wait, set_up, tear_down),
        cmocka_unit_test_setup_teardown(keeps_room_for_others, set_up_long, tear_down),
        cmocka_unit_test_setup_teardown(may_end_while_it_is_verified, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
