/* Which upstream the policies choose, on real upstreams and states. */
#include "handlers/balance.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { MAX = 16 };

struct rig {
    struct arena *arena;
    struct exchange ex;
    struct upstream upstreams[MAX];
    struct upstream_states *states;
    struct candidate list[MAX];
    struct balance_state *turns;
    struct str cookie;
    size_t n;
};

static void set_up(struct rig *r, size_t n)
{
    const struct passive_health none = {0};
    struct err e;

    *r = (struct rig){.arena = arena_new(), .n = n};
    r->states = upstream_states_type.make(&(struct upstream_states_arg){n, &none});
    r->turns = balance_state_new(n);
    for (size_t i = 0; i < n; i++) {
        struct str address = arena_printf(r->arena, "10.0.0.%zu:80", i + 1);

        assert_int_equal(
            upstream_parse(r->arena, address, &(struct upstream_how){0}, &r->upstreams[i], &e), 0);
        r->list[i] = (struct candidate){&r->upstreams[i], &r->states->list[i], true};
    }
    r->ex.arena = r->arena;
    r->ex.remote_host = r->ex.client_ip = STR_LIT("192.0.2.1");
    r->ex.target = STR_LIT("/");
}

static void tear_down(struct rig *r)
{
    balance_state_free(r->turns);
    upstream_states_type.free(r->states);
    arena_free(r->arena);
}

static int ask(struct rig *r, const struct balance *b)
{
    return balance_choose(b, r->turns, &r->ex, r->list, r->n, &r->cookie);
}

static void all_choose_only_what_is_usable(void **state)
{
    const unsigned weights[] = {1, 1, 1, 1};

    (void)state;
    for (int kind = BALANCE_ROUND_ROBIN; kind <= BALANCE_COOKIE; kind++) {
        const struct balance b = {.kind = (enum balance_kind)kind,
                                  .choose = 2,
                                  .weights = weights,
                                  .n_weights = 4,
                                  .name = STR_LIT("x")};
        struct rig r;

        set_up(&r, 4);
        r.list[0].usable = r.list[3].usable = false;
        for (int i = 0; i < 50; i++)
            assert_in_range(ask(&r, &b), 1, 2);
        r.list[2].usable = false;
        assert_int_equal(ask(&r, &b), 1);
        r.list[1].usable = false;
        assert_int_equal(ask(&r, &b), BALANCE_NONE);
        r.n = 0;
        assert_int_equal(ask(&r, &b), BALANCE_NONE);
        tear_down(&r);
    }
}

static void takes_turns(void **state)
{
    const struct balance b = {.kind = BALANCE_ROUND_ROBIN};
    const int order[] = {0, 1, 2, 0, 1, 2};
    struct rig r;

    (void)state;
    set_up(&r, 3);
    for (size_t i = 0; i < ARRAY_LEN(order); i++)
        assert_int_equal(ask(&r, &b), order[i]);
    r.list[0].usable = false;
    assert_int_equal(ask(&r, &b), 1);
    assert_int_equal(ask(&r, &b), 2);
    assert_int_equal(ask(&r, &b), 1);
    tear_down(&r);
}

static void weighs_turns(void **state)
{
    const unsigned weights[] = {3, 0, 1};
    const struct balance b = {.kind = BALANCE_WEIGHTED, .weights = weights, .n_weights = 3};
    int got[4] = {0};
    struct rig r;

    (void)state;
    set_up(&r, 4); /* the last one has no weight: 1 */
    for (int i = 0; i < 50; i++)
        got[ask(&r, &b)]++;
    assert_int_equal(got[0], 30);
    assert_int_equal(got[1], 0);
    assert_int_equal(got[2], 10);
    assert_int_equal(got[3], 10);
    tear_down(&r);
}

static void chance_is_fair(void **state)
{
    const struct balance b = {.kind = BALANCE_RANDOM};
    int got[3] = {0};
    struct rig r;

    (void)state;
    set_up(&r, 3);
    r.list[1].usable = false;
    for (int i = 0; i < 2000; i++)
        got[ask(&r, &b)]++;
    assert_int_equal(got[1], 0);
    assert_in_range(got[0], 800, 1200); /* 9 standard deviations */
    tear_down(&r);
}

