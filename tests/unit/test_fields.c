/* Field lines: order, names without regard to case, lists over several lines. */
#include "http/fields.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static struct arena *arena;

static void check(const struct fields *f, const char *expected)
{
    char text[256] = "";

    for (size_t i = 0; i < f->n; i++) {
        size_t len = strlen(text);

        snprintf(text + len, sizeof text - len, STR_FMT "=" STR_FMT ";", STR_ARG(f->list[i].name),
                 STR_ARG(f->list[i].value));
    }
    assert_string_equal(text, expected);
}

static struct fields sample(void)
{
    struct fields f = {0};

    fields_add(&f, arena, STR_LIT("Host"), STR_LIT("h"));
    fields_add(&f, arena, STR_LIT("Accept"), STR_LIT("a, b"));
    fields_add(&f, arena, STR_LIT("X"), STR_LIT("1"));
    fields_add(&f, arena, STR_LIT("ACCEPT"), STR_LIT(""));
    fields_add(&f, arena, STR_LIT("accept"), STR_LIT("\"c, d\" ,,E"));
    return f;
}

static void keeps_order(void **state)
{
    struct fields f = sample();

    (void)state;
    check(&f, "Host=h;Accept=a, b;X=1;ACCEPT=;accept=\"c, d\" ,,E;");
    for (int i = 0; i < 100; i++)
        fields_add(&f, arena, STR_LIT("N"), STR_LIT("v"));
    assert_int_equal(fields_count(&f, STR_LIT("n")), 100);
    assert_int_equal(f.n, 105);
}

static void sets_in_place_of_all(void **state)
{
    struct fields f = sample();

    (void)state;
    fields_set(&f, arena, STR_LIT("aCCept"), STR_LIT("new"));
    check(&f, "Host=h;aCCept=new;X=1;");
    fields_set(&f, arena, STR_LIT("Y"), STR_LIT("2"));
    check(&f, "Host=h;aCCept=new;X=1;Y=2;");
    fields_set(&f, arena, STR_LIT("Host"), STR_LIT(""));
    check(&f, "Host=;aCCept=new;X=1;Y=2;");
}

static void removes(void **state)
{
    struct fields f = sample(), empty = {0};

    (void)state;
    fields_remove(&f, STR_LIT("none"));
    assert_int_equal(f.n, 5);
    fields_remove(&f, STR_LIT("ACCEPT"));
    check(&f, "Host=h;X=1;");
    fields_remove(&f, STR_LIT("Host"));
    fields_remove(&f, STR_LIT("X"));
    assert_int_equal(f.n, 0);
    fields_remove(&empty, STR_LIT("X"));
    assert_int_equal(empty.n, 0);
}

static void gets(void **state)
{
    struct fields f = sample(), empty = {0};

    (void)state;
    assert_true(str_is(fields_get(&f, STR_LIT("accept")), "a, b"));
    assert_null(fields_get(&f, STR_LIT("Accep")).p);
    assert_null(fields_get(&empty, STR_LIT("a")).p);
    assert_int_equal(fields_count(&f, STR_LIT("Accept")), 3);
    assert_int_equal(fields_count(&f, STR_LIT("y")), 0);
}

static void joins(void **state)
{
    struct fields f = sample();

    (void)state;
    assert_true(str_is(fields_joined(&f, arena, STR_LIT("accept")), "a, b, , \"c, d\" ,,E"));
    assert_true(str_is(fields_joined(&f, arena, STR_LIT("host")), "h"));
    assert_null(fields_joined(&f, arena, STR_LIT("none")).p);
}

static void has_tokens(void **state)
{
    struct fields f = sample();

    (void)state;
    assert_true(fields_has_token(&f, STR_LIT("Accept"), STR_LIT("A")));
    assert_true(fields_has_token(&f, STR_LIT("Accept"), STR_LIT("b")));
    assert_true(fields_has_token(&f, STR_LIT("Accept"), STR_LIT("e")));
    assert_false(fields_has_token(&f, STR_LIT("Accept"), STR_LIT("d")));
    assert_false(fields_has_token(&f, STR_LIT("Accept"), STR_LIT("")));
    assert_false(fields_has_token(&f, STR_LIT("X"), STR_LIT("a")));
}

static void cleans_values(void **state)
{
    struct str fine = STR_LIT("a\tb \xc3\xa4");

    (void)state;
    assert_ptr_equal(fields_clean_value(arena, fine).p, fine.p);
    assert_true(str_is(fields_clean_value(arena, STR_LIT("a\r\nB: c\0\x7f")), "a  B: c  "));
    assert_int_equal(fields_clean_value(arena, STR_LIT("")).len, 0);
}

static int set_up(void **state)
{
    (void)state;
    arena = arena_new();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_order),   cmocka_unit_test(sets_in_place_of_all),
        cmocka_unit_test(removes),       cmocka_unit_test(gets),
        cmocka_unit_test(joins),         cmocka_unit_test(has_tokens),
        cmocka_unit_test(cleans_values),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
