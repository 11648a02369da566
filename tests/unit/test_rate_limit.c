/* rate_limit: the directive, its keys, and what is kept over a reload. */
#include "handlers/rate_limit.h"

#include "base/alloc.h"
#include "base/shared.h"
#include "conf/load.h"
#include "http/handler.h"
#include "http/match.h"
#include "http/service.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

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
static const struct directive *const tables[] = {rate_limit_directives, answer_directives, NULL};
static const struct language language = {.directives = tables, .matchers = http_matchers};

static struct conf *load(const char *directives, struct buf *errors)
{
    struct buf text = BUF_INIT(4096);
    struct conf *conf;

    assert_int_equal(buf_printf(&text, "http://a.test {\n%s\nrespond\n}\n", directives), 0);
    conf = conf_parse("f", buf_str(&text), &language, errors, NULL);
    buf_fini(&text);
    return conf;
}

static const struct {
    const char *directive;
    const char *error;
} wrong[] = {
    {"rate_limit", "f:2:1: how many events in which time? 'rate_limit 100 1m', or 'events' and "
                   "'window' in the block\n"},
    {"rate_limit 10", "f:2:12: how many events in which time? 'rate_limit 100 1m'\n"},
    {"rate_limit 10 1m x y", "f:2:20: 'rate_limit' takes at most 3 arguments"},
    {"rate_limit 0 1m", "f:2:12: '0' is no number from 1 to 1000000\n"},
    {"rate_limit 1000001 1m", "f:2:12: '1000001' is no number from 1 to 1000000\n"},
    {"rate_limit 1m 10", ": '1m' is no number"},
    {"rate_limit 10 1parsec", "f:2:15: "},
    {"rate_limit 10 0s", "f:2:15: a window is longer than nothing and not longer than 365d\n"},
    {"rate_limit 10 366d", "f:2:15: a window is longer than nothing and not longer than 365d\n"},
    {"rate_limit 1 365d {\nburst 1000\n}",
     "f:2:1: so many events in that time cannot be counted\n"},
    {"rate_limit {x} 10 1m", "f:2:12: '{x}' is no placeholder"},
    {"rate_limit 10 1m {\nburst 0\n}", "f:3:7: '0' is no number from 1 to 1000000\n"},
    {"rate_limit 10 1m {\nmax_keys 15\n}", "f:3:10: '15' is no number from 16 to 16777216\n"},
    {"rate_limit 10 1m {\nipv6_prefix 129\n}", "f:3:13: '129' is no number from 32 to 128\n"},
    {"rate_limit 10 1m {\nbrust 5\n}", "f:3:1: unknown rate_limit option 'brust'; did you mean "
                                       "'burst'?\n"},
    {"rate_limit 10 1m {\njitter 1\n}", "f:3:1: "},
    {"rate_limit {\nzone a {\nevents 1\n}\n}", "f:3:1: how many events"},
    {"rate_limit {\nzone a {\nevents 1\nwindow 1s\n}\nzone a {\nevents 1\nwindow 1s\n}\n}",
     "f:7:6: zone 'a' is there twice\n"},
};

static void says_what_is_wrong(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        struct buf errors = BUF_INIT(1 << 16);

        assert_null(load(wrong[i].directive, &errors));
        if (strstr(errors.p, wrong[i].error) == NULL)
            fail_msg("row %zu: %s", i, errors.p);
        buf_fini(&errors);
    }
}

/* ---- exchanges ---- */

struct rig {
    struct shared *shared;
    struct conf *conf;
    struct service *service;
};

static void on_respond(struct exchange *ex)
{
    (void)ex;
}

static const struct exchange_engine engine = {.respond = on_respond};

/* Takes up a configuration before the old one is dropped, as a worker does. */
static void rig_load(struct rig *r, const char *directives)
{
    struct rig old = *r;
    struct buf errors = BUF_INIT(1 << 16);
    struct err e;

    if (r->shared == NULL)
        r->shared = shared_new();
    r->conf = load(directives, &errors);
    if (r->conf == NULL)
        fail_msg("%s", errors.p);
    r->service = service_new(r->conf, &(struct worker_env){.shared = r->shared}, NULL, &e);
    assert_non_null(r->service);
    service_unref(old.service);
    conf_unref(old.conf);
    buf_fini(&errors);
}

static void rig_fini(struct rig *r)
{
    service_unref(r->service);
    conf_unref(r->conf);
    shared_free(r->shared);
}

struct reply {
    int status;
    char retry_after[16];
};

static struct reply ask(struct rig *r, const char *target, const char *from, const char *token)
{
    struct arena *a = arena_new();
    struct reply reply = {0};
    struct exchange ex;
    struct str after;

