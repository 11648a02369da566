/* lintel respond: one answer to all requests, for development and tests. */
#include "base/file.h"
#include "cli/oneliner.h"

#include <sys/stat.h>
#include <unistd.h>

enum { BODY_MAX = 1024 * 1024, STATUS_MIN = 200, STATUS_MAX = 599 };

const struct cli_flag cli_respond_flags[] = {
    {.name = "body", .letter = 'b', .value = "TEXT", .help = "the body", .may_be_empty = true},
    {.name = "header",
     .letter = 'H',
     .value = "FIELD",
     .help = "a field of the response, \"Name: value\"; may be repeated"},
    {.name = "listen",
     .letter = 'l',
     .value = "ADDRESS",
     .help = "[HOST]:PORT or [HOST]:FIRST-LAST (default: a free port)"},
    {.name = "status", .letter = 's', .value = "CODE", .help = "200 to 599 (default: 200)"},
    ONELINER_FLAG_ACCESS_LOG(0),
    ONELINER_FLAG_DEBUG,
    {0},
};

struct response {
    uint64_t status;
    struct str body;
    struct buf input; /* of standard input */
};

/* ---- what to answer ---- */

static void read_status(struct oneliner *l, const char *text, struct response *r)
{
    if (!str_to_uint(str_of(text), STATUS_MAX, &r->status) || r->status < STATUS_MIN)
        oneliner_fail(l, "'%s' is no status from %d to %d", text, STATUS_MIN, STATUS_MAX);
}

static bool looks_like_status(const char *text)
{
    uint64_t n;

    return strlen(text) == 3 && str_to_uint(str_of(text), 999, &n) && n >= 100;
}

/* The argument is what no option says: a status if it could be one, else the body. */
static void read_argument(struct oneliner *l, struct response *r)
{
    const struct cli_options *o = l->options;
    const char *argument = o->n_arguments > 0 ? o->arguments[0] : NULL;

    if (argument == NULL)
        return;
    if (!cli_has(o, "status") && looks_like_status(argument))
        read_status(l, argument, r);
    else if (!cli_has(o, "body"))
        r->body = str_of(argument);
    else
        oneliner_fail(l, "the argument '%s' says nothing that options have not said", argument);
}

/* From a pipe or a file, not from a terminal or what a service manager gives (/dev/null). */
static void read_input(struct oneliner *l, struct response *r)
{
    struct stat st;
    struct err e;

    if (fstat(STDIN_FILENO, &st) == -1 || !(S_ISFIFO(st.st_mode) || S_ISREG(st.st_mode)))
        return;
    if (fd_read_all(STDIN_FILENO, "standard input", &r->input, &e) != 0)
        oneliner_fail(l, "%s", e.msg);
    r->body = buf_str(&r->input);
}

static void read_response(struct oneliner *l, struct response *r)
{
    *r = (struct response){.status = 200, .input = BUF_INIT(BODY_MAX)};
    if (cli_has(l->options, "status"))
        read_status(l, cli_value(l->options, "status"), r);
    r->body = str_of(cli_value(l->options, "body"));
    read_argument(l, r);
    if (r->body.p == NULL && !l->failed)
        read_input(l, r);
}

/* ---- "{{.Port}}" ---- */

struct listener {
    unsigned number;
    uint16_t port;
    char address[LISTEN_TEXT_MAX];
};

/* The part of Caddy's templates that has a meaning without its language. */
static int put_variable(struct buf *b, struct str name, const struct listener *at)
{
    if (str_is(name, ".N"))
        return buf_printf(b, "%u", at->number);
    if (str_is(name, ".Port"))
        return buf_printf(b, "%u", at->port);
    if (str_is(name, ".Address"))
        return buf_puts(b, at->address);
    if (str_is(name, "\"{{\""))
        return buf_puts(b, "{{");
    return -1;
}

/* body with its variables replaced, in out. */
static void expand(struct oneliner *l, struct str body, const struct listener *at, struct buf *out)
{
    while (body.len > 0 && !l->failed) {
        const char *open = memmem(body.p, body.len, "{{", 2), *close;
        size_t plain = open == NULL ? body.len : (size_t)(open - body.p);
        struct str rest = str_from(body, plain), name;

        if (buf_append(out, body.p, plain) != 0) {
            oneliner_fail(l, "the body is too long");
            return;
        }
        if (open == NULL)
            return;
        close = memmem(rest.p + 2, rest.len - 2, "}}", 2);
        name = (struct str){rest.p + 2, close == NULL ? 0 : (size_t)(close - rest.p) - 2};
        if (put_variable(out, str_trim(name), at) != 0)
            oneliner_fail(l,
                          "the body has '{{%.*s...': of templates there are only {{.N}}, {{.Port}} "
                          "and {{.Address}}; write {{\"{{\"}} for the braces themselves",
                          (int)(name.len < 20 ? name.len : 20), name.p);
        if (close != NULL)
            body = str_from(rest, (size_t)(close - rest.p) + 2);
    }
}

static void put_body(struct oneliner *l, struct str body, const struct listener *at)
{
    struct buf expanded = BUF_INIT(2 * BODY_MAX);

    expand(l, body, at, &expanded);
    oneliner_text(l, "the body", buf_str(&expanded));
    buf_fini(&expanded);
}

/* ---- serving ---- */

static void put_server(struct oneliner *l, const struct listen *where, const struct listener *at,
                       const struct response *r)
{
    const struct address site = {.scheme = SCHEME_HTTP, .kind = HOST_ANY, .port = at->port};

    oneliner_site(l, &site);
    listen_put(l, where);
    oneliner_fields(l, "header", "header *");
    oneliner_put(l, "\trespond *");
    put_body(l, r->body, at);
    oneliner_put(l, " %u\n}\n", (unsigned)r->status);
    /* Scripts that start Caddy's command look for this. */
    if (where->host[0] == '\0')
        oneliner_greet(l, "Server address: [::]:%u\n", at->port);
    else
        oneliner_greet(l, "Server address: %s\n", at->address);
}

static void put_servers(struct oneliner *l, const struct response *r)
{
    const char *given = cli_value(l->options, "listen");
    struct listen where;

    if (l->failed || listen_parse(l, given == NULL ? ":0" : given, &where) != 0)
        return;
    oneliner_globals(l, "");
    for (unsigned port = where.first; port <= where.last && !l->failed; port++) {
        struct listener at = {.number = port - where.first, .port = (uint16_t)port};

        listen_text(&where, at.port, at.address);
        put_server(l, &where, &at, r);
    }
}

int cli_respond(const struct cli_options *o)
{
    struct oneliner l;
    struct response r;

    oneliner_init(&l, o);
    read_response(&l, &r);
    put_servers(&l, &r);
    buf_fini(&r.input);
    return oneliner_run(&l);
}
