#include "http/access_log.h"

#include "base/buf.h"
#include "base/date.h"
#include "http/client_ip.h"
#include "http/log_filter.h"
#include "http/placeholder.h"
#include "http/prepared.h"
#include "http/vars.h"

#include <stdio.h>
#include <time.h>

enum { LINE_LIMIT = 256 * 1024 };

/* A field that log_append adds. */
struct log_extra {
    struct log_extra *next;
    struct str key;
    struct str value;
    const struct text *late; /* NULL: value is what it was */
};

/* Each put_ function drops what would pass the ceiling: a line is then cut short, never lost. */
static void put(struct buf *b, struct str s)
{
    if (buf_append_str(b, s) != 0)
        b->max = b->len;
}

static void put_text(struct buf *b, const char *s)
{
    put(b, str_of(s));
}

static const char *const secret_fields[] = {"authorization", "proxy-authorization", "cookie",
                                            "set-cookie"};

static bool is_secret(struct str name)
{
    for (size_t i = 0; i < sizeof secret_fields / sizeof secret_fields[0]; i++)
        if (str_eq_nocase(name, str_of(secret_fields[i])))
            return true;
    return false;
}

static bool is_plain(char c)
{
    return (unsigned char)c >= 0x20 && (unsigned char)c < 0x7f && c != '"' && c != '\\';
}

/* The inside of a quoted string. Bytes that are not printable ASCII become escapes, of JSON
 * (\u00NN, each byte for itself, since a peer's bytes need not be UTF-8) or of Apache (\xNN). */
static void put_escaped(struct buf *b, struct str s, bool json)
{
    while (s.len > 0) {
        size_t n = 0;
        char code[8];

        while (n < s.len && is_plain(s.p[n]))
            n++;
        put(b, (struct str){s.p, n});
        if (n == s.len)
            return;
        if (s.p[n] == '"' || s.p[n] == '\\')
            snprintf(code, sizeof code, "\\%c", s.p[n]);
        else
            snprintf(code, sizeof code, json ? "\\u00%02x" : "\\x%02x", (unsigned char)s.p[n]);
        put_text(b, code);
        s = str_from(s, n + 1);
    }
}

static void put_json(struct buf *b, struct str s)
{
    put_text(b, "\"");
    put_escaped(b, s, true);
    put_text(b, "\"");
}

