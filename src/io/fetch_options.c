/* What is asked of libcurl. Handles are used again and again: what stays the same is not set
 * anew, since setting options would cost more than sending the request. */
#include "io/fetch_priv.h"

#include "base/alloc.h"
#include "base/log.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

enum { CONNECT_TIMEOUT_MS = 3000 };

static const struct {
    CURLoption option;
    long value;
} fixed_options[] = {
    {CURLOPT_NOSIGNAL, 1},
    {CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1},
    {CURLOPT_FOLLOWLOCATION, 0},
    {CURLOPT_PATH_AS_IS, 1},
    {CURLOPT_SSL_VERIFYPEER, 1},
    {CURLOPT_SSL_VERIFYHOST, 2},
    {CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2},
    {CURLOPT_NETRC, CURL_NETRC_IGNORED},
    {CURLOPT_NOPROGRESS, 1},
    {CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS},
    {CURLOPT_HTTPGET, 1},
};

#if LIBCURL_VERSION_NUM >= 0x075700 /* 7.87.0 */
static void set_by_version(struct fetch *f)
{
    curl_easy_setopt(f->easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(f->easy, CURLOPT_PREREQFUNCTION, fetch_on_before_send);
    curl_easy_setopt(f->easy, CURLOPT_PREREQDATA, f);
    /* Ending a transfer must not wait for the resolver's thread. */
    curl_easy_setopt(f->easy, CURLOPT_QUICK_EXIT, 1L);
}
#elif LIBCURL_VERSION_NUM >= 0x075000 /* 7.80.0 */
static void set_by_version(struct fetch *f)
{
    curl_easy_setopt(f->easy, CURLOPT_PROTOCOLS, CURLPROTO_HTTP | CURLPROTO_HTTPS);
    curl_easy_setopt(f->easy, CURLOPT_PREREQFUNCTION, fetch_on_before_send);
    curl_easy_setopt(f->easy, CURLOPT_PREREQDATA, f);
}
#else
static void set_by_version(struct fetch *f)
{
    curl_easy_setopt(f->easy, CURLOPT_PROTOCOLS, CURLPROTO_HTTP | CURLPROTO_HTTPS);
}
#endif

/* What is the same for every fetch. */
void fetch_options_init(struct fetch *f)
{
    CURL *c = f->easy;

    for (size_t i = 0; i < ARRAY_LEN(fixed_options); i++)
        if (curl_easy_setopt(c, fixed_options[i].option, fixed_options[i].value) != CURLE_OK)
            log_error("fetch", "libcurl refuses option %d", (int)fixed_options[i].option);
    curl_easy_setopt(c, CURLOPT_PROXY, "");
    curl_easy_setopt(c, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(c, CURLOPT_ERRORBUFFER, f->why);
    curl_easy_setopt(c, CURLOPT_PRIVATE, f);
    curl_easy_setopt(c, CURLOPT_SHARE, f->fr->share);
    curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, fetch_on_header_line);
    curl_easy_setopt(c, CURLOPT_HEADERDATA, f);
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, fetch_on_write);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, f);
    curl_easy_setopt(c, CURLOPT_READFUNCTION, fetch_on_read);
    curl_easy_setopt(c, CURLOPT_READDATA, f);
    curl_easy_setopt(c, CURLOPT_OPENSOCKETFUNCTION, fetch_on_open_socket);
    curl_easy_setopt(c, CURLOPT_OPENSOCKETDATA, f);
    curl_easy_setopt(c, CURLOPT_CLOSESOCKETFUNCTION, fetch_on_close_socket);
    curl_easy_setopt(c, CURLOPT_CLOSESOCKETDATA, f->fr);
    set_by_version(f);
    f->sticky.connect_timeout_ms = CONNECT_TIMEOUT_MS;
    f->sticky.verb = VERB_GET;
}

static void sticky_clear(struct sticky *s)
{
    free(s->url);
    free(s->unix_socket);
    free(s->connect_to);
    free(s->ca_file);
    free(s->cert_file);
    free(s->key_file);
    free(s->local_address);
    free(s->connect_list.data);
    *s = (struct sticky){0};
}

