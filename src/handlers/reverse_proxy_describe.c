/* What a proxy was compiled to, for "lintel adapt": the keys are the options' names, those of times
 * with their unit. What is off is left out, unless it would be the other way round by default. */
#include "base/alloc.h"
#include "handlers/reverse_proxy_conf.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

enum { IDLE_MS = 2 * 60 * 1000, FALLBACK_MS = 300 }; /* where nothing is said of it */

/* 0 means that there is none. */
static void number(struct describer *out, const char *key, uint64_t value)
{
    if (value != 0)
        describe_number(out, key, (int64_t)value);
}

static void text(struct describer *out, const char *key, const char *value)
{
    if (value != NULL)
        describe_text(out, key, str_of(value));
}

/* ---- which upstreams ---- */

static void put_server(FILE *f, struct arena *a, const void *server)
{
    const struct dns_server *s = server;
    struct ip ip;
    const struct sockaddr_in *in = (const void *)&s->address;
    const struct sockaddr_in6 *in6 = (const void *)&s->address;
    const bool v6 = s->address.ss_family == AF_INET6;

    if (ip_of_sockaddr((const void *)&s->address, &ip))
        fprintf(f, v6 ? " [" STR_FMT "]:%u" : " " STR_FMT ":%u", STR_ARG(ip_format(a, &ip)),
                ntohs(v6 ? in6->sin6_port : in->sin_port));
}

/* As a line of the configuration, with what it does not say filled in. */
static void put_source(FILE *f, struct arena *a, const void *source)
{
    const struct dynamic_source *s = source;

    if (s->kind == DYNAMIC_A)
        fprintf(f, "a %s %u versions%s%s", s->name, s->port, s->ipv4 ? " ipv4" : "",
                s->ipv6 ? " ipv6" : "");
    else
        fprintf(f, "srv %s", s->name);
    fprintf(f, " refresh %llums", (unsigned long long)s->refresh_ms);
    if (s->grace_ms > 0)
        fprintf(f, " grace_period %llums", (unsigned long long)s->grace_ms);
    if (s->servers.timeout_ms > 0)
        fprintf(f, " dial_timeout %ums", s->servers.timeout_ms);
    if (s->servers.n > 0)
        fputs(" resolvers", f);
    for (unsigned i = 0; i < s->servers.n; i++)
        put_server(f, a, &s->servers.list[i]);
}

static void describe_line(struct describer *out, const char *name,
                          void (*put)(FILE *f, struct arena *a, const void *what), const void *what)
{
    struct arena *a = arena_new();
    char *line = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&line, &len);

    if (f != NULL) {
        put(f, a, what);
        fclose(f);
        describe_item(out, name, str_trim(str_of(line)));
    }
    free(line);
    arena_free(a);
}

static void describe_upstreams(const struct reverse_proxy_conf *c, struct describer *out)
{
    for (size_t i = 0; i < c->n_upstreams; i++)
        describe_item(out, "upstreams", str_of(c->upstreams[i].name));
    for (size_t i = 0; i < c->dynamic.n; i++)
        describe_line(out, "dynamic", put_source, &c->dynamic.sources[i]);
}

static void describe_balance(const struct reverse_proxy_conf *c, struct describer *out)
{
    text(out, "lb_policy", balance_name(c->balance.kind));
    number(out, "lb_retries", c->retries);
    number(out, "lb_try_duration_ms", c->try_ms);
    number(out, "lb_try_interval_ms", c->try_interval_ms);
}

/* ---- how they fare ---- */

static void describe_health(const struct reverse_proxy_conf *c, struct describer *out)
{
    const struct health_conf *h = &c->health;

    number(out, "fail_duration_ms", c->passive.fail_ms);
    if (c->passive.fail_ms > 0)
        number(out, "max_fails", c->passive.max_fails);
    number(out, "unhealthy_latency_ms", c->passive.latency_ms);
    number(out, "unhealthy_request_count", c->passive.max_requests);
    if (h->asked == NULL)
        return;
    text(out, "health_uri", h->target);
    for (size_t i = 0; i < c->n_upstreams; i++)
        describe_item(out, "health_upstreams", h->asked[i].names.address);
    text(out, "health_method", h->method);
    number(out, "health_interval_ms", h->interval_ms);
    number(out, "health_timeout_ms", h->timeout_ms);
    number(out, "health_passes", h->passes);
    number(out, "health_fails", h->fails);
}

/* ---- how they are spoken with ---- */

static bool has_tls(const struct reverse_proxy_conf *c)
{
    bool tls = c->how.tls;

    for (size_t i = 0; i < c->n_upstreams; i++)
        tls |= c->upstreams[i].secure;
    return tls;
}

