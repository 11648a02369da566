#include "io/proxy_header.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>

/* ---- version 1 (section 2.1) ---- */

enum { V1_MAX = 107 }; /* bytes, with CRLF */

static const char v1_begin[] = "PROXY ";

/* Decimal, without sign or leading zeros. */
static bool read_port(struct str s, uint16_t *out)
{
    uint64_t n;

    if (s.len == 0 || s.len > 5 || (s.len > 1 && s.p[0] == '0') || !str_to_uint(s, UINT16_MAX, &n))
        return false;
    *out = htons((uint16_t)n);
    return true;
}

static bool set_address(int family, struct str host, uint16_t port, struct sockaddr_storage *out)
{
    struct sockaddr_in *in = (void *)out;
    struct sockaddr_in6 *in6 = (void *)out;
    char text[INET6_ADDRSTRLEN];

    if (host.len >= sizeof text || memchr(host.p, '\0', host.len) != NULL)
        return false;
    memcpy(text, host.p, host.len);
    text[host.len] = '\0';
    out->ss_family = (sa_family_t)family;
    if (family == AF_INET) {
        in->sin_port = port;
        return inet_pton(AF_INET, text, &in->sin_addr) == 1;
    }
    in6->sin6_port = port;
    return inet_pton(AF_INET6, text, &in6->sin6_addr) == 1;
}

static socklen_t length_of(int family)
{
    return family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
}

/* What follows "PROXY ". */
static bool read_line(struct str line, struct proxy_header *out)
{
    struct str protocol = str_cut(&line, ' '), from, to, from_port;
    uint16_t port;
    int family;

    if (str_is(protocol, "UNKNOWN"))
        return true; /* the rest means nothing */
    if (str_is(protocol, "TCP4"))
        family = AF_INET;
    else if (str_is(protocol, "TCP6"))
        family = AF_INET6;
    else
        return false;
    from = str_cut(&line, ' ');
    to = str_cut(&line, ' ');
    from_port = str_cut(&line, ' ');
    if (!read_port(from_port, &port) || !set_address(family, from, port, &out->from) ||
        !read_port(line, &port) || !set_address(family, to, port, &out->to))
        return false;
    out->has_addr = true;
    out->addr_len = length_of(family);
    return true;
}

static enum proxy_header_verdict parse_v1(const uint8_t *p, size_t n, struct proxy_header *out)
{
    const char *text = (const char *)p;
    const char *end = memchr(text, '\n', n < V1_MAX ? n : V1_MAX);
    const size_t begin = sizeof v1_begin - 1;

    if (end == NULL)
        return n < V1_MAX ? PROXY_HEADER_MORE : PROXY_HEADER_BAD;
    out->len = (size_t)(end - text) + 1;
    if (out->len < begin + 2 || end[-1] != '\r')
        return PROXY_HEADER_BAD;
    return read_line((struct str){text + begin, out->len - 2 - begin}, out) ? PROXY_HEADER_DONE
                                                                            : PROXY_HEADER_BAD;
}

/* ---- version 2 (section 2.2) ---- */

enum { V2_HEAD = 16, V2_LOCAL = 0x20, V2_PROXY = 0x21, V2_TCP4 = 0x11, V2_TCP6 = 0x21 };

static const uint8_t v2_begin[12] = {'\r', '\n', '\r', '\n', 0,   '\r',
                                     '\n', 'Q',  'U',  'I',  'T', '\n'};

static void copy_v4(const uint8_t *p, struct proxy_header *out)
{
    struct sockaddr_in *from = (void *)&out->from, *to = (void *)&out->to;

    from->sin_family = to->sin_family = AF_INET;
    memcpy(&from->sin_addr, p, 4);
    memcpy(&to->sin_addr, p + 4, 4);
    memcpy(&from->sin_port, p + 8, 2);
    memcpy(&to->sin_port, p + 10, 2);
}

static void copy_v6(const uint8_t *p, struct proxy_header *out)
{
    struct sockaddr_in6 *from = (void *)&out->from, *to = (void *)&out->to;

    from->sin6_family = to->sin6_family = AF_INET6;
    memcpy(&from->sin6_addr, p, 16);
    memcpy(&to->sin6_addr, p + 16, 16);
    memcpy(&from->sin6_port, p + 32, 2);
    memcpy(&to->sin6_port, p + 34, 2);
}

static enum proxy_header_verdict parse_v2(const uint8_t *p, size_t n, struct proxy_header *out)
{
    size_t rest;

