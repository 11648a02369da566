#include "cli/oneliner.h"

#include "conf/quote.h"

#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

enum { TEXT_MAX = 16 * 1024 * 1024, GREETING_MAX = 1024 * 1024 };

void oneliner_init(struct oneliner *l, const struct cli_options *o)
{
    *l = (struct oneliner){.options = o, .reserved = -1};
    buf_init(&l->text, TEXT_MAX);
    buf_init(&l->greeting, GREETING_MAX);
}

void oneliner_fail(struct oneliner *l, const char *fmt, ...)
{
    char why[1024];
    va_list ap;

    if (l->failed)
        return;
    l->failed = true;
    va_start(ap, fmt);
    vsnprintf(why, sizeof why, fmt, ap);
    va_end(ap);
    cli_usage_error("%s: %s", l->options->command->name, why);
}

void oneliner_refuse(struct oneliner *l, const struct oneliner_refused *list)
{
    for (; list->name != NULL; list++)
        if (cli_has(l->options, list->name))
            oneliner_fail(l, "--%s is not supported by this version: %s", list->name, list->why);
}

/* ---- writing ---- */

static void put(struct oneliner *l, struct buf *b, const char *fmt, va_list ap)
{
    char *piece = NULL;
    int n;

    if (l->failed)
        return;
    n = vasprintf(&piece, fmt, ap);
    if (n < 0 || buf_append(b, piece, (size_t)n) != 0)
        oneliner_fail(l, "too much to serve in one line; write a configuration");
    if (n >= 0)
        free(piece);
}

void oneliner_put(struct oneliner *l, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    put(l, &l->text, fmt, ap);
    va_end(ap);
}

void oneliner_greet(struct oneliner *l, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    put(l, &l->greeting, fmt, ap);
    va_end(ap);
}

static void put_value(struct oneliner *l, const char *what, struct str value,
                      int (*quote)(struct buf *b, struct str value, struct err *e))
{
    struct err e;

    oneliner_put(l, " ");
    if (!l->failed && quote(&l->text, value, &e) != 0)
        oneliner_fail(l, "%s: %s", what, e.msg);
}

void oneliner_word(struct oneliner *l, const char *what, struct str value)
{
    put_value(l, what, value, quote_word);
}

void oneliner_text(struct oneliner *l, const char *what, struct str value)
{
    put_value(l, what, value, quote_text);
}

/* ---- "Field: value" ---- */

/* A token of RFC 9110 5.6.2, but for what the language would take for something else: "+" and "-"
 * before a field, and "*" in it. */
static bool is_field_name(struct str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = ascii_lower(name.p[i]);

        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') &&
            strchr(i == 0 ? "!#$%&'^_`|~." : "!#$%&'+-.^_`|~", c) == NULL)
            return false;
    }
    return name.len > 0;
}

static void put_field(struct oneliner *l, const char *option, const char *before, const char *given)
{
    struct str value = str_of(given), name = str_trim(str_cut(&value, ':'));

    if (value.p == NULL || str_trim(value).len == 0) {
        oneliner_fail(l, "--%s '%s' is not of the form 'Field: value'", option, given);
        return;
    }
    if (!is_field_name(name)) {
        oneliner_fail(l, "--%s: '" STR_FMT "' is no field name", option, STR_ARG(name));
        return;
    }
    if (strpbrk(given, "\r\n") != NULL) {
        oneliner_fail(l, "--%s: a field has one line", option);
        return;
    }
    oneliner_put(l, "\t%s " STR_FMT, before, STR_ARG(name));
    oneliner_text(l, option, str_trim(value));
    oneliner_put(l, "\n");
}

void oneliner_fields(struct oneliner *l, const char *option, const char *before)
{
    const char *given;
    size_t at = 0;

    while ((given = cli_each(l->options, option, &at)) != NULL)
        put_field(l, option, before, given);
}

/* ---- what all have ---- */

void oneliner_globals(struct oneliner *l, const char *extra)
{
    oneliner_put(l, "{\n%s%s}\n", cli_has(l->options, "debug") ? "\tdebug\n" : "", extra);
}

/* "https://example.com"; other: the host where the address has none. */
static int print_origin(const struct address *a, const char *other, char out[ONELINER_URL_MAX])
{
    const char *host = a->kind == HOST_ANY ? other : a->host;
    bool brackets = strchr(host, ':') != NULL;

    return snprintf(out, ONELINER_URL_MAX, "%s://%s%s%s",
                    a->scheme == SCHEME_HTTPS ? "https" : "http", brackets ? "[" : "", host,
                    brackets ? "]" : "");
}

void oneliner_url(const struct address *site, const char *bound, char out[ONELINER_URL_MAX])
{
    int usual = site->scheme == SCHEME_HTTPS ? ONELINER_HTTPS_PORT : ONELINER_HTTP_PORT;
    int n = print_origin(site, bound[0] == '\0' ? "localhost" : bound, out);

    if (site->port != usual)
        n += snprintf(out + n, ONELINER_URL_MAX - (size_t)n, ":%u", site->port);
    snprintf(out + n, ONELINER_URL_MAX - (size_t)n, "/");
}

void oneliner_site(struct oneliner *l, const struct address *site)
{
    char origin[ONELINER_URL_MAX];

    (void)print_origin(site, "", origin);
    oneliner_put(l, "%s:%u {\n", origin, site->port);
    if (cli_has(l->options, "access-log"))
        oneliner_put(l, "\tlog\n");
}

int oneliner_run(struct oneliner *l)
{
    struct server_source source = {
        .path = "the command line", .text = buf_str(&l->text), .greeting = l->greeting.p};
    int status = l->failed ? EXIT_USAGE : server_run(&source);

    buf_fini(&l->text);
    buf_fini(&l->greeting);
    if (l->reserved != -1)
        close(l->reserved);
    return status;
}
