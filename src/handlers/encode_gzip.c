/* gzip (RFC 1952) by zlib. */
#include "handlers/encode_coder.h"

#ifdef HAVE_ZLIB

#include "base/alloc.h"

#include <stdlib.h>
#include <zlib.h>

struct gzip {
    struct coder coder;
    z_stream z;
    int level; /* 0: z is not there */
};

static struct gzip *gzip_of(struct coder *c)
{
    return container_of(c, struct gzip, coder);
}

static struct coder *gzip_make(void)
{
    return &((struct gzip *)xalloc(sizeof(struct gzip)))->coder;
}

static void gzip_free(struct coder *c)
{
    struct gzip *g = gzip_of(c);

    if (g->level != 0)
        deflateEnd(&g->z);
    free(g);
}

static bool gzip_begin(struct coder *c, const struct coder_settings *s, int64_t len)
{
    enum { GZIP_WRAPPER = 16 };
    struct gzip *g = gzip_of(c);

    (void)len;
    if (g->level == s->level)
        return deflateReset(&g->z) == Z_OK;
    if (g->level != 0)
        deflateEnd(&g->z);
    g->level = 0;
    g->z = (z_stream){0};
    if (deflateInit2(&g->z, s->level, Z_DEFLATED, MAX_WBITS + GZIP_WRAPPER, 8,
                     Z_DEFAULT_STRATEGY) != Z_OK)
        return false;
    g->level = s->level;
    return true;
}

static enum coder_answer gzip_run(struct coder *c, enum coder_op op, struct str *in, char *out,
                                  size_t cap, size_t *n)
{
    static const int flush[] = {Z_NO_FLUSH, Z_SYNC_FLUSH, Z_FINISH};
    z_stream *z = &gzip_of(c)->z;
    int rc;

    z->next_in = (z_const Bytef *)(uintptr_t)in->p;
    z->avail_in = (uInt)in->len;
    z->next_out = (Bytef *)out;
    z->avail_out = (uInt)cap;
    rc = deflate(z, flush[op]);
    *in = str_from(*in, in->len - z->avail_in);
    *n = cap - z->avail_out;
    if (rc == Z_STREAM_END)
        return CODER_DONE;
    if (rc != Z_OK && rc != Z_BUF_ERROR) /* the latter: there was nothing to be done */
        return CODER_FAILED;
    if (op == CODER_GO)
        return z->avail_in == 0 ? CODER_DONE : CODER_FULL;
    return op == CODER_FLUSH && z->avail_out > 0 ? CODER_DONE : CODER_FULL;
}

const struct coder_type coder_gzip = {
    .name = {"gzip", 4},
    .option = "--with-zlib",
    .level_min = 1,
    .level_max = 9,
    .level_default = 5, /* as in Caddy */
    .memory = 272 * 1024,
    .make = gzip_make,
    .free = gzip_free,
    .begin = gzip_begin,
    .run = gzip_run,
};

#else

const struct coder_type coder_gzip = {.name = {"gzip", 4}, .option = "--with-zlib"};

#endif
