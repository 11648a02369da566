#include "io/fcgi.h"

#include <assert.h>

enum { PROTOCOL = 1, REQUEST_ID = 1, RESPONDER = 1, KEEP_CONN = 1, BODY_SIZE = 8 };

/* Kinds of records. */
enum { BEGIN_REQUEST = 1, END_REQUEST = 3, PARAMS = 4, STDIN = 5, STDOUT = 6, STDERR = 7 };

/* ---- writing ---- */

static char *put_header(char *at, unsigned kind, size_t content)
{
    assert(content <= FCGI_CONTENT_MAX);
    *at++ = PROTOCOL;
    *at++ = (char)kind;
    *at++ = 0;
    *at++ = REQUEST_ID;
    *at++ = (char)(content >> 8);
    *at++ = (char)content;
    *at++ = 0; /* padding */
    *at++ = 0;
    return at;
}

char *fcgi_put_body(char *at, size_t n)
{
    return put_header(at, STDIN, n);
}

static size_t length_size(size_t n)
{
    return n < 128 ? 1 : 4;
}

static size_t param_size(const struct fcgi_param *p)
{
    assert(p->name.len <= FCGI_PARAM_MAX && p->value.len <= FCGI_PARAM_MAX);
    return length_size(p->name.len) + length_size(p->value.len) + p->name.len + p->value.len;
}

static size_t params_size(const struct fcgi_param *list, size_t n)
{
    size_t size = 0;

    for (size_t i = 0; i < n; i++)
        size += param_size(&list[i]);
    return size;
}

size_t fcgi_request_size(const struct fcgi_param *list, size_t n)
{
    size_t params = params_size(list, n);
    size_t records = (params + FCGI_CONTENT_MAX - 1) / FCGI_CONTENT_MAX;

    /* The beginning, the variables, and the record without content at their end. */
    return FCGI_HEADER_SIZE + BODY_SIZE + records * FCGI_HEADER_SIZE + params + FCGI_HEADER_SIZE;
}

/* A stream of bytes that is cut into records. */
struct stream {
    char *at;
    size_t left; /* of the stream */
    size_t room; /* of the record at hand */
};

static void put(struct stream *s, const char *p, size_t n)
{
    while (n > 0) {
        size_t part;

        if (s->room == 0) {
            s->room = s->left < FCGI_CONTENT_MAX ? s->left : FCGI_CONTENT_MAX;
            s->at = put_header(s->at, PARAMS, s->room);
        }
        part = n < s->room ? n : s->room;
        memcpy(s->at, p, part);
        s->at += part;
        s->room -= part;
        s->left -= part;
        p += part;
        n -= part;
    }
}

static void put_length(struct stream *s, size_t n)
{
    const char bytes[4] = {(char)(n >> 24 | 0x80), (char)(n >> 16), (char)(n >> 8), (char)n};

    if (length_size(n) == 1)
        put(s, bytes + 3, 1);
    else
        put(s, bytes, 4);
}

static char *put_begin(char *at, bool keep)
{
    at = put_header(at, BEGIN_REQUEST, BODY_SIZE);
    memset(at, 0, BODY_SIZE);
    at[1] = RESPONDER;
    at[2] = keep ? KEEP_CONN : 0;
    return at + BODY_SIZE;
}

char *fcgi_put_request(char *at, const struct fcgi_param *list, size_t n, bool keep)
{
    struct stream s = {.at = put_begin(at, keep), .left = params_size(list, n)};

    for (size_t i = 0; i < n; i++) {
        put_length(&s, list[i].name.len);
        put_length(&s, list[i].value.len);
        put(&s, list[i].name.p, list[i].name.len);
        put(&s, list[i].value.p, list[i].value.len);
    }
    return put_header(s.at, PARAMS, 0);
}

/* ---- reading ---- */

/* The steps of the reader answer an event or GO_ON. */
enum { GO_ON = -1 };

static int broken(struct fcgi_reader *r, const char *why)
{
    r->state = FCGI_FAILED;
    r->why = why;
    return FCGI_BROKEN;
}

