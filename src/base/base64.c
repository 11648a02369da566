#include "base/base64.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* Four characters hold three bytes; the last group may be of two or three. */
void base64url_encode(struct str data, char *out)
{
    const uint8_t *p = (const uint8_t *)data.p;
    unsigned bits = 0;
    uint32_t acc = 0;

    for (size_t i = 0; i < data.len; i++) {
        acc = acc << 8 | p[i];
        for (bits += 8; bits >= 6; bits -= 6)
            *out++ = alphabet[acc >> (bits - 6) & 63];
    }
    if (bits > 0)
        *out++ = alphabet[acc << (6 - bits) & 63];
    *out = '\0';
}

int base64url_append(struct buf *out, struct str data)
{
    size_t len;

    if (data.len > SIZE_MAX / 8)
        return -1;
    len = BASE64URL_LEN(data.len);
    if (buf_reserve(out, len) != 0)
        return -1;
    base64url_encode(data, out->p + out->len);
    out->len += len;
    return 0;
}

/* The value of one character, or -1. Written as comparisons and not as a table indexed by the
 * character: what is decoded may be a secret, and a table leaves traces in the cache. */
static int value_of(char c, const char last_two[2])
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == last_two[0] ? 62 : c == last_two[1] ? 63 : -1;
}

static bool decode(struct str text, const char last_two[2], uint8_t *out, size_t cap, size_t *len)
{
    unsigned bits = 0;
    uint32_t acc = 0;
    size_t n = 0;

    if (text.len % 4 == 1)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        int value = value_of(text.p[i], last_two);

        if (value == -1)
            return false;
        acc = acc << 6 | (uint32_t)value;
        bits += 6;
        if (bits < 8)
            continue;
        if (n == cap)
            return false;
        bits -= 8;
        out[n++] = (uint8_t)(acc >> bits);
    }
    *len = n;
    return (acc & ((1u << bits) - 1)) == 0;
}

bool base64url_decode(struct str text, uint8_t *out, size_t cap, size_t *len)
{
    return decode(text, "-_", out, cap, len);
}

bool base64_decode(struct str text, uint8_t *out, size_t cap, size_t *len)
{
    if (text.len % 4 != 0)
        return false;
    for (int i = 0; i < 2 && text.len > 0 && text.p[text.len - 1] == '='; i++)
        text.len--;
    return decode(text, "+/", out, cap, len);
}