static double seconds_now(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- JSON, each field by the rules of the log ---- */

struct line {
    struct buf *b;
    struct exchange *ex;
    const struct log_conf *log;
    bool comma; /* before the next member */
};

static const struct log_rule *rule_for(const struct line *l, struct str field)
{
    for (size_t i = 0; i < l->log->n_rules; i++)
        if (str_eq_nocase(l->log->rules[i].field, field))
            return &l->log->rules[i];
    return NULL;
}

/* Writes the key of a member: the last part of the field's name, unless it has another one. False:
 * there shall be no such member. */
static bool put_key(struct line *l, struct str field, const struct log_rule *rule)
{
    struct str key = field;

    if (rule != NULL && rule->kind == LOG_RULE_DELETE)
        return false;
    for (size_t i = 0; i < field.len; i++)
        if (field.p[i] == '>')
            key = str_from(field, i + 1);
    put_text(l->b, l->comma ? "," : "");
    put_json(l->b, rule != NULL && rule->kind == LOG_RULE_RENAME ? rule->text : key);
    put_text(l->b, ":");
    l->comma = true;
    return true;
}

static struct str by_rule(const struct line *l, const struct log_rule *rule, struct str value)
{
    return rule == NULL ? value : log_rule_apply(rule, l->ex->arena, value);
}

static void put_member(struct line *l, const char *name, struct str value)
{
    const struct log_rule *rule = rule_for(l, str_of(name));

    if (put_key(l, str_of(name), rule))
        put_json(l->b, by_rule(l, rule, value));
}

static void put_number(struct buf *b, const char *fmt, double value)
{
    char text[64];

    snprintf(text, sizeof text, fmt, value);
    put_text(b, text);
}

static void put_figure(struct line *l, const char *name, const char *fmt, double value)
{
    const struct log_rule *rule = rule_for(l, str_of(name));

    if (!put_key(l, str_of(name), rule))
        return;
    if (rule != NULL && rule->kind == LOG_RULE_REPLACE)
        put_json(l->b, rule->text);
    else
        put_number(l->b, fmt, value);
}

/* Begins an object. False: it is left out, or a text stands in its place. */
static bool open_object(struct line *l, const char *name)
{
    const struct log_rule *rule = rule_for(l, str_of(name));

    if (!put_key(l, str_of(name), rule))
        return false;
    if (rule != NULL && rule->kind == LOG_RULE_REPLACE) {
        put_json(l->b, rule->text);
        return false;
    }
    put_text(l->b, "{");
    l->comma = false;
    return true;
}

static void close_object(struct line *l)
{
    put_text(l->b, "}");
    l->comma = true;
}

/* "Name":["a","b"] */
static void put_lines(struct line *l, const struct log_rule *rule, const struct fields *f,
                      size_t first)
{
    struct str name = f->list[first].name;

    put_text(l->b, "[");
    for (size_t i = first; i < f->n; i++) {
        struct str value = f->list[i].value;

        if (!str_eq_nocase(name, f->list[i].name))
            continue;
        put_text(l->b, i > first ? "," : "");
        put_json(l->b, by_rule(l, rule, is_secret(name) ? STR_LIT("REDACTED") : value));
    }
    put_text(l->b, "]");
}

/* {"Accept":["a","b"],...}: the lines of one name stand together, as in Caddy's log. */
static void put_fields(struct line *l, const char *name, const struct fields *f)
{
    if (!open_object(l, name))
        return;
    for (size_t i = 0; i < f->n; i++) {
        struct fields before = {f->list, i, 0};
        struct str field = f->list[i].name;
        const struct log_rule *rule = NULL;

        if (fields_get(&before, field).p != NULL)
            continue;
        if (l->log->n_rules > 0) {
            field = arena_printf(l->ex->arena, "%s>" STR_FMT, name, STR_ARG(field));
            rule = rule_for(l, field);
        }
        if (put_key(l, field, rule))
            put_lines(l, rule, f, i);
    }
    close_object(l);
}

static void put_tls(struct line *l)
{
    const struct exchange *ex = l->ex;

    if (!ex->secure || !open_object(l, "request>tls"))
        return;
    put_member(l, "request>tls>version", str_of(ex->tls_version));
    put_member(l, "request>tls>cipher_suite", str_of(ex->tls_cipher));
    put_member(l, "request>tls>proto", STR_LIT("http/1.1"));
    put_member(l, "request>tls>server_name", ex->sni);
    close_object(l);
}

static void put_request(struct line *l)
{
    const struct exchange *ex = l->ex;
    const struct original o = exchange_original(ex);
    char port[8];

    if (!open_object(l, "request"))
        return;
    snprintf(port, sizeof port, "%u", ex->remote_port);
    put_member(l, "request>remote_ip", ex->remote_host);
    put_member(l, "request>remote_port", str_of(port));
    put_member(l, "request>client_ip", client_ip(ex));
    put_member(l, "request>proto", ex->http_minor == 0 ? STR_LIT("HTTP/1.0") : STR_LIT("HTTP/1.1"));
    put_member(l, "request>method", o.method);
    put_member(l, "request>host", o.authority);
    put_member(l, "request>uri", ex->target);
    put_fields(l, "request>headers", &o.request);
    put_tls(l);
    close_object(l);
}

/* The name of a variable stands for its value. */
static struct str late_value(struct exchange *ex, const struct text *text)
{
    struct str value = text_expand(text, ex), var;

    if (!text->constant)
        return value;
    var = vars_get(ex, arena_printf(ex->arena, "vars." STR_FMT, STR_ARG(value)));
    return var.p == NULL ? value : var;
}

/* What the format and log_append add. */
static void put_additions(struct line *l)
{
    for (const struct log_extra *x = l->ex->log_extra; x != NULL; x = x->next) {
        const struct log_rule *rule = rule_for(l, x->key);

        if (put_key(l, x->key, rule))
            put_json(l->b,
                     by_rule(l, rule, x->late == NULL ? x->value : late_value(l->ex, x->late)));
    }
    for (size_t i = 0; i < l->log->n_members; i++)
        if (put_key(l, l->log->members[i].key, NULL))
            put_json(l->b, l->log->members[i].value);
}

static void put_members(struct line *l)
{
    struct exchange *ex = l->ex;
    struct fields sent = ex->response;
    double took_s = seconds_now(CLOCK_MONOTONIC) - (double)ex->started_us / 1e6;

    if (ex->body.kind == BODY_PREPARED)
        sent = prepared_fields(ex->body.prepared, &ex->response, ex->arena);
    put_request(l);
    put_figure(l, "bytes_read", "%.0f", (double)ex->bytes_received);
    put_member(l, "user_id", vars_get(ex, STR_LIT("auth.user.id")));
    put_figure(l, "duration", "%.6f", took_s);
    put_figure(l, "size", "%.0f", (double)ex->bytes_sent);
    put_figure(l, "status", "%.0f", ex->status);
    put_fields(l, "resp_headers", &sent);
    put_additions(l);
    put_text(l->b, "}");
}

static bool is_error(const struct exchange *ex)
{
    return ex->status >= 500;
}

static void json_line(struct line *l)
{
    put_text(l->b, is_error(l->ex) ? "{\"level\":\"error\"" : "{\"level\":\"info\"");
    put_number(l->b, ",\"ts\":%.6f,\"logger\":", seconds_now(CLOCK_REALTIME));
    put_json(l->b, l->log->logger);
    put_text(l->b, ",\"msg\":\"handled request\"");
    l->comma = true;
    put_members(l);
}

/* Caddy's form for human eyes: date, level, logger, message, and the rest as JSON. */
static void console_line(struct line *l)
{
    struct timespec now;
    struct tm tm;
    char date[32];

    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &tm);
    strftime(date, sizeof date, "%Y/%m/%d %H:%M:%S", &tm);
    put_text(l->b, date);
    put_number(l->b, ".%03.0f\t", (double)(now.tv_nsec / 1000000));
    put_text(l->b, is_error(l->ex) ? "ERROR\t" : "INFO\t");
    put(l->b, l->log->logger);
    put_text(l->b, "\thandled request\t{");
    put_members(l);
}

