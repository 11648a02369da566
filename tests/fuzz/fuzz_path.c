/* Any bytes as the path of a target: to clean it, to make a sound one of it and to look for dots in
 * it, each compared with a slow and simple way. */
#include "base/alloc.h"
#include "http/path.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---- the reference: decode everything, then copy segment by segment ---- */

static int digit(uint8_t c)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    const char *at = c == 0 ? NULL : strchr(digits, c);

    return at == NULL ? -1 : (int)(at - digits) % 16;
}

/* The length, or -1; lax: what is no escape stands for itself, and a NUL is a byte. */
static long decode(const uint8_t *raw, size_t size, bool lax, char *out)
{
    long n = 0;

    while (size > 0) {
        int c = *raw;
        size_t used = 1;

        if (c == '%' && size >= 3 && digit(raw[1]) >= 0 && digit(raw[2]) >= 0) {
            c = digit(raw[1]) * 16 + digit(raw[2]);
            used = 3;
        } else if (c == '%' && !lax) {
            return -1;
        }
        if (c == 0 && !lax)
            return -1;
        out[n++] = (char)c;
        raw += used;
        size -= used;
    }
    return n;
}

static void append(char *out, const char *s)
{
    memcpy(out + strlen(out), s, strlen(s) + 1);
}

/* Takes the last "/segment" off. */
static bool chop(char *out)
{
    char *slash = strrchr(out, '/');

    if (slash == NULL)
        return false;
    *slash = '\0';
    return true;
}

static bool reference(const uint8_t *data, size_t size, char *out)
{
    char *text = xalloc(size + 1), *rest = text, *segment;
    long len = size > 0 && data[0] == '/' ? decode(data, size, false, text) : -1;
    bool ok = len >= 0, folder = true;

    *out = '\0';
    while (ok && (segment = strsep(&rest, "/")) != NULL) {
        folder = *segment == '\0' || strcmp(segment, ".") == 0 || strcmp(segment, "..") == 0;
        if (strcmp(segment, "..") == 0)
            ok = chop(out);
        if (folder)
            continue;
        append(out, "/");
        append(out, segment);
    }
    if (folder)
        append(out, "/");
    free(text);
    return ok;
}

/* ---- what holds for every clean path ---- */

static void check_invariants(struct arena *a, struct str path)
{
    struct str rest = path, again, escaped;

    assert(path.len > 0 && path.p[0] == '/');
    assert(memchr(path.p, '\0', path.len) == NULL);
    assert(memmem(path.p, path.len, "//", 2) == NULL);
    while (rest.p != NULL) {
        struct str segment = str_cut(&rest, '/');

        assert(!str_is(segment, ".") && !str_is(segment, ".."));
    }
    escaped = path_escape(a, path);
    for (size_t i = 0; i < escaped.len; i++)
        assert(escaped.p[i] > 0x20 && escaped.p[i] < 0x7f && escaped.p[i] != '\\');
    assert(path_clean(a, escaped, &again) == PATH_OK && str_eq(again, path));
}

/* ---- dots, and paths that were put together ---- */

static void check_dots(struct str raw)
{
    char *text = xalloc(raw.len + 1);
    struct str rest = {text, (size_t)decode((const uint8_t *)raw.p, raw.len, true, text)};
    bool one = false, two = false;

    while (rest.p != NULL) {
        struct str segment = str_cut(&rest, '/');

        one = one || str_is(segment, ".");
        two = two || str_is(segment, "..");
    }
    assert(path_has_dots(raw, 2) == two);
    assert(path_has_dots(raw, 1) == (one || two));
    free(text);
}

/* The same bytes when it is decoded, and nothing in it that a target may not hold. */
static void check_normal(struct arena *a, struct str raw, bool plain)
{
    static const char bare[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                               "-._~!$&'()*+,;=:@/";
    struct str made = path_normal(a, raw, plain), again = path_normal(a, made, plain);
    char *before = xalloc(raw.len + 1), *after = xalloc(made.len + 1);
    long n = decode((const uint8_t *)raw.p, raw.len, true, before);
    long m = decode((const uint8_t *)made.p, made.len, false, after);
    bool slash = raw.len == 0 || raw.p[0] != '/';

    if (m == -1) /* only for a NUL */
        m = decode((const uint8_t *)made.p, made.len, true, after);
    assert(str_eq(made, again) && m == n + slash && after[0] == '/');
    assert(memcmp(after + slash, before, (size_t)n) == 0);
    for (size_t i = 0; i < made.len; i++) {
        if (made.p[i] != '%') {
            assert(made.p[i] != '\0' && strchr(bare, made.p[i]) != NULL);
            continue;
        }
        assert(made.len - i >= 3 && digit((uint8_t)made.p[i + 1]) >= 0 &&
               digit((uint8_t)made.p[i + 2]) >= 0);
        if (plain) {
            int c = digit((uint8_t)made.p[i + 1]) * 16 + digit((uint8_t)made.p[i + 2]);

            assert(c == 0 || strchr(bare, c) == NULL);
        }
    }
    free(before);
    free(after);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *a = arena_new();
    char *expected = xalloc(size + 2);
    struct str raw = {(const char *)data, size}, out;
    bool ok = reference(data, size, expected);

    assert((path_clean(a, raw, &out) == PATH_OK) == ok);
    if (ok) {
        assert(str_is(out, expected));
        check_invariants(a, out);
    }
    check_dots(raw);
    check_normal(a, raw, false);
    check_normal(a, raw, true);
    free(expected);
    arena_free(a);
    return 0;
}