static bool same(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static char *copy_or_null(const char *s)
{
    return s == NULL ? NULL : xstrdup(s);
}

static bool set_long(struct fetch *f, CURLoption option, long value)
{
    return curl_easy_setopt(f->easy, option, value) == CURLE_OK;
}

/* libcurl keeps connections apart by all of this, the files by their paths: whoever names files
 * sees to it that a path stands for one content (base/memory_file.h). */
static bool set_tls(struct fetch *f, const struct transfer_spec *spec)
{
    struct sticky *s = &f->sticky;
    CURL *c = f->easy;

    s->ca_file = copy_or_null(spec->ca_file);
    s->cert_file = copy_or_null(spec->cert_file);
    s->key_file = copy_or_null(spec->key_file);
    s->insecure = spec->insecure;
    if (s->ca_file != NULL && (curl_easy_setopt(c, CURLOPT_CAINFO, s->ca_file) != CURLE_OK ||
                               curl_easy_setopt(c, CURLOPT_CAPATH, NULL) != CURLE_OK))
        return false;
    if (s->cert_file != NULL && (curl_easy_setopt(c, CURLOPT_SSLCERT, s->cert_file) != CURLE_OK ||
                                 curl_easy_setopt(c, CURLOPT_SSLKEY, s->key_file) != CURLE_OK))
        return false;
    return !s->insecure ||
           (set_long(f, CURLOPT_SSL_VERIFYPEER, 0) && set_long(f, CURLOPT_SSL_VERIFYHOST, 0));
}

/* libcurl 7.88 cannot go on with a connection whose HTTP/2 is known beforehand: CURLE_HTTP2. */
static bool is_for_one(const struct transfer_spec *spec)
{
    return spec->idle_ms == TRANSFER_ONCE ||
           (spec->http == TRANSFER_H2C &&
            curl_version_info(CURLVERSION_NOW)->version_num < 0x080000);
}

static bool set_protocol(struct fetch *f, const struct transfer_spec *spec)
{
    static const long versions[] = {
        [TRANSFER_HTTP1] = CURL_HTTP_VERSION_1_1,
        [TRANSFER_HTTP2] = CURL_HTTP_VERSION_2TLS,
        [TRANSFER_H2C] = CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE,
    };

    f->sticky.http = spec->http;
    f->sticky.idle_ms = spec->idle_ms;
    f->sticky.fallback_ms = spec->fallback_ms;
    if (spec->fallback_ms != 0 &&
        !set_long(f, CURLOPT_HAPPY_EYEBALLS_TIMEOUT_MS,
                  spec->fallback_ms < INT32_MAX ? (long)spec->fallback_ms : INT32_MAX))
        return false;
    if (spec->http != TRANSFER_HTTP1 && !set_long(f, CURLOPT_HTTP_VERSION, versions[spec->http]))
        return false;
    if (is_for_one(spec))
        return set_long(f, CURLOPT_FRESH_CONNECT, 1) && set_long(f, CURLOPT_FORBID_REUSE, 1);
    return spec->idle_ms == 0 || set_long(f, CURLOPT_MAXAGE_CONN, (long)(spec->idle_ms / 1000) + 1);
}

/* libcurl keeps connections from different addresses apart, but goes on with any where it may. */
static bool set_connection(struct fetch *f, const struct transfer_spec *spec)
{
    const long seconds = spec->probe_ms < 1000 ? 1 : (long)(spec->probe_ms / 1000);
    const bool v6 = spec->local_address != NULL && strchr(spec->local_address, ':') != NULL;
    char from[sizeof "host!" + INET6_ADDRSTRLEN];

    f->sticky.probe_ms = spec->probe_ms;
    f->sticky.local_address = copy_or_null(spec->local_address);
    if (spec->probe_ms != 0 &&
        !(set_long(f, CURLOPT_TCP_KEEPALIVE, 1) && set_long(f, CURLOPT_TCP_KEEPIDLE, seconds) &&
          set_long(f, CURLOPT_TCP_KEEPINTVL, seconds)))
        return false;
    if (spec->local_address == NULL)
        return true;
    snprintf(from, sizeof from, "host!%s", spec->local_address);
    return curl_easy_setopt(f->easy, CURLOPT_INTERFACE, from) == CURLE_OK &&
           set_long(f, CURLOPT_IPRESOLVE, v6 ? CURL_IPRESOLVE_V6 : CURL_IPRESOLVE_V4);
}

static bool has_route(const struct sticky *s, const struct transfer_spec *spec)
{
    return same(s->unix_socket, spec->unix_socket) && same(s->connect_to, spec->connect_to) &&
           same(s->ca_file, spec->ca_file) && same(s->cert_file, spec->cert_file) &&
           same(s->key_file, spec->key_file) && s->insecure == spec->insecure &&
           s->http == spec->http && s->idle_ms == spec->idle_ms && s->probe_ms == spec->probe_ms &&
           s->fallback_ms == spec->fallback_ms && same(s->local_address, spec->local_address);
}

/* Options that a handle cannot be freed of one by one: another set of them begins afresh. */
static bool set_route(struct fetch *f, const struct transfer_spec *spec)
{
    struct sticky *s = &f->sticky;
    bool ok = true;

    if (has_route(s, spec))
        return true;
    curl_easy_reset(f->easy); /* keeps connections, names and TLS sessions */
    sticky_clear(s);
    fetch_options_init(f);
    s->unix_socket = copy_or_null(spec->unix_socket);
    if (s->unix_socket != NULL)
        ok = curl_easy_setopt(f->easy, CURLOPT_UNIX_SOCKET_PATH, s->unix_socket) == CURLE_OK;
    if (ok && spec->connect_to != NULL) {
        s->connect_to = xstrdup(spec->connect_to);
        s->connect_list.data = xasprintf("::%s", spec->connect_to);
        ok = curl_easy_setopt(f->easy, CURLOPT_CONNECT_TO, &s->connect_list) == CURLE_OK;
    }
    return ok && set_tls(f, spec) && set_protocol(f, spec) && set_connection(f, spec);
}

static bool set_url(struct fetch *f, const char *url)
{
    if (same(f->sticky.url, url))
        return true;
    free(f->sticky.url);
    f->sticky.url = xstrdup(url);
    return curl_easy_setopt(f->easy, CURLOPT_URL, url) == CURLE_OK;
}

static bool set_verb(struct fetch *f, const char *method, int64_t body_len)
{
    CURL *c = f->easy;
    enum verb verb = body_len != 0                 ? VERB_UPLOAD
                     : strcmp(method, "GET") == 0  ? VERB_GET
                     : strcmp(method, "HEAD") == 0 ? VERB_HEAD
                                                   : VERB_OTHER;

    if (verb == VERB_UPLOAD &&
        curl_easy_setopt(c, CURLOPT_INFILESIZE_LARGE, (curl_off_t)body_len) != CURLE_OK)
        return false;
    if (verb != f->sticky.verb)
        switch (verb) {
        case VERB_GET:
        case VERB_OTHER:
            curl_easy_setopt(c, CURLOPT_HTTPGET, 1L);
            break;
        case VERB_HEAD:
            curl_easy_setopt(c, CURLOPT_HTTPGET, 1L); /* undoes an upload */
            curl_easy_setopt(c, CURLOPT_NOBODY, 1L);
            break;
        case VERB_UPLOAD:
            curl_easy_setopt(c, CURLOPT_UPLOAD, 1L);
            break;
        }
    if (verb == f->sticky.verb && (verb == VERB_GET || verb == VERB_HEAD))
        return true;
    f->sticky.verb = verb;
    return curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST,
                            verb == VERB_GET || verb == VERB_HEAD ? NULL : method) == CURLE_OK;
}

