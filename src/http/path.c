#include "http/path.h"

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = ascii_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int path_escape_at(struct str s, size_t at)
{
    int high, low;

    if (s.len < 3 || at > s.len - 3 || s.p[at] != '%')
        return -1;
    high = hex_digit(s.p[at + 1]);
    low = hex_digit(s.p[at + 2]);
    return high < 0 || low < 0 ? -1 : high << 4 | low;
}

/* The common case: nothing to decode, nothing to resolve. "/.x" is not such a case, though clean:
 * the slow way finds out. */
static bool is_clean(struct str raw)
{
    for (size_t i = 0; i < raw.len; i++) {
        char next = i + 1 < raw.len ? raw.p[i + 1] : 'x';

        if (raw.p[i] == '%' || raw.p[i] == '\0')
            return false;
        if (raw.p[i] == '/' && (next == '/' || next == '.'))
            return false;
    }
    return true;
}

/* Decodes raw into out, which has room for raw.len bytes. False: a bad escape or a NUL. */
static bool decode(struct str raw, char *out, size_t *len)
{
    size_t n = 0;

    for (size_t i = 0; i < raw.len; i++) {
        char c = raw.p[i];

        if (c == '%') {
            int byte = path_escape_at(raw, i);

            if (byte < 0)
                return false;
            c = (char)byte;
            i += 2;
        }
        if (c == '\0')
            return false;
        out[n++] = c;
    }
    *len = n;
    return true;
}

/* RFC 3986 5.2.4, in place, empty segments dropped as well. Before each segment p[0..to) is clean
 * and ends with "/". False: ".." would climb above the root. */
static bool resolve(char *p, size_t *len)
{
    size_t to = 1, from = 1;

    while (from < *len) {
        const char *slash = memchr(p + from, '/', *len - from);
        size_t end = slash == NULL ? *len : (size_t)(slash - p);
        struct str segment = {p + from, end - from};

        from = end + 1;
        if (segment.len == 0 || str_eq(segment, STR_LIT(".")))
            continue;
        if (str_eq(segment, STR_LIT(".."))) {
            if (to == 1)
                return false;
            for (to--; p[to - 1] != '/'; to--)
                ;
            continue;
        }
        memmove(p + to, segment.p, segment.len);
        to += segment.len;
        if (slash != NULL)
            p[to++] = '/';
    }
    *len = to;
    return true;
}

enum path_verdict path_clean(struct arena *a, struct str raw, struct str *out)
{
    char *p;
    size_t len;

    if (raw.len == 0 || raw.p[0] != '/')
        return PATH_BAD;
    if (is_clean(raw)) {
        *out = raw;
        return PATH_OK;
    }
    p = arena_bytes(a, raw.len + 1);
    if (!decode(raw, p, &len) || !resolve(p, &len))
        return PATH_BAD;
    p[len] = '\0';
    *out = (struct str){p, len};
    return PATH_OK;
}

/* pchar of RFC 3986 3.3 without pct-encoded, and "/". A backslash is not among them: browsers read
 * one as "/", so that "/\host" would lead elsewhere. */
static bool is_path_char(char c)
{
    if ((c >= '0' && c <= '9') || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z'))
        return true;
    return c != '\0' && strchr("-._~!$&'()*+,;=:@/", c) != NULL;
}

static char *put_escaped(char *at, char c)
{
    static const char hex[] = "0123456789ABCDEF";

    *at++ = '%';
    *at++ = hex[(unsigned char)c >> 4];
    *at++ = hex[(unsigned char)c & 15];
    return at;
}

struct str path_escape(struct arena *a, struct str path)
{
    size_t len = 0;
    char *out, *at;

    for (size_t i = 0; i < path.len; i++)
        len += is_path_char(path.p[i]) ? 1 : 3;
    if (len == path.len)
        return path;
    at = out = arena_bytes(a, len + 1);
    for (size_t i = 0; i < path.len; i++) {
        if (is_path_char(path.p[i]))
            *at++ = path.p[i];
        else
            at = put_escaped(at, path.p[i]);
    }
    *at = '\0';
    return (struct str){out, len};
}

struct str path_normal(struct arena *a, struct str raw, bool plain)
{
    char *out = arena_bytes(a, raw.len * 3 + 2), *at = out;

    if (raw.len == 0 || raw.p[0] != '/')
        *at++ = '/';
    for (size_t i = 0; i < raw.len; i++) {
        int byte = path_escape_at(raw, i);

        if (byte >= 0) {
            if (plain && is_path_char((char)byte))
                *at++ = (char)byte;
            else
                at = mempcpy(at, raw.p + i, 3);
            i += 2;
        } else if (is_path_char(raw.p[i])) {
            *at++ = raw.p[i];
        } else {
            at = put_escaped(at, raw.p[i]);
        }
    }
    *at = '\0';
    return (struct str){out, (size_t)(at - out)};
}

bool path_has_dots(struct str raw, size_t least)
{
    size_t len = 0; /* of the segment so far, if it consists of dots */
    bool dots = true;

    for (size_t i = 0; i < raw.len; i++) {
        int byte = path_escape_at(raw, i);
        char c = byte < 0 ? raw.p[i] : (char)byte;

        i += byte < 0 ? 0 : 2;
        if (c == '/') {
            if (dots && len >= least && len <= 2)
                return true;
            dots = true;
            len = 0;
        } else {
            dots = dots && c == '.';
            len++;
        }
    }
    return dots && len >= least && len <= 2;
}
