#include "handlers/fastcgi_conf.h"

#include "handlers/reverse_proxy_conf.h"

static struct reverse_proxy_conf *proxy_of(const struct directive_args *d)
{
    return d->target;
}

static struct fastcgi_conf *conf_of(const struct directive_args *d)
{
    return proxy_of(d)->fastcgi;
}

/* ---- scripts ---- */

static int set_root(const struct directive_args *d)
{
    conf_of(d)->has_root = true;
    return root_path_set(d, &conf_of(d)->root);
}

/* Bytes beyond ASCII have no case that all agree on. */
static bool is_ascii(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.p[i] > 0x7e || s.p[i] <= ' ')
            return false;
    return s.len > 0;
}

static int set_split(const struct directive_args *d)
{
    struct fastcgi_conf *c = conf_of(d);
    int rc = 0;

    c->splits = arena_alloc(d->arena, d->n_args * sizeof *c->splits);
    for (size_t i = 0; i < d->n_args; i++) {
        const struct token *t = &d->args[i];

        if (is_ascii(t->text) && memchr(t->text.p, '/', t->text.len) == NULL)
            c->splits[c->n_splits++] = directive_str(d, t);
        else
            rc = directive_error(d, t, "the end of a script's name, as '.php': ASCII, without '/'");
    }
    return rc;
}

static int set_resolve(const struct directive_args *d)
{
    conf_of(d)->resolve_root_symlink = true;
    return 0;
}

/* ---- variables ---- */

static bool is_name(struct str s)
{
    return s.len > 0 && memchr(s.p, '=', s.len) == NULL && memchr(s.p, '\0', s.len) == NULL;
}

static int add_env(const struct directive_args *d)
{
    struct fastcgi_conf *c = conf_of(d);
    struct fastcgi_variable v = {.name = directive_str(d, &d->args[0])};

    if (!is_name(v.name))
        return directive_error(d, &d->args[0], "the name of a variable stands here");
    for (size_t i = 0; i < c->n_env; i++)
        if (str_eq(c->env[i].name, v.name))
            return directive_error(d, &d->args[0], "'" STR_FMT "' was already given",
                                   STR_ARG(v.name));
    if (directive_text(d, &d->args[1], &v.value) != 0)
        return -1;
    c->env = arena_grow(d->arena, c->env, c->n_env, &c->cap_env, sizeof *c->env);
    c->env[c->n_env++] = v;
    return 0;
}

/* ---- the connection ---- */

static int set_dial_timeout(const struct directive_args *d)
{
    return reverse_proxy_set_timeout(d, &proxy_of(d)->dial_timeout_ms);
}

static int set_read_timeout(const struct directive_args *d)
{
    return reverse_proxy_set_timeout(d, &proxy_of(d)->read_timeout_ms);
}

static int set_write_timeout(const struct directive_args *d)
{
    return reverse_proxy_set_timeout(d, &proxy_of(d)->write_timeout_ms);
}

static int set_keepalive(const struct directive_args *d)
{
    conf_of(d)->keepalive = true;
    return 0;
}

static int set_capture(const struct directive_args *d)
{
    conf_of(d)->capture_stderr = true;
    return 0;
}

/* ---- the block ---- */

const struct directive fastcgi_options[] = {
    {.name = "capture_stderr",
     .set = set_capture,
     .help = "capture_stderr: what the server says beside its answers goes to the log"},
    {.name = "dial_timeout",
     .min_args = 1,
     .max_args = 1,
     .set = set_dial_timeout,
     .help = "dial_timeout <duration>: until there is a connection, 3s"},
    {.name = "env",
     .min_args = 2,
     .max_args = 2,
     .repeats = true,
     .set = add_env,
     .help = "env <name> <value>: a variable for the script"},
    {.name = "keepalive",
     .set = set_keepalive,
     .help = "keepalive: connections are kept; each occupies a process of the server"},
    {.name = "read_timeout",
     .min_args = 1,
     .max_args = 1,
     .set = set_read_timeout,
     .help = "read_timeout <duration>: while the answer is awaited, and nothing comes"},
    {.name = "resolve_root_symlink",
     .set = set_resolve,
     .help = "resolve_root_symlink: the script is told where the root's link leads"},
    {.name = "root",
     .min_args = 1,
     .max_args = 1,
     .block = true,
     .set = set_root,
     .options = root_path_options,
     .help = "root <folder> [{ follow_symlinks }]: where the server finds the scripts"},
    {.name = "split",
     .min_args = 1,
     .max_args = -1,
     .set = set_split,
     .help = "split <end>...: where the name of a script ends, as .php"},
    {.name = "write_timeout",
     .min_args = 1,
     .max_args = 1,
     .set = set_write_timeout,
     .help = "write_timeout <duration>: while the server takes nothing"},
    {0},
};

int fastcgi_set(const struct directive_args *d)
{
    const struct token here = {.text = STR_LIT("")};
    struct str path = str_of(directive_path(d, &here));
    struct fastcgi_conf *c = arena_alloc(d->arena, sizeof *c);

    while (path.len > 1 && path.p[path.len - 1] == '/')
        path.len--;
    c->here = arena_str(d->arena, path);
    proxy_of(d)->fastcgi = c;
    return directive_block(d, fastcgi_options, NULL, d->target);
}
