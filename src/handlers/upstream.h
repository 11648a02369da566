/* An upstream, as configurations name it, and how it is spoken with. */
#ifndef LINTEL_HANDLERS_UPSTREAM_H
#define LINTEL_HANDLERS_UPSTREAM_H

#include "http/exchange.h"
#include "io/dns_ask.h"
#include "io/transfer.h"

/* How the upstreams of a proxy are spoken with: of "transport http". */
struct upstream_how {
    bool tls;                    /* with those that are written without a scheme, too */
    const uint16_t *plain_ports; /* but not at these */
    size_t n_plain_ports;
    bool http2; /* over TLS */
    bool h2c;   /* without TLS */
    const char *ca_file;
    const char *cert_file, *key_file;
    const char *server_name; /* that certificates must be for; NULL: the upstream's own name */
    const struct text *server_name_of_request; /* the same, made anew for each request; or NULL */
    bool insecure;
    unsigned tls_timeout_ms;     /* for the handshake, after the time for the connection */
    unsigned idle_ms;            /* as in struct transfer_spec */
    struct transfer_idle idle;   /* as there, but of all workers; no group */
    unsigned fallback_ms;        /* as there */
    unsigned probe_ms;           /* as there */
    const char *local_address;   /* as there */
    struct dns_servers *servers; /* as there */
    const struct token *servers_at;
    unsigned proxy_protocol; /* connections begin with a header of this version; 0: with none */
    const struct token *proxy_protocol_at;
};

enum upstream_scheme { SCHEME_NONE, SCHEME_HTTP, SCHEME_HTTPS, SCHEME_H2C };

struct upstream {
    const char *name;            /* as written, for messages */
    const char *url;             /* "http://host:port/" */
    const char *connect_to;      /* where the URL's host is to be found, or NULL: where it says */
    struct upstream_names names; /* hostport is that of the upstream itself */
    struct str authority;        /* for the Host field of requests over TLS */
    const char *unix_socket;     /* absolute path, or NULL */
    bool secure;                 /* https: the Host field is then the upstream's own */
    enum transfer_http http;
    enum upstream_scheme scheme;
    const struct text
        *address;      /* "host:port", made anew for each request; NULL: it is as written */
    unsigned priority; /* of DNS: those with a larger number are for when these fail */
    unsigned weight;   /* of DNS: its share of the requests to those with this priority */
    const struct upstream_how *how;
};

/* Reads one upstream address: "host:port", ":port", "http://host:port", "https://host",
 * "h2c://host:port", "unix//path", "unix+h2c//path". Returns 0, or -1 with *e set. Everything lives
 * in a, how at least as long. */
MUST_CHECK int upstream_parse(struct arena *a, struct str text, const struct upstream_how *how,
                              struct upstream *u, struct err *e);

/* Whether there are placeholders in an address, and so upstream_parse() is not for it. *rest is the
 * address without its scheme. -1 with *e set if there may be none. */
MUST_CHECK int upstream_has_placeholders(struct str text, struct str *rest, struct err *e);

/* An upstream whose address is made for each request of `address`, which lives as long as *u. */
MUST_CHECK int upstream_parse_later(struct arena *a, struct str text, const struct text *address,
                                    const struct upstream_how *how, struct upstream *u,
                                    struct err *e);

/* One that DNS has told for a name: over TLS its certificate must be for that, unless the
 * configuration says for which. Without TLS this changes nothing. */
void upstream_found_as(struct arena *a, struct str name, struct upstream *u);

/* Whether upstream_resolve() is for it. */
bool upstream_varies(const struct upstream *u);

/* Its address for the request at hand, in the exchange's arena: "host:port" and nothing else, since
 * a client may have a say in it; and the name of its certificate. ex->upstream is then the names of
 * *out. -1 with *e set if it is something else. */
MUST_CHECK int upstream_resolve(const struct upstream *u, struct exchange *ex, struct upstream *out,
                                struct err *e);

/* Whether s may be the name of a host. */
bool upstream_is_host(struct str s);

/* Whether the text ends with a range of ports, "8001-8006"; *rest is what stands before it. */
bool upstream_has_range(struct str text, struct str *rest, unsigned *first, unsigned *last);

/* Fills in who is asked, and how; connect_timeout_ms is there already. */
void upstream_spec(const struct upstream *u, struct transfer_spec *spec);

#endif
