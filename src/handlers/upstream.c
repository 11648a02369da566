#include "handlers/upstream.h"

#include "base/alloc.h"
#include "http/placeholder.h"

enum { HOST_MAX = 253, ADDRESS_MAX = HOST_MAX + 6 };

bool upstream_is_host(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = ascii_lower(s.p[i]);

        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-' && c != '.' && c != '_')
            return false;
    }
    return s.len > 0;
}

static bool is_ipv6(struct str s)
{
    if (s.len < 4 || s.p[0] != '[' || s.p[s.len - 1] != ']')
        return false;
    for (size_t i = 1; i < s.len - 1; i++)
        if (strchr("0123456789abcdef:.", ascii_lower(s.p[i])) == NULL)
            return false;
    return true;
}

/* "host:port" to its parts; port is 0 if there is none. */
static int split_hostport(struct str text, struct str *host, uint64_t *port, struct err *e)
{
    size_t bracket = text.len > 0 && text.p[0] == '[' ? str_chr(text, ']') : 0;
    size_t colon = bracket + str_chr(str_from(text, bracket), ':');

    *host = (struct str){text.p, colon};
    *port = 0;
    if (colon < text.len &&
        (!str_to_uint(str_from(text, colon + 1), UINT16_MAX, port) || *port == 0))
        return err_set(e, ERR_SYNTAX, "'" STR_FMT "' is no port (1 to 65535)",
                       STR_ARG(str_from(text, colon + 1)));
    if (host->len == 0 && *port != 0)
        *host = STR_LIT("localhost");
    if (!upstream_is_host(*host) && !is_ipv6(*host))
        return err_set(e, ERR_SYNTAX, "an upstream is [http://]host:port or unix//path");
    return 0;
}

static bool take_prefix(struct str *s, const char *prefix)
{
    if (!str_starts(*s, str_of(prefix)))
        return false;
    *s = str_from(*s, strlen(prefix));
    return true;
}

/* The port of the scheme is left out where the host and the port are put together. */
static void name_upstream(struct arena *a, struct str host, uint64_t port, struct upstream *u)
{
    const unsigned standard = u->secure ? 443 : 80;
    const unsigned number = port == 0 ? standard : (unsigned)port;
    struct upstream_names *n = &u->names;

    n->host = n->hostport = arena_str(a, host);
    n->port = arena_printf(a, "%u", number);
    if (number != standard)
        n->hostport = arena_printf(a, STR_FMT ":%u", STR_ARG(host), number);
    n->address = arena_printf(a, "tcp/" STR_FMT ":%u", STR_ARG(host), number);
}

/* ---- what is spoken ---- */

static enum upstream_scheme take_scheme(struct str *rest)
{
    static const struct {
        const char *prefix;
        enum upstream_scheme scheme;
    } schemes[] = {{"http://", SCHEME_HTTP}, {"https://", SCHEME_HTTPS}, {"h2c://", SCHEME_H2C}};

    for (size_t i = 0; i < ARRAY_LEN(schemes); i++)
        if (take_prefix(rest, schemes[i].prefix))
            return schemes[i].scheme;
    return SCHEME_NONE;
}

static bool is_plain_port(const struct upstream_how *how, uint64_t port)
{
    for (size_t i = 0; i < how->n_plain_ports; i++)
        if (how->plain_ports[i] == port)
            return true;
    return false;
}

static int set_protocol(struct upstream *u, enum upstream_scheme scheme, uint64_t port,
                        struct err *e)
{
    const struct upstream_how *how = u->how;

    if (scheme == SCHEME_HTTP && how->tls)
        return err_set(e, ERR_INVALID, "'%s' is without TLS, but the transport says 'tls'",
                       u->name);
    u->secure = (scheme == SCHEME_HTTPS || (scheme == SCHEME_NONE && how->tls)) &&
                !is_plain_port(how, port);
    if ((scheme == SCHEME_H2C && how->tls) || (how->h2c && u->secure))
        return err_set(e, ERR_INVALID, "'%s': h2c is HTTP/2 without TLS", u->name);
    u->http = TRANSFER_HTTP1;
    if (u->secure && how->http2)
        u->http = TRANSFER_HTTP2;
    if (scheme == SCHEME_H2C || how->h2c)
        u->http = TRANSFER_H2C;
    return 0;
}

