#include "handlers/root.h"

#include "http/handler.h"
#include "http/path_escapes.h"
#include "http/placeholder.h"
#include "http/vars.h"

static bool has_dot_dot(struct str path)
{
    while (path.p != NULL)
        if (str_is(str_cut(&path, '/'), ".."))
            return true;
    return false;
}

struct str root_path_clean(struct arena *a, struct str path)
{
    char *end;

    path = arena_str(a, path_without_dots(a, path, false));
    while (path.len > 1 && path.p[path.len - 1] == '/')
        path.len--;
    end = (char *)path.p + path.len;
    *end = '\0';
    return path;
}

static int set_path(const struct directive_args *d, struct root_path *out)
{
    const struct token *t = &d->args[0];

    if (directive_text(d, t, &out->text) != 0)
        return -1;
    if (out->text.n_parts == 0)
        return directive_error(d, t, "the name of a folder is missing");
    if (out->text.constant) {
        const struct token path = {.text = text_constant(&out->text)};

        out->constant = root_path_clean(d->arena, str_of(directive_path(d, &path)));
        return 0;
    }
    if (has_dot_dot(t->text))
        return directive_error(d, t, "a folder with placeholders must not hold '..'");
    out->base = "";
    if (!str_starts(t->text, STR_LIT("/"))) {
        const struct token here = {.text = STR_LIT("")};

        out->base = directive_path(d, &here);
    }
    return 0;
}

static int set_follow_links(const struct directive_args *d)
{
    ((struct root_path *)d->target)->follow_links = true;
    return 0;
}

const struct directive root_path_options[] = {
    {.name = "follow_symlinks", .set = set_follow_links, .help = "follow_symlinks"},
    {0},
};

int root_path_set(const struct directive_args *d, struct root_path *out)
{
    int rc = set_path(d, out);

    return directive_block(d, root_path_options, NULL, out) == 0 ? rc : -1;
}

/* A value that a client may have chosen is one name; one of the configuration may be a path. What
 * stands behind a NUL, the system would not see. */
static bool is_safe_value(const struct text_part *part, struct exchange *ex)
{
    const struct text text = {part, 1, false};
    struct str value = text_expand(&text, ex);

    if (value.len == 0 || str_is(value, ".") || str_is(value, "..") ||
        memchr(value.p, '\0', value.len) != NULL)
        return false;
    return memchr(value.p, '/', value.len) == NULL || part->kind == PH_ROOT ||
           (part->kind == PH_VARIABLE && vars_is_own(ex, part->text));
}

bool root_path_expand(const struct root_path *r, struct exchange *ex, struct folder *out)
{
    struct str expanded;

    out->follow_links = r->follow_links;
    if (r->constant.len > 0) {
        out->path = r->constant;
        return true;
    }
    for (size_t i = 0; i < r->text.n_parts; i++)
        if (r->text.parts[i].kind != PH_LITERAL && !is_safe_value(&r->text.parts[i], ex))
            return false;
    expanded = text_expand(&r->text, ex);
    /* Two values side by side can make what neither is. */
    if (has_dot_dot(expanded))
        return false;
    if (!str_starts(expanded, STR_LIT("/")))
        expanded = arena_printf(ex->arena, "%s" STR_FMT, r->base, STR_ARG(expanded));
    out->path = root_path_clean(ex->arena, expanded);
    return true;
}

static int root_set(const struct directive_args *d)
{
    return root_path_set(d, d->target);
}

static enum verdict root_handle(const void *conf, struct exchange *ex)
{
    if (root_path_expand(conf, ex, &ex->root))
        return NEXT;
    exchange_respond_error(ex, 404);
    return TAKEN;
}

static const struct handler_type root_handler = {.name = "root", .handle = root_handle};

const struct directive root_directives[] = {
    {.name = "root",
     .places = IN_HANDLERS,
     .min_args = 1,
     .max_args = 1,
     .block = true,
     .type = &root_handler,
     .conf_size = sizeof(struct root_path),
     .set = root_set,
     .group = GROUP_ROOT,
     .options = root_path_options,
     .help = "root [matcher] <folder> [{ follow_symlinks }]: where file_server finds the files"},
    {0},
};
