#include "base/ip_set.h"

#include "base/alloc.h"
#include "base/merge.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>

/* ---- addresses ---- */

static void set_v6(struct ip *out, const unsigned char bytes[16])
{
    static const unsigned char mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

    *out = (struct ip){.v6 = memcmp(bytes, mapped, sizeof mapped) != 0};
    if (out->v6)
        memcpy(out->bytes, bytes, 16);
    else
        memcpy(out->bytes + 12, bytes + 12, 4);
}

bool ip_parse(struct str s, struct ip *out)
{
    char text[INET6_ADDRSTRLEN];
    unsigned char v6[16];

    if (s.len == 0 || s.len >= sizeof text || memchr(s.p, '\0', s.len) != NULL)
        return false;
    memcpy(text, s.p, s.len);
    text[s.len] = '\0';
    *out = (struct ip){.v6 = false};
    if (inet_pton(AF_INET, text, out->bytes + 12) == 1)
        return true;
    if (inet_pton(AF_INET6, text, v6) != 1)
        return false;
    set_v6(out, v6);
    return true;
}

bool ip_of_sockaddr(const struct sockaddr *sa, struct ip *out)
{
    *out = (struct ip){.v6 = false};
    if (sa != NULL && sa->sa_family == AF_INET) {
        memcpy(out->bytes + 12, &((const struct sockaddr_in *)sa)->sin_addr, 4);
        return true;
    }
    if (sa == NULL || sa->sa_family != AF_INET6)
        return false;
    set_v6(out, ((const struct sockaddr_in6 *)sa)->sin6_addr.s6_addr);
    return true;
}

struct str ip_format(struct arena *a, const struct ip *ip)
{
    char *text = arena_bytes(a, INET6_ADDRSTRLEN);

    if (inet_ntop(ip->v6 ? AF_INET6 : AF_INET, ip->bytes + (ip->v6 ? 0 : 12), text,
                  INET6_ADDRSTRLEN) == NULL)
        abort();
    return str_of(text);
}

/* IPv4 comes first. */
static int compare(const struct ip *a, const struct ip *b)
{
    if (a->v6 != b->v6)
        return a->v6 ? 1 : -1;
    return memcmp(a->bytes, b->bytes, sizeof a->bytes);
}

/* ---- sets ---- */

/* The range of all addresses that have the first bits of ip. */
static struct ip_range range_of(const struct ip *ip, unsigned bits)
{
    struct ip_range r = {*ip, *ip};

    if (!ip->v6)
        bits += 96;
    for (unsigned i = 0; i < 16; i++) {
        unsigned fixed = bits <= 8 * i ? 0 : bits - 8 * i >= 8 ? 8 : bits - 8 * i;
        unsigned char rest = (unsigned char)(0xffU >> fixed);

        r.first.bytes[i] &= (unsigned char)~rest;
        r.last.bytes[i] |= rest;
    }
    return r;
}

static int add_private(struct ip_set *s, struct arena *a, struct err *e)
{
    static const char *const ranges[] = {"192.168.0.0/16", "172.16.0.0/12", "10.0.0.0/8",
                                         "127.0.0.1/8",    "fd00::/8",      "::1"};

    for (size_t i = 0; i < ARRAY_LEN(ranges); i++)
        if (ip_set_add(s, a, str_of(ranges[i]), e) != 0)
            return -1;
    return 0;
}

static int bad_range(struct str range, struct err *e)
{
    if (memchr(range.p, '%', range.len) != NULL)
        return err_set(e, ERR_SYNTAX, "'" STR_FMT "': zones of IPv6 addresses are not supported",
                       STR_ARG(range));
    return err_set(e, ERR_SYNTAX,
                   "'" STR_FMT "' is no IP address, no range such as 192.0.2.0/24, and not "
                   "private_ranges",
                   STR_ARG(range));
}

int ip_set_add(struct ip_set *s, struct arena *a, struct str range, struct err *e)
{
    struct str rest = range, address = str_cut(&rest, '/');
    struct ip ip;
    uint64_t bits;

    if (str_is(range, "private_ranges"))
        return add_private(s, a, e);
    if (!ip_parse(address, &ip))
        return bad_range(range, e);
    /* The prefix of a mapped address counts its 96 bits. */
    if (rest.p == NULL)
        bits = ip.v6 ? 128 : 32;
    else if (!str_to_uint(rest, memchr(address.p, ':', address.len) != NULL ? 128 : 32, &bits))
        return bad_range(range, e);
    else if (!ip.v6 && memchr(address.p, ':', address.len) != NULL)
        bits = bits < 96 ? 0 : bits - 96;
    s->list = arena_grow(a, s->list, s->n, &s->cap, sizeof *s->list);
    s->list[s->n++] = range_of(&ip, (unsigned)bits);
    return 0;
}

static int compare_ranges(const void *a, const void *b)
{
    return compare(&((const struct ip_range *)a)->first, &((const struct ip_range *)b)->first);
}

/* Ranges that meet become one; those before the first changed one are apart already. */
void ip_set_finish(struct ip_set *s)
{
    size_t first = merge_tail(s->list, s->n_finished, s->n, sizeof *s->list, compare_ranges);
    size_t kept = first == 0 ? 0 : first - 1;

    if (first == s->n)
        return;
    for (size_t i = kept + 1; i < s->n; i++) {
        struct ip_range *before = &s->list[kept];

        if (compare(&s->list[i].first, &before->last) > 0)
            s->list[++kept] = s->list[i];
        else if (compare(&s->list[i].last, &before->last) > 0)
            before->last = s->list[i].last;
    }
    s->n = s->n_finished = kept + 1;
}

bool ip_set_has(const struct ip_set *s, const struct ip *ip)
{
    size_t low = 0, high = s->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (compare(ip, &s->list[middle].first) < 0)
            high = middle;
        else if (compare(ip, &s->list[middle].last) > 0)
            low = middle + 1;
        else
            return true;
    }
    return false;
}
