#include "handlers/upstream.h"

static bool is_host(struct str s)
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
    if (!is_host(*host) && !is_ipv6(*host))
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

int upstream_parse(struct arena *a, struct str text, struct upstream *u, struct err *e)
{
    struct str rest = text, host;
    uint64_t port;

    *u = (struct upstream){.name = arena_str(a, text).p};
    if (take_prefix(&rest, "unix/")) {
        if (rest.len == 0 || rest.p[0] != '/')
            return err_set(e, ERR_SYNTAX, "a unix socket is written unix//path");
        u->unix_socket = arena_str(a, rest).p;
        u->url = "http://localhost/";
        u->names.hostport = u->names.host = STR_LIT("localhost");
        u->names.address = arena_printf(a, "unix/" STR_FMT, STR_ARG(rest));
        return 0;
    }
    if (memchr(text.p, '{', text.len) != NULL)
        return err_set(e, ERR_INVALID, "placeholders in upstream addresses are not supported");
    u->secure = take_prefix(&rest, "https://");
    if (!u->secure && !take_prefix(&rest, "http://") && memmem(rest.p, rest.len, "://", 3) != NULL)
        return err_set(e, ERR_INVALID, "only http:// and https:// upstreams are supported");
    if (memchr(rest.p, '/', rest.len) != NULL || memchr(rest.p, '?', rest.len) != NULL)
        return err_set(e, ERR_INVALID, "an upstream has no path: it gets the request's own");
    if (split_hostport(rest, &host, &port, e) != 0)
        return -1;
    name_upstream(a, host, port, u);
    u->url = arena_printf(a, "%s://" STR_FMT "/", u->secure ? "https" : "http",
                          STR_ARG(u->names.hostport))
                 .p;
    return 0;
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
