/* Arenas: what is allocated stays whole, whatever the sizes, in small arenas too. */
#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { ROUNDS = 200, SIZE_MOST = 3000 };

/* A size of every magnitude; the next one is fixed by the last. */
static size_t next_size(uint32_t *seed)
{
    *seed = *seed * 1664525U + 1013904223U;
    return (*seed >> 8) % (1U << ((*seed >> 4) % 12)) % SIZE_MOST;
}

static void fill_and_check(struct arena *a)
{
    unsigned char *given[ROUNDS];
    size_t sizes[ROUNDS];
    uint32_t seed = 1;

    for (size_t i = 0; i < ROUNDS; i++) {
        sizes[i] = next_size(&seed);
        given[i] = i % 2 == 0 ? arena_alloc(a, sizes[i]) : (void *)arena_bytes(a, sizes[i]);
        if (i % 2 == 0)
            assert_true((uintptr_t)given[i] % _Alignof(max_align_t) == 0);
        for (size_t k = 0; i % 2 == 0 && k < sizes[i]; k++)
            assert_int_equal(given[i][k], 0);
        memset(given[i], (int)i, sizes[i]);
    }
    for (size_t i = 0; i < ROUNDS; i++)
        for (size_t k = 0; k < sizes[i]; k++)
            assert_int_equal(given[i][k], (unsigned char)i);
}

static void test_sizes(void **state)
{
    struct arena *arenas[] = {arena_new(), arena_new_small()};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        for (int again = 0; again < 3; again++) {
            fill_and_check(arenas[i]);
            arena_reset(arenas[i]);
        }
        arena_free(arenas[i]);
    }
}

/* The first object may be larger than the chunk that a small arena begins with. */
static void test_first_object(void **state)
{
    (void)state;
    for (size_t size = 0; size < 2048; size += 31) {
        struct arena *a = arena_new_small();

        memset(arena_bytes(a, size), 1, size);
        arena_strdup(a, "behind it");
        arena_free(a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_first_object),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
