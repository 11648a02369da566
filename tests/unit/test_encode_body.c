/* Bodies of all kinds, pulled in pieces of all sizes, decoded by the libraries. */
#include "handlers/encode_body.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "decoder.h"
#include "http/service.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

enum { CONTENT = 300 * 1000, OUT_MAX = 8 * 1024 * 1024 };

static const struct exchange_engine no_engine;
static struct loop *loop;
static struct conf *conf;
static struct service *service;
static struct coder_pool *pool;
static struct arena *arena;
static char *content; /* CONTENT bytes: half of it text, half of it noise */
static char *decoded; /* OUT_MAX bytes */

static int set_up(void **state)
{
    struct err e;
    uint32_t random = 1;

    (void)state;
    loop = loop_new(&e);
    conf = xalloc(sizeof *conf);
    conf->refs = 1;
    conf->arena = arena_new();
    service = service_new(conf, NULL, NULL, NULL);
    pool = coder_pool_new(loop);
    arena = arena_new();
    content = xalloc(CONTENT);
    decoded = xalloc(OUT_MAX);
    for (size_t i = 0; i < CONTENT; i++) {
        random = random * 1103515245 + 12345;
        content[i] = i % 8192 < 4096 ? "abcdefgh"[random >> 29] : (char)(random >> 24);
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_free(arena);
    coder_pool_free(pool);
    service_unref(service);
    arena_free(conf->arena);
    free(conf);
    loop_free(loop);
    free(content);
    free(decoded);
    return 0;
}

/* ---- a source ---- */

enum { NOT_KNOWN = -1 };

struct origin {
    struct source source;
    size_t len, at;
    size_t piece; /* bytes at once */
    bool pauses;  /* says AGAIN before every piece */
    bool paused;
    enum pull ends;  /* END or FAIL */
    bool zeros;      /* instead of the content */
    size_t most;     /* bytes asked for since it was set to 0 */
    unsigned closed; /* times */
};

static enum pull origin_pull(struct source *s, char *buf, size_t cap, size_t *n)
{
    struct origin *o = container_of(s, struct origin, source);

    if (o->pauses && !o->paused) {
        o->paused = true;
        return PULL_AGAIN;
    }
    o->paused = false;
    if (o->at == o->len)
        return o->ends;
    *n = o->len - o->at < o->piece ? o->len - o->at : o->piece;
    if (*n > cap)
        *n = cap;
    if (o->zeros)
        memset(buf, 0, *n);
    else
        memcpy(buf, content + o->at, *n);
    o->at += *n;
    o->most += *n;
    return PULL_BYTES;
}

static void origin_close(struct source *s)
{
    container_of(s, struct origin, source)->closed++;
}

static struct origin origin_of(size_t len, size_t piece)
{
    return (struct origin){
        .source = {origin_pull, origin_close}, .len = len, .piece = piece, .ends = PULL_END};
}

/* ---- an exchange ---- */

static struct encode_how how_of(const struct coder_type *type)
{
    return (struct encode_how){pool, type, {type->level_default, true}, true};
}

static void begin(struct exchange *ex)
{
    arena_reset(arena);
    exchange_init(ex, &no_engine, loop, arena, service);
}

static void begin_source(struct exchange *ex, struct origin *o, int64_t len,
                         const struct encode_how *how)
{
    begin(ex);
    ex->body = (struct body){.kind = BODY_SOURCE, .fd = -1, .len = len, .source = &o->source};
    assert_true(encode_body(ex, how));
    assert_int_equal(ex->body.kind, BODY_SOURCE);
    assert_int_equal(ex->body.len, -1);
}

/* Pulls up to the end, by cap bytes; what came, in out. */
static enum pull pull_all(struct exchange *ex, size_t cap, struct buf *out)
{
    struct source *s = ex->body.source;
    char *block = xalloc(cap); /* so that a sanitizer sees what goes beyond it */
    enum pull answer;
    size_t n = 0;

    do {
        answer = s->pull(s, block, cap, &n);
        if (answer == PULL_BYTES) {
            assert_true(n > 0 && n <= cap);
            assert_int_equal(buf_append(out, block, n), 0);
        }
    } while (answer == PULL_BYTES || answer == PULL_AGAIN);
    free(block);
    return answer;
}

static void check_decodes(const struct coder_type *type, struct str out, const char *want,
                          size_t len)
{
    bool ended;

    assert_int_equal(decode(type->name, out, decoded, OUT_MAX, &ended), len);
    assert_true(ended);
    assert_memory_equal(decoded, want, len);
}

/* Runs a test for every format that was compiled in. */
static void for_each(void (*test)(const struct coder_type *type))
{
    for (size_t i = 0; coder_types[i] != NULL; i++)
        if (coder_types[i]->make != NULL)
            test(coder_types[i]);
}

/* ---- sources ---- */

static const size_t lengths[] = {1, 2, CODER_BLOCK - 1, CODER_BLOCK, CODER_BLOCK + 1, CONTENT};
static const size_t pieces[] = {1, 1000, CODER_BLOCK, CONTENT};
static const size_t caps[] = {1, 63, 64, 65, 1000, 16384, 100000};

static void source_of(const struct coder_type *type, size_t len, size_t piece, size_t cap,
                      unsigned kind)
{
    const bool known = (kind & 1) != 0;
    struct origin o = origin_of(len, piece);
    struct encode_how how = how_of(type);
    struct buf out = BUF_INIT(OUT_MAX);
    struct exchange ex;

    o.pauses = (kind & 2) != 0;
    how.prompt = (kind & 4) != 0;
    begin_source(&ex, &o, known ? (int64_t)len : NOT_KNOWN, &how);
    assert_int_equal(pull_all(&ex, cap, &out), PULL_END);
    check_decodes(type, buf_str(&out), content, len);
    assert_int_equal(o.closed, 0);
    exchange_fini(&ex);
    assert_int_equal(o.closed, 1);
    buf_fini(&out);
}

static void sources(const struct coder_type *type)
{
    for (size_t i = 0; i < ARRAY_LEN(lengths); i++)
        for (size_t j = 0; j < ARRAY_LEN(pieces); j++)
            for (size_t k = 0; k < ARRAY_LEN(caps); k++) {
                /* Large ones in small pieces, each flushed, would take long. */
                if (lengths[i] == CONTENT && (pieces[j] == 1 || caps[k] == 1))
                    continue;
                source_of(type, lengths[i], pieces[j], caps[k],
                          (unsigned)(i + j + k) & (pieces[j] == 1 ? 3 : 7));
            }
    for (unsigned kind = 0; kind < 8; kind++)
        source_of(type, CONTENT, 10000, 4096, kind);
}

static void encodes_sources(void **state)
{
    (void)state;
    for_each(sources);
}

/* What breaks off must not look complete. */
static void broken(const struct coder_type *type)
{
    struct encode_how how = how_of(type);

    for (int known = 0; known < 2; known++)
        for (int fails = known ? 0 : 1; fails < 2; fails++) {
            struct origin o = origin_of(50000, 1000);
            struct buf out = BUF_INIT(OUT_MAX);
            struct exchange ex;
            bool ended;
            size_t n;

            o.ends = fails ? PULL_FAIL : PULL_END;
            begin_source(&ex, &o, known ? 50001 : NOT_KNOWN, &how);
            assert_int_equal(pull_all(&ex, 1000, &out), PULL_FAIL);
            n = decode(type->name, buf_str(&out), decoded, OUT_MAX, &ended);
            assert_true(n <= 50000 && !ended);
            exchange_fini(&ex);
            assert_int_equal(o.closed, 1);
            buf_fini(&out);
        }
}

static void breaks_off_with_the_source(void **state)
{
    (void)state;
    for_each(broken);
}

/* All that the origin has given can be read before the next wait. */
static void promptly(const struct coder_type *type)
{
    struct origin o = origin_of(2000, 100);
    struct encode_how how = how_of(type);
    struct buf out = BUF_INIT(OUT_MAX);
    struct exchange ex;
    enum pull answer;
    char block[512];
    size_t n = 0;
    bool ended;

    o.pauses = true;
    begin_source(&ex, &o, NOT_KNOWN, &how);
    while ((answer = ex.body.source->pull(ex.body.source, block, sizeof block, &n)) != PULL_END) {
        assert_int_not_equal(answer, PULL_FAIL);
        if (answer == PULL_BYTES)
            assert_int_equal(buf_append(&out, block, n), 0);
        else
            assert_int_equal(decode(type->name, buf_str(&out), decoded, OUT_MAX, &ended), o.at);
    }
    check_decodes(type, buf_str(&out), content, 2000);
    exchange_fini(&ex);
    buf_fini(&out);
}

static void holds_nothing_back(void **state)
{
    (void)state;
    for_each(promptly);
}

/* Where nobody waits for a part, waiting costs nothing. */
static void patiently(const struct coder_type *type)
{
    struct encode_how how = how_of(type);
    size_t sizes[2];

    for (int prompt = 0; prompt < 2; prompt++) {
        struct origin o = origin_of(4000, 100);
        struct buf out = BUF_INIT(OUT_MAX);
        struct exchange ex;

        o.pauses = true;
        how.prompt = prompt != 0;
        begin_source(&ex, &o, 4000, &how);
        assert_int_equal(pull_all(&ex, 512, &out), PULL_END);
        sizes[prompt] = out.len;
        exchange_fini(&ex);
        buf_fini(&out);
    }
    assert_true(sizes[0] + 100 < sizes[1]);
}

static void flushes_only_where_somebody_waits(void **state)
{
    (void)state;
    for_each(patiently);
}

/* One pull is no long work, however little comes out of it. */
static void in_turns(const struct coder_type *type)
{
    struct origin o = origin_of(4 * 1024 * 1024, CODER_BLOCK);
    struct encode_how how = how_of(type);
    struct buf out = BUF_INIT(OUT_MAX);
    struct exchange ex;
    enum pull answer;
    char block[16384];
    size_t n = 0;

    o.zeros = true;
    begin_source(&ex, &o, 4 * 1024 * 1024, &how);
    do {
        o.most = 0;
        answer = ex.body.source->pull(ex.body.source, block, sizeof block, &n);
        assert_true(o.most <= ENCODE_TURN + CODER_BLOCK);
        if (answer == PULL_BYTES)
            assert_int_equal(buf_append(&out, block, n), 0);
    } while (answer == PULL_BYTES);
    assert_int_equal(answer, PULL_END);
    memset(decoded, 1, OUT_MAX / 2);
    assert_int_equal(decode(type->name, buf_str(&out), decoded, OUT_MAX, &(bool){false}),
                     4 * 1024 * 1024);
    assert_true(decoded[0] == 0 && memcmp(decoded, decoded + 1, 4 * 1024 * 1024 - 1) == 0);
    exchange_fini(&ex);
    buf_fini(&out);
}

static void works_in_turns(void **state)
{
    (void)state;
    for_each(in_turns);
}

/* A client that goes in the middle. */
static void given_up(const struct coder_type *type)
{
    struct encode_how how = how_of(type);

    for (int pulled = 0; pulled < 2; pulled++) {
        struct origin o = origin_of(CONTENT, 1000);
        struct exchange ex;
        char block[100];
        size_t n = 0;

        begin_source(&ex, &o, NOT_KNOWN, &how);
        if (pulled)
            assert_int_equal(ex.body.source->pull(ex.body.source, block, sizeof block, &n),
                             PULL_BYTES);
        exchange_fini(&ex);
        assert_int_equal(o.closed, 1);
    }
}

static void is_closed_at_any_time(void **state)
{
    (void)state;
    for_each(given_up);
}

/* ---- files and bytes ---- */

static int file_with_content(void)
{
    char name[] = "/tmp/lintel-test-XXXXXX";
    int fd = mkstemp(name);

    assert_true(fd != -1);
    unlink(name);
    assert_int_equal(write(fd, content, CONTENT), CONTENT);
    return fd;
}

static void file(const struct coder_type *type)
{
    struct encode_how how = how_of(type);

    for (int keep = 0; keep < 2; keep++) {
        int fd = file_with_content();
        struct buf out = BUF_INIT(OUT_MAX);
        struct exchange ex;

        begin(&ex);
        ex.body = (struct body){.kind = BODY_FILE,
                                .fd = fd,
                                .keep_fd = keep != 0,
                                .offset = 1000,
                                .len = CONTENT - 1001};
        assert_true(encode_body(&ex, &how));
        assert_int_equal(pull_all(&ex, 4096, &out), PULL_END);
        check_decodes(type, buf_str(&out), content + 1000, CONTENT - 1001);
        exchange_fini(&ex);
        assert_int_equal(lseek(fd, 0, SEEK_CUR) == -1, keep == 0);
        if (keep)
            close(fd);
        buf_fini(&out);
    }
}

static void encodes_files(void **state)
{
    (void)state;
    for_each(file);
}

static void short_file(const struct coder_type *type)
{
    struct encode_how how = how_of(type);
    struct buf out = BUF_INIT(OUT_MAX);
    struct exchange ex;

    begin(&ex);
    ex.body = (struct body){.kind = BODY_FILE, .fd = file_with_content(), .len = CONTENT + 1};
    assert_true(encode_body(&ex, &how));
    assert_int_equal(pull_all(&ex, 4096, &out), PULL_FAIL);
    exchange_fini(&ex);
    buf_fini(&out);
}

static void breaks_off_with_the_file(void **state)
{
    (void)state;
    for_each(short_file);
}

static void bytes(const struct coder_type *type)
{
    static const size_t sizes[] = {1, 512, ENCODE_SMALL, ENCODE_SMALL + 1, CONTENT};
    struct encode_how how = how_of(type);

    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        /* From where the noise begins, so that it does not get smaller. */
        const char *from = sizes[i] == CONTENT ? content : content + 4096;
        struct buf out = BUF_INIT(OUT_MAX);
        struct exchange ex;

        begin(&ex);
        ex.body = (struct body){
            .kind = BODY_BYTES, .fd = -1, .bytes = {from, sizes[i]}, .len = (int64_t)sizes[i]};
        assert_true(encode_body(&ex, &how));
        if (sizes[i] <= ENCODE_SMALL) {
            assert_int_equal(ex.body.kind, BODY_BYTES);
            assert_int_equal(ex.body.len, ex.body.bytes.len);
            check_decodes(type, ex.body.bytes, from, sizes[i]);
        } else {
            assert_int_equal(pull_all(&ex, 4096, &out), PULL_END);
            check_decodes(type, buf_str(&out), from, sizes[i]);
        }
        exchange_fini(&ex);
        buf_fini(&out);
    }
}

