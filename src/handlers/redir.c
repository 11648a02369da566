#include "handlers/redir.h"

#include "base/alloc.h"
#include "http/handler.h"
#include "http/placeholder.h"

struct redir_conf {
    struct text to;
    int status;       /* 0: as code says for each request */
    struct text code; /* with a placeholder */
    bool html;        /* a page that leads on, for clients that drop the fragment at a redirect */
};

/* ---- configuration ---- */

static const struct {
    const char *word;
    int status;
} words[] = {{"permanent", 301}, {"temporary", 302}, {"html", 200}};

/* A 304 is no redirect: it would tell the client to use a copy that it may not have. */
static bool is_code(struct str s, int *status)
{
    uint64_t n;

    if (!str_to_uint(s, 999, &n) || ((n < 300 || n > 399) && n != 401) || n == 304)
        return false;
    *status = (int)n;
    return true;
}

static int set_code(const struct directive_args *d, const struct token *t, struct redir_conf *conf)
{
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (str_is(t->text, words[i].word)) {
            conf->status = words[i].status;
            conf->html = conf->status == 200;
            return 0;
        }
    }
    if (is_code(t->text, &conf->status))
        return 0;
    if (!str_starts(t->text, STR_LIT("{")))
        return directive_error(d, t,
                               "'" STR_FMT
                               "' is neither a redirect status (300 to 399, or 401) nor "
                               "'permanent', 'temporary' or 'html'",
                               STR_ARG(t->text));
    conf->status = 0;
    return directive_text(d, t, &conf->code);
}

/* "redir 301 /new", as elsewhere. */
static bool is_turned_around(const struct directive_args *d)
{
    int status;

    return d->n_args == 2 && is_code(d->args[0].text, &status) &&
           !is_code(d->args[1].text, &status);
}

static int redir_set(const struct directive_args *d)
{
    struct redir_conf *conf = d->target;

    conf->status = 302;
    if (directive_text(d, &d->args[0], &conf->to) != 0)
        return -1;
    if (conf->to.n_parts == 0)
        return directive_error(d, &d->args[0], "the target is empty");
    if (is_turned_around(d))
        return directive_error(
            d, &d->args[0], "the target comes first, then the status: redir " STR_FMT " " STR_FMT,
            STR_ARG(d->args[1].text), STR_ARG(d->args[0].text));
    return d->n_args == 2 ? set_code(d, &d->args[1], conf) : 0;
}

static void redir_describe(const void *conf_, struct describer *out)
{
    const struct redir_conf *conf = conf_;

    if (conf->status != 0)
        describe_number(out, "status", conf->status);
    describe_flag(out, "html", conf->html);
}

/* ---- the target ---- */

/* Controls, space, DEL, all that is not ASCII, and the backslash, which browsers read as a slash.
 * "%" stays: {uri} holds escapes. */
static bool must_escape(char c)
{
    return (unsigned char)c <= 0x20 || (unsigned char)c >= 0x7f || strchr("\\\"<>^`{|}", c) != NULL;
}

static struct str escape(struct arena *a, struct str s)
{
    static const char hex[] = "0123456789ABCDEF";
    size_t len = 0;
    char *out, *at;

    for (size_t i = 0; i < s.len; i++)
        len += must_escape(s.p[i]) ? 3 : 1;
    if (len == s.len)
        return s;
    at = out = arena_bytes(a, len);
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.p[i];

        if (must_escape(s.p[i])) {
            *at++ = '%';
            *at++ = hex[c >> 4];
            *at++ = hex[c & 15];
        } else {
            *at++ = s.p[i];
        }
    }
    return (struct str){out, len};
}

/* What a client sent must not lead to another host: "//name" would, where it was not written so
 * ("redir {uri}", "redir /{path}"). */
static struct str location(const struct redir_conf *conf, struct exchange *ex)
{
    struct str to = escape(ex->arena, text_expand(&conf->to, ex));

    if (conf->to.parts[0].kind != PH_LITERAL || !str_starts(conf->to.parts[0].text, STR_LIT("//")))
        while (str_starts(to, STR_LIT("//")))
            to = str_from(to, 1);
    return to;
}

/* ---- answering ---- */

static struct str escape_html(struct arena *a, struct str s)
{
    char *out = arena_bytes(a, s.len * 5 + 1), *at = out;

    for (size_t i = 0; i < s.len; i++) {
        switch (s.p[i]) {
        case '&':
            at = mempcpy(at, "&amp;", 5);
            break;
        case '\'':
            at = mempcpy(at, "%27", 3); /* quotes the URL of the refresh */
            break;
        default:
            *at++ = s.p[i]; /* '"', "<" and ">" are escaped already, as a URI wants it */
        }
    }
    return (struct str){out, (size_t)(at - out)};
}

static void respond_page(struct exchange *ex, struct str to)
{
    struct str safe = escape_html(ex->arena, to);

    fields_set(&ex->response, ex->arena, STR_LIT("Content-Type"),
               STR_LIT("text/html; charset=utf-8"));
    exchange_respond_bytes(
        ex, 200,
        arena_printf(ex->arena,
                     "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                     "<title>Redirecting</title>"
                     "<meta http-equiv=\"refresh\" content=\"0; URL='" STR_FMT "'\"></head>\n"
                     "<body>Redirecting to <a href=\"" STR_FMT "\">" STR_FMT "</a></body></html>\n",
                     STR_ARG(safe), STR_ARG(safe), STR_ARG(safe)));
}

static enum verdict redir_handle(const void *conf_, struct exchange *ex)
{
    const struct redir_conf *conf = conf_;
    struct str to = location(conf, ex);
    int status = conf->status;

    if (conf->html) {
        respond_page(ex, to);
        return TAKEN;
    }
    if (status == 0 && !is_code(text_expand(&conf->code, ex), &status)) {
        exchange_respond_error(ex, 500);
        return TAKEN;
    }
    fields_set(&ex->response, ex->arena, STR_LIT("Location"), to);
    exchange_respond(ex, status);
    return TAKEN;
}

static const struct handler_type redir_handler = {.name = "redir", .handle = redir_handle};

const struct directive redir_directives[] = {
    {.name = "redir",
     .places = IN_HANDLERS,
     .min_args = 1,
     .max_args = 2,
     .type = &redir_handler,
     .conf_size = sizeof(struct redir_conf),
     .set = redir_set,
     .describe = redir_describe,
     .help = "redir [matcher] <to> [<status>|permanent|temporary|html]: default 302"},
    {0},
};