/* ---- the combined format ---- */

static void put_quoted_field(struct buf *b, const struct exchange *ex, struct str name)
{
    const struct fields fields = exchange_original(ex).request;
    struct str value = fields_get(&fields, name);

    put_text(b, " \"");
    put_escaped(b, value.p == NULL ? STR_LIT("-") : value, false);
    put_text(b, "\"");
}

/* host ident user [date] "request line" status bytes "referer" "user agent" */
static void combined_line(struct buf *b, struct exchange *ex)
{
    struct str user = vars_get(ex, STR_LIT("auth.user.id"));
    char date[DATE_CLF_LEN + 1];

    date_format_clf(loop_wall_s(ex->loop), date);
    put(b, ex->remote_host);
    put_text(b, " - ");
    put_escaped(b, user.len == 0 ? STR_LIT("-") : user, false);
    put_text(b, " [");
    put_text(b, date);
    put_text(b, "] \"");
    put_escaped(b, exchange_original(ex).method, false);
    put_text(b, " ");
    put_escaped(b, ex->target, false);
    put_text(b, ex->http_minor == 0 ? " HTTP/1.0\"" : " HTTP/1.1\"");
    put_number(b, " %.0f", ex->status);
    put_number(b, ex->bytes_sent == 0 ? " -" : " %.0f", (double)ex->bytes_sent);
    put_quoted_field(b, ex, STR_LIT("referer"));
    put_quoted_field(b, ex, STR_LIT("user-agent"));
}

struct str access_log_line(struct exchange *ex, const struct log_conf *log)
{
    struct buf b = BUF_INIT(LINE_LIMIT);
    struct line l = {&b, ex, log, false};
    struct str line;

    switch (log->format) {
    case LOG_FORMAT_JSON:
        json_line(&l);
        break;
    case LOG_FORMAT_CONSOLE:
        console_line(&l);
        break;
    case LOG_FORMAT_COMBINED:
        combined_line(&b, ex);
        break;
    }
    line = arena_printf(ex->arena, STR_FMT "\n", STR_ARG(buf_str(&b)));
    buf_fini(&b);
    return line;
}

bool access_log_wants(const struct exchange *ex, const struct log_conf *log)
{
    return log->path != NULL && (!log->errors_only || is_error(ex));
}

/* ---- log_append ---- */

/* As in Caddy, what is added at once comes first; of the others, the last directive. */
static struct log_extra *add_extra(struct exchange *ex, struct str key)
{
    struct log_extra *x = arena_alloc(ex->arena, sizeof *x), **at = &ex->log_extra;

    while (*at != NULL && (*at)->late == NULL)
        at = &(*at)->next;
    x->next = *at;
    x->key = key;
    *at = x;
    return x;
}

void access_log_append(struct exchange *ex, struct str key, struct str value)
{
    add_extra(ex, key)->value = value;
}

void access_log_append_late(struct exchange *ex, struct str key, const struct text *value)
{
    add_extra(ex, key)->late = value;
}
