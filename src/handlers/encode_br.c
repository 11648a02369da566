/* br (RFC 7932) by libbrotlienc. Its encoder cannot begin again: each stream has one of its own. */
#include "handlers/encode_coder.h"

#ifdef HAVE_BROTLI

#include "base/alloc.h"

#include <brotli/encode.h>
#include <stdlib.h>

/* With a window of 64 KiB a coder stays below 2 MiB up to level 8, and its table is small enough to
 * be cleared for every small response. */
enum { WINDOW_BITS = 16 };

struct br {
    struct coder coder;
    BrotliEncoderState *state;
};

static struct br *br_of(struct coder *c)
{
    return container_of(c, struct br, coder);
}

static struct coder *br_make(void)
{
    return &((struct br *)xalloc(sizeof(struct br)))->coder;
}

static void br_free(struct coder *c)
{
    BrotliEncoderDestroyInstance(br_of(c)->state);
    free(br_of(c));
}

static void br_end(struct coder *c)
{
    BrotliEncoderDestroyInstance(br_of(c)->state);
    br_of(c)->state = NULL;
}

static bool br_begin(struct coder *c, const struct coder_settings *s, int64_t len)
{
    struct br *b = br_of(c);

    b->state = BrotliEncoderCreateInstance(NULL, NULL, NULL);
    return b->state != NULL &&
           BrotliEncoderSetParameter(b->state, BROTLI_PARAM_QUALITY, (uint32_t)s->level) &&
           BrotliEncoderSetParameter(b->state, BROTLI_PARAM_LGWIN, WINDOW_BITS) &&
           (len <= 0 || len > UINT32_MAX ||
            BrotliEncoderSetParameter(b->state, BROTLI_PARAM_SIZE_HINT, (uint32_t)len));
}

static enum coder_answer br_run(struct coder *c, enum coder_op op, struct str *in, char *out,
                                size_t cap, size_t *n)
{
    static const BrotliEncoderOperation how[] = {BROTLI_OPERATION_PROCESS, BROTLI_OPERATION_FLUSH,
                                                 BROTLI_OPERATION_FINISH};
    BrotliEncoderState *state = br_of(c)->state;
    const uint8_t *from = (const uint8_t *)in->p;
    uint8_t *to = (uint8_t *)out;
    size_t left = in->len, room = cap;

    if (!BrotliEncoderCompressStream(state, how[op], &left, &from, &room, &to, NULL)) {
        *n = 0;
        return CODER_FAILED;
    }
    *in = str_from(*in, in->len - left);
    *n = cap - room;
    switch (op) {
    case CODER_GO:
        return left == 0 ? CODER_DONE : CODER_FULL;
    case CODER_FLUSH:
        return left == 0 && !BrotliEncoderHasMoreOutput(state) ? CODER_DONE : CODER_FULL;
    case CODER_FINISH:
        break;
    }
    return BrotliEncoderIsFinished(state) ? CODER_DONE : CODER_FULL;
}

const struct coder_type coder_br = {
    .name = {"br", 2},
    .option = "--with-brotli",
    .level_min = 1,
    .level_max = 9, /* beyond, a megabyte takes a second and more: other clients would wait */
    .level_default = 5,
    .memory = 2 * 1024 * 1024,
    .make = br_make,
    .free = br_free,
    .begin = br_begin,
    .end = br_end,
    .run = br_run,
};

#else

const struct coder_type coder_br = {.name = {"br", 2}, .option = "--with-brotli"};

#endif