static void encodes_bytes(void **state)
{
    (void)state;
    for_each(bytes);
}

static void noise(const struct coder_type *type)
{
    static char all[ENCODE_SMALL];
    struct encode_how how = how_of(type);
    uint32_t random = 7;
    struct exchange ex;

    for (size_t i = 0; i < sizeof all; i++) {
        random = random * 1103515245 + 12345;
        all[i] = (char)(random >> 24);
    }
    for (int level = type->level_min; level <= type->level_max; level++) {
        how.settings.level = level;
        begin(&ex);
        ex.body = (struct body){
            .kind = BODY_BYTES, .fd = -1, .bytes = {all, sizeof all}, .len = sizeof all};
        assert_true(encode_body(&ex, &how));
        check_decodes(type, ex.body.bytes, all, sizeof all);
        exchange_fini(&ex);
    }
}

static void encodes_what_does_not_get_smaller(void **state)
{
    (void)state;
    for_each(noise);
}

static void head(const struct coder_type *type)
{
    struct origin o = origin_of(CONTENT, 1000);
    struct encode_how how = how_of(type);
    struct exchange ex;

    begin(&ex);
    ex.is_head = true;
    ex.body = (struct body){.kind = BODY_SOURCE, .fd = -1, .len = CONTENT, .source = &o.source};
    assert_true(encode_body(&ex, &how));
    assert_int_equal(ex.body.len, -1);
    exchange_fini(&ex);
    assert_int_equal(o.at, 0);
    assert_int_equal(o.closed, 1);
}

