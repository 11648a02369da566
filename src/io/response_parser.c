#include "io/response_parser.h"

#include <assert.h>

/* The start of every response. */
static const struct str version = STR_LIT("HTTP/1.");

void response_init(struct response_parser *rp, bool is_head, bool upgrade, size_t max_head)
{
    *rp = (struct response_parser){
        .is_head = is_head, .upgrade = upgrade, .content_length = -1, .head_left = max_head};
}

/* Between events: what has been taken tells the caller nothing. */
enum { GO_ON = -1 };

/* The steps of the parser answer an event or GO_ON. */
static int fail(struct response_parser *rp, enum response_event how, const char *why)
{
    rp->state = RESPONSE_FAILED;
    rp->failure = how;
    rp->why = why;
    return (int)how;
}

static int broken(struct response_parser *rp, const char *why)
{
    return fail(rp, RESPONSE_BROKEN, why);
}

/* ---- lines ---- */

/* A line of at most `most` bytes with its end: GO_ON and *line without it, RESPONSE_MORE or
 * RESPONSE_BROKEN; or RESPONSE_TOO_BIG, which is the caller's to report. */
static int take_line(struct response_parser *rp, struct str *in, size_t most, struct str *line)
{
    size_t span = in->len < most ? in->len : most;
    const char *end =
        span > rp->scanned ? memchr(in->p + rp->scanned, '\n', span - rp->scanned) : NULL;
    size_t len;

    if (end == NULL) {
        rp->scanned = span;
        return in->len >= most ? RESPONSE_TOO_BIG : RESPONSE_MORE;
    }
    len = (size_t)(end - in->p);
    if (len == 0 || end[-1] != '\r')
        return broken(rp, "a line of the response ends without CR");
    rp->scanned = 0;
    *line = (struct str){in->p, len - 1};
    *in = str_from(*in, len + 1);
    return GO_ON;
}

static int take_head_line(struct response_parser *rp, struct str *in, struct str *line)
{
    int rc = take_line(rp, in, rp->head_left, line);

    if (rc == RESPONSE_TOO_BIG)
        return fail(rp, RESPONSE_TOO_BIG, "the response's header is too large");
    if (rc == GO_ON)
        rp->head_left -= line->len + 2;
    return rc;
}

