#include "base/str.h"

bool str_eq_nocase(struct str a, struct str b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (a.p[i] != b.p[i] && ascii_lower(a.p[i]) != ascii_lower(b.p[i]))
            return false;
    return true;
}

bool str_starts(struct str s, struct str prefix)
{
    return s.len >= prefix.len && (prefix.len == 0 || memcmp(s.p, prefix.p, prefix.len) == 0);
}

bool str_ends(struct str s, struct str suffix)
{
    return s.len >= suffix.len && str_eq(str_from(s, s.len - suffix.len), suffix);
}

bool str_is(struct str s, const char *literal)
{
    return str_eq(s, str_of(literal));
}

int str_cmp(struct str a, struct str b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int c = len == 0 ? 0 : memcmp(a.p, b.p, len);

    if (c != 0)
        return c;
    return (a.len > b.len) - (a.len < b.len);
}

size_t str_chr(struct str s, char c)
{
    const char *at = s.len == 0 ? NULL : memchr(s.p, c, s.len);

    return at == NULL ? s.len : (size_t)(at - s.p);
}

static bool is_ows(char c)
{
    return c == ' ' || c == '\t';
}

struct str str_trim(struct str s)
{
    while (s.len > 0 && is_ows(s.p[0]))
        s = str_from(s, 1);
    while (s.len > 0 && is_ows(s.p[s.len - 1]))
        s.len--;
    return s;
}

struct str str_cut(struct str *rest, char sep)
{
    struct str s = *rest;
    size_t at = str_chr(s, sep);

    *rest = at < s.len ? str_from(s, at + 1) : (struct str){NULL, 0};
    s.len = at;
    return s;
}

/* The length of the first element, up to a comma that stands outside a quoted string. */
static size_t list_element_len(struct str s)
{
    bool quoted = false;

    for (size_t i = 0; i < s.len; i++) {
        if (quoted && s.p[i] == '\\')
            i++;
        else if (s.p[i] == '"')
            quoted = !quoted;
        else if (s.p[i] == ',' && !quoted)
            return i;
    }
    return s.len;
}

bool str_list_next(struct str *rest, struct str *element)
{
    while (rest->len > 0) {
        size_t len = list_element_len(*rest);

        *element = str_trim((struct str){rest->p, len});
        *rest = str_from(*rest, len < rest->len ? len + 1 : len);
        if (element->len > 0)
            return true;
    }
    return false;
}

/* A bit for each byte that may stand in a token. */
static const uint32_t token_bytes[8] = {
    0,          /* control bytes */
    0x03ff6cfa, /* digits and !#$%&'*+-. */
    0xc7fffffe, /* upper case and ^_ */
    0x57ffffff, /* lower case and `|~ */
};

bool str_is_token(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.p[i];

        if ((token_bytes[c / 32] >> c % 32 & 1) == 0)
            return false;
    }
    return s.len > 0;
}

bool str_to_uint(struct str s, uint64_t max, uint64_t *value)
{
    uint64_t v = 0;

    if (s.len == 0)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        uint64_t digit = (uint64_t)(unsigned char)s.p[i] - '0';

        if (digit > 9 || v > (max - digit) / 10 || digit > max)
            return false;
        v = v * 10 + digit;
    }
    *value = v;
    return true;
}

/* One number and its unit. */
struct unit {
    const char *name;
    uint64_t factor;
};

/* Splits "12unit..." into its number and the index after its digits; false without digits. */
static bool split_number(struct str s, uint64_t *value, size_t *digits)
{
    size_t n = 0;

    while (n < s.len && s.p[n] >= '0' && s.p[n] <= '9')
        n++;
    *digits = n;
    return str_to_uint((struct str){s.p, n}, UINT64_MAX / 2, value);
}

static const struct unit *unit_find(const struct unit *units, struct str name)
{
    for (; units->name != NULL; units++)
        if (str_eq_nocase(name, str_of(units->name)))
            return units;
    return NULL;
}

