/* The parser of FastCGI responses: any bytes. However they are cut up, it says the same, and what
 * it says is fit to be handed on: names are tokens, values have no control bytes, a body with a
 * length has that length. The first byte of the input says what was asked for. */
#include "../unit/fcgi_transcript.h"

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

static void check(struct str in, const struct fcgi_transcript_how *how)
{
    struct fcgi_response f;
    enum response_event event;
    const size_t all = in.len;
    uint64_t body = 0;

    fcgi_response_init(&f, how->is_head, how->max_head);
    do {
        event = fcgi_response_next(&f, &in);
        if (event == RESPONSE_FIELD && (!str_is_token(f.cgi.name) || !is_fit(f.cgi.value)))
            abort();
        if (event == RESPONSE_HEAD && (f.cgi.status < 200 || f.cgi.status > 599))
            abort();
        if (event == RESPONSE_BODY) {
            if (f.cgi.bytes.len == 0 || f.cgi.bytes.len > in.len || how->is_head)
                abort();
            body += f.cgi.bytes.len;
            fcgi_response_take(&f, &in, f.cgi.bytes.len);
        }
    } while (event == RESPONSE_FIELD || event == RESPONSE_HEAD || event == RESPONSE_BODY);
    if (in.len > all || body > all)
        abort();
    if (event == RESPONSE_MORE)
        event = fcgi_response_close(&f);
    if (event == RESPONSE_END && f.cgi.content_length > 0 && body > 0 &&
        body != (uint64_t)f.cgi.content_length)
        abort();
    if ((event == RESPONSE_END) != (f.why == NULL))
        abort();
    fcgi_response_fini(&f);
}

static void compare(const struct buf *whole, struct str in, struct fcgi_transcript_how how,
                    size_t step, size_t mouthful)
{
    struct buf b = BUF_INIT(SIZE_MAX / 2);

    how.step = step;
    how.mouthful = mouthful;
    fcgi_transcript(&b, in, &how);
    if (b.len != whole->len || (b.len > 0 && memcmp(b.p, whole->p, b.len) != 0))
        abort();
    buf_fini(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fcgi_transcript_how how = {.max_head = 4096};
    struct buf whole = BUF_INIT(SIZE_MAX / 2);
    struct str in;

    if (size == 0)
        return 0;
    how.is_head = (data[0] & 1) != 0;
    if ((data[0] & 2) != 0)
        how.max_head = 32 + data[0];
    in = (struct str){(const char *)data + 1, size - 1};
    check(in, &how);
    fcgi_transcript(&whole, in, &how);
    if (size <= STEPS_MAX)
        compare(&whole, in, how, 1, 0);
    compare(&whole, in, how, 1 + size / 13, 0);
    compare(&whole, in, how, 0, 1 + size / 7);
    buf_fini(&whole);
    return 0;
}
