#include "http/fields.h"

void fields_add(struct fields *f, struct arena *a, struct str name, struct str value)
{
    f->list = arena_grow(a, f->list, f->n, &f->cap, sizeof *f->list);
    f->list[f->n++] = (struct field){name, value};
}

/* The index of the first line of that name from line `from` on, or f->n. */
static size_t find(const struct fields *f, struct str name, size_t from)
{
    while (from < f->n && !str_eq_nocase(f->list[from].name, name))
        from++;
    return from;
}

static void remove_from(struct fields *f, struct str name, size_t from)
{
    size_t kept = from;

    for (size_t i = from; i < f->n; i++)
        if (!str_eq_nocase(f->list[i].name, name))
            f->list[kept++] = f->list[i];
    f->n = kept;
}

void fields_set(struct fields *f, struct arena *a, struct str name, struct str value)
{
    size_t first = find(f, name, 0);

    if (first == f->n) {
        fields_add(f, a, name, value);
        return;
    }
    f->list[first] = (struct field){name, value};
    remove_from(f, name, first + 1);
}

void fields_remove(struct fields *f, struct str name)
{
    remove_from(f, name, 0);
}

struct str fields_get(const struct fields *f, struct str name)
{
    size_t i = find(f, name, 0);

    return i < f->n ? f->list[i].value : (struct str){NULL, 0};
}

size_t fields_count(const struct fields *f, struct str name)
{
    size_t count = 0;

    for (size_t i = find(f, name, 0); i < f->n; i = find(f, name, i + 1))
        count++;
    return count;
}

struct str fields_joined(const struct fields *f, struct arena *a, struct str name)
{
    return fields_joined_by(f, a, name, STR_LIT(", "));
}

struct str fields_joined_by(const struct fields *f, struct arena *a, struct str name,
                            struct str separator)
{
    size_t first = find(f, name, 0), len = 0;
    char *out, *at;

    if (first == f->n)
        return (struct str){NULL, 0};
    if (find(f, name, first + 1) == f->n)
        return f->list[first].value;
    for (size_t i = first; i < f->n; i = find(f, name, i + 1))
        len += f->list[i].value.len + separator.len;
    at = out = arena_bytes(a, len);
    for (size_t i = first; i < f->n; i = find(f, name, i + 1)) {
        if (i != first)
            at = mempcpy(at, separator.p, separator.len);
        if (f->list[i].value.len > 0)
            at = mempcpy(at, f->list[i].value.p, f->list[i].value.len);
    }
    return (struct str){out, (size_t)(at - out)};
}

bool fields_has_token(const struct fields *f, struct str name, struct str token)
{
    for (size_t i = find(f, name, 0); i < f->n; i = find(f, name, i + 1)) {
        struct str rest = f->list[i].value, element;

        while (str_list_next(&rest, &element))
            if (str_eq_nocase(element, token))
                return true;
    }
    return false;
}

static bool is_control(char c)
{
    return ((unsigned char)c < 0x20 && c != '\t') || c == 0x7f;
}

struct str fields_clean_value(struct arena *a, struct str value)
{
    size_t i = 0;
    char *out;

    while (i < value.len && !is_control(value.p[i]))
        i++;
    if (i == value.len)
        return value;
    out = arena_bytes(a, value.len);
    for (i = 0; i < value.len; i++)
        out[i] = is_control(value.p[i]) ? ' ' : value.p[i];
    return (struct str){out, value.len};
}