    if (n < V2_HEAD)
        return PROXY_HEADER_MORE;
    rest = (size_t)p[14] << 8 | p[15];
    out->len = V2_HEAD + rest;
    if ((p[12] != V2_LOCAL && p[12] != V2_PROXY) || out->len > PROXY_HEADER_MAX)
        return PROXY_HEADER_BAD;
    if (n < out->len)
        return PROXY_HEADER_MORE;
    if (p[12] == V2_LOCAL)
        return PROXY_HEADER_DONE;
    out->has_addr = p[13] == V2_TCP4 || p[13] == V2_TCP6;
    if (!out->has_addr)
        return PROXY_HEADER_DONE; /* of another family */
    if (rest < (p[13] == V2_TCP4 ? 12U : 36U))
        return PROXY_HEADER_BAD;
    if (p[13] == V2_TCP4)
        copy_v4(p + V2_HEAD, out);
    else
        copy_v6(p + V2_HEAD, out);
    out->addr_len = length_of(out->from.ss_family);
    return PROXY_HEADER_DONE;
}

/* ---- both ---- */

static bool begins(const uint8_t *p, size_t n, const void *with, size_t len)
{
    return memcmp(p, with, n < len ? n : len) == 0;
}

enum proxy_header_verdict proxy_header_parse(const uint8_t *p, size_t n, struct proxy_header *out)
{
    *out = (struct proxy_header){0};
    if (n == 0)
        return PROXY_HEADER_MORE;
    if (begins(p, n, v1_begin, sizeof v1_begin - 1))
        return n < sizeof v1_begin - 1 ? PROXY_HEADER_MORE : parse_v1(p, n, out);
    if (begins(p, n, v2_begin, sizeof v2_begin))
        return parse_v2(p, n, out);
    return PROXY_HEADER_NONE;
}

/* ---- writing ---- */

static bool is_internet(const struct sockaddr *a)
{
    return a->sa_family == AF_INET || a->sa_family == AF_INET6;
}

static size_t format_v1(const struct sockaddr *from, const struct sockaddr *to, uint8_t *out)
{
    char hosts[2][INET6_ADDRSTRLEN];
    const struct sockaddr *ends[] = {from, to};
    unsigned ports[2];

    if (!is_internet(from) || from->sa_family != to->sa_family)
        return (size_t)snprintf((char *)out, PROXY_HEADER_ROOM, "PROXY UNKNOWN\r\n");
    for (int i = 0; i < 2; i++) {
        const struct sockaddr_in *in = (const void *)ends[i];
        const struct sockaddr_in6 *in6 = (const void *)ends[i];
        const bool v4 = ends[i]->sa_family == AF_INET;

        inet_ntop(ends[i]->sa_family, v4 ? (const void *)&in->sin_addr : &in6->sin6_addr, hosts[i],
                  sizeof hosts[i]);
        ports[i] = ntohs(v4 ? in->sin_port : in6->sin6_port);
    }
    return (size_t)snprintf((char *)out, PROXY_HEADER_ROOM, "PROXY %s %s %s %u %u\r\n",
                            from->sa_family == AF_INET ? "TCP4" : "TCP6", hosts[0], hosts[1],
                            ports[0], ports[1]);
}

static size_t put(uint8_t *out, size_t at, const void *p, size_t len)
{
    memcpy(out + at, p, len);
    return at + len;
}

static size_t format_v2(const struct sockaddr *from, const struct sockaddr *to, uint8_t *out)
{
    const struct sockaddr_in *from4 = (const void *)from, *to4 = (const void *)to;
    const struct sockaddr_in6 *from6 = (const void *)from, *to6 = (const void *)to;
    size_t n = put(out, 0, v2_begin, sizeof v2_begin);

    out[n] = V2_PROXY;
    out[n + 1] = from->sa_family == AF_INET ? V2_TCP4 : V2_TCP6;
    n = V2_HEAD;
    if (!is_internet(from) || from->sa_family != to->sa_family) {
        out[12] = V2_LOCAL;
        out[13] = 0;
    } else if (from->sa_family == AF_INET) {
        n = put(out, n, &from4->sin_addr, 4);
        n = put(out, n, &to4->sin_addr, 4);
        n = put(out, n, &from4->sin_port, 2);
        n = put(out, n, &to4->sin_port, 2);
    } else {
        n = put(out, n, &from6->sin6_addr, 16);
        n = put(out, n, &to6->sin6_addr, 16);
        n = put(out, n, &from6->sin6_port, 2);
        n = put(out, n, &to6->sin6_port, 2);
    }
    out[14] = 0;
    out[15] = (uint8_t)(n - V2_HEAD);
    return n;
}

size_t proxy_header_format(unsigned version, const struct sockaddr *from, const struct sockaddr *to,
                           uint8_t out[PROXY_HEADER_ROOM])
{
    return version == 1 ? format_v1(from, to, out) : format_v2(from, to, out);
}
