#include "io/dns.h"

#include <arpa/inet.h>
#include <assert.h>
#include <string.h>

enum {
    HEADER_LEN = 12,
    TYPE_CNAME = 5,
    CLASS_IN = 1,
    LABEL_MAX = 63,
    ALIASES_MAX = 8, /* one after the other */
    JUMPS_MAX = 16,  /* of one name */
    FLAG_RESPONSE = 0x8000,
    FLAG_TRUNCATED = 0x0200,
    FLAG_RECURSE = 0x0100,
    OPCODE_MASK = 0x7800,
    RCODE_MASK = 0x000f,
    RCODE_NO_NAME = 3
};

/* ---- questions ---- */

static bool is_label_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

static struct str without_dot(struct str name)
{
    if (name.len > 0 && name.p[name.len - 1] == '.')
        name.len--;
    return name;
}

bool dns_is_name(struct str name)
{
    size_t label = 0;

    name = without_dot(name);
    if (name.len == 0 || name.len > DNS_NAME_MAX)
        return false;
    for (size_t i = 0; i < name.len; i++) {
        if (name.p[i] == '.') {
            if (label == 0)
                return false;
            label = 0;
        } else if (!is_label_char(ascii_lower(name.p[i])) || ++label > LABEL_MAX) {
            return false;
        }
    }
    return label > 0;
}

static uint8_t *put16(uint8_t *at, unsigned v)
{
    at[0] = (uint8_t)(v >> 8);
    at[1] = (uint8_t)v;
    return at + 2;
}

size_t dns_question(uint8_t out[DNS_QUESTION_MAX], uint16_t id, struct str name, enum dns_type type)
{
    uint8_t *at = out;
    struct str rest = without_dot(name);

    assert(dns_is_name(name));
    at = put16(at, id);
    at = put16(at, FLAG_RECURSE);
    at = put16(at, 1);
    memset(at, 0, 6);
    at += 6;
    while (rest.len > 0) {
        size_t len = str_chr(rest, '.');

        *at++ = (uint8_t)len;
        memcpy(at, rest.p, len);
        at += len;
        rest = str_from(rest, len < rest.len ? len + 1 : len);
    }
    *at++ = 0;
    at = put16(at, type);
    at = put16(at, CLASS_IN);
    return (size_t)(at - out);
}

/* ---- answers ---- */

/* What is left to read of a message. */
struct reader {
    const uint8_t *p;
    size_t len, at;
    bool bad;
};

static unsigned get16(struct reader *r)
{
    if (r->len - r->at < 2) {
        r->bad = true;
        return 0;
    }
    r->at += 2;
    return (unsigned)r->p[r->at - 2] << 8 | r->p[r->at - 1];
}

static void skip(struct reader *r, size_t n)
{
    if (r->len - r->at < n)
        r->bad = true;
    else
        r->at += n;
}

/* One label, or where the name goes on. 0: the root is reached, or it is bad. */
static size_t next_label(struct reader *r, size_t *at, size_t *end, unsigned *jumps)
{
    while (*at < r->len && (r->p[*at] & 0xc0) == 0xc0) {
        size_t to;

        if (*at + 1 >= r->len || ++*jumps > JUMPS_MAX)
            break;
        to = (size_t)(r->p[*at] & 0x3f) << 8 | r->p[*at + 1];
        if (*end == 0)
            *end = *at + 2;
        if (to >= *at) /* RFC 1035 4.1.4: a prior occurrence */
            break;
        *at = to;
    }
    if (*at >= r->len || (r->p[*at] & 0xc0) != 0 || r->p[*at] >= r->len - *at) {
        r->bad = true;
        return 0;
    }
    return r->p[*at];
}

/* A name as text in lower case; "" is the root, and any that is no host name. */
static void get_name(struct reader *r, char out[DNS_TEXT_MAX])
{
    size_t at = r->at, end = 0, n = 0, len;
    unsigned jumps = 0;
    bool plain = true;

    while ((len = next_label(r, &at, &end, &jumps)) > 0) {
        if (n + len + (n > 0) > DNS_NAME_MAX) {
            r->bad = true;
            break;
        }
        if (n > 0)
            out[n++] = '.';
        for (size_t i = 1; i <= len; i++) {
            out[n] = ascii_lower((char)r->p[at + i]);
            plain &= is_label_char(out[n++]);
        }
        at += len + 1;
    }
    out[plain ? n : 0] = '\0';
    r->at = end != 0 ? end : at + 1;
    r->bad |= r->at > r->len;
    if (r->bad)
        r->at = r->len;
}

struct record {
    char owner[DNS_TEXT_MAX];
    unsigned type;
    struct reader data; /* of the message up to the record's end */
};

