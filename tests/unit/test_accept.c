/* Which media type is chosen, for values of Accept of all kinds. */
#include "http/accept.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

enum { HTML, JSON, TEXT };

static const struct {
    const char *value; /* NULL: no such field */
    size_t want;
} cases[] = {
    {NULL, HTML},
    {"", HTML},
    {"*/*", HTML},
    {"text/html", HTML},
    {"application/json", JSON},
    {"Application/JSON", JSON},
    {"text/plain", TEXT},
    {"text/plain; charset=utf-8", TEXT},
    {"text/*", HTML},
    {"application/*", JSON},
    {"APPLICATION/*", JSON},
    /* what browsers and programs send */
    {"text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8", HTML},
    {"application/json, text/plain, */*", JSON},
    {"text/plain, */*", TEXT},
    {"application/json, */*;q=0.5", JSON},
    {"image/avif,image/webp,*/*;q=0.8", HTML},
    /* weights */
    {"text/html;q=0.5, application/json", JSON},
    {"text/html;q=0.5, application/json;q=0.4, text/plain;q=0.6", TEXT},
    {"text/html;level=1;q=0.1, text/plain;q=0.2", TEXT},
    /* ties: the order of the client, for what it names alike */
    {"application/json;q=0.8, text/html;q=0.8", JSON},
    {"text/plain, application/json, text/html", TEXT},
    {"*/*, text/plain, application/json", TEXT},
    {"application/*, text/*", JSON},
    {"*/*;q=0.5, text/plain;q=0.5", TEXT},
    {"text/html;q=0, */*", JSON},
    {"text/html;level=1, text/html;q=0.1, application/json;q=0.5", HTML},
    {"text/html ; q=0 , application/json;Q=0, text/*;q=0.1", TEXT},
    {"text/*;q=0.3, text/plain;q=0.2", HTML},
    {"*/*;q=0.1, text/html;q=0", JSON},
    /* nothing that we have */
    {"image/png", HTML},
    {"text/html;q=0", HTML},
    {"*/*;q=0", HTML},
    /* what follows no grammar is passed over */
    {"application/json;q=2", HTML},
    {"application/json;q=0.1234, text/plain;q=0.1", TEXT},
    {"application/json;q=", HTML},
    {",,application/json,,", JSON},
    {"json", HTML},
    {"*", HTML},
    {"*/json", HTML},
    {"application/jsonx", HTML},
    {"application/j", HTML},
    {"application", HTML},
    {"/*", HTML},
    {"\"application/json\"", HTML},
    {";q=1, application/json", JSON},
};

static void chooses(void **state)
{
    static const struct str types[] = {STR_LIT("text/html"), STR_LIT("application/json"),
                                       STR_LIT("text/plain")};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        size_t got = accept_choose(str_of(cases[i].value), types, ARRAY_LEN(types));

        if (got != cases[i].want)
            fail_msg("'%s': %zu, not %zu", cases[i].value == NULL ? "(none)" : cases[i].value, got,
                     cases[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chooses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