static void weights_of_dns_are_shares(void **state)
{
    const enum balance_kind kinds[] = {BALANCE_ROUND_ROBIN, BALANCE_RANDOM};

    (void)state;
    for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
        const struct balance b = {.kind = kinds[k]};
        int got[4] = {0};
        struct rig r;

        set_up(&r, 4);
        r.upstreams[0].weight = 65535;
        r.upstreams[1].weight = 65535 / 4;
        r.list[2].usable = false; /* the last has the weight 0 */
        r.upstreams[2].weight = 65535;
        for (int i = 0; i < 2000; i++)
            got[ask(&r, &b)]++;
        assert_in_range(got[0], 1440, 1760); /* 9 standard deviations */
        assert_in_range(got[1], 240, 560);
        assert_int_equal(got[2], 0);
        assert_in_range(got[3], 0, 3);
        r.list[0].usable = r.list[1].usable = false;
        assert_int_equal(ask(&r, &b), 3);
        tear_down(&r);
    }
}

static void finds_the_least_busy(void **state)
{
    const struct balance least = {.kind = BALANCE_LEAST_CONN};
    const struct balance two = {.kind = BALANCE_RANDOM_CHOOSE, .choose = 2};
    const struct balance all = {.kind = BALANCE_RANDOM_CHOOSE, .choose = 100};
    int got[4] = {0}, of_two[4] = {0};
    struct rig r;

    (void)state;
    set_up(&r, 4);
    atomic_store(&r.states->list[0].in_flight, 7);
    atomic_store(&r.states->list[1].in_flight, 2);
    atomic_store(&r.states->list[2].in_flight, 2);
    atomic_store(&r.states->list[3].in_flight, 3);
    for (int i = 0; i < 400; i++) {
        got[ask(&r, &least)]++;
        of_two[ask(&r, &two)]++;
        assert_in_range(ask(&r, &all), 1, 2);
    }
    assert_int_equal(got[0] + got[3], 0);
    assert_in_range(got[1], 100, 300);
    assert_int_equal(of_two[0], 0); /* in every pair there is a better one */
    assert_true(of_two[3] > 0);     /* beside the first */
    tear_down(&r);
}

/* With nobody busy, which is how it is most of the time, no upstream is left out. */
static void equals_have_equal_chances(void **state)
{
    const struct balance kinds[] = {{.kind = BALANCE_LEAST_CONN},
                                    {.kind = BALANCE_RANDOM_CHOOSE, .choose = 2},
                                    {.kind = BALANCE_RANDOM_CHOOSE, .choose = 100}};

    (void)state;
    for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
        int got[4] = {0};
        struct rig r;

        set_up(&r, 4);
        for (int i = 0; i < 4000; i++)
            got[ask(&r, &kinds[k])]++;
        for (size_t i = 0; i < ARRAY_LEN(got); i++)
            assert_in_range(got[i], 750, 1250); /* 9 standard deviations */
        tear_down(&r);
    }
}

/* The key stays where it is when others go, and is spread over all that remain when its own goes.
 */
static void hashes_move_no_more_than_they_must(void **state)
{
    const struct balance b = {.kind = BALANCE_CLIENT_IP_HASH};
    int before[400], got[8] = {0};
    struct rig r;

    (void)state;
    set_up(&r, 8);
    for (int i = 0; i < 400; i++) {
        r.ex.client_ip = arena_printf(r.arena, "198.51.100.%d", i);
        before[i] = ask(&r, &b);
        got[before[i]]++;
    }
    for (int i = 0; i < 8; i++)
        assert_in_range(got[i], 20, 85);
    r.list[3].usable = false;
    memset(got, 0, sizeof got);
    for (int i = 0; i < 400; i++) {
        int now;

        r.ex.client_ip = arena_printf(r.arena, "198.51.100.%d", i);
        now = ask(&r, &b);
        if (before[i] == 3)
            got[now]++;
        else
            assert_int_equal(now, before[i]);
    }
    for (int i = 0; i < 8; i++)
        assert_true(i == 3 ? got[i] == 0 : got[i] > 0);
    tear_down(&r);
}

