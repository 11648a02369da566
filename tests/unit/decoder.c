#include "decoder.h"

#include "base/alloc.h"

#ifdef HAVE_ZLIB
#include <zlib.h>

static size_t decode_gzip(struct str in, char *out, size_t cap, bool *ended)
{
    z_stream z = {.next_in = (z_const Bytef *)(uintptr_t)in.p,
                  .avail_in = (uInt)in.len,
                  .next_out = (Bytef *)out,
                  .avail_out = (uInt)cap};
    int rc = inflateInit2(&z, MAX_WBITS + 16);

    if (rc == Z_OK)
        rc = inflate(&z, Z_SYNC_FLUSH);
    inflateEnd(&z);
    *ended = rc == Z_STREAM_END && z.avail_in == 0;
    return (rc == Z_OK || rc == Z_BUF_ERROR || *ended) && z.avail_in == 0 ? cap - z.avail_out
                                                                          : SIZE_MAX;
}
#else
static size_t decode_gzip(struct str in, char *out, size_t cap, bool *ended)
{
    (void)in, (void)out, (void)cap, (void)ended;
    return SIZE_MAX;
}
#endif

#ifdef HAVE_ZSTD
#include <zstd.h>

static size_t decode_zstd(struct str in, char *out, size_t cap, bool *ended)
{
    ZSTD_DCtx *ctx = ZSTD_createDCtx();
    ZSTD_inBuffer from = {in.p, in.len, 0};
    ZSTD_outBuffer to = {out, cap, 0};
    size_t before, rc;

    do {
        before = from.pos + to.pos;
        rc = ZSTD_decompressStream(ctx, &to, &from);
    } while (!ZSTD_isError(rc) && rc != 0 && from.pos + to.pos > before);
    ZSTD_freeDCtx(ctx);
    *ended = rc == 0 && from.pos == in.len;
    return ZSTD_isError(rc) || from.pos < in.len ? SIZE_MAX : to.pos;
}
#else
static size_t decode_zstd(struct str in, char *out, size_t cap, bool *ended)
{
    (void)in, (void)out, (void)cap, (void)ended;
    return SIZE_MAX;
}
#endif

#ifdef HAVE_BROTLI
#include <brotli/decode.h>

static size_t decode_br(struct str in, char *out, size_t cap, bool *ended)
{
    BrotliDecoderState *state = BrotliDecoderCreateInstance(NULL, NULL, NULL);
    const uint8_t *from = (const uint8_t *)in.p;
    uint8_t *to = (uint8_t *)out;
    size_t left = in.len, room = cap;
    BrotliDecoderResult rc = BrotliDecoderDecompressStream(state, &left, &from, &room, &to, NULL);

    BrotliDecoderDestroyInstance(state);
    *ended = rc == BROTLI_DECODER_RESULT_SUCCESS && left == 0;
    return *ended || rc == BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT ? cap - room : SIZE_MAX;
}
#else
static size_t decode_br(struct str in, char *out, size_t cap, bool *ended)
{
    (void)in, (void)out, (void)cap, (void)ended;
    return SIZE_MAX;
}
#endif

size_t decode(struct str coding, struct str in, char *out, size_t cap, bool *ended)
{
    *ended = false;
    if (str_is(coding, "gzip"))
        return decode_gzip(in, out, cap, ended);
    if (str_is(coding, "zstd"))
        return decode_zstd(in, out, cap, ended);
    return str_is(coding, "br") ? decode_br(in, out, cap, ended) : SIZE_MAX;
}