static void get_record(struct reader *r, struct record *rec)
{
    unsigned class, len;

    get_name(r, rec->owner);
    rec->type = get16(r);
    class = get16(r);
    skip(r, 4); /* the time to live: the configuration says how often to ask */
    len = get16(r);
    rec->data = (struct reader){r->p, r->at + len, r->at, false};
    skip(r, len);
    if (class != CLASS_IN)
        rec->type = 0;
}

static bool is_name(const char *text, struct str name)
{
    return str_eq_nocase(str_of(text), without_dot(name));
}

static void take_address(struct record *rec, int family, size_t len, struct dns_record *out)
{
    if (rec->data.len - rec->data.at != len ||
        inet_ntop(family, rec->data.p + rec->data.at, out->target, sizeof out->target) == NULL)
        rec->data.bad = true;
}

static void take_service(struct record *rec, struct dns_record *out)
{
    struct reader *r = &rec->data;

    out->priority = (uint16_t)get16(r);
    out->weight = (uint16_t)get16(r);
    out->port = (uint16_t)get16(r);
    if (!r->bad)
        get_name(r, out->target);
    if (r->at != r->len)
        r->bad = true;
}

/* False: it is malformed. A target of "." means that there is no such service (RFC 2782). */
static bool take(struct record *rec, enum dns_type type, struct dns_records *out)
{
    struct dns_record *to = &out->list[out->n];

    if (out->n == DNS_RECORDS_MAX)
        return true;
    *to = (struct dns_record){0};
    switch (type) {
    case DNS_A:
        take_address(rec, AF_INET, 4, to);
        break;
    case DNS_AAAA:
        take_address(rec, AF_INET6, 16, to);
        break;
    case DNS_SRV:
        take_service(rec, to);
        break;
    }
    if (to->target[0] != '\0' && (type != DNS_SRV || to->port != 0))
        out->n++;
    return !rec->data.bad;
}

/* Follows aliases from name on to the name that has the records. */
static bool follow(struct reader answers, unsigned n, char name[DNS_TEXT_MAX])
{
    for (unsigned hops = 0; hops < ALIASES_MAX; hops++) {
        struct reader r = answers;
        bool found = false;

        for (unsigned i = 0; i < n && !r.bad && !found; i++) {
            struct record rec;

            get_record(&r, &rec);
            if (r.bad || rec.type != TYPE_CNAME || !is_name(rec.owner, str_of(name)))
                continue;
            get_name(&rec.data, name);
            found = true;
            if (rec.data.bad)
                return false;
        }
        if (!found)
            return !r.bad;
    }
    return false;
}

static bool collect(struct reader r, unsigned n, const char *name, enum dns_type type,
                    struct dns_records *out)
{
    for (unsigned i = 0; i < n; i++) {
        struct record rec;

        get_record(&r, &rec);
        if (r.bad)
            return false;
        if (rec.type == (unsigned)type && is_name(rec.owner, str_of(name)) &&
            !take(&rec, type, out))
            return false;
    }
    return true;
}

/* The header and the question; *n: records of the answer. */
static enum dns_result read_head(struct reader *r, uint16_t id, struct str name, enum dns_type type,
                                 unsigned *n)
{
    char asked[DNS_TEXT_MAX];
    unsigned flags, questions;

    if (get16(r) != id || r->bad)
        return DNS_FOREIGN;
    flags = get16(r);
    questions = get16(r);
    *n = get16(r);
    skip(r, 4);
    if (r->bad || (flags & FLAG_RESPONSE) == 0 || (flags & OPCODE_MASK) != 0 || questions != 1)
        return DNS_FOREIGN;
    get_name(r, asked);
    if (get16(r) != (unsigned)type || get16(r) != CLASS_IN || r->bad || !is_name(asked, name))
        return DNS_FOREIGN;
    if ((flags & FLAG_TRUNCATED) != 0)
        return DNS_TRUNCATED;
    if ((flags & RCODE_MASK) == RCODE_NO_NAME)
        return DNS_NO_NAME;
    return (flags & RCODE_MASK) == 0 ? DNS_OK : DNS_FAILED;
}

enum dns_result dns_answer(const uint8_t *message, size_t len, uint16_t id, struct str name,
                           enum dns_type type, struct dns_records *out)
{
    struct reader r = {message, len, 0, false};
    const unsigned before = out->n;
    char owner[DNS_TEXT_MAX];
    enum dns_result result;
    unsigned n;

    result = read_head(&r, id, name, type, &n);
    if (result != DNS_OK)
        return result;
    name = without_dot(name);
    memcpy(owner, name.p, name.len);
    owner[name.len] = '\0';
    if (follow(r, n, owner) && collect(r, n, owner, type, out))
        return DNS_OK;
    out->n = before;
    return DNS_FOREIGN;
}
