/* Any bytes as a text with placeholders, a zero byte, and the target and fields of a request: the
 * text is compiled and expanded. */
#include "base/alloc.h"
#include "conf/text.h"
#include "http/placeholder.h"
#include "http/service.h"
#include "http/vars.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct exchange_engine no_engine;

/* Nothing that depends on the machine, or reads its files. */
static bool is_of_the_machine(struct str source)
{
    static const char *const words[] = {"{env.", "{file.", "{system."};

    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (memmem(source.p, source.len, words[i], strlen(words[i])) != NULL)
            return true;
    return false;
}

/* The rest of the input: a target, then fields, with line ends between. */
static void set_request(struct exchange *ex, struct str rest)
{
    ex->method = STR_LIT("GET");
    ex->authority = STR_LIT("www.example.com:81");
    ex->target = str_cut(&rest, '\n');
    while (rest.p != NULL && ex->request.n < 16) {
        struct str value = str_cut(&rest, '\n');
        struct str name = str_cut(&value, ':');

        fields_add(&ex->request, ex->arena, name, value.p == NULL ? STR_LIT("") : value);
    }
    vars_set(ex, STR_LIT("vars.x"), STR_LIT("y"));
}

static void expand(const struct text *t, struct str rest)
{
    struct conf *conf = xalloc(sizeof *conf);
    struct arena *a = arena_new();
    struct service *service;
    struct exchange ex;
    struct str out;

    conf->refs = 1;
    conf->arena = arena_new();
    service = service_new(conf, NULL, NULL, NULL);
    exchange_init(&ex, &no_engine, NULL, a, service);
    set_request(&ex, rest);
    if (exchange_set_target(&ex)) {
        char *copy;

        out = text_expand(t, &ex);
        assert(out.p != NULL);
        copy = xalloc(out.len + 1); /* every byte can be read */
        memcpy(copy, out.p, out.len);
        free(copy);
    }
    exchange_fini(&ex);
    arena_free(a);
    service_unref(service);
    arena_free(conf->arena);
    free(conf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str rest = {(const char *)data, size}, source = str_cut(&rest, '\0');
    struct arena *a = arena_new();
    struct text t;
    struct err e;

    if (!is_of_the_machine(source) && text_compile(a, source, NULL, &t, &e) == 0)
        expand(&t, rest.p == NULL ? STR_LIT("/") : rest);
    arena_free(a);
    return 0;
}