static const struct unit duration_units[] = {
    {"ms", 1},       {"s", 1000},      {"m", 60000}, {"h", 3600000},
    {"d", 86400000}, {"w", 604800000}, {NULL, 0},
};

static const struct unit size_units[] = {
    {"", 1},
    {"b", 1},
    {"kb", 1000},
    {"mb", 1000000},
    {"gb", 1000000000},
    {"k", 1024},
    {"m", 1048576},
    {"g", 1073741824},
    {"kib", 1024},
    {"mib", 1048576},
    {"gib", 1073741824},
    {NULL, 0},
};

int str_to_duration_ms(struct str s, uint64_t *ms, struct err *e)
{
    struct str all = s;
    uint64_t total = 0, value;
    size_t n;

    if (str_to_uint(s, UINT64_MAX / 1000, &value)) {
        *ms = value * 1000;
        return 0;
    }
    while (s.len > 0) {
        const struct unit *u;
        struct str name;

        if (!split_number(s, &value, &n))
            goto bad;
        name = str_from(s, n);
        name.len = 0;
        while (n + name.len < s.len && (s.p[n + name.len] < '0' || s.p[n + name.len] > '9'))
            name.len++;
        u = unit_find(duration_units, name);
        if (u == NULL || value > (UINT64_MAX / 2 - total) / u->factor)
            goto bad;
        total += value * u->factor;
        s = str_from(s, n + name.len);
    }
    if (all.len > 0) {
        *ms = total;
        return 0;
    }
bad:
    return err_set(e, ERR_SYNTAX, "'" STR_FMT "' is no duration (like 30s, 5m, 12h, 7d)",
                   STR_ARG(all));
}

int str_to_size(struct str s, uint64_t *bytes, struct err *e)
{
    const struct unit *u = NULL;
    uint64_t value;
    size_t n;

    if (split_number(s, &value, &n))
        u = unit_find(size_units, str_from(s, n));
    if (u == NULL || value > UINT64_MAX / 2 / u->factor)
        return err_set(e, ERR_SYNTAX, "'" STR_FMT "' is no size (like 512, 64KiB, 10MB)",
                       STR_ARG(s));
    *bytes = value * u->factor;
    return 0;
}

uint32_t str_hash_nocase(struct str s)
{
    uint32_t h = 2166136261U;

    for (size_t i = 0; i < s.len; i++)
        h = (h ^ (uint8_t)ascii_lower(s.p[i])) * 16777619U;
    return h;
}

unsigned str_distance(struct str a, struct str b)
{
    enum { LONGEST = 64, FAR = 255 };
    unsigned row[LONGEST + 1];

    if (a.len > LONGEST || b.len > LONGEST)
        return FAR;
    for (unsigned j = 0; j <= b.len; j++)
        row[j] = j;
    for (unsigned i = 1; i <= a.len; i++) {
        unsigned diagonal = row[0];

        row[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            unsigned above = row[j];
            unsigned change = diagonal + (a.p[i - 1] != b.p[j - 1]);
            unsigned shift = (above < row[j - 1] ? above : row[j - 1]) + 1;

            row[j] = change < shift ? change : shift;
            diagonal = above;
        }
    }
    return row[b.len];
}

bool str_eq_secret(struct str a, struct str b)
{
    volatile unsigned char diff = 0;

    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        diff |= (unsigned char)(a.p[i] ^ b.p[i]);
    return diff == 0;
}

/* RFC 3629 4: neither overlong forms, nor surrogates, nor what is beyond U+10FFFF. */
size_t str_utf8_len(struct str s)
{
    const unsigned char *p = (const unsigned char *)s.p;
    size_t len = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;

    if (len == 0 || p[0] > 0xf4 || len > s.len)
        return 0;
    for (size_t i = 1; i < len; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
        (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
        return 0;
    return len;
}
