/* What set functions may call. */
#include "base/regex.h"
#include "conf/build.h"
#include "conf/foreign.h"
#include "conf/placeholder_names.h"
#include "conf/text.h"

#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

int directive_error(const struct directive_args *d, const struct token *at, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    diag_verror(d->builder->diag, at, fmt, ap);
    va_end(ap);
    return -1;
}

int directive_error_in(const struct directive_args *d, const struct token *at, const struct err *e)
{
    struct token inside = diag_inside(d->builder->diag, at, e->at);

    return directive_error(d, &inside, "%s", e->msg);
}

void directive_warn(const struct directive_args *d, const struct token *at, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    diag_vwarn(d->builder->diag, at, fmt, ap);
    va_end(ap);
}

void directive_secret(const struct directive_args *d, const struct token *at)
{
    diag_secret(d->builder->diag, at);
}

struct token directive_place(const struct directive_args *d, const struct token *t, size_t offset)
{
    return diag_place(d->builder->diag, t, offset);
}

/* ": a, b, c", or "" if they are too many for a message. */
static const char *list_words(struct arena *a, const char *const *words)
{
    enum { LISTED_MAX = 8 };
    struct str list = STR_LIT("");
    size_t n = 0;

    for (; words[n] != NULL && n < LISTED_MAX; n++)
        list = arena_printf(a, STR_FMT "%s%s", STR_ARG(list), n == 0 ? ": there are " : ", ",
                            words[n]);
    return words[n] != NULL || n == 0 ? "" : list.p;
}

int directive_unknown(const struct directive_args *d, const struct token *at, const char *what,
                      const char *const *valid)
{
    struct nearest nearest;

    nearest_init(&nearest, at->text);
    for (size_t i = 0; valid[i] != NULL; i++)
        nearest_offer(&nearest, str_of(valid[i]));
    if (nearest.best.len == 0)
        return directive_error(d, at, "unknown %s '" STR_FMT "'%s", what, STR_ARG(at->text),
                               list_words(d->builder->scratch, valid));
    return diag_unknown(d->builder->diag, at, what, &nearest);
}

int directive_duration(const struct directive_args *d, const struct token *t, uint64_t *ms)
{
    struct err e;

    return str_to_duration_ms(t->text, ms, &e) == 0 ? 0 : directive_error(d, t, "%s", e.msg);
}

int directive_size(const struct directive_args *d, const struct token *t, uint64_t *bytes)
{
    struct err e;

    return str_to_size(t->text, bytes, &e) == 0 ? 0 : directive_error(d, t, "%s", e.msg);
}

int directive_uint(const struct directive_args *d, const struct token *t, uint64_t max,
                   uint64_t *value)
{
    if (str_to_uint(t->text, max, value))
        return 0;
    return directive_error(d, t, "'" STR_FMT "' is no number from 0 to %llu", STR_ARG(t->text),
                           (unsigned long long)max);
}

/* What has several lines may be a script, for a browser or a shell. */
static void warn_of_variables(const struct directive_args *d, const struct token *t)
{
    struct str rest = t->text, variable;
    const char *instead;

    if (str_chr(rest, '\n') < rest.len)
        return;
    while ((instead = foreign_variable(rest, &variable)) != NULL) {
        const struct token at = diag_inside(d->builder->diag, t, (size_t)(variable.p - t->text.p));

        directive_warn(d, &at, "'" STR_FMT "' is a variable of nginx: %s", STR_ARG(variable),
                       instead);
        rest = str_from(rest, (size_t)(variable.p - rest.p) + variable.len);
    }
}

int directive_text(const struct directive_args *d, const struct token *t, struct text *out)
{
    struct err e;

    warn_of_variables(d, t);
    if (text_compile(d->arena, t->text, &d->builder->defined, out, &e) == 0)
        return 0;
    return directive_error_in(d, t, &e);
}

struct regex *directive_regex(const struct directive_args *d, const struct token *t)
{
    struct regex *re;
    struct err e;

    re = regex_new(d->arena, t->text, &e);
    if (re == NULL)
        directive_error_in(d, t, &e);
    return re;
}

int directive_replacement(const struct directive_args *d, const struct token *t, struct text *out)
{
    struct err e;

    if (text_compile_replacement(d->arena, t->text, &d->builder->defined, out, &e) == 0)
        return 0;
    return directive_error_in(d, t, &e);
}

int directive_defined(const struct directive_args *d, const struct token *t, struct str *variable)
{
    struct str name = defined_name(t->text);

    if (name.p == NULL)
        return directive_error(d, t, "'" STR_FMT "' is no placeholder: write '{name}'",
                               STR_ARG(t->text));
    if (placeholder_is_known(name))
        return directive_error(d, t, "'" STR_FMT "' has a meaning already: choose another name",
                               STR_ARG(t->text));
    *variable = defined_variable(d->arena, name);
    return 0;
}

struct str directive_str(const struct directive_args *d, const struct token *t)
{
    return arena_str(d->arena, t->text);
}

const char *directive_cstr(const struct directive_args *d, const struct token *t)
{
    return directive_str(d, t).p;
}

const char *directive_path(const struct directive_args *d, const struct token *t)
{
    char cwd[PATH_MAX];

    if (str_starts(t->text, STR_LIT("/")) || getcwd(cwd, sizeof cwd) == NULL)
        return directive_cstr(d, t);
    if (str_starts(t->text, STR_LIT("./")))
        return arena_printf(d->arena, "%s/" STR_FMT, cwd, STR_ARG(str_from(t->text, 2))).p;
    return arena_printf(d->arena, "%s/" STR_FMT, cwd, STR_ARG(t->text)).p;
}
