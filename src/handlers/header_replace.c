#include "handlers/header_replace.h"

#include "base/alloc.h"
#include "base/buf.h"

#include <regex.h>
#include <stdlib.h>

enum { GROUPS = 10, VALUE_MAX = 64 * 1024 };

struct replace {
    regex_t regex;
};

struct replace *replace_new(const char *find, struct err *e)
{
    struct replace *r = xalloc(sizeof *r);
    char why[128];
    int code = regcomp(&r->regex, find, REG_EXTENDED);

    if (code == 0)
        return r;
    regerror(code, &r->regex, why, sizeof why);
    err_set(e, ERR_SYNTAX, "the expression is not valid: %s", why);
    free(r);
    return NULL;
}

void replace_free(struct replace *r)
{
    if (r == NULL)
        return;
    regfree(&r->regex);
    free(r);
}

int replace_check(const char *find, struct err *e)
{
    struct replace *r = replace_new(find, e);

    replace_free(r);
    return r == NULL ? -1 : 0;
}

/* Each of these drops what would pass the ceiling of out. */
static void put(struct buf *out, const char *p, size_t len)
{
    if (buf_append(out, p, len) != 0)
        out->max = out->len;
}

static void put_replacement(struct buf *out, struct str with, const char *from, const regmatch_t *m)
{
    for (size_t i = 0; i < with.len; i++) {
        char next = i + 1 < with.len ? with.p[i + 1] : '\0';

        if (with.p[i] != '$' || !(next == '$' || (next >= '0' && next <= '9'))) {
            put(out, &with.p[i], 1);
            continue;
        }
        i++;
        if (next == '$')
            put(out, "$", 1);
        else if (m[next - '0'].rm_so >= 0)
            put(out, from + m[next - '0'].rm_so,
                (size_t)(m[next - '0'].rm_eo - m[next - '0'].rm_so));
    }
}

/* As Go does it, and so Caddy: an empty match right behind a match is none. */
struct str replace_all(const struct replace *r, struct arena *a, struct str value, struct str with)
{
    const struct str copy = arena_str(a, value); /* regexec() wants a NUL at its end */
    const char *from = copy.p, *const end = copy.p + copy.len, *after = NULL;
    struct buf out = BUF_INIT(VALUE_MAX);
    regmatch_t m[GROUPS];
    struct str result;

    while (from <= end &&
           regexec(&r->regex, from, GROUPS, m, from == copy.p ? 0 : REG_NOTBOL) == 0) {
        const char *at = from + m[0].rm_so, *to = from + m[0].rm_eo;

        put(&out, from, (size_t)(at - from));
        if (at != to || at != after)
            put_replacement(&out, with, from, m);
        if (at == to && at < end)
            put(&out, at, 1);
        from = at == to ? to + 1 : to;
        after = to;
    }
    if (after == NULL)
        return value;
    if (from < end)
        put(&out, from, (size_t)(end - from));
    result = out.len == 0 ? STR_LIT("") : arena_str(a, buf_str(&out));
    buf_fini(&out);
    return result;
}
