/* zstd (RFC 8878) by libzstd. */
#include "handlers/encode_coder.h"

#ifdef HAVE_ZSTD

#include "base/alloc.h"

#include <stdlib.h>
#include <zstd.h>

/* As logarithms: 128 KiB of window, and 32 Ki entries of each table, keep a coder at about 1.1 MiB
 * whatever its level; with the library's own sizes it would be 25 MiB at level 11. Every client
 * must take windows of up to 8 MiB (RFC 9659). */
enum { WINDOW_LOG = 17, TABLE_LOG = 15 };

struct zstd {
    struct coder coder;
    ZSTD_CCtx *ctx;
};

static ZSTD_CCtx *ctx_of(struct coder *c)
{
    return container_of(c, struct zstd, coder)->ctx;
}

static struct coder *zstd_make(void)
{
    struct zstd *z = xalloc(sizeof *z);

    z->ctx = ZSTD_createCCtx();
    return &z->coder;
}

static void zstd_free(struct coder *c)
{
    ZSTD_freeCCtx(ctx_of(c));
    free(container_of(c, struct zstd, coder));
}

static bool zstd_begin(struct coder *c, const struct coder_settings *s, int64_t len)
{
    const struct {
        ZSTD_cParameter name;
        int value;
    } wanted[] = {
        {ZSTD_c_compressionLevel, s->level}, {ZSTD_c_windowLog, WINDOW_LOG},
        {ZSTD_c_hashLog, TABLE_LOG},         {ZSTD_c_chainLog, TABLE_LOG},
        {ZSTD_c_checksumFlag, s->checksum},
    };
    ZSTD_CCtx *ctx = ctx_of(c);

    if (ctx == NULL || ZSTD_isError(ZSTD_CCtx_reset(ctx, ZSTD_reset_session_and_parameters)))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(wanted); i++)
        if (ZSTD_isError(ZSTD_CCtx_setParameter(ctx, wanted[i].name, wanted[i].value)))
            return false;
    return len < 0 || !ZSTD_isError(ZSTD_CCtx_setPledgedSrcSize(ctx, (unsigned long long)len));
}

static enum coder_answer zstd_run(struct coder *c, enum coder_op op, struct str *in, char *out,
                                  size_t cap, size_t *n)
{
    static const ZSTD_EndDirective how[] = {ZSTD_e_continue, ZSTD_e_flush, ZSTD_e_end};
    ZSTD_inBuffer from = {in->p, in->len, 0};
    ZSTD_outBuffer to = {out, cap, 0};
    size_t left = ZSTD_compressStream2(ctx_of(c), &to, &from, how[op]);

    *n = to.pos;
    if (ZSTD_isError(left))
        return CODER_FAILED;
    *in = str_from(*in, from.pos);
    return (op == CODER_GO ? in->len == 0 : left == 0) ? CODER_DONE : CODER_FULL;
}

/* The words are Caddy's. */
static const struct coder_word zstd_words[] = {
    {"fastest", 1}, {"default", 3}, {"better", 7}, {"best", 11}, {NULL, 0}};

const struct coder_type coder_zstd = {
    .name = {"zstd", 4},
    .option = "--with-zstd",
    .level_min = 1,
    .level_max = 12,
    .level_default = 3,
    .words = zstd_words,
    .memory = 1200 * 1024,
    .make = zstd_make,
    .free = zstd_free,
    .begin = zstd_begin,
    .run = zstd_run,
};

#else

const struct coder_type coder_zstd = {.name = {"zstd", 4}, .option = "--with-zstd"};

#endif