/* Text without control bytes, but for tabs: a reason phrase, a field's value, an extension. */
static bool is_text(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.p[i];

        if ((c < ' ' && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

/* ---- the status line ---- */

/* As far as the header may reach: beyond that it is too large, however it goes on. */
static bool begins_as_response(const struct response_parser *rp, struct str in)
{
    size_t n = in.len < version.len ? in.len : version.len;

    if (n > rp->head_left)
        n = rp->head_left;
    return n == 0 || memcmp(in.p, version.p, n) == 0;
}

/* The space before an empty reason phrase is often left out. */
static bool read_status(struct response_parser *rp, struct str line)
{
    uint64_t status;
    char minor;

    if (line.len < 12 || line.p[8] != ' ' || (line.len > 12 && line.p[12] != ' ') ||
        !str_to_uint((struct str){line.p + 9, 3}, 999, &status) || status < 100 || !is_text(line))
        return false;
    minor = line.p[7];
    if (minor < '0' || minor > '9')
        return false;
    rp->minor = (unsigned)(minor - '0');
    rp->status = (int)status;
    return true;
}

static int next_status(struct response_parser *rp, struct str *in)
{
    struct str line;
    int rc;

    if (!begins_as_response(rp, *in)) /* said without waiting for a line that may never come */
        return broken(rp, "what came is no HTTP/1.1 response");
    rc = take_head_line(rp, in, &line);
    if (rc != GO_ON)
        return rc;
    if (!read_status(rp, line))
        return broken(rp, "the response's status line is malformed");
    if (rp->status == 101 && !rp->upgrade)
        return broken(rp, "the upstream switches to a protocol that it was not asked for");
    rp->state = RESPONSE_AT_FIELDS;
    return GO_ON;
}

/* ---- fields ---- */

/* Differing lengths make a response's end a matter of taste (RFC 9112 6.3, item 5). */
static bool read_content_length(struct response_parser *rp, struct str value)
{
    struct str one;
    bool any = false;

    while (str_list_next(&value, &one)) {
        uint64_t n;

        if (!str_to_uint(one, INT64_MAX, &n) ||
            (rp->content_length != -1 && rp->content_length != (int64_t)n))
            return false;
        rp->content_length = (int64_t)n;
        any = true;
    }
    return any;
}

static bool read_transfer_encoding(struct response_parser *rp, struct str value)
{
    struct str coding;

    rp->coded = true;
    while (str_list_next(&value, &coding)) {
        if (rp->chunked || !str_eq_nocase(coding, STR_LIT("chunked")))
            return false;
        rp->chunked = true;
    }
    return rp->chunked;
}

static void read_connection(struct response_parser *rp, struct str value)
{
    struct str option;

    while (str_list_next(&value, &option)) {
        rp->says_close |= str_eq_nocase(option, STR_LIT("close"));
        rp->says_keep_alive |= str_eq_nocase(option, STR_LIT("keep-alive"));
    }
}

static int read_field(struct response_parser *rp, struct str line)
{
    size_t colon = str_chr(line, ':');
    struct str name = {line.p, colon}, value;

    if (++rp->n_fields > RESPONSE_FIELDS_MAX)
        return fail(rp, RESPONSE_TOO_BIG, "the response's header has too many fields");
    while (name.len > 0 && (name.p[name.len - 1] == ' ' || name.p[name.len - 1] == '\t'))
        name.len--;
    if (colon == line.len ||
        !str_is_token(name)) /* nor is a folded line, which begins with space */
        return broken(rp, "the response has a malformed field");
    value = str_trim(str_from(line, colon + 1));
    if (!is_text(value))
        return broken(rp, "the response has a field with a control byte");
    rp->name = name;
    rp->value = value;
    return RESPONSE_FIELD;
}

/* What a field of the final response's header says about its framing. */
static int heed_field(struct response_parser *rp)
{
    struct str name = rp->name, value = rp->value;

    if (name.len == 14 && str_eq_nocase(name, STR_LIT("Content-Length"))) {
        if (!read_content_length(rp, value))
            return broken(rp, "the response's Content-Length is malformed, or there are several");
    } else if (name.len == 17 && str_eq_nocase(name, STR_LIT("Transfer-Encoding"))) {
        if (!read_transfer_encoding(rp, value))
            return broken(rp, "the response's Transfer-Encoding is not 'chunked'");
    } else if (name.len == 10 && str_eq_nocase(name, STR_LIT("Connection"))) {
        read_connection(rp, value);
    }
    return RESPONSE_FIELD;
}

/* ---- the end of the header ---- */

static int end_interim(struct response_parser *rp)
{
    if (++rp->n_interim > RESPONSE_INTERIM_MAX)
        return broken(rp, "there are too many interim responses");
    rp->state = RESPONSE_AT_STATUS;
    return RESPONSE_INTERIM;
}

static int end_switch(struct response_parser *rp)
{
    if (rp->minor == 0)
        return broken(rp, "the upstream switches protocols in HTTP/1.0");
    rp->content_length = -1;
    rp->chunked = false;
    rp->switched = true;
    rp->state = RESPONSE_AT_CLOSE;
    return RESPONSE_HEAD;
}

/* RFC 9112 6.3, of which "item" speaks. */
static int end_head(struct response_parser *rp)
{
    /* A body where none may be: the next response could not be told from it. */
    const bool misplaced = rp->status == 204 && (rp->coded || rp->content_length > 0);

    if (rp->status == 101)
        return end_switch(rp);
    if (rp->coded && rp->minor == 0)
        return broken(rp, "the response has a Transfer-Encoding in HTTP/1.0");
    if (rp->coded && rp->content_length != -1) /* item 3: refused, not guessed */
        return broken(rp, "the response has a Transfer-Encoding and a Content-Length");
    rp->keep_alive = !rp->says_close && (rp->minor > 0 || rp->says_keep_alive) && !misplaced;
    rp->left = rp->content_length == -1 ? 0 : (uint64_t)rp->content_length;
    if (rp->is_head || rp->status == 204 || rp->status == 304) /* item 1 */
        rp->state = RESPONSE_AT_END;
    else if (rp->chunked) /* item 4 */
        rp->state = RESPONSE_AT_CHUNK_SIZE;
    else if (rp->content_length != -1) /* item 6 */
        rp->state = rp->left == 0 ? RESPONSE_AT_END : RESPONSE_AT_LENGTH;
    else /* item 8 */
        rp->state = RESPONSE_AT_CLOSE;
    if (rp->state == RESPONSE_AT_CLOSE)
        rp->keep_alive = false;
    return RESPONSE_HEAD;
}

static int next_field(struct response_parser *rp, struct str *in)
{
    const bool interim = rp->status < 200 && rp->status != 101;
    struct str line;
    int event = take_head_line(rp, in, &line);

    if (event != GO_ON)
        return event;
    if (line.len == 0)
        return interim ? end_interim(rp) : end_head(rp);
    event = read_field(rp, line);
    if (event != RESPONSE_FIELD)
        return event;
    return interim ? RESPONSE_INTERIM_FIELD : heed_field(rp);
}

/* ---- chunks ---- */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = ascii_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* chunk-size [ BWS ";" ... ]; false if it is no such line, or of no sane size. */
static bool read_chunk_size(struct str line, uint64_t *size)
{
    size_t digits = 0;
    uint64_t n = 0;

    for (; digits < line.len && hex_digit(line.p[digits]) >= 0; digits++) {
        if (n > (uint64_t)INT64_MAX >> 4)
            return false;
        n = n << 4 | (uint64_t)hex_digit(line.p[digits]);
    }
    *size = n;
    if (digits == 0)
        return false;
    if (digits == line.len)
        return true;
    line = str_from(line, digits);
    return is_text(line) && str_starts(str_trim(line), STR_LIT(";"));
}

static int next_chunk(struct response_parser *rp, struct str *in)
{
    struct str line;
    int rc = take_line(rp, in, RESPONSE_CHUNK_LINE_MAX, &line);

    if (rc == RESPONSE_TOO_BIG || (rc == GO_ON && !read_chunk_size(line, &rp->left)))
        return broken(rp, "the response has a malformed chunk");
    if (rc != GO_ON)
        return rc;
    rp->state = rp->left == 0 ? RESPONSE_AT_TRAILER : RESPONSE_AT_CHUNK;
    return GO_ON;
}

static int end_chunk(struct response_parser *rp, struct str *in)
{
    const struct str end = STR_LIT("\r\n");
    size_t n = in->len < end.len ? in->len : end.len;

    if (n > 0 && memcmp(in->p, end.p, n) != 0)
        return broken(rp, "a chunk of the response is longer than it says");
    if (n < end.len)
        return RESPONSE_MORE;
    *in = str_from(*in, end.len);
    rp->state = RESPONSE_AT_CHUNK_SIZE;
    return GO_ON;
}

static int next_trailer(struct response_parser *rp, struct str *in)
{
    struct str line;
    int rc = take_head_line(rp, in, &line);

    if (rc != GO_ON)
        return rc;
    if (line.len > 0) {
        int event = read_field(rp, line);

        return event == RESPONSE_FIELD ? RESPONSE_TRAILER : event;
    }
    rp->state = RESPONSE_AT_END;
    return RESPONSE_END;
}

/* ---- the interface ---- */

static int next_bytes(struct response_parser *rp, const struct str *in)
{
    uint64_t room = response_room(rp);

    if (in->len == 0)
        return RESPONSE_MORE;
    rp->bytes = (struct str){in->p, in->len < room ? in->len : (size_t)room};
    return RESPONSE_BODY;
}

static int next(struct response_parser *rp, struct str *in)
{
    switch (rp->state) {
    case RESPONSE_AT_STATUS:
        return next_status(rp, in);
    case RESPONSE_AT_FIELDS:
        return next_field(rp, in);
    case RESPONSE_AT_LENGTH:
    case RESPONSE_AT_CLOSE:
    case RESPONSE_AT_CHUNK:
        return next_bytes(rp, in);
    case RESPONSE_AT_CHUNK_SIZE:
        return next_chunk(rp, in);
    case RESPONSE_AT_CHUNK_END:
        return end_chunk(rp, in);
    case RESPONSE_AT_TRAILER:
        return next_trailer(rp, in);
    case RESPONSE_AT_END:
        return RESPONSE_END;
    case RESPONSE_FAILED:
        break;
    }
    return (int)rp->failure;
}

enum response_event response_next(struct response_parser *rp, struct str *in)
{
    int event;

    do
        event = next(rp, in);
    while (event == GO_ON);
    return (enum response_event)event;
}

uint64_t response_room(const struct response_parser *rp)
{
    switch (rp->state) {
    case RESPONSE_AT_LENGTH:
    case RESPONSE_AT_CHUNK:
        return rp->left;
    case RESPONSE_AT_CLOSE:
        return UINT64_MAX;
    case RESPONSE_AT_STATUS:
    case RESPONSE_AT_FIELDS:
    case RESPONSE_AT_CHUNK_SIZE:
    case RESPONSE_AT_CHUNK_END:
    case RESPONSE_AT_TRAILER:
    case RESPONSE_AT_END:
    case RESPONSE_FAILED:
        break;
    }
    return 0;
}

void response_took(struct response_parser *rp, size_t n)
{
    assert(n <= response_room(rp));
    if (rp->state == RESPONSE_AT_CLOSE)
        return;
    rp->left -= n;
    if (rp->left == 0)
        rp->state = rp->state == RESPONSE_AT_LENGTH ? RESPONSE_AT_END : RESPONSE_AT_CHUNK_END;
}

void response_take(struct response_parser *rp, struct str *in, size_t n)
{
    assert(n <= in->len);
    response_took(rp, n);
    *in = str_from(*in, n);
}

enum response_event response_close(struct response_parser *rp)
{
    switch (rp->state) {
    case RESPONSE_AT_CLOSE:
        rp->state = RESPONSE_AT_END;
        return RESPONSE_END;
    case RESPONSE_AT_END:
        return RESPONSE_END;
    case RESPONSE_FAILED:
        return rp->failure;
    case RESPONSE_AT_STATUS:
    case RESPONSE_AT_FIELDS:
        return (enum response_event)broken(rp, "the connection was closed before an answer");
    case RESPONSE_AT_LENGTH:
    case RESPONSE_AT_CHUNK_SIZE:
    case RESPONSE_AT_CHUNK:
    case RESPONSE_AT_CHUNK_END:
    case RESPONSE_AT_TRAILER:
        break;
    }
    return (enum response_event)broken(rp, "the response is cut short");
}

bool response_begun(const struct response_parser *rp)
{
    return rp->state != RESPONSE_AT_STATUS || rp->n_interim > 0;
}
