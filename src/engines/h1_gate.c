#include "engines/h1_gate.h"

#include "base/alloc.h"

#include <arpa/inet.h>

/* ---- bytes ---- */

enum {
    TOKEN = 1,  /* tchar, RFC 9110 5.6.2 */
    VALUE = 2,  /* of a field: VCHAR, obs-text, SP, HTAB, RFC 9110 5.5 */
    TARGET = 4, /* of a request target, see below */
    HOST = 8,   /* of a reg-name: unreserved, sub-delims, "%", RFC 3986 3.2.2 */
    DIGIT = 16,
    ALL = TOKEN | VALUE | TARGET | HOST
};

/* A target is made of the characters of a URI (RFC 3986 2). Let in besides: \ ^ ` { | }, which
 * browsers send as they are in queries, and bytes from 0x80 on, which old clients send unescaped;
 * neither can end or split a target. "#" is not: a fragment is never sent (RFC 9112 3.2). */
static const uint8_t bytes[256] = {
    ['\t'] = VALUE,
    [' '] = VALUE,
    ['!'] = ALL,
    ['"'] = VALUE,
    ['#'] = TOKEN | VALUE,
    ['$' ... '\''] = ALL,
    ['('] = VALUE | TARGET | HOST,
    [')'] = VALUE | TARGET | HOST,
    ['*'] = ALL,
    ['+'] = ALL,
    [','] = VALUE | TARGET | HOST,
    ['-'] = ALL,
    ['.'] = ALL,
    ['/'] = VALUE | TARGET,
    ['0' ... '9'] = ALL | DIGIT,
    [':'] = VALUE | TARGET,
    [';'] = VALUE | TARGET | HOST,
    ['<'] = VALUE,
    ['='] = VALUE | TARGET | HOST,
    ['>'] = VALUE,
    ['?'] = VALUE | TARGET,
    ['@'] = VALUE | TARGET,
    ['A' ... 'Z'] = ALL,
    ['['] = VALUE | TARGET,
    ['\\'] = VALUE | TARGET,
    [']'] = VALUE | TARGET,
    ['^'] = TOKEN | VALUE | TARGET,
    ['_'] = ALL,
    ['`'] = TOKEN | VALUE | TARGET,
    ['a' ... 'z'] = ALL,
    ['{'] = VALUE | TARGET,
    ['|'] = TOKEN | VALUE | TARGET,
    ['}'] = VALUE | TARGET,
    ['~'] = ALL,
    [0x80 ... 0xff] = VALUE | TARGET,
};

static bool all_are(struct str s, uint8_t kind)
{
    uint8_t common = kind;

    for (size_t i = 0; i < s.len; i++)
        common &= bytes[(uint8_t)s.p[i]];
    return common != 0;
}

static bool is_token(struct str s)
{
    return s.len > 0 && all_are(s, TOKEN);
}

/* ---- refusals ---- */

static const struct gate_refusal bad_method = {400, "the method is no token (RFC 9110 9.1)"};
static const struct gate_refusal bad_connect = {501, "CONNECT is not offered (RFC 9110 9.3.6)"};
static const struct gate_refusal bad_target = {400, "invalid request target (RFC 9112 3.2)"};
static const struct gate_refusal bad_asterisk = {400, "\"*\" is for OPTIONS (RFC 9112 3.2.4)"};
static const struct gate_refusal bad_scheme = {
    421, "the scheme of the target is not the connection's (RFC 9110 7.4)"};
static const struct gate_refusal bad_name = {400, "a field name is no token (RFC 9112 5.1)"};
static const struct gate_refusal bad_value = {400, "control bytes in a field (RFC 9110 5.5)"};
static const struct gate_refusal no_host = {400, "no Host field (RFC 9112 3.2)"};
static const struct gate_refusal two_hosts = {400, "two Host fields (RFC 9112 3.2)"};
static const struct gate_refusal bad_host = {400, "invalid Host field (RFC 9112 3.2)"};
static const struct gate_refusal two_lengths = {400, "two Content-Length fields (RFC 9112 6.3)"};
static const struct gate_refusal bad_length = {400, "invalid Content-Length (RFC 9112 6.3)"};
static const struct gate_refusal two_framings = {
    400, "Content-Length beside Transfer-Encoding (RFC 9112 6.1)"};