/* A name without a value keeps curl from sending its own field of that name. */
static const char *const suppressed[] = {"Expect:", "Accept:", "User-Agent:"};

static char *put(char *at, const char *s, size_t len)
{
    memcpy(at, s, len);
    at[len] = '\0';
    return at + len + 1;
}

/* To curl "Name:" means "do not send it", and "Name;" an empty value. */
static void mark_empty_value(char *line)
{
    size_t len = strlen(line);

    while (len > 0 && (line[len - 1] == ' ' || line[len - 1] == '\t'))
        len--;
    if (len > 0 && line[len - 1] == ':' && strchr(line, ':') == line + len - 1) {
        line[len - 1] = ';';
        line[len] = '\0';
    }
}

/* Lays out the list's nodes and their text in f->text, which lives as long as the transfer. */
static bool set_fields(struct fetch *f, const struct transfer_spec *spec)
{
    size_t n = 0, bytes = 0, total;
    struct curl_slist *node;
    char *at;

    while (spec->fields != NULL && spec->fields[n] != NULL)
        bytes += strlen(spec->fields[n++]) + 1;
    total = (n + ARRAY_LEN(suppressed)) * sizeof *node + bytes;
    if (total > f->text_cap) {
        free(f->text);
        f->text = xalloc(total);
        f->text_cap = total;
    }
    node = (struct curl_slist *)(void *)f->text;
    at = f->text + (n + ARRAY_LEN(suppressed)) * sizeof *node;
    for (size_t i = 0; i < ARRAY_LEN(suppressed); i++, node++)
        *node = (struct curl_slist){(char *)suppressed[i], node + 1};
    if (spec->expect_timeout_ms != 0)
        node[-(ptrdiff_t)ARRAY_LEN(suppressed)].data = (char *)"Expect: 100-continue";
    for (size_t i = 0; i < n; i++, node++) {
        *node = (struct curl_slist){at, node + 1};
        at = put(at, spec->fields[i], strlen(spec->fields[i]));
        mark_empty_value(node->data);
    }
    node[-1].next = NULL;
    return curl_easy_setopt(f->easy, CURLOPT_HTTPHEADER, (struct curl_slist *)(void *)f->text) ==
           CURLE_OK;
}

bool fetch_options_set(struct fetch *f, const struct transfer_spec *spec)
{
    long timeout_ms =
        spec->connect_timeout_ms == 0 ? CONNECT_TIMEOUT_MS : (long)spec->connect_timeout_ms;

    if (!set_route(f, spec) || !set_url(f, spec->url) ||
        curl_easy_setopt(f->easy, CURLOPT_REQUEST_TARGET, spec->target) != CURLE_OK)
        return false;
    if (timeout_ms != f->sticky.connect_timeout_ms) {
        f->sticky.connect_timeout_ms = timeout_ms;
        curl_easy_setopt(f->easy, CURLOPT_CONNECTTIMEOUT_MS, timeout_ms);
    }
    if (spec->expect_timeout_ms != 0 &&
        !set_long(f, CURLOPT_EXPECT_100_TIMEOUT_MS, (long)spec->expect_timeout_ms))
        return false;
    return set_verb(f, spec->method, spec->body_len) && set_fields(f, spec);
}

void fetch_options_fini(struct fetch *f)
{
    sticky_clear(&f->sticky);
    free(f->text);
}
