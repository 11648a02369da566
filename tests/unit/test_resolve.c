/* The resolver, with a getaddrinfo() and a clock that the tests set. */
#include "io/resolve.h"

#include "base/alloc.h"

#include <netdb.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- what the resolver finds ---- */

static atomic_int asked;
static atomic_int answer; /* the last byte of 192.0.2.x; 0: no such name; -1: no address */
static atomic_long later_s;

int getaddrinfo(const char *restrict name, const char *restrict service,
                const struct addrinfo *restrict hints, struct addrinfo **restrict found)
{
    int last = atomic_load(&answer);
    struct addrinfo *ai;
    struct sockaddr_in *in;

    (void)name;
    (void)service;
    (void)hints;
    atomic_fetch_add(&asked, 1);
    if (last == 0)
        return EAI_NONAME;
    *found = NULL;
    if (last == -1)
        return 0;
    ai = xalloc(sizeof *ai);
    in = xalloc(sizeof *in);
    in->sin_family = AF_INET;
    in->sin_addr.s_addr = htonl(0xc0000200U + (unsigned)last);
    *ai = (struct addrinfo){.ai_family = AF_INET, .ai_addr = (struct sockaddr *)(void *)in};
    *found = ai;
    return 0;
}

void freeaddrinfo(struct addrinfo *ai)
{
    free(ai->ai_addr);
    free(ai);
}

int clock_gettime(clockid_t clock, struct timespec *t)
{
    int rc = (int)syscall(SYS_clock_gettime, clock, t);

    t->tv_sec += atomic_load(&later_s);
    return rc;
}

/* ---- who asks ---- */

struct asker {
    struct lookup lookup;
    struct loop *loop;
    struct addresses got;
    const char *why;
    bool told;
};

static struct loop *loop;
static struct mailbox box;
static struct offload *offload;
static struct resolver *resolver;

static int set_up(void **state)
{
    struct err e;

    (void)state;
    atomic_store(&asked, 0);
    atomic_store(&answer, 1);
    loop = loop_new(&e);
    if (loop == NULL || mailbox_init(&box, loop, NULL, &e) != 0)
        return -1;
    offload = offload_new(1, 4);
    resolver = resolver_new(loop, offload, &box);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    resolver_free(resolver);
    offload_wait(offload, &box);
    mailbox_fini(&box);
    offload_free(offload);
    loop_free(loop);
    return 0;
}

static void on_resolved(struct lookup *lk, const struct addresses *a, const char *why)
{
    struct asker *k = container_of(lk, struct asker, lookup);

    assert_false(k->told);
    k->told = true;
    k->got = a == NULL ? (struct addresses){.n = 0} : *a;
    k->why = why;
    loop_stop(loop);
}

static void turn(struct timer *t)
{
    (void)t;
    loop_stop(loop);
}

static void run_for(uint64_t ms)
{
    struct timer limit = {.on_timer = turn};
    struct err e;

    timer_set(loop, &limit, ms);
    assert_int_equal(loop_run(loop, &e), 0);
    timer_cancel(loop, &limit);
}

static void pass(long seconds)
{
    atomic_fetch_add(&later_s, seconds);
    run_for(0);
}

/* Whether it was known at once. */
static bool ask(struct asker *k, const char *name, bool fresh)
{
    *k = (struct asker){.why = ""};
    lookup_init(&k->lookup, on_resolved);
    return resolver_get(resolver, NULL, str_of(name), fresh, &k->got, &k->why, &k->lookup);
}

static void ask_and_wait(struct asker *k, const char *name)
{
    assert_false(ask(k, name, false));
    while (!k->told)
        run_for(5000);
}

static void wait_for_questions(int n)
{
    for (int i = 0; i < 1000 && atomic_load(&asked) < n; i++)
        run_for(5);
    assert_int_equal(atomic_load(&asked), n);
    run_for(20); /* for the answer to come home */
}

static unsigned last_byte(const struct asker *k)
{
    assert_int_equal(k->got.n, 1);
    assert_int_equal(k->got.list[0].family, AF_INET);
    return k->got.list[0].bytes[3];
}

/* ---- the tests ---- */

static void numbers_need_no_asking(void **state)
{
    struct asker k;

    (void)state;
    assert_true(ask(&k, "127.0.0.2", false));
    assert_int_equal(last_byte(&k), 2);
    for (int i = 0; i < 2; i++) {
        assert_true(ask(&k, i == 0 ? "2001:db8::7" : "[2001:db8::7]", false));
        assert_int_equal(k.got.n, 1);
        assert_int_equal(k.got.list[0].family, AF_INET6);
        assert_int_equal(k.got.list[0].bytes[15], 7);
    }
    assert_int_equal(atomic_load(&asked), 0);
}

static void localhost_needs_no_asking(void **state)
{
    static const char *const names[] = {"localhost", "LocalHost.", "a.b.localhost"};
    struct asker k;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        assert_true(ask(&k, names[i], true));
        assert_int_equal(k.got.n, 2);
        assert_int_equal(k.got.list[0].family, AF_INET6);
        assert_int_equal(k.got.list[1].family, AF_INET);
        assert_int_equal(k.got.list[1].bytes[0], 127);
    }
    assert_int_equal(atomic_load(&asked), 0);
    ask_and_wait(&k, "notlocalhost");
}

