/* The response as libcurl shows it, and the request's body as it asks for it. */
#include "io/fetch_priv.h"

#include "io/response_parser.h"

#include <assert.h>

static size_t stop(struct fetch *f, enum transfer_result verdict, const char *why)
{
    f->verdict = verdict;
    f->verdict_why = why;
    return 0; /* which no callback of curl's answers for a line or a block that it took */
}

static bool is_field_value(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.p[i];

        if ((c < ' ' && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

/* Differing lengths make a response's end a matter of taste (RFC 9112 6.3, item 5). */
static bool read_content_length(struct fetch *f, struct str value)
{
    struct str rest = value, one;
    bool any = false;

    while (str_list_next(&rest, &one)) {
        uint64_t n;

        if (!str_to_uint(one, INT64_MAX, &n))
            return false;
        if (f->content_length != -1 && f->content_length != (int64_t)n)
            return false;
        f->content_length = (int64_t)n;
        any = true;
    }
    return any;
}

/* libcurl takes for chunked what others do not, and the other way round (RFC 9112 6.1). */
static bool read_coding(struct fetch *f, struct str value)
{
    if (f->chunked || f->old || !str_eq_nocase(value, STR_LIT("chunked")))
        return false;
    f->chunked = true;
    return true;
}

/* What libcurl heeds as well, though not with a space before the colon. */
static bool read_framing(struct fetch *f, struct str line, struct str name, struct str value)
{
    const bool plain = line.p[name.len] == ':';

    if (name.len == 14 && str_eq_nocase(name, STR_LIT("Content-Length")))
        return plain && read_content_length(f, value);
    if (name.len == 17 && str_eq_nocase(name, STR_LIT("Transfer-Encoding")))
        return plain && read_coding(f, value);
    return true;
}

static bool split_field(struct str line, struct str *name, struct str *value)
{
    size_t colon = str_chr(line, ':');

    *name = str_trim((struct str){line.p, colon});
    /* A folded line begins with a space; RFC 9112 5.2 lets a gateway refuse it. */
    if (colon == line.len || line.p[0] == ' ' || line.p[0] == '\t' || !str_is_token(*name))
        return false;
    *value = str_trim(str_from(line, colon + 1));
    return is_field_value(*value);
}

static bool read_field(struct fetch *f, struct str line)
{
    struct str name, value;

    if (!split_field(line, &name, &value))
        return false;
    if (f->at == AT_INTERIM) {
        if (f->events->on_interim_field != NULL)
            f->events->on_interim_field(f->arg, name, value);
        return true;
    }
    if (!read_framing(f, line, name, value))
        return false;
    if (f->events->on_field != NULL)
        f->events->on_field(f->arg, name, value);
    return true;
}

/* "HTTP/1.1 200 OK"; for HTTP/2 libcurl's own words are "HTTP/2 200 ". */
static struct str after_version(const struct fetch *f, struct str line)
{
    if (line.len > 9 && str_starts(line, STR_LIT("HTTP/1.")) && line.p[8] == ' ')
        return str_from(line, 9);
    if (f->sticky.http != TRANSFER_HTTP1 && str_starts(line, STR_LIT("HTTP/2 ")))
        return str_from(line, 7);
    return (struct str){NULL, 0};
}

static bool read_status(struct fetch *f, struct str line)
{
    const struct str rest = after_version(f, line);
    uint64_t status;

    if (rest.len < 3 || !str_to_uint((struct str){rest.p, 3}, 999, &status) || status < 100 ||
        (rest.len > 3 && rest.p[3] != ' '))
        return false;
    if (status == 101) /* we never ask for another protocol */
        return false;
    f->status = (int)status;
    f->content_length = -1;
    f->chunked = false;
    f->old = str_starts(line, STR_LIT("HTTP/1.0"));
    f->framed = str_starts(line, STR_LIT("HTTP/2"));
    f->at = status < 200 ? AT_INTERIM : AT_FIELDS;
    return true;
}

static bool end_interim(struct fetch *f)
{
    if (++f->n_interim > RESPONSE_INTERIM_MAX)
        return false;
    f->at = AT_STATUS;
    if (f->events->on_interim != NULL)
        f->events->on_interim(f->arg, f->status);
    return true;
}

/* Lengths of both kinds are an attempt to have the end of it read in two ways (RFC 9112 6.3). */
static bool end_head(struct fetch *f)
{
    if (f->chunked && f->content_length != -1)
        return false;
    f->at = AT_BODY;
    f->head_due_ms = 0;
    if (f->total_due_ms == 0 && f->read_timeout_ms == 0 && f->write_timeout_ms == 0)
        timer_cancel(f->fr->loop, &f->timer);
    if (f->events->on_head != NULL)
        f->events->on_head(f->arg, f->status, f->content_length);
    return true;
}

static bool read_trailer(struct fetch *f, struct str line)
{
    struct str name, value;

    if (line.len == 0)
        return true;
    if (!split_field(line, &name, &value))
        return false;
    if (f->events->on_trailer != NULL)
        f->events->on_trailer(f->arg, name, value);
    return true;
}

size_t fetch_on_header_line(char *p, size_t size, size_t n, void *user)
{
    struct fetch *f = user;
    struct str line = {p, size * n};
    bool ok = true;

    if (f->ended)
        return 0;
    f->moved_ms = loop_now_ms(f->fr->loop);
    f->head_bytes += line.len;
    if (f->head_bytes > f->max_head || ++f->head_lines > RESPONSE_FIELDS_MAX)
        return stop(f, TRANSFER_TOO_BIG, "the response's header is too large");
    while (line.len > 0 && (line.p[line.len - 1] == '\n' || line.p[line.len - 1] == '\r'))
        line.len--;
    if (f->at == AT_BODY)
        ok = read_trailer(f, line);
    else if (f->at == AT_STATUS)
        ok = read_status(f, line);
    else if (line.len == 0 && f->at == AT_INTERIM)
        ok = end_interim(f);
    else if (line.len == 0)
        ok = end_head(f);
    else
        ok = read_field(f, line);
    if (!ok)
        return stop(f, TRANSFER_BROKEN, "the response's header is malformed");
    return f->ended ? 0 : size * n;
}

/* ---- bodies ---- */

size_t fetch_on_write(char *p, size_t size, size_t n, void *user)
{
    struct fetch *f = user;
    bool taken;

    if (f->ended)
        return 0;
    if (f->at != AT_BODY)
        return stop(f, TRANSFER_BROKEN, "the response has no header");
    f->moved_ms = loop_now_ms(f->fr->loop);
    if (f->events->on_body == NULL)
        return size * n;
    taken = f->events->on_body(f->arg, (struct str){p, size * n});
    if (f->ended)
        return 0;
    if (taken) {
        if (f->framed)
            fetch_queue(f, OP_LOOK);
        return size * n;
    }
    f->recv_paused = true;
    return CURL_WRITEFUNC_PAUSE;
}

static size_t read_some(struct fetch *f, size_t got)
{
    assert(got > 0);
    if (f->body_left >= 0) {
        assert((int64_t)got <= f->body_left);
        f->body_left -= (int64_t)got;
    }
    return got;
}

size_t fetch_on_read(char *p, size_t size, size_t n, void *user)
{
    struct fetch *f = user;
    size_t cap = size * n, got = 0;
    enum pull answer;

    if (f->ended)
        return CURL_READFUNC_ABORT;
    if (f->body_left == 0)
        return 0;
    if (f->body_left > 0 && (uint64_t)f->body_left < cap)
        cap = (size_t)f->body_left;
    answer = f->events->pull(f->arg, p, cap, &got);
    if (f->ended)
        return CURL_READFUNC_ABORT;
    if (f->head_due_ms != 0) /* the peer has taken something: its time begins anew */
        f->head_due_ms = loop_now_ms(f->fr->loop) + f->head_timeout_ms;
    f->moved_ms = loop_now_ms(f->fr->loop);
    switch (answer) {
    case PULL_BYTES:
        return read_some(f, got);
    case PULL_AGAIN:
        f->send_paused = true; /* and no time limit runs while the wait is for us */
        return CURL_READFUNC_PAUSE;
    case PULL_END:
        if (f->body_left > 0)
            break;
        f->body_left = 0;
        return 0;
    case PULL_FAIL:
        break;
    }
    stop(f, TRANSFER_FAILED, "the request's body broke off");
    return CURL_READFUNC_ABORT;
}

/* curl sends a request again when a kept connection turns out to be closed before a byte was
 * answered. What is not idempotent must not be sent twice (RFC 9110 9.2.2). */
int fetch_on_before_send(void *user, char *ip, char *local_ip, int port, int local_port)
{
    struct fetch *f = user;

    (void)ip;
    (void)local_ip;
    (void)port;
    (void)local_port;
    if (f->sends++ == 0 || f->idempotent)
        return 0;
    stop(f, TRANSFER_BROKEN, "the connection was closed before an answer");
    return 1;
}