/* ---- the address ---- */

/* The name that a certificate must be for is that of the URL. NULL: the upstream's own. */
static void set_url(struct arena *a, const char *name, struct upstream *u)
{
    const struct upstream_names *n = &u->names;
    const char *scheme = u->secure ? "https" : "http";

    if (u->unix_socket != NULL) {
        u->url = arena_printf(a, "%s://%s/", scheme, name != NULL ? name : "localhost").p;
    } else if (name == NULL) {
        u->url = arena_printf(a, "%s://" STR_FMT "/", scheme, STR_ARG(n->hostport)).p;
    } else {
        u->url = arena_printf(a, "https://%s:" STR_FMT "/", name, STR_ARG(n->port)).p;
        u->connect_to = arena_printf(a, STR_FMT ":" STR_FMT, STR_ARG(n->host), STR_ARG(n->port)).p;
    }
}

static void set_own_url(struct arena *a, struct upstream *u)
{
    u->authority = u->names.hostport;
    set_url(a, u->secure ? u->how->server_name : NULL, u);
}

static int parse_unix(struct arena *a, struct str path, bool h2c, struct upstream *u, struct err *e)
{
    if (path.len == 0 || path.p[0] != '/')
        return err_set(e, ERR_SYNTAX, "a unix socket is written unix//path");
    if (set_protocol(u, h2c ? SCHEME_H2C : SCHEME_NONE, 0, e) != 0)
        return -1;
    u->unix_socket = arena_str(a, path).p;
    u->names.hostport = u->names.host = STR_LIT("localhost");
    u->names.address = arena_printf(a, "unix/" STR_FMT, STR_ARG(path));
    set_own_url(a, u);
    return 0;
}

int upstream_parse(struct arena *a, struct str text, const struct upstream_how *how,
                   struct upstream *u, struct err *e)
{
    struct str rest = text, host;
    enum upstream_scheme scheme;
    uint64_t port;

    *u = (struct upstream){.name = arena_str(a, text).p, .how = how};
    if (take_prefix(&rest, "unix/"))
        return parse_unix(a, rest, false, u, e);
    if (take_prefix(&rest, "unix+h2c/"))
        return parse_unix(a, rest, true, u, e);
    scheme = take_scheme(&rest);
    if (scheme == SCHEME_NONE && memmem(rest.p, rest.len, "://", 3) != NULL)
        return err_set(e, ERR_INVALID, "upstreams are http://, https:// or h2c://");
    if (memchr(rest.p, '/', rest.len) != NULL || memchr(rest.p, '?', rest.len) != NULL)
        return err_set(e, ERR_INVALID,
                       "an upstream has no path: it gets the request's own, which 'rewrite' or "
                       "'uri' may change");
    if (split_hostport(rest, &host, &port, e) != 0 || set_protocol(u, scheme, port, e) != 0)
        return -1;
    name_upstream(a, host, port, u);
    set_own_url(a, u);
    return 0;
}

void upstream_found_as(struct arena *a, struct str name, struct upstream *u)
{
    if (!u->secure || u->how->server_name != NULL)
        return;
    if (name.len > 0 && name.p[name.len - 1] == '.')
        name.len--;
    name = arena_str(a, name);
    u->authority = name;
    if (!str_is(u->names.port, "443"))
        u->authority = arena_printf(a, STR_FMT ":" STR_FMT, STR_ARG(name), STR_ARG(u->names.port));
    set_url(a, name.p, u);
}

/* ---- addresses with placeholders ---- */

int upstream_has_placeholders(struct str text, struct str *rest, struct err *e)
{
    *rest = text;
    if (memchr(text.p, '{', text.len) == NULL)
        return 0;
    if (str_starts(text, STR_LIT("unix")))
        return err_set(
            e, ERR_INVALID,
            "the path of a unix socket has no placeholders: what a client sends must not "
            "choose it (write {$NAME} for what is in the environment)");
    (void)take_scheme(rest);
    if (memchr(rest->p, '/', rest->len) != NULL || memchr(rest->p, '?', rest->len) != NULL)
        return err_set(e, ERR_INVALID,
                       "an upstream has no path: it gets the request's own, which 'rewrite' or "
                       "'uri' may change");
    return 1;
}

