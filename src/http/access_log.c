#include "http/access_log.h"

#include "base/buf.h"
#include "base/date.h"
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

static void put_member(struct buf *b, const char *name, struct str value)
{
    put_text(b, "\"");
    put_text(b, name);
    put_text(b, "\":");
    put_json(b, value);
    put_text(b, ",");
}

static void put_number(struct buf *b, const char *fmt, double value)
{
    char text[64];

    snprintf(text, sizeof text, fmt, value);
    put_text(b, text);
}

/* {"Accept":["a","b"],...}: the lines of one name stand together, as in Caddy's log. */
static void put_fields(struct buf *b, const struct fields *f)
{
    const char *comma = "";

    put_text(b, "{");
    for (size_t i = 0; i < f->n; i++) {
        struct fields before = {f->list, i, 0};

        if (fields_get(&before, f->list[i].name).p != NULL)
            continue;
        put_text(b, comma);
        comma = ",";
        put_json(b, f->list[i].name);
        put_text(b, ":[");
        for (size_t j = i; j < f->n; j++) {
            if (!str_eq_nocase(f->list[i].name, f->list[j].name))
                continue;
            put_text(b, j > i ? "," : "");
            put_json(b, is_secret(f->list[j].name) ? STR_LIT("REDACTED") : f->list[j].value);
        }
        put_text(b, "]");
    }
    put_text(b, "}");
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

static void put_extra(struct buf *b, struct exchange *ex)
{
    for (const struct log_extra *x = ex->log_extra; x != NULL; x = x->next) {
        put_text(b, ",");
        put_json(b, x->key);
        put_text(b, ":");
        put_json(b, x->late == NULL ? x->value : late_value(ex, x->late));
    }
}

static double seconds_now(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void put_tls(struct buf *b, const struct exchange *ex)
{
    put_text(b, ",\"tls\":{");
    put_member(b, "version", str_of(ex->tls_version));
    put_member(b, "cipher_suite", str_of(ex->tls_cipher));
    put_text(b, "\"proto\":\"http/1.1\",\"server_name\":");
    put_json(b, ex->sni);
    put_text(b, "}");
}

static void put_request(struct buf *b, const struct exchange *ex)
{
    const struct fields fields = exchange_original(ex).request;
    char port[8];

    snprintf(port, sizeof port, "%u", ex->remote_port);
    put_text(b, "\"request\":{");
    put_member(b, "remote_ip", ex->remote_host);
    put_member(b, "remote_port", str_of(port));
    put_member(b, "client_ip", ex->remote_host);
    put_member(b, "proto", ex->http_minor == 0 ? STR_LIT("HTTP/1.0") : STR_LIT("HTTP/1.1"));
    put_member(b, "method", exchange_original(ex).method);
    put_member(b, "host", exchange_original(ex).authority);
    put_member(b, "uri", ex->target);
    put_text(b, "\"headers\":");
    put_fields(b, &fields);
    if (ex->secure)
        put_tls(b, ex);
    put_text(b, "}");
}

static void json_line(struct buf *b, struct exchange *ex)
{
    struct fields sent = ex->response;
    double took_s = seconds_now(CLOCK_MONOTONIC) - (double)ex->started_us / 1e6;

    if (ex->body.kind == BODY_PREPARED)
        sent = prepared_fields(ex->body.prepared, &ex->response, ex->arena);
    put_number(b, "{\"level\":\"info\",\"ts\":%.6f,", seconds_now(CLOCK_REALTIME));
    put_text(b, "\"logger\":\"http.log.access\",\"msg\":\"handled request\",");
    put_request(b, ex);
    put_number(b, ",\"bytes_read\":%.0f,\"user_id\":", (double)ex->bytes_received);
    put_json(b, vars_get(ex, STR_LIT("auth.user.id")));
    put_number(b, ",\"duration\":%.6f", took_s);
    put_number(b, ",\"size\":%.0f", (double)ex->bytes_sent);
    put_number(b, ",\"status\":%.0f,\"resp_headers\":", ex->status);
    put_fields(b, &sent);
    put_extra(b, ex);
    put_text(b, "}");
}

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

struct str access_log_line(struct exchange *ex, enum log_format format)
{
    struct buf b = BUF_INIT(LINE_LIMIT);
    struct str line;

    switch (format) {
    case LOG_FORMAT_JSON:
        json_line(&b, ex);
        break;
    case LOG_FORMAT_COMBINED:
        combined_line(&b, ex);
        break;
    }
    line = arena_printf(ex->arena, STR_FMT "\n", STR_ARG(buf_str(&b)));
    buf_fini(&b);
    return line;
}

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
