#include "handlers/field_edit.h"

#include "base/alloc.h"
#include "base/regex.h"
#include "conf/text.h"
#include "http/placeholder.h"

/* ---- configuration ---- */

static const char *const framing[] = {"Content-Length", "Transfer-Encoding", "Connection",
                                      "Keep-Alive",     "Upgrade",           "Trailer"};

static int check_name(const struct directive_args *d, const struct token *t, struct str name)
{
    if (!str_is_token(name))
        return directive_error(d, t, "'" STR_FMT "' is no field name", STR_ARG(name));
    for (size_t i = 0; i < ARRAY_LEN(framing); i++)
        if (str_eq_nocase(name, str_of(framing[i])))
            return directive_error(d, t, "'%s' belongs to the protocol and cannot be changed",
                                   framing[i]);
    return 0;
}

static int set_find(const struct directive_args *d, const struct token *t, struct field_edit *edit)
{
    struct text text;
    struct err e;

    if (text_compile(d->arena, t->text, NULL, &text, &e) == 0 && !text.constant)
        return directive_error(d, t, "an expression with placeholders is not supported yet");
    edit->find = directive_regex(d, t);
    return edit->find != NULL ? 0 : -1;
}

static void insert(const struct directive_args *d, struct field_edits *out,
                   const struct field_edit *edit)
{
    size_t at = out->n;

    out->list = arena_grow(d->arena, out->list, out->n, &out->cap, sizeof *out->list);
    for (; at > 0 && out->list[at - 1].kind > edit->kind; at--)
        out->list[at] = out->list[at - 1];
    out->list[at] = *edit;
    out->n++;
}

static enum field_edit_kind kind_of(struct str word, size_t n)
{
    if (str_is(word, "-*"))
        return EDIT_CLEAR;
    if (str_starts(word, STR_LIT("-")))
        return EDIT_DELETE;
    if (str_starts(word, STR_LIT("+")))
        return EDIT_ADD;
    return n == 3 ? EDIT_REPLACE : EDIT_SET;
}

static size_t words_of(enum field_edit_kind kind)
{
    if (kind == EDIT_CLEAR || kind == EDIT_DELETE)
        return 1;
    return kind == EDIT_REPLACE ? 3 : 2;
}

int field_edit_add(const struct directive_args *d, const struct token *words, size_t n,
                   struct field_edits *out)
{
    struct field_edit edit = {.kind = kind_of(words[0].text, n), .name = words[0].text};
    size_t wanted = words_of(edit.kind);

    if (str_starts(edit.name, STR_LIT("+")) || str_starts(edit.name, STR_LIT("-")))
        edit.name = str_from(edit.name, 1);
    if (str_ends(edit.name, STR_LIT(":")))
        edit.name.len--; /* a habit that Caddy is kind to as well */
    if (check_name(d, &words[0], edit.name) != 0)
        return -1;
    if (n != wanted)
        return directive_error(d, &words[n < wanted ? 0 : wanted],
                               n < wanted ? "a value is missing" : "nothing more can stand here");
    edit.name = arena_str(d->arena, edit.name);
    if (edit.kind == EDIT_REPLACE) {
        if (directive_replacement(d, &words[n - 1], &edit.value) != 0 ||
            set_find(d, &words[1], &edit) != 0)
            return -1;
    } else if (n > 1 && directive_text(d, &words[n - 1], &edit.value) != 0) {
        return -1;
    }
    insert(d, out, &edit);
    return 0;
}

/* ---- at an exchange ---- */

/* "X-*", "*-Id", "*debug*" */
static bool glob_matches(struct str glob, struct str name)
{
    bool open_front = str_starts(glob, STR_LIT("*"));
    bool open_end = glob.len > 1 && str_ends(glob, STR_LIT("*"));

    if (open_front)
        glob = str_from(glob, 1);
    if (open_end)
        glob.len--;
    for (size_t at = 0; at + glob.len <= name.len; at++)
        if ((at == 0 || open_front) && (at + glob.len == name.len || open_end) &&
            str_eq_nocase((struct str){name.p + at, glob.len}, glob))
            return true;
    return false;
}

static bool is_glob(struct str name)
{
    return memchr(name.p, '*', name.len) != NULL;
}

/* Of a replacement only the whole name may be a star. */
static bool is_named(const struct field_edit *edit, struct str name)
{
    if (edit->kind == EDIT_CLEAR || str_is(edit->name, "*"))
        return true;
    return edit->kind == EDIT_DELETE && is_glob(edit->name) ? glob_matches(edit->name, name)
                                                            : str_eq_nocase(edit->name, name);
}

bool field_edit_concerns(const struct field_edit *edit, struct str name)
{
    return edit->kind != EDIT_SET && is_named(edit, name);
}

static void delete_named(struct fields *f, const struct field_edit *edit)
{
    size_t kept = 0;

    for (size_t i = 0; i < f->n; i++)
        if (!is_named(edit, f->list[i].name))
            f->list[kept++] = f->list[i];
    f->n = kept;
}

static void replace_in(const struct field_edit *edit, struct exchange *ex, struct fields *f)
{
    struct str with = text_expand(&edit->value, ex);

    for (size_t i = 0; i < f->n; i++) {
        struct field *line = &f->list[i];

        if (is_named(edit, line->name))
            line->value = fields_clean_value(
                ex->arena, regex_replace(edit->find, ex->arena, line->value, with));
    }
}

static void run(const struct field_edit *edit, struct exchange *ex, struct fields *f)
{
    switch (edit->kind) {
    case EDIT_CLEAR:
    case EDIT_DELETE:
        delete_named(f, edit);
        break;
    case EDIT_ADD:
        fields_add(f, ex->arena, edit->name,
                   fields_clean_value(ex->arena, text_expand(&edit->value, ex)));
        break;
    case EDIT_SET:
        fields_set(f, ex->arena, edit->name,
                   fields_clean_value(ex->arena, text_expand(&edit->value, ex)));
        break;
    case EDIT_REPLACE:
        replace_in(edit, ex, f);
        break;
    }
}

void field_edits_run(const struct field_edits *edits, struct exchange *ex, struct fields *f)
{
    for (size_t i = 0; i < edits->n; i++)
        run(&edits->list[i], ex, f);
}