int upstream_parse_later(struct arena *a, struct str text, const struct text *address,
                         const struct upstream_how *how, struct upstream *u, struct err *e)
{
    struct str rest = text;

    *u = (struct upstream){.name = arena_str(a, text).p, .how = how, .address = address};
    u->scheme = take_scheme(&rest);
    if (set_protocol(u, u->scheme, 0, e) != 0)
        return -1;
    u->names.address = u->names.host = u->names.hostport = arena_str(a, rest);
    return 0;
}

bool upstream_varies(const struct upstream *u)
{
    return u->address != NULL || (u->secure && u->how->server_name_of_request != NULL);
}

static int resolve_address(const struct upstream *u, struct exchange *ex, struct upstream *out,
                           struct err *e)
{
    struct str text = text_expand(u->address, ex), host;
    uint64_t port;

    *out = (struct upstream){.name = u->name, .how = u->how, .scheme = u->scheme};
    if (text.len == 0 || text.len > ADDRESS_MAX || text.p[0] == ':')
        return err_set(e, ERR_INVALID, "the request makes no address of it");
    if (split_hostport(text, &host, &port, e) != 0 || port == 0)
        return err_set(e, ERR_INVALID, "the request makes '" STR_FMT "' of it, not HOST:PORT",
                       STR_ARG(text));
    if (set_protocol(out, u->scheme, port, e) != 0)
        return -1;
    name_upstream(ex->arena, host, port, out);
    set_own_url(ex->arena, out);
    return 0;
}

static int resolve_server_name(struct exchange *ex, struct upstream *u, struct err *e)
{
    struct str name = text_expand(u->how->server_name_of_request, ex);

    if (name.len > HOST_MAX || !upstream_is_host(name))
        return err_set(e, ERR_INVALID,
                       "the request makes '" STR_FMT "' of tls_server_name, which is no host name",
                       STR_ARG(name));
    set_url(ex->arena, arena_str(ex->arena, name).p, u);
    return 0;
}

int upstream_resolve(const struct upstream *u, struct exchange *ex, struct upstream *out,
                     struct err *e)
{
    *out = *u;
    if (u->address != NULL && resolve_address(u, ex, out, e) != 0)
        return -1;
    ex->upstream = &out->names;
    if (out->secure && out->how->server_name_of_request != NULL)
        return resolve_server_name(ex, out, e);
    return 0;
}

void upstream_spec(const struct upstream *u, struct transfer_spec *spec)
{
    const struct upstream_how *how = u->how;

    spec->url = u->url;
    spec->unix_socket = u->unix_socket;
    spec->connect_to = u->connect_to;
    spec->http = u->http;
    spec->idle_ms = how->idle_ms;
    spec->probe_ms = how->probe_ms;
    spec->servers = how->servers;
    if (u->unix_socket == NULL)
        spec->local_address = how->local_address;
    spec->fallback_ms = how->fallback_ms;
    if (!u->secure)
        return;
    spec->connect_timeout_ms += how->tls_timeout_ms;
    spec->ca_file = how->ca_file;
    spec->cert_file = how->cert_file;
    spec->key_file = how->key_file;
    spec->insecure = how->insecure;
}

bool upstream_has_range(struct str text, struct str *rest, unsigned *first, unsigned *last)
{
    size_t at = text.len;
    struct str to;
    uint64_t from_port, to_port;

    while (at > 0 && text.p[at - 1] != ':')
        at--;
    to = str_from(text, at);
    if (at == 0 || !str_to_uint(str_cut(&to, '-'), UINT16_MAX, &from_port) || to.p == NULL ||
        !str_to_uint(to, UINT16_MAX, &to_port))
        return false;
    *rest = (struct str){text.p, at};
    *first = (unsigned)from_port;
    *last = (unsigned)to_port;
    return true;
}
