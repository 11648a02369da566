/* Any bytes as the path of a target, compared with a slow and simple way to clean it. */
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

/* The length, or -1. */
static long decode(const uint8_t *raw, size_t size, char *out)
{
    long n = 0;

    while (size > 0) {
        int c = *raw;
        size_t used = 1;

        if (c == '%') {
            if (size < 3 || digit(raw[1]) < 0 || digit(raw[2]) < 0)
                return -1;
            c = digit(raw[1]) * 16 + digit(raw[2]);
            used = 3;
        }
        if (c == 0)
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
    long len = size > 0 && data[0] == '/' ? decode(data, size, text) : -1;
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
    free(expected);
    arena_free(a);
    return 0;
}
