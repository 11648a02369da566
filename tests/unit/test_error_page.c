/* The built-in pages for errors: their forms, and what each has to have. */
#include "http/error_page.h"

#include "base/alloc.h"
#include "base/base64.h"
#include "http/prepared.h"
#include "http/service.h"
#include "http/www_pages.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>

static struct conf *conf;
static struct service *service;
static struct arena *arena;
static struct exchange ex;

static void no_respond(struct exchange *e)
{
    (void)e;
}

static const struct exchange_engine engine = {.respond = no_respond};

static int set_up(void **state)
{
    (void)state;
    conf = xalloc(sizeof *conf);
    conf->refs = 1;
    conf->arena = arena_new();
    service = service_new(conf, NULL, NULL, NULL);
    return service == NULL ? -1 : 0;
}

static int tear_down(void **state)
{
    (void)state;
    service_unref(service);
    arena_free(conf->arena);
    free(conf);
    return 0;
}

static void begin(const char *accept)
{
    arena = arena_new();
    exchange_init(&ex, &engine, NULL, arena, service);
    if (accept != NULL)
        fields_add(&ex.request, arena, STR_LIT("accept"), str_of(accept));
}

static void end(void)
{
    exchange_fini(&ex);
    arena_free(arena);
}

static struct str field(const char *name)
{
    struct fields all = prepared_fields(ex.body.prepared, &ex.response, arena);

    assert_int_equal(fields_count(&all, str_of(name)) > 1, false);
    return fields_get(&all, str_of(name));
}

static void assert_str(struct str got, const char *want)
{
    if (!str_is(got, want))
        fail_msg("'" STR_FMT "', not '%s'", STR_ARG(got), want);
}

static bool contains(struct str s, const char *text)
{
    return memmem(s.p, s.len, text, strlen(text)) != NULL;
}

static void has_four_forms(void **state)
{
    static const struct {
        const char *accept;
        int status;
        const char *type;
        const char *body; /* NULL: HTML */
    } rows[] = {
        {NULL, 404, "text/plain; charset=utf-8", "404 Not Found\n"},
        {"*/*", 503, "text/plain; charset=utf-8", "503 Service Unavailable\n"},
        {"image/png", 404, "text/plain; charset=utf-8", "404 Not Found\n"},
        {"text/plain", 499, "text/plain; charset=utf-8", "499 Error\n"},
        {"text/html", 404, "text/html; charset=utf-8", NULL},
        {"application/json", 404, "application/json", "{\"title\":\"Not Found\",\"status\":404}\n"},
        {"application/problem+json", 418, "application/problem+json",
         "{\"title\":\"I'm a teapot\",\"status\":418}\n"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        begin(rows[i].accept);
        error_page_respond(&ex, rows[i].status);
        assert_int_equal(ex.status, rows[i].status);
        assert_int_equal(ex.body.kind, BODY_PREPARED);
        assert_str(field("Content-Type"), rows[i].type);
        assert_str(field("Vary"), "Accept");
        assert_str(field("X-Content-Type-Options"), "nosniff");
        assert_int_equal(field("Content-Security-Policy").len > 0, rows[i].body == NULL);
        if (rows[i].body != NULL)
            assert_str(ex.body.prepared->body, rows[i].body);
        end();
    }
}

static void every_page_is_whole_and_small(void **state)
{
    enum { SMALL = 2048 };

    (void)state;
    for (int status = 400; status <= 599; status++) {
        const char *phrase = status_phrase(status)[0] == '\0' ? "Error" : status_phrase(status);
        struct str body;

        begin("text/html");
        error_page_respond(&ex, status);
        body = ex.body.prepared->body;
        assert_true(body.len <= SMALL);
        assert_true(str_starts(body, STR_LIT("<!DOCTYPE html>\n<html lang=\"en\">\n")));
        assert_true(
            contains(body, arena_printf(arena, "<title>%d %s</title>\n", status, phrase).p));
        assert_true(
            contains(body, arena_printf(arena, "<h1><b>%d</b> %s</h1>\n", status, phrase).p));
        assert_false(contains(body, "<p></p>"));
        assert_false(contains(body, "%"));
        end();
    }
}

/* A request costs no formatting. */
static void keeps_pages_ready(void **state)
{
    const struct prepared *first;

    (void)state;
    begin("text/html");
    error_page_respond(&ex, 404);
    first = ex.body.prepared;
    end();
    begin("text/html;q=0.9");
    error_page_respond(&ex, 404);
    assert_ptr_equal(ex.body.prepared, first);
    assert_int_equal(ex.response.n, 0);
    end();
    begin("text/html");
    error_page_respond(&ex, 403);
    assert_ptr_not_equal(ex.body.prepared, first);
    end();
}

static void keeps_what_others_said(void **state)
{
    static const struct {
        const char *was;
        const char *want;
    } rows[] = {
        {"Origin", "Origin, Accept"},
        {"accept, Origin", "accept, Origin"},
        {"*", "*"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        begin(NULL);
        fields_add(&ex.response, arena, STR_LIT("Vary"), str_of(rows[i].was));
        fields_add(&ex.response, arena, STR_LIT("content-type"), STR_LIT("image/png"));
        fields_add(&ex.response, arena, STR_LIT("Allow"), STR_LIT("GET"));
        error_page_respond(&ex, 405);
        assert_str(field("Vary"), rows[i].want);
        assert_str(field("Content-Type"), "text/plain; charset=utf-8");
        assert_str(field("Allow"), "GET");
        end();
    }
}

/* The policy lets the page's own style in, by its hash. */
static void policy_fits_the_style(void **state)
{
    const char *from = memmem(www_error_html.p, www_error_html.len, "<style>", 7);
    const char *to = memmem(www_error_html.p, www_error_html.len, "</style>", 8);
    uint8_t wanted[32], got[64];
    struct str policy, text;
    size_t len;

    (void)state;
    assert_non_null(from);
    from += 7;
    assert_int_equal(gnutls_hash_fast(GNUTLS_DIG_SHA256, from, (size_t)(to - from), wanted), 0);
    begin("text/html");
    error_page_respond(&ex, 404);
    policy = field("Content-Security-Policy");
    from = memmem(policy.p, policy.len, "'sha256-", 8);
    assert_non_null(from);
    text = str_from(policy, (size_t)(from + 8 - policy.p));
    text.len = str_chr(text, '\'');
    if (!base64_decode(text, got, sizeof got, &len) || len != sizeof wanted ||
        memcmp(got, wanted, len) != 0) {
        char better[BASE64URL_LEN(sizeof wanted) + 1];

        base64url_encode((struct str){(const char *)wanted, sizeof wanted}, better);
        for (char *c = better; *c != '\0'; c++)
            *c = *c == '-' ? '+' : *c == '_' ? '/' : *c;
        fail_msg("the hash in error_page.c has to be '%s='", better);
    }
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_four_forms),        cmocka_unit_test(every_page_is_whole_and_small),
        cmocka_unit_test(keeps_pages_ready),     cmocka_unit_test(keeps_what_others_said),
        cmocka_unit_test(policy_fits_the_style),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
