/* Eight bytes of size, then a Range field, compared with a slow and simple reading of RFC 9110 14:
 * numbers of any length are compared as texts. */
#include "base/alloc.h"
#include "http/ranges.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---- the reference ---- */

struct reading {
    enum ranges_verdict verdict;
    struct range ranges[RANGES_MAX];
    size_t n, specs;
};

static bool is_number(const char *s)
{
    return *s != '\0' && s[strspn(s, "0123456789")] == '\0';
}

/* As strcmp() for numbers. */
static int compare(const char *a, const char *b)
{
    a += strspn(a, "0");
    b += strspn(b, "0");
    if (strlen(a) != strlen(b))
        return strlen(a) < strlen(b) ? -1 : 1;
    return strcmp(a, b);
}

/* first to last, both inclusive. False: they overlap with others. */
static bool add(struct reading *r, int64_t first, int64_t last)
{
    for (size_t i = 0; i < r->n; i++) {
        int64_t other = r->ranges[i].first, end = other + (r->ranges[i].len - 1);

        if (!(last < other || end < first))
            return false;
    }
    r->ranges[r->n++] = (struct range){first, last - first + 1};
    return true;
}

/* "-5". False: all is to be sent. */
static bool read_suffix(struct reading *r, const char *digits, int64_t size, const char *size_text)
{
    if (!is_number(digits))
        return false;
    if (compare(digits, "0") == 0)
        return true;
    if (size == 0)
        return false;
    return add(r, compare(digits, size_text) >= 0 ? 0 : size - atoll(digits), size - 1);
}

/* The same of one of the ranges, which has no blanks at its ends and is written over. */
static bool read_spec(struct reading *r, char *spec, int64_t size)
{
    char size_text[24], *dash = strchr(spec, '-'), *last;

    snprintf(size_text, sizeof size_text, "%lld", (long long)size);
    if (dash == NULL)
        return false;
    *dash = '\0';
    last = dash + 1;
    if (dash == spec)
        return read_suffix(r, last, size, size_text);
    if (!is_number(spec) || (*last != '\0' && (!is_number(last) || compare(last, spec) < 0)))
        return false;
    if (compare(spec, size_text) >= 0)
        return true;
    return add(r, atoll(spec),
               *last == '\0' || compare(last, size_text) >= 0 ? size - 1 : atoll(last));
}

static char *trim(char *s)
{
    s += strspn(s, " \t");
    while (*s != '\0' && strchr(" \t", s[strlen(s) - 1]) != NULL)
        s[strlen(s) - 1] = '\0';
    return s;
}

/* field is written over. */
static bool read_field(struct reading *r, char *field, int64_t size)
{
    char *rest = strchr(field, '='), *spec;

    if (rest == NULL)
        return false;
    *rest++ = '\0';
    if (strcasecmp(trim(field), "bytes") != 0)
        return false;
    while ((spec = strsep(&rest, ",")) != NULL) {
        spec = trim(spec);
        if (*spec == '\0')
            continue;
        if (++r->specs > RANGES_MAX || !read_spec(r, spec, size))
            return false;
    }
    return r->specs > 0;
}

static struct reading reference(const char *field, int64_t size)
{
    struct reading r = {RANGES_WHOLE, {{0, 0}}, 0, 0};
    char *copy = xstrdup(field);

    if (read_field(&r, copy, size))
        r.verdict = r.n > 0 ? RANGES_SOME : RANGES_UNSATISFIABLE;
    free(copy);
    return r;
}

/* ---- both ---- */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct range ranges[RANGES_MAX];
    struct reading expected;
    uint64_t of = 0;
    char *field;
    size_t n;

    if (size < sizeof of || memchr(data + sizeof of, '\0', size - sizeof of) != NULL)
        return 0; /* no field has a NUL */
    memcpy(&of, data, sizeof of);
    of &= INT64_MAX;
    field = xstrndup((const char *)data + sizeof of, size - sizeof of);
    expected = reference(field, (int64_t)of);
    assert(ranges_parse(str_of(field), (int64_t)of, ranges, &n) == expected.verdict);
    if (expected.verdict == RANGES_SOME) {
        assert(n == expected.n);
        for (size_t i = 0; i < n; i++)
            assert(ranges[i].first == expected.ranges[i].first &&
                   ranges[i].len == expected.ranges[i].len);
    }
    free(field);
    return 0;
}