    exchange_init(&ex, &engine, NULL, a, r->service);
    ex.listener = &r->conf->listeners[0];
    ex.method = STR_LIT("GET");
    ex.target = str_of(target);
    ex.authority = STR_LIT("a.test");
    ex.remote_host = str_of(from);
    if (token != NULL)
        fields_add(&ex.request, a, STR_LIT("x-token"), str_of(token));
    assert_true(exchange_set_target(&ex));
    service_handle(r->service, &ex);
    reply.status = ex.status;
    after = fields_get(&ex.response, STR_LIT("retry-after"));
    memcpy(reply.retry_after, after.p == NULL ? "" : after.p, after.len);
    exchange_fini(&ex);
    arena_free(a);
    return reply;
}

/* How many get through, of twenty. */
static unsigned passes(struct rig *r, const char *target, const char *from, const char *token)
{
    unsigned n = 0;

    for (int i = 0; i < 20; i++)
        n += ask(r, target, from, token).status == 200;
    return n;
}

static void limits_each_client(void **state)
{
    struct rig r = {0};
    struct reply reply;

    (void)state;
    rig_load(&r, "rate_limit /api/* 3 1h");
    assert_int_equal(passes(&r, "/", "192.0.2.1", NULL), 20);
    assert_int_equal(passes(&r, "/api/x", "192.0.2.1", NULL), 3);
    assert_int_equal(passes(&r, "/api/x", "192.0.2.2", NULL), 3);
    assert_int_equal(passes(&r, "/api/x", "2001:db8:0:1::1", NULL), 3);
    assert_int_equal(passes(&r, "/api/x", "2001:db8:0:1:ffff::2", NULL), 0); /* the same /64 */
    assert_int_equal(passes(&r, "/api/x", "2001:db8:0:2::1", NULL), 3);
    reply = ask(&r, "/api/x", "192.0.2.1", NULL);
    assert_int_equal(reply.status, 429);
    assert_string_equal(reply.retry_after, "1200"); /* rounded up */
    rig_fini(&r);
}

static const struct {
    const char *directive;
    unsigned pass;
} forms[] = {
    {"rate_limit 3 1h", 3},
    {"rate_limit * 3 1h", 3},
    {"rate_limit {remote_host} 3 1h", 3},
    {"rate_limit static 3 1h", 3},
    {"rate_limit 3 1h {\nburst 7\n}", 7},
    {"rate_limit {\nevents 3\nwindow 1h\n}", 3},
    {"rate_limit {\nzone a {\nevents 5\nwindow 1h\n}\nzone b {\nkey x\nevents 3\nwindow 1h\n}\n}",
     3},
    {"rate_limit 5 1h\nrate_limit 5 1h", 5},
    {"rate_limit 5 1h\nrate_limit 2 1d", 2},
    {"rate_limit 1000000 1ms", 20},
};

static void has_several_forms(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        struct rig r = {0};

        rig_load(&r, forms[i].directive);
        if (passes(&r, "/", "192.0.2.1", NULL) != forms[i].pass)
            fail_msg("%s", forms[i].directive);
        rig_fini(&r);
    }
}

static void counts_by_any_key(void **state)
{
    struct rig r = {0};

    (void)state;
    rig_load(&r, "rate_limit {header.X-Token} 2 1h {\nipv6_prefix 128\n}");
    assert_int_equal(passes(&r, "/", "192.0.2.1", "a"), 2);
    assert_int_equal(passes(&r, "/", "192.0.2.2", "a"), 0);
    assert_int_equal(passes(&r, "/", "192.0.2.2", "b"), 2);
    assert_int_equal(passes(&r, "/", "192.0.2.2", NULL), 2);
    assert_int_equal(passes(&r, "/", "192.0.2.3", ""), 0); /* no key is a key */
    assert_int_equal(passes(&r, "/", "192.0.2.2", "2001:db8::1"), 2);
    assert_int_equal(passes(&r, "/", "192.0.2.2", "2001:db8::2"), 2);
    assert_int_equal(passes(&r, "/", "192.0.2.2", "2001:DB8:0::2"), 0);
    rig_fini(&r);
}

static void remembers_over_a_reload(void **state)
{
    struct rig r = {0};

    (void)state;
    rig_load(&r, "rate_limit 3 1h");
    assert_int_equal(passes(&r, "/", "192.0.2.1", NULL), 3);
    rig_load(&r, "\n\nrate_limit 3 1h");
    assert_int_equal(passes(&r, "/", "192.0.2.1", NULL), 0);
    rig_load(&r, "rate_limit 4 1h");
    assert_int_equal(passes(&r, "/", "192.0.2.1", NULL), 4);
    rig_load(&r, "rate_limit 3 1h");
    assert_int_equal(passes(&r, "/", "192.0.2.1", NULL), 3);
    rig_fini(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_what_is_wrong),      cmocka_unit_test(limits_each_client),
        cmocka_unit_test(has_several_forms),       cmocka_unit_test(counts_by_any_key),
        cmocka_unit_test(remembers_over_a_reload),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
