#include "io/cgi_response.h"

#include <assert.h>

/* The steps answer an event or GO_ON. */
enum { GO_ON = -1 };

void cgi_response_init(struct cgi_response *c, bool is_head, size_t max_head)
{
    *c = (struct cgi_response){.is_head = is_head, .content_length = -1};
    buf_init(&c->header, max_head);
}

void cgi_response_fini(struct cgi_response *c)
{
    buf_fini(&c->header);
}

static int fail(struct cgi_response *c, enum response_event how, const char *why)
{
    c->state = CGI_FAILED;
    c->failure = how;
    c->why = why;
    return (int)how;
}

static int broken(struct cgi_response *c, const char *why)
{
    return fail(c, RESPONSE_BROKEN, why);
}

/* ---- the header ---- */

static bool is_blank(struct str line)
{
    return str_is(line, "\n") || str_is(line, "\r\n");
}

/* Takes lines up to the empty one. */
static int next_header(struct cgi_response *c, struct str *in)
{
    struct str line = STR_LIT("");

    while (!is_blank(line)) {
        size_t end = str_chr(*in, '\n'), n = end < in->len ? end + 1 : end;

        if (n == 0)
            return RESPONSE_MORE;
        if (buf_append(&c->header, in->p, n) != 0)
            return fail(c, RESPONSE_TOO_BIG, "the response's header is too large");
        *in = str_from(*in, n);
        if (c->header.p[c->header.len - 1] != '\n')
            return RESPONSE_MORE;
        line = str_from(buf_str(&c->header), c->line);
        c->line = c->header.len;
    }
    c->line = 0;
    c->state = CGI_AT_FIELDS;
    return GO_ON;
}

/* ---- fields ---- */

static bool is_text(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char byte = (unsigned char)s.p[i];

        if ((byte < ' ' && byte != '\t') || byte == 0x7f)
            return false;
    }
    return true;
}

/* "404 Not Found", or the number alone (RFC 3875 6.3.3). */
static bool read_status(struct cgi_response *c)
{
    struct str digits = {c->value.p, c->value.len < 3 ? c->value.len : 3};
    uint64_t status;

    if (c->status != 0 || digits.len < 3 || !str_to_uint(digits, 599, &status) || status < 200 ||
        (c->value.len > 3 && c->value.p[3] != ' '))
        return false;
    c->status = (int)status;
    return true;
}

static bool read_length(struct cgi_response *c)
{
    uint64_t n;

    if (c->content_length != -1 || !str_to_uint(c->value, INT64_MAX, &n))
        return false;
    c->content_length = (int64_t)n;
    return true;
}

/* What a field says about the response. */
static int heed_field(struct cgi_response *c)
{
    if (str_eq_nocase(c->name, STR_LIT("Status")))
        return read_status(c) ? GO_ON : broken(c, "the response's Status is malformed");
    if (str_eq_nocase(c->name, STR_LIT("Content-Length")) && !read_length(c))
        return broken(c, "the response's Content-Length is malformed, or there are several");
    c->redirects |= str_eq_nocase(c->name, STR_LIT("Location"));
    return RESPONSE_FIELD;
}

static int read_field(struct cgi_response *c, struct str line)
{
    size_t colon = str_chr(line, ':');

    c->name = (struct str){line.p, colon};
    if (++c->n_fields > RESPONSE_FIELDS_MAX)
        return fail(c, RESPONSE_TOO_BIG, "the response's header has too many fields");
    if (colon == line.len || !str_is_token(c->name))
        return broken(c, "the response has a malformed field");
    c->value = str_trim(str_from(line, colon + 1));
    if (!is_text(c->value))
        return broken(c, "the response has a field with a control byte");
    return heed_field(c);
}

static int end_header(struct cgi_response *c)
{
    if (c->n_fields == 0)
        return broken(c, "the response has no header");
    if (c->status == 0) /* RFC 3875 6.2.3: a redirect says so by its Location alone */
        c->status = c->redirects ? 302 : 200;
    c->bodiless = c->is_head || c->status == 204 || c->status == 304;
    c->left = c->bodiless || c->content_length < 0 ? 0 : (uint64_t)c->content_length;
    buf_fini(&c->header);
    c->state = CGI_AT_BODY;
    return RESPONSE_HEAD;
}

static int next_field(struct cgi_response *c)
{
    struct str rest = str_from(buf_str(&c->header), c->line);
    struct str line = str_cut(&rest, '\n');

    c->line += line.len + 1;
    if (line.len > 0 && line.p[line.len - 1] == '\r')
        line.len--;
    return line.len == 0 ? end_header(c) : read_field(c, line);
}

/* ---- the body ---- */

static int next_body(struct cgi_response *c, struct str *in)
{
    size_t n = in->len;

    if (c->bodiless)
        n = 0;
    else if (c->content_length >= 0 && c->left < n)
        n = (size_t)c->left;
    if (n == 0) {
        *in = str_from(*in, in->len);
        return RESPONSE_MORE;
    }
    c->bytes = (struct str){in->p, n};
    return RESPONSE_BODY;
}

void cgi_response_took(struct cgi_response *c, size_t n)
{
    assert(n <= c->bytes.len);
    if (c->content_length >= 0)
        c->left -= n;
}

enum response_event cgi_response_next(struct cgi_response *c, struct str *in)
{
    int event = GO_ON;

    while (event == GO_ON)
        switch (c->state) {
        case CGI_AT_HEADER:
            event = next_header(c, in);
            break;
        case CGI_AT_FIELDS:
            event = next_field(c);
            break;
        case CGI_AT_BODY:
            event = next_body(c, in);
            break;
        case CGI_FAILED:
            event = (int)c->failure;
            break;
        }
    return (enum response_event)event;
}

enum response_event cgi_response_end(struct cgi_response *c)
{
    if (c->state == CGI_FAILED)
        return c->failure;
    if (c->state != CGI_AT_BODY)
        return (enum response_event)broken(c, "the response has no header");
    if (c->left > 0)
        return (enum response_event)broken(c, "the response is cut short");
    return RESPONSE_END;
}