static unsigned byte_at(struct str s, size_t at)
{
    return (unsigned char)s.p[at];
}

/* A stream ends with a record that has no content, and once. */
static bool heed_stream(unsigned content, bool *ended)
{
    if (*ended)
        return false;
    *ended = content == 0;
    return true;
}

static bool is_fit(struct fcgi_reader *r)
{
    switch (r->kind) {
    case STDOUT:
        return heed_stream(r->content, &r->stdout_ended);
    case STDERR:
        return heed_stream(r->content, &r->stderr_ended);
    case END_REQUEST:
        return r->content == BODY_SIZE;
    default:
        return false;
    }
}

static int next_header(struct fcgi_reader *r, struct str *in)
{
    if (in->len > 0 && byte_at(*in, 0) != PROTOCOL)
        return broken(r, "what came is no FastCGI");
    r->begun |= in->len > 0;
    if (in->len < FCGI_HEADER_SIZE)
        return FCGI_MORE;
    r->kind = byte_at(*in, 1);
    r->content = byte_at(*in, 4) << 8 | byte_at(*in, 5);
    r->padding = byte_at(*in, 6);
    if (byte_at(*in, 2) != 0 || byte_at(*in, 3) != REQUEST_ID)
        return broken(r, "a FastCGI record is of no request");
    if (!is_fit(r))
        return broken(r, "a FastCGI record is out of place");
    *in = str_from(*in, FCGI_HEADER_SIZE);
    r->state = FCGI_AT_CONTENT;
    return GO_ON;
}

static int next_end(struct fcgi_reader *r, struct str *in)
{
    if (in->len < BODY_SIZE)
        return FCGI_MORE;
    r->app_status = (uint32_t)byte_at(*in, 0) << 24 | (uint32_t)byte_at(*in, 1) << 16 |
                    (uint32_t)byte_at(*in, 2) << 8 | (uint32_t)byte_at(*in, 3);
    if (byte_at(*in, 4) > FCGI_UNKNOWN_ROLE)
        return broken(r, "a FastCGI record has an unknown status");
    r->refusal = (enum fcgi_refusal)byte_at(*in, 4);
    *in = str_from(*in, BODY_SIZE);
    r->content = 0;
    r->ended = true;
    r->state = FCGI_AT_PADDING;
    return GO_ON;
}

static int next_content(struct fcgi_reader *r, struct str *in)
{
    if (r->content == 0) {
        r->state = FCGI_AT_PADDING;
        return GO_ON;
    }
    if (r->kind == END_REQUEST)
        return next_end(r, in);
    if (in->len == 0)
        return FCGI_MORE;
    r->bytes = (struct str){in->p, in->len < r->content ? in->len : r->content};
    return r->kind == STDOUT ? FCGI_STDOUT : FCGI_STDERR;
}

static int next_padding(struct fcgi_reader *r, struct str *in)
{
    size_t n = in->len < r->padding ? in->len : r->padding;

    *in = str_from(*in, n);
    r->padding -= (unsigned)n;
    if (r->padding > 0)
        return FCGI_MORE;
    r->state = r->ended ? FCGI_AT_END : FCGI_AT_HEADER;
    return GO_ON;
}

static int step(struct fcgi_reader *r, struct str *in)
{
    switch (r->state) {
    case FCGI_AT_HEADER:
        return next_header(r, in);
    case FCGI_AT_CONTENT:
        return next_content(r, in);
    case FCGI_AT_PADDING:
        return next_padding(r, in);
    case FCGI_AT_END:
        return FCGI_END;
    case FCGI_FAILED:
        return FCGI_BROKEN;
    }
    return FCGI_BROKEN;
}

enum fcgi_event fcgi_next(struct fcgi_reader *r, struct str *in)
{
    int event;

    do
        event = step(r, in);
    while (event == GO_ON);
    return (enum fcgi_event)event;
}

void fcgi_take(struct fcgi_reader *r, struct str *in, size_t n)
{
    assert(r->state == FCGI_AT_CONTENT && n <= r->content && n <= in->len);
    *in = str_from(*in, n);
    r->content -= (unsigned)n;
}
