#include "conf/import_args.h"

/* One {args...} in a text. */
struct reference {
    size_t begin, end; /* its bytes */
    struct str index;  /* what names the arguments: "0", "1:" */
};

/* The next one from byte from on; a backslash before it makes it a plain text. */
static bool next_reference(struct str text, size_t from, struct reference *out)
{
    for (size_t i = from; i + 6 < text.len; i++) {
        struct str s = str_from(text, i);
        size_t close;

        if (s.p[0] != '{' || (i > 0 && text.p[i - 1] == '\\'))
            continue;
        if (!str_starts(s, STR_LIT("{args[")) && !str_starts(s, STR_LIT("{args.")))
            continue;
        close = str_chr(s, '}');
        if (close == s.len)
            return false;
        if (s.p[5] == '[' && s.p[close - 1] != ']')
            continue;
        *out = (struct reference){i, i + close + 1, {s.p + 6, close - 6 - (s.p[5] == '[')}};
        return true;
    }
    return false;
}

static bool is_whole(struct str text, const struct reference *r)
{
    return r->begin == 0 && r->end == text.len;
}

static int report_index(struct diag *d, const struct token *t, struct str text,
                        const struct reference *r)
{
    return diag_error(d, t,
                      "'" STR_FMT "' names no argument: write {args[0]}, {args[:]}, {args[1:]} or "
                      "{args[:2]}",
                      (int)(r->end - r->begin), text.p + r->begin);
}

static int report_missing(struct diag *d, const struct token *t, const struct reference *r,
                          const struct import_args *args)
{
    return diag_error(d, t,
                      "there is no '" STR_FMT "': the import at " STR_FMT ":%u:%u passes %zu "
                      "argument%s",
                      (int)(r->end - r->begin), t->text.p + r->begin, STR_ARG(args->at->file),
                      args->at->line, args->at->column, args->n, args->n == 1 ? "" : "s");
}

/* An end of a range; nothing written is its default. */
static bool to_bound(struct str s, size_t missing, size_t *out)
{
    uint64_t value = missing;

    if (s.len > 0 && !str_to_uint(s, UINT32_MAX, &value))
        return false;
    *out = value;
    return true;
}

static int read_range(struct diag *d, const struct token *t, const struct reference *r,
                      const struct import_args *args, struct args_range *out)
{
    struct str end = r->index, start = str_cut(&end, ':');

    if (!to_bound(start, 0, &out->from) || !to_bound(end, args->n, &out->to) ||
        (end.len > 0 && out->from > out->to))
        return report_index(d, t, t->text, r);
    if (out->from > out->to || out->to > args->n)
        return report_missing(d, t, r, args);
    return 0;
}

static int read_index(struct diag *d, const struct token *t, const struct reference *r,
                      const struct import_args *args, size_t *out)
{
    uint64_t value;

    if (str_chr(r->index, ':') < r->index.len && t->text.p[r->begin + 5] == '[')
        return diag_error(d, t, "'" STR_FMT "' stands for several words: it must be a word alone",
                          (int)(r->end - r->begin), t->text.p + r->begin);
    if (!str_to_uint(r->index, UINT32_MAX, &value))
        return report_index(d, t, t->text, r);
    if (value >= args->n)
        return report_missing(d, t, r, args);
    *out = value;
    return 0;
}

enum args_kind import_args_look(struct diag *d, const struct token *t,
                                const struct import_args *args, struct args_range *out)
{
    struct reference r;

    if (!next_reference(t->text, 0, &r))
        return ARGS_NONE;
    if (!is_whole(t->text, &r))
        return ARGS_PART;
    if (str_chr(r.index, ':') < r.index.len && t->text.p[5] == '[')
        return read_range(d, t, &r, args, out) == 0 ? ARGS_RANGE : ARGS_WRONG;
    if (read_index(d, t, &r, args, &out->from) != 0)
        return ARGS_WRONG;
    out->to = out->from + 1;
    return ARGS_RANGE;
}

int import_args_replace(struct diag *d, const struct token *t, const struct import_args *args,
                        struct buf *out)
{
    struct reference r;
    size_t at = 0;

    for (; next_reference(t->text, at, &r); at = r.end) {
        const struct str before = {t->text.p + at, r.begin - at};
        size_t i;

        if (read_index(d, t, &r, args, &i) != 0)
            return -1;
        if (buf_append_str(out, before) != 0 || buf_append_str(out, args->list[i].text) != 0)
            return diag_error(d, t, "the arguments of imports make a word too long");
    }
    if (buf_append_str(out, str_from(t->text, at)) != 0)
        return diag_error(d, t, "the arguments of imports make a word too long");
    return 0;
}