static void hashes_what_it_should(void **state)
{
    static const struct {
        enum balance_kind kind;
        const char *name;
    } cases[] = {{BALANCE_IP_HASH, ""},
                 {BALANCE_URI_HASH, ""},
                 {BALANCE_QUERY, "k"},
                 {BALANCE_HEADER, "X-Key"},
                 {BALANCE_HEADER, "host"}};

    (void)state;
    for (size_t k = 0; k < ARRAY_LEN(cases); k++) {
        const struct balance fallback = {.kind = BALANCE_FIRST};
        const struct balance b = {
            .kind = cases[k].kind, .name = str_of(cases[k].name), .fallback = &fallback};
        struct rig r;
        unsigned seen = 0;

        set_up(&r, 8);
        for (int i = 0; i < 40; i++) {
            struct str key = arena_printf(r.arena, "%d", i);
            int first;

            r.ex.request = (struct fields){0};
            fields_add(&r.ex.request, r.arena, STR_LIT("x-key"), key);
            r.ex.remote_host = r.ex.target = r.ex.authority = key;
            r.ex.query = arena_printf(r.arena, "a=1&k=%d&k=2", i);
            first = ask(&r, &b);
            assert_int_equal(ask(&r, &b), first);
            seen |= 1U << first;
        }
        assert_true(__builtin_popcount(seen) >= 5);
        r.ex.request = (struct fields){0};
        r.ex.query = STR_LIT("a=1");
        r.ex.authority = STR_LIT("");
        if (cases[k].name[0] != '\0')
            assert_int_equal(ask(&r, &b), 0); /* the fallback */
        tear_down(&r);
    }
}

static void a_cookie_sticks(void **state)
{
    const struct balance fallback = {.kind = BALANCE_ROUND_ROBIN};
    const struct balance b = {.kind = BALANCE_COOKIE,
                              .name = STR_LIT("lb"),
                              .secret = STR_LIT("s"),
                              .max_age_s = 60,
                              .fallback = &fallback};
    struct str value;
    struct rig r;

    (void)state;
    set_up(&r, 3);
    assert_int_equal(ask(&r, &b), 0);
    assert_true(str_ends(r.cookie, STR_LIT("; Path=/; Max-Age=60; HttpOnly; SameSite=Lax")));
    value = r.cookie;
    value = str_cut(&value, ';');
    /* The MAC of "tcp/10.0.0.1:80" under "s", by another program. */
    assert_true(
        str_is(value, "lb=6fd72f6975e63163fcb09e282756f8f1aed4b428d59e5a451a1f89d138df3f4b"));
    fields_add(&r.ex.request, r.arena, STR_LIT("Cookie"),
               arena_printf(r.arena, "a=b; " STR_FMT, STR_ARG(value)));
    for (int i = 0; i < 5; i++) {
        assert_int_equal(ask(&r, &b), 0);
        assert_null(r.cookie.p);
    }
    r.list[0].usable = false;
    r.ex.secure = true;
    assert_int_equal(ask(&r, &b), 1);
    assert_true(str_ends(r.cookie, STR_LIT("; HttpOnly; Secure; SameSite=None")));
    r.ex.request = (struct fields){0};
    fields_add(&r.ex.request, r.arena, STR_LIT("Cookie"), STR_LIT("lb=forged"));
    assert_int_equal(ask(&r, &b), 2);
    assert_non_null(r.cookie.p);
    tear_down(&r);
}

static void failures_count_and_are_forgotten(void **state)
{
    const struct passive_health health = {.fail_ms = 1000, .max_fails = 3, .max_requests = 2};
    struct upstream_states *all =
        upstream_states_type.make(&(struct upstream_states_arg){1, &health});
    struct upstream_state *s = &all->list[0];

    (void)state;
    upstream_state_failed(all, s, 5000);
    upstream_state_failed(all, s, 5500);
    assert_true(upstream_state_is_up(all, s, 5500));
    upstream_state_failed(all, s, 5900);
    assert_false(upstream_state_is_up(all, s, 5900));
    assert_false(upstream_state_is_up(all, s, 5999));
    assert_true(upstream_state_is_up(all, s, 6000)); /* the first is forgotten */
    upstream_state_failed(all, s, 6100);
    assert_false(upstream_state_is_up(all, s, 6499));
    assert_true(upstream_state_is_up(all, s, 6500));
    atomic_store(&s->in_flight, 2);
    assert_false(upstream_state_is_up(all, s, 6500));
    atomic_store(&s->in_flight, 1);
    assert_true(upstream_state_is_up(all, s, 6500));
    atomic_store(&s->sick, true);
    assert_false(upstream_state_is_up(all, s, 9000));
    upstream_states_type.free(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_choose_only_what_is_usable),
        cmocka_unit_test(takes_turns),
        cmocka_unit_test(weighs_turns),
        cmocka_unit_test(chance_is_fair),
        cmocka_unit_test(weights_of_dns_are_shares),
        cmocka_unit_test(finds_the_least_busy),
        cmocka_unit_test(equals_have_equal_chances),
        cmocka_unit_test(hashes_move_no_more_than_they_must),
        cmocka_unit_test(hashes_what_it_should),
        cmocka_unit_test(a_cookie_sticks),
        cmocka_unit_test(failures_count_and_are_forgotten),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