static void describe_tls(const struct upstream_how *how, struct describer *out)
{
    char port[8];

    describe_flag(out, "tls", how->tls);
    describe_flag(out, "tls_insecure_skip_verify", how->insecure);
    if (!how->insecure)
        text(out, "tls_trust_pool", how->ca_file != NULL ? "file" : "that of the system");
    describe_flag(out, "tls_client_auth", how->cert_file != NULL);
    text(out, "tls_server_name",
         how->server_name != NULL              ? how->server_name
         : how->server_name_of_request != NULL ? "a placeholder"
                                               : "the upstream's own");
    number(out, "tls_timeout_ms", how->tls_timeout_ms);
    for (size_t i = 0; i < how->n_plain_ports; i++) {
        snprintf(port, sizeof port, "%u", how->plain_ports[i]);
        describe_item(out, "tls_except_ports", str_of(port));
    }
}

static void describe_http(const struct reverse_proxy_conf *c, struct describer *out)
{
    const struct upstream_how *how = &c->how;

    if (how->h2c)
        describe_item(out, "versions", STR_LIT("h2c"));
    else
        describe_item(out, "versions", STR_LIT("1.1"));
    if (how->http2)
        describe_item(out, "versions", STR_LIT("2"));
    text(out, "http_client", c->client == CLIENT_DIRECT ? "direct" : "curl");
    if (how->idle_ms == TRANSFER_ONCE)
        text(out, "keepalive", "off");
    else
        number(out, "keepalive_ms", how->idle_ms != 0 ? how->idle_ms : IDLE_MS);
    number(out, "keepalive_interval_ms", how->probe_ms);
    number(out, "keepalive_idle_conns", how->idle.max);
    number(out, "keepalive_idle_conns_per_host", how->idle.max_each);
    text(out, "local_address", how->local_address);
    for (unsigned i = 0; how->servers != NULL && i < how->servers->n; i++)
        describe_line(out, "resolvers", put_server, &how->servers->list[i]);
    if (how->proxy_protocol != 0)
        text(out, "proxy_protocol", how->proxy_protocol == 1 ? "v1" : "v2");
    number(out, "max_response_header", c->max_header);
    if (how->fallback_ms == TRANSFER_NEVER)
        text(out, "dial_fallback_delay", "off");
    else
        number(out, "dial_fallback_delay_ms",
               how->fallback_ms != 0 ? how->fallback_ms : FALLBACK_MS);
    if (has_tls(c))
        describe_tls(how, out);
}

static void describe_fastcgi(const struct fastcgi_conf *f, struct describer *out)
{
    for (size_t i = 0; i < f->n_splits; i++)
        describe_item(out, "split", f->splits[i]);
    for (size_t i = 0; i < f->n_env; i++)
        describe_item(out, "env", f->env[i].name);
    describe_flag(out, "resolve_root_symlink", f->resolve_root_symlink);
    describe_flag(out, "capture_stderr", f->capture_stderr);
    describe_flag(out, "keepalive", f->keepalive);
}

static void describe_transport(const struct reverse_proxy_conf *c, struct describer *out)
{
    text(out, "transport", c->fastcgi != NULL ? "fastcgi" : "http");
    describe_number(out, "dial_timeout_ms", c->dial_timeout_ms);
    number(out, "expect_continue_timeout_ms", c->expect_timeout_ms);
    describe_number(out, "response_header_timeout_ms", c->response_header_timeout_ms);
    describe_number(out, "read_timeout_ms", c->read_timeout_ms);
    describe_number(out, "write_timeout_ms", c->write_timeout_ms);
    number(out, "max_conns_per_host", c->passive.max_conns);
    if (c->fastcgi != NULL)
        describe_fastcgi(c->fastcgi, out);
    else
        describe_http(c, out);
}

/* ---- all ---- */

static void describe_streams(const struct reverse_proxy_conf *c, struct describer *out)
{
    number(out, "request_buffers", c->request_buffers);
    number(out, "response_buffers", c->response_buffers);
    number(out, "stream_timeout_ms", c->stream_timeout_ms);
    if (c->has_stream_close_delay)
        describe_number(out, "stream_close_delay_ms", (int64_t)c->stream_close_delay_ms);
}

void reverse_proxy_describe(const void *conf, struct describer *out)
{
    const struct reverse_proxy_conf *c = conf;

    describe_upstreams(c, out);
    describe_balance(c, out);
    describe_health(c, out);
    describe_transport(c, out);
    describe_streams(c, out);
    proxy_answer_describe(&c->answers, out);
}