static void what_is_known_is_kept(void **state)
{
    struct asker k;

    (void)state;
    ask_and_wait(&k, "up.example");
    assert_int_equal(last_byte(&k), 1);
    assert_true(ask(&k, "UP.example", false));
    assert_int_equal(last_byte(&k), 1);
    assert_false(k.got.stale);
    assert_int_equal(atomic_load(&asked), 1);
}

static void what_is_stale_serves_while_it_is_asked_for(void **state)
{
    struct asker k;

    (void)state;
    ask_and_wait(&k, "up.example");
    atomic_store(&answer, 2);
    pass(11);
    assert_true(ask(&k, "up.example", false));
    assert_true(k.got.stale);
    assert_int_equal(last_byte(&k), 1);
    assert_true(ask(&k, "up.example", false));
    wait_for_questions(2);
    assert_true(ask(&k, "up.example", false));
    assert_int_equal(last_byte(&k), 2);
    pass(11);
    atomic_store(&answer, 3);
    assert_false(ask(&k, "up.example", true)); /* who wants it fresh waits */
    while (!k.told)
        run_for(5000);
    assert_int_equal(last_byte(&k), 3);
    pass(301);
    assert_false(ask(&k, "up.example", false)); /* it is too old for anybody */
    lookup_cancel(&k.lookup);
}

static void a_failure_is_kept_for_a_second(void **state)
{
    struct asker k;

    (void)state;
    atomic_store(&answer, 0);
    ask_and_wait(&k, "up.example");
    assert_int_equal(k.got.n, 0);
    assert_string_equal(k.why, gai_strerror(EAI_NONAME));
    assert_true(ask(&k, "up.example", false));
    assert_int_equal(k.got.n, 0);
    assert_string_equal(k.why, gai_strerror(EAI_NONAME));
    assert_int_equal(atomic_load(&asked), 1);
    pass(2);
    atomic_store(&answer, -1);
    ask_and_wait(&k, "up.example");
    assert_string_equal(k.why, "the name has no address");
}

static void a_failure_takes_nothing_away(void **state)
{
    struct asker k;

    (void)state;
    ask_and_wait(&k, "up.example");
    atomic_store(&answer, 0);
    pass(11);
    assert_true(ask(&k, "up.example", false));
    wait_for_questions(2);
    for (int i = 0; i < 2; i++) {
        assert_true(ask(&k, "up.example", false));
        assert_int_equal(last_byte(&k), 1);
    }
    assert_int_equal(atomic_load(&asked), 2); /* not again within the second */
    assert_true(ask(&k, "up.example", true));
    assert_int_equal(k.got.n, 0);
}

static void all_who_wait_are_told(void **state)
{
    struct asker k[3];

    (void)state;
    for (size_t i = 0; i < 3; i++)
        assert_false(ask(&k[i], "up.example", false));
    lookup_cancel(&k[1].lookup);
    while (!k[0].told || !k[2].told)
        run_for(5000);
    assert_false(k[1].told);
    assert_int_equal(last_byte(&k[2]), 1);
    assert_int_equal(atomic_load(&asked), 1);
}

static void no_names_are_refused(void **state)
{
    char longest[300];
    struct asker k;

    (void)state;
    memset(longest, 'a', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    assert_true(ask(&k, "", false));
    assert_int_equal(k.got.n, 0);
    assert_true(ask(&k, longest, false));
    assert_int_equal(k.got.n, 0);
    assert_string_equal(k.why, "it is no host name");
    assert_int_equal(atomic_load(&asked), 0);
}

static void names_are_bounded(void **state)
{
    struct asker k;
    char name[32];

    (void)state;
    for (int i = 0; i < RESOLVE_NAMES_MAX + 100; i++) {
        snprintf(name, sizeof name, "n%d.example", i);
        ask_and_wait(&k, name);
    }
    assert_true(ask(&k, name, false));
    assert_false(ask(&k, "n0.example", false)); /* forgotten */
    lookup_cancel(&k.lookup);
}

/* The questions that are still under way when it goes are the helper's to bring home. */
static void may_go_while_it_is_asking(void **state)
{
    struct asker k[6];
    char name[32];
    unsigned refused = 0;

    (void)state;
    for (int i = 0; i < 6; i++) {
        snprintf(name, sizeof name, "n%d.example", i);
        if (ask(&k[i], name, false))
            refused++;
        else
            lookup_cancel(&k[i].lookup);
    }
    assert_true(refused <= 2);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(numbers_need_no_asking),
        TEST(localhost_needs_no_asking),
        TEST(what_is_known_is_kept),
        TEST(what_is_stale_serves_while_it_is_asked_for),
        TEST(a_failure_is_kept_for_a_second),
        TEST(a_failure_takes_nothing_away),
        TEST(all_who_wait_are_told),
        TEST(no_names_are_refused),
        TEST(names_are_bounded),
        TEST(may_go_while_it_is_asking),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
