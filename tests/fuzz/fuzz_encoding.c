/* A body, the sizes it comes and goes in, and a list of entity tags. What is encoded must be the
 * body again when it is decoded.
 *
 * The input: a byte each for the format, for how the body comes and for the length of the field;
 * the field; a byte for the sizes; the body. */
#include "handlers/encode_body.h"

#include "../unit/decoder.h"
#include "base/alloc.h"
#include "handlers/encode_etag.h"
#include "http/service.h"

#include <assert.h>
#include <stdlib.h>

enum { ENCODED_MAX = 4 * 1024 * 1024, REPEATS = 8 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---- the field ---- */

static void check_field(struct str field)
{
    struct arena *a = arena_new();

    assert(encode_etag_strip(a, field, STR_LIT("gzip")).len <= field.len);
    arena_free(a);
}

/* ---- the body ---- */

struct origin {
    struct source source;
    struct str content;
    size_t at;
    size_t piece;
    bool pauses, paused;
};

static enum pull origin_pull(struct source *s, char *buf, size_t cap, size_t *n)
{
    struct origin *o = container_of(s, struct origin, source);

    if (o->pauses && (o->paused = !o->paused))
        return PULL_AGAIN;
    if (o->at == o->content.len)
        return PULL_END;
    *n = o->content.len - o->at < o->piece ? o->content.len - o->at : o->piece;
    if (*n > cap)
        *n = cap;
    memcpy(buf, o->content.p + o->at, *n);
    o->at += *n;
    return PULL_BYTES;
}

static size_t take_all(struct exchange *ex, char *out, size_t cap)
{
    size_t len = 0, n = 0;
    enum pull answer;

    if (ex->body.kind == BODY_BYTES) {
        assert(ex->body.bytes.len <= ENCODED_MAX);
        memcpy(out, ex->body.bytes.p, ex->body.bytes.len);
        return ex->body.bytes.len;
    }
    while ((answer = ex->body.source->pull(ex->body.source, out + len, cap, &n)) != PULL_END) {
        assert(answer != PULL_FAIL);
        if (answer == PULL_BYTES) {
            assert(n > 0 && n <= cap);
            len += n;
            assert(len + cap <= ENCODED_MAX);
        }
    }
    return len;
}

static struct service *service_of_nothing(struct conf **conf)
{
    static struct err e;

    *conf = xalloc(sizeof **conf);
    (*conf)->refs = 1;
    (*conf)->arena = arena_new();
    return service_new(*conf, NULL, NULL, &e);
}

static void check_body(const struct coder_type *type, unsigned how, unsigned sizes,
                       struct str content)
{
    static const size_t steps[] = {1, 7, 63, 64, 65, 500, 4096, 20000};
    static const struct exchange_engine engine;
    static struct coder_pool *pool;
    static struct loop *loop;
    static struct conf *conf;
    static struct service *service;
    static char encoded[ENCODED_MAX], decoded[ENCODED_MAX];
    struct origin o = {.source = {origin_pull, NULL},
                       .content = content,
                       .piece = steps[sizes & 7],
                       .pauses = (how & 1) != 0};
    struct encode_how e = {.type = type, .prompt = (how & 2) != 0};
    struct arena *a = arena_new();
    struct exchange ex;
    struct err err;
    bool ended;
    size_t len;

    if (pool == NULL) {
        loop = loop_new(&err);
        pool = coder_pool_new(loop);
        service = service_of_nothing(&conf);
    }
    e.pool = pool;
    e.settings.level = type->level_min + (int)(how >> 4) % (type->level_max - type->level_min + 1);
    e.settings.checksum = (how & 8) != 0;
    exchange_init(&ex, &engine, loop, a, service);
    ex.body = (struct body){.kind = BODY_SOURCE, .fd = -1, .len = -1, .source = &o.source};
    if ((how & 4) != 0)
        ex.body.len = (int64_t)content.len;
    if ((how & 5) == 4)
        ex.body = (struct body){
            .kind = BODY_BYTES, .fd = -1, .bytes = content, .len = (int64_t)content.len};
    if (!encode_body(&ex, &e))
        abort();
    len = take_all(&ex, encoded, steps[sizes >> 3 & 7]);
    assert(decode(type->name, (struct str){encoded, len}, decoded, sizeof decoded, &ended) ==
           content.len);
    assert(ended && memcmp(decoded, content.p, content.len) == 0);
    exchange_fini(&ex);
    arena_free(a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct coder_type *type;
    size_t field;

    if (size < 4)
        return 0;
    field = data[2] < size - 4 ? data[2] : size - 4;
    check_field((struct str){(const char *)data + 3, field});
    type = coder_types[data[0] % CODER_TYPES];
    if (type->make != NULL && size - 4 - field > 0)
        check_body(type, data[1], data[3 + field],
                   (struct str){(const char *)data + 4 + field, size - 4 - field});
    return 0;
}
