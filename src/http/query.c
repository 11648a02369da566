#include "http/query.h"

#include "http/unescape.h"

#include <stdlib.h>

/* ---- escapes ---- */

/* unreserved of RFC 3986 2.3 */
static bool is_unreserved(char c)
{
    return (c >= '0' && c <= '9') || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z') ||
           (c != '\0' && strchr("-._~", c) != NULL);
}

/* query of RFC 3986 3.4; "[" and "]" are not in it, but everybody sends them. "%" stays, since a
 * query may hold anything behind one. */
static bool is_query_char(char c)
{
    return is_unreserved(c) || (c != '\0' && strchr("!$&'()*+,;=:@/?[]%", c) != NULL);
}

static struct str escape(struct arena *a, struct str s, bool (*is_plain)(char), bool plus)
{
    static const char hex[] = "0123456789ABCDEF";
    char *out = arena_bytes(a, s.len * 3 + 1), *at = out;

    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.p[i];

        if (is_plain(s.p[i])) {
            *at++ = s.p[i];
        } else if (plus && c == ' ') {
            *at++ = '+';
        } else {
            *at++ = '%';
            *at++ = hex[c >> 4];
            *at++ = hex[c & 15];
        }
    }
    *at = '\0';
    return (struct str){out, (size_t)(at - out)};
}

struct str query_escape(struct arena *a, struct str s)
{
    return escape(a, s, is_unreserved, true);
}

struct str query_normal(struct arena *a, struct str s)
{
    return escape(a, s, is_query_char, false);
}

/* ---- pairs ---- */

void query_add(struct query *q, struct arena *a, struct str key, struct str value)
{
    q->list = arena_grow(a, q->list, q->n, &q->cap, sizeof *q->list);
    q->list[q->n++] = (struct query_pair){key, value};
}

void query_remove(struct query *q, struct str key)
{
    size_t kept = 0;

    for (size_t i = 0; i < q->n; i++)
        if (!str_eq(q->list[i].key, key))
            q->list[kept++] = q->list[i];
    q->n = kept;
}

void query_set(struct query *q, struct arena *a, struct str key, struct str value)
{
    query_remove(q, key);
    query_add(q, a, key, value);
}

struct str query_get(const struct query *q, struct str key)
{
    for (size_t i = 0; i < q->n; i++)
        if (str_eq(q->list[i].key, key))
            return q->list[i].value;
    return (struct str){NULL, 0};
}

void query_rename(struct query *q, struct str key, struct str to)
{
    if (str_eq(key, to) || query_get(q, key).p == NULL)
        return;
    query_remove(q, to);
    for (size_t i = 0; i < q->n; i++)
        if (str_eq(q->list[i].key, key))
            q->list[i].key = to;
}

struct query query_parse(struct arena *a, struct str s)
{
    struct query q = {NULL, 0, 0};

    while (s.p != NULL) {
        struct str value = str_cut(&s, '&'), key;
        bool empty = value.len == 0 || str_chr(value, ';') < value.len;

        key = str_cut(&value, '=');
        if (!empty && unescape(a, key, true, &key) && unescape(a, value, true, &value))
            query_add(&q, a, key, value);
    }
    return q;
}

/* Of one key, the pair that came first: qsort() moves whole pairs, so their place is kept apart. */
struct sorted {
    struct query_pair pair;
    size_t place;
};

static int compare(const void *left, const void *right)
{
    const struct sorted *a = left, *b = right;
    int c = str_cmp(a->pair.key, b->pair.key);

    return c != 0 ? c : (a->place > b->place) - (a->place < b->place);
}

static void sort(struct arena *a, struct query *q)
{
    struct sorted *list = arena_alloc(a, (q->n + 1) * sizeof *list);

    for (size_t i = 0; i < q->n; i++)
        list[i] = (struct sorted){q->list[i], i};
    qsort(list, q->n, sizeof *list, compare);
    for (size_t i = 0; i < q->n; i++)
        q->list[i] = list[i].pair;
}

struct str query_encode(struct arena *a, struct query *q)
{
    size_t len = 0;
    char *out, *at;

    sort(a, q);
    for (size_t i = 0; i < q->n; i++) {
        q->list[i].key = query_escape(a, q->list[i].key);
        q->list[i].value = query_escape(a, q->list[i].value);
        len += q->list[i].key.len + q->list[i].value.len + 2;
    }
    at = out = arena_bytes(a, len + 1);
    for (size_t i = 0; i < q->n; i++) {
        if (i > 0)
            *at++ = '&';
        at = mempcpy(at, q->list[i].key.p, q->list[i].key.len);
        *at++ = '=';
        at = mempcpy(at, q->list[i].value.p, q->list[i].value.len);
    }
    *at = '\0';
    return (struct str){out, (size_t)(at - out)};
}