static const struct gate_refusal old_coding = {400, "Transfer-Encoding in HTTP/1.0 (RFC 9112 6.1)"};
static const struct gate_refusal bad_coding = {
    400, "chunked is not the only last transfer coding (RFC 9112 6.3)"};
static const struct gate_refusal unknown_coding = {501, "unknown transfer coding (RFC 9112 6.1)"};
static const struct gate_refusal bad_expect = {417, "unknown expectation (RFC 9110 10.1.1)"};

/* ---- authority ---- */

static bool is_ip_literal(struct str s)
{
    char text[INET6_ADDRSTRLEN];
    struct in6_addr addr;

    if (s.len >= sizeof text)
        return false;
    memcpy(text, s.p, s.len);
    text[s.len] = '\0';
    return inet_pton(AF_INET6, text, &addr) == 1;
}

static bool is_port(struct str s)
{
    uint64_t port;

    return s.len == 0 || str_to_uint(s, UINT16_MAX, &port);
}

/* Escapes in a reg-name are two hexadecimal digits; all else was seen to by the table. */
static bool escapes_are_whole(struct str s)
{
    static const char hex[] = "0123456789abcdefABCDEF";

    for (size_t at = str_chr(s, '%'); at < s.len; at += 1 + str_chr(str_from(s, at + 1), '%'))
        if (s.len - at < 3 || memchr(hex, s.p[at + 1], sizeof hex - 1) == NULL ||
            memchr(hex, s.p[at + 2], sizeof hex - 1) == NULL)
            return false;
    return true;
}

bool h1_gate_authority(struct str s)
{
    struct str host = s, port = {NULL, 0};

    if (s.len > 0 && s.p[0] == '[') {
        size_t close = str_chr(s, ']');
        struct str rest;

        if (close == s.len || !is_ip_literal((struct str){s.p + 1, close - 1}))
            return false;
        rest = str_from(s, close + 1);
        return rest.len == 0 || (rest.p[0] == ':' && is_port(str_from(rest, 1)));
    }
    host.len = str_chr(s, ':');
    if (host.len < s.len)
        port = str_from(s, host.len + 1);
    return host.len > 0 && all_are(host, HOST) && escapes_are_whole(host) && is_port(port);
}

/* ---- target ---- */

/* absolute-form (RFC 9112 3.2.2): its authority is checked here and used instead of Host. */
static const struct gate_refusal *check_absolute(struct exchange *ex)
{
    struct str rest = ex->target;
    size_t scheme = str_chr(rest, ':');
    struct str name = {rest.p, scheme};
    struct str authority = str_from(rest, scheme);
    bool secure = str_eq_nocase(name, STR_LIT("https"));

    if ((!secure && !str_eq_nocase(name, STR_LIT("http"))) ||
        !str_starts(authority, STR_LIT("://")))
        return &bad_target;
    authority = str_from(authority, 3);
    rest = authority;
    for (authority.len = 0; authority.len < rest.len; authority.len++)
        if (rest.p[authority.len] == '/' || rest.p[authority.len] == '?')
            break;
    if (!h1_gate_authority(authority))
        return &bad_target;
    return secure == ex->secure ? NULL : &bad_scheme;
}

static const struct gate_refusal *check_target(struct exchange *ex)
{
    if (str_is(ex->method, "CONNECT"))
        return &bad_connect;
    if (ex->target.len == 0 || !all_are(ex->target, TARGET))
        return &bad_target;
    if (ex->target.p[0] == '/')
        return NULL;
    if (str_is(ex->target, "*"))
        return str_is(ex->method, "OPTIONS") ? NULL : &bad_asterisk;
    return check_absolute(ex);
}

