/* Any text as an expression: what is taken can be evaluated. */
#include "../unit/conf_fixture.h"

#include "http/cel.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The fields that the corpus asks for. */
static void fill(struct exchange *ex, struct arena *a)
{
    *ex = (struct exchange){.arena = a,
                            .method = STR_LIT("GET"),
                            .target = STR_LIT("/a%2Fb/c.css?q=1&r=a+b"),
                            .authority = STR_LIT("a.test:8080"),
                            .remote_host = STR_LIT("192.0.2.1"),
                            .http_minor = 1};
    assert(exchange_set_target(ex));
    fields_add(&ex->request, a, STR_LIT("X"), STR_LIT("5"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf text = BUF_INIT(1 << 20);
    struct conf *c = NULL;

    if (size < CEL_TEXT_MAX && buf_puts(&text, "http://a.test {\n@m `") == 0 &&
        buf_append(&text, data, size) == 0 && buf_puts(&text, "`\nrespond @m\n}\n") == 0)
        c = conf_parse("f", buf_str(&text), &fake_language, NULL, NULL);
    if (c != NULL && c->n_sites > 0 && c->sites[0]->route.n_rows > 0) {
        struct arena *a = arena_new();
        struct exchange ex;
        bool holds;

        fill(&ex, a);
        holds = matcher_matches(&c->sites[0]->route.rows[0].matcher, &ex);
        assert(!holds || ex.match_error == 0);
        arena_free(a);
    }
    conf_unref(c);
    buf_fini(&text);
    return 0;
}
