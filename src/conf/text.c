#include "conf/text.h"

#include "base/alloc.h"
#include "conf/diag.h"

struct placeholder_name {
    const char *name;
    const char *long_name;
    enum placeholder kind;
};

/* A name that ends with a dot takes the rest of the placeholder as its argument. */
static const struct placeholder_name names[] = {
    {"host", "http.request.host", PH_HOST},
    {"hostport", "http.request.hostport", PH_HOSTPORT},
    {"port", "http.request.port", PH_PORT},
    {"method", "http.request.method", PH_METHOD},
    {"uri", "http.request.uri", PH_URI},
    {"path", "http.request.uri.path", PH_PATH},
    {"query", "http.request.uri.query", PH_QUERY},
    {"scheme", "http.request.scheme", PH_SCHEME},
    {"remote_host", "http.request.remote.host", PH_REMOTE_HOST},
    {"remote_port", "http.request.remote.port", PH_REMOTE_PORT},
    {"header.", "http.request.header.", PH_HEADER},
};

/* Placeholders of Caddy's that cannot be used yet; a dot at the end takes any argument. */
static const char *const unsupported[] = {
    "?query",
    "args.",
    "args[",
    "block",
    "blocks.",
    "client_ip",
    "cookie.",
    "dir",
    "env.",
    "err.",
    "file",
    "file.",
    "file_match.",
    "http.",
    "labels.",
    "orig_dir",
    "orig_file",
    "orig_method",
    "orig_path",
    "orig_uri",
    "path.",
    "query.",
    "re.",
    "remote",
    "rp.",
    "system.",
    "time.",
    "tls_cipher",
    "tls_version",
    "tls_client_",
    "upstream_hostport",
    "uuid",
    "vars.",
    "extension",
    "orig_?query",
    "path_",
};

struct text_compiler {
    struct arena *arena;
    struct text_part *parts;
    size_t n, cap;
    char *literal; /* room for the whole source */
    size_t literal_len;
};

static bool is_name_byte(char c)
{
    char l = ascii_lower(c);

    return (l >= 'a' && l <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_' ||
           c == '?' || c == '[' || c == ']';
}

/* The name of the placeholder that begins at s ("{..."); len 0: none does. */
static struct str placeholder_at(struct str s)
{
    size_t end = 1;

    while (end < s.len && is_name_byte(s.p[end]))
        end++;
    if (end == 1 || end == s.len || s.p[end] != '}' || (s.p[1] >= '0' && s.p[1] <= '9'))
        return (struct str){NULL, 0};
    return (struct str){s.p + 1, end - 1};
}

static void add_part(struct text_compiler *tc, enum placeholder kind, struct str text)
{
    tc->parts = arena_grow(tc->arena, tc->parts, tc->n, &tc->cap, sizeof *tc->parts);
    tc->parts[tc->n++] = (struct text_part){kind, text};
}

static void end_literal(struct text_compiler *tc)
{
    if (tc->literal_len == 0)
        return;
    add_part(tc, PH_LITERAL, (struct str){tc->literal, tc->literal_len});
    tc->literal += tc->literal_len;
    tc->literal_len = 0;
}

/* Whether name is what a table calls it; a table's name that ends with a dot wants an argument. */
static bool is_named(struct str name, const char *row, struct str *argument)
{
    struct str r = str_of(row);

    *argument = (struct str){NULL, 0};
    if (!str_ends(r, STR_LIT(".")))
        return str_eq(name, r);
    if (!str_starts(name, r) || name.len == r.len)
        return false;
    *argument = str_from(name, r.len);
    return true;
}

static bool is_unsupported(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(unsupported); i++) {
        struct str row = str_of(unsupported[i]);
        char last = row.p[row.len - 1];

        if (last == '.' || last == '[' || last == '_' ? str_starts(name, row) : str_eq(name, row))
            return true;
    }
    return false;
}

static int unknown(struct str name, struct err *e)
{
    struct nearest nearest;

    if (is_unsupported(name))
        return err_set(e, ERR_INVALID, "placeholder '{" STR_FMT "}' is not supported yet",
                       STR_ARG(name));
    nearest_init(&nearest, name);
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        nearest_offer(&nearest, str_of(names[i].name));
    if (nearest.best.len == 0)
        return err_set(e, ERR_INVALID, "'{" STR_FMT "}' is no placeholder; write '\\{' for a brace",
                       STR_ARG(name));
    return err_set(
        e, ERR_INVALID, "'{" STR_FMT "}' is no placeholder; did you mean '{" STR_FMT "%s}'?",
        STR_ARG(name), STR_ARG(nearest.best), str_ends(nearest.best, STR_LIT(".")) ? "NAME" : "");
}

static int add_placeholder(struct text_compiler *tc, struct str name, struct err *e)
{
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct str argument;

        if (!is_named(name, names[i].name, &argument) &&
            !is_named(name, names[i].long_name, &argument))
            continue;
        end_literal(tc);
        add_part(tc, names[i].kind, argument.len > 0 ? arena_str(tc->arena, argument) : argument);
        return 0;
    }
    return unknown(name, e);
}

int text_compile(struct arena *a, struct str source, struct text *out, struct err *e)
{
    struct text_compiler tc = {.arena = a, .literal = arena_bytes(a, source.len + 1)};

    for (size_t i = 0; i < source.len; i++) {
        struct str rest = str_from(source, i);
        struct str name = {NULL, 0};

        if (str_starts(rest, STR_LIT("\\{")) || str_starts(rest, STR_LIT("\\}")))
            i++;
        else if (rest.p[0] == '{')
            name = placeholder_at(rest);
        if (name.len == 0) {
            tc.literal[tc.literal_len++] = source.p[i];
            continue;
        }
        if (add_placeholder(&tc, name, e) != 0)
            return -1;
        i += name.len + 1;
    }
    end_literal(&tc);
    out->parts = tc.parts;
    out->n_parts = tc.n;
    out->constant = tc.n == 0 || (tc.n == 1 && tc.parts[0].kind == PH_LITERAL);
    return 0;
}