/* ---- fields ---- */

/* What the fields say that frame and address a request. */
struct framing {
    unsigned hosts;
    unsigned lengths;
    unsigned encodings;
    struct str host;
    struct str length;
    bool expects;
};

static void note_field(struct framing *fr, const struct field *f)
{
    switch (f->name.len) {
    case sizeof "Host" - 1:
        if (str_eq_nocase(f->name, STR_LIT("Host"))) {
            fr->hosts++;
            fr->host = f->value;
        }
        break;
    case sizeof "Expect" - 1:
        fr->expects |= str_eq_nocase(f->name, STR_LIT("Expect"));
        break;
    case sizeof "Content-Length" - 1:
        if (str_eq_nocase(f->name, STR_LIT("Content-Length"))) {
            fr->lengths++;
            fr->length = f->value;
        }
        break;
    case sizeof "Transfer-Encoding" - 1:
        fr->encodings += str_eq_nocase(f->name, STR_LIT("Transfer-Encoding"));
        break;
    }
}

static const struct gate_refusal *check_host(struct exchange *ex, const struct framing *fr)
{
    if (fr->hosts > 1)
        return &two_hosts;
    if (fr->hosts == 0)
        return ex->http_minor == 0 ? NULL : &no_host;
    ex->authority = fr->host;
    return h1_gate_authority(fr->host) ? NULL : &bad_host;
}

/* The only list of codings that we take is "chunked". */
static const struct gate_refusal *check_codings(struct exchange *ex)
{
    struct str list = fields_joined(&ex->request, ex->arena, STR_LIT("Transfer-Encoding"));
    struct str coding;
    unsigned chunked = 0, others = 0;
    bool last = false;

    while (str_list_next(&list, &coding)) {
        last = str_eq_nocase(coding, STR_LIT("chunked"));
        chunked += last;
        others += !last;
    }
    if (chunked > 1 || (chunked == 1 && !last) || chunked + others == 0)
        return &bad_coding;
    return others > 0 ? &unknown_coding : NULL;
}

static const struct gate_refusal *check_framing(struct exchange *ex, const struct framing *fr)
{
    const struct gate_refusal *refusal;
    uint64_t length;

    if (fr->encodings > 0) {
        if (ex->http_minor == 0)
            return &old_coding;
        if (fr->lengths > 0)
            return &two_framings;
        if ((refusal = check_codings(ex)) != NULL)
            return refusal;
        ex->request_body_len = -1;
    } else if (fr->lengths > 0) {
        if (fr->lengths > 1)
            return &two_lengths;
        if (!str_to_uint(fr->length, INT64_MAX, &length))
            return &bad_length;
        ex->request_body_len = (int64_t)length;
    }
    return NULL;
}

static const struct gate_refusal *check_expect(struct exchange *ex, const struct framing *fr)
{
    struct str value;

    if (!fr->expects || ex->http_minor == 0)
        return NULL; /* RFC 9110 10.1.1: ignored in HTTP/1.0 */
    value = fields_joined(&ex->request, ex->arena, STR_LIT("Expect"));
    return str_eq_nocase(value, STR_LIT("100-continue")) ? NULL : &bad_expect;
}

const struct gate_refusal *h1_gate(struct exchange *ex)
{
    struct framing fr = {0};
    const struct gate_refusal *refusal;

    if (!is_token(ex->method))
        return &bad_method;
    ex->is_head = str_is(ex->method, "HEAD");
    if ((refusal = check_target(ex)) != NULL)
        return refusal;
    for (size_t i = 0; i < ex->request.n; i++) {
        const struct field *f = &ex->request.list[i];

        if (!is_token(f->name))
            return &bad_name;
        if (!all_are(f->value, VALUE))
            return &bad_value;
        note_field(&fr, f);
    }
    if ((refusal = check_host(ex, &fr)) != NULL)
        return refusal;
    if ((refusal = check_framing(ex, &fr)) != NULL)
        return refusal;
    return check_expect(ex, &fr);
}
