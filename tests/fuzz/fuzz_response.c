/* The parser of responses: any bytes. However they are cut up, it says the same, and what it says
 * is fit to be handed on: names are tokens, values have no control bytes, a body with a length has
 * that length. The first byte of the input says what was asked for. */
#include "../unit/transcript.h"

#include <stdint.h>
#include <stdlib.h>

enum { STEPS_MAX = 8192 }; /* bytes of a message that is given byte by byte */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_fit(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (((unsigned char)s.p[i] < ' ' && s.p[i] != '\t') || s.p[i] == 0x7f)
            return false;
    return true;
}

static void check(struct str in, const struct transcript_how *how)
{
    struct response_parser rp;
    enum response_event event;
    const size_t all = in.len;
    uint64_t body = 0;

    response_init(&rp, how->is_head, how->upgrade, how->max_head);
    do {
        event = response_next(&rp, &in);
        if (event == RESPONSE_FIELD || event == RESPONSE_TRAILER || event == RESPONSE_INTERIM_FIELD)
            if (!str_is_token(rp.name) || !is_fit(rp.value))
                abort();
        if (event == RESPONSE_HEAD &&
            (rp.status < 100 || rp.status > 999 || (rp.chunked && rp.content_length != -1)))
            abort();
        if (event == RESPONSE_HEAD && rp.status < 200 && !(how->upgrade && rp.switched))
            abort();
        if (event == RESPONSE_INTERIM && (rp.status < 100 || rp.status > 199 || rp.status == 101))
            abort();
        if (event == RESPONSE_BODY) {
            if (rp.bytes.len == 0 || rp.bytes.len > in.len || (how->is_head && !rp.switched))
                abort();
            body += rp.bytes.len;
            response_take(&rp, &in, rp.bytes.len);
        }
    } while (event == RESPONSE_FIELD || event == RESPONSE_HEAD || event == RESPONSE_BODY ||
             event == RESPONSE_TRAILER || event == RESPONSE_INTERIM_FIELD ||
             event == RESPONSE_INTERIM);
    if (in.len > all || body > all)
        abort();
    if (event == RESPONSE_MORE)
        event = response_close(&rp);
    if (event == RESPONSE_END && rp.content_length > 0 && body > 0 &&
        body != (uint64_t)rp.content_length)
        abort();
    if (response_next(&rp, &in) != event || (event == RESPONSE_END) != (rp.why == NULL))
        abort();
}

static void compare(const struct buf *whole, struct str in, struct transcript_how how, size_t step,
                    size_t mouthful)
{
    struct buf b = BUF_INIT(SIZE_MAX / 2);

    how.step = step;
    how.mouthful = mouthful;
    transcript(&b, in, &how);
    if (b.len != whole->len || (b.len > 0 && memcmp(b.p, whole->p, b.len) != 0))
        abort();
    buf_fini(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct transcript_how how = {.max_head = 4096};
    struct buf whole = BUF_INIT(SIZE_MAX / 2);
    struct str in;

    if (size == 0)
        return 0;
    how.is_head = (data[0] & 1) != 0;
    how.upgrade = (data[0] & 2) != 0;
    if ((data[0] & 4) != 0)
        how.max_head = 32 + data[0];
    in = (struct str){(const char *)data + 1, size - 1};
    check(in, &how);
    transcript(&whole, in, &how);
    if (size <= STEPS_MAX)
        compare(&whole, in, how, 1, 0);
    compare(&whole, in, how, 1 + size / 13, 0);
    compare(&whole, in, how, 0, 1 + size / 7);
    buf_fini(&whole);
    return 0;
}