static void makes_nothing_for_head(void **state)
{
    (void)state;
    for_each(head);
}

/* ---- the pool ---- */

static void keeps(const struct coder_type *type)
{
    const struct coder_settings s = {type->level_default, true};
    struct coder *a = coder_pool_get(pool, type, &s, -1), *b;

    coder_pool_put(pool, a);
    b = coder_pool_get(pool, type, &s, 10);
    assert_ptr_equal(a, b);
    coder_pool_put(pool, b);
}

static void keeps_coders(void **state)
{
    (void)state;
    for_each(keeps);
}

static void limits(const struct coder_type *type)
{
    size_t most = CODERS_MEMORY_MAX / type->memory;
    struct exchange ex;
    struct origin o = origin_of(1000, 100);
    struct encode_how how = how_of(type);

    for (size_t i = 0; i < most; i++)
        assert_true(coder_pool_reserve(pool, type));
    assert_false(coder_pool_reserve(pool, type));
    /* The response is left as it is. */
    begin(&ex);
    ex.body = (struct body){.kind = BODY_SOURCE, .fd = -1, .len = 1000, .source = &o.source};
    assert_false(encode_body(&ex, &how));
    assert_ptr_equal(ex.body.source, &o.source);
    assert_int_equal(ex.body.len, 1000);
    exchange_fini(&ex);
    for (size_t i = 0; i < most; i++)
        coder_pool_cancel(pool, type);
}

static void limits_memory(void **state)
{
    (void)state;
    for_each(limits);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encodes_sources),
        cmocka_unit_test(breaks_off_with_the_source),
        cmocka_unit_test(holds_nothing_back),
        cmocka_unit_test(flushes_only_where_somebody_waits),
        cmocka_unit_test(works_in_turns),
        cmocka_unit_test(is_closed_at_any_time),
        cmocka_unit_test(encodes_files),
        cmocka_unit_test(breaks_off_with_the_file),
        cmocka_unit_test(encodes_bytes),
        cmocka_unit_test(encodes_what_does_not_get_smaller),
        cmocka_unit_test(makes_nothing_for_head),
        cmocka_unit_test(keeps_coders),
        cmocka_unit_test(limits_memory),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
