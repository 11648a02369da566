/* "transport http": how connections to upstreams are made secure, which are kept, what is spoken.
 */
#include "base/alloc.h"
#include "base/file.h"
#include "base/ip_set.h"
#include "base/memory_file.h"
#include "cert/keys.h"
#include "cert/x509.h"
#include "handlers/reverse_proxy_conf.h"

#include <fcntl.h>

enum {
    PEM_MAX = 4 * 1024 * 1024,
    POOL_FILES_MAX = 64,
    CONNS_MAX = 1000000,
    HEADER_MIN = 256,
    PROBE_MIN_MS = 1000,        /* the system counts in seconds... */
    PROBE_MAX_MS = 32767 * 1000 /* ...and so far */
};

static struct upstream_how *how_of(const struct directive_args *d)
{
    return &((struct reverse_proxy_conf *)d->target)->how;
}

/* ---- files ---- */

static int read_certificates(const struct directive_args *d, const struct token *t, struct buf *pem)
{
    size_t start = pem->len;
    struct x509_chain *chain;
    struct err e;

    if (file_read(AT_FDCWD, directive_path(d, t), pem, &e) != 0)
        return directive_error(d, t, "%s", e.msg);
    chain = x509_chain_parse(str_from(buf_str(pem), start), &e);
    if (chain == NULL && e.code != ERR_LIMIT)
        return directive_error(d, t, "no certificates in PEM form: %s", e.msg);
    x509_chain_free(chain);
    if (buf_append(pem, "\n", 1) != 0)
        return directive_error(d, t, "too many certificates");
    return 0;
}

static int keep(const struct directive_args *d, const struct buf *content, const char **path)
{
    struct err e;

    *path = memory_file(buf_str(content), &e);
    return *path != NULL ? 0 : directive_error(d, &d->node->words[0], "%s", e.msg);
}

static int set_pool(const struct directive_args *d, const struct token *files, size_t n)
{
    struct upstream_how *how = how_of(d);
    struct buf pem = BUF_INIT(PEM_MAX);
    int rc = 0;

    how->tls = true;
    if (how->ca_file != NULL)
        return directive_error(d, &d->node->words[0],
                               "'tls_trust_pool' and 'tls_trusted_ca_certs' are the same: "
                               "only one can stand here");
    if (n == 0 || n > POOL_FILES_MAX)
        return directive_error(d, &d->node->words[0], "1 to %d files of certificates stand here",
                               POOL_FILES_MAX);
    for (size_t i = 0; i < n; i++)
        if (read_certificates(d, &files[i], &pem) != 0)
            rc = -1;
    if (rc == 0)
        rc = keep(d, &pem, &how->ca_file);
    buf_fini(&pem);
    return rc;
}

/* "file { pem_file a b }" */
static int set_pool_block(const struct directive_args *d)
{
    const struct node *line = &d->node->children[0];

    if (d->node->n_children == 1 && str_is(line->words[0].text, "pem_file"))
        return set_pool(d, line->words + 1, line->n_words - 1);
    return directive_error(d, &d->node->words[0], "the block of 'file' has 'pem_file <file>...'");
}

static int set_trust_pool(const struct directive_args *d)
{
    static const char *const known[] = {"file", NULL};

    if (str_is(d->args[0].text, "inline") || str_is(d->args[0].text, "pki_root") ||
        str_is(d->args[0].text, "pki_intermediate") || str_is(d->args[0].text, "storage") ||
        str_is(d->args[0].text, "http"))
        return directive_error(d, &d->args[0],
                               "write the certificates to a file: 'tls_trust_pool file <file>'");
    if (!str_is(d->args[0].text, "file"))
        return directive_unknown(d, &d->args[0], "trust pool", known);
    if (d->node->has_block && d->n_args == 1)
        return set_pool_block(d);
    return set_pool(d, d->args + 1, d->n_args - 1);
}

static int set_trusted_ca_certs(const struct directive_args *d)
{
    return set_pool(d, d->args, d->n_args);
}

static int check_pair(const struct directive_args *d, const struct buf *cert, const struct buf *key)
{
    struct err e;
    struct x509_chain *chain = x509_chain_parse(buf_str(cert), &e);
    struct key *k = key_load(buf_str(key), &e);
    int rc = -1;

    if (chain == NULL)
        directive_error(d, &d->args[0], "too many certificates");
    else if (k == NULL)
        directive_error(d, &d->args[1], "no private key in PEM form: %s", e.msg);
    else if (x509_chain_key_check(chain, k, &e) != 0)
        directive_error(d, &d->args[1], "%s", e.msg);
    else
        rc = 0;
    key_free(k);
    x509_chain_free(chain);
    return rc;
}

static int set_client_auth(const struct directive_args *d)
{
    struct upstream_how *how = how_of(d);
    struct buf cert = BUF_INIT(PEM_MAX), key = BUF_INIT(KEY_PEM_MAX);
    struct err e;
    int rc;

    how->tls = true;
    if (d->n_args == 1)
        return directive_error(d, &d->args[0],
                               "certificates for upstreams are not obtained: give two files, "
                               "'tls_client_auth <certificate> <key>'");
    rc = read_certificates(d, &d->args[0], &cert);
    if (file_read(AT_FDCWD, directive_path(d, &d->args[1]), &key, &e) != 0)
        rc = directive_error(d, &d->args[1], "%s", e.msg);
    if (rc == 0 && (check_pair(d, &cert, &key) != 0 || keep(d, &cert, &how->cert_file) != 0 ||
                    keep(d, &key, &how->key_file) != 0))
        rc = -1;
    buf_fini(&cert);
    buf_fini(&key);
    return rc;
}

/* ---- TLS ---- */

static int set_tls(const struct directive_args *d)
{
    how_of(d)->tls = true;
    return 0;
}

static int set_server_name(const struct directive_args *d)
{
    struct text *text = arena_alloc(d->arena, sizeof *text);
    struct str name;

    how_of(d)->tls = true;
    if (directive_text(d, &d->args[0], text) != 0)
        return -1;
    if (!text->constant) {
        how_of(d)->server_name_of_request = text;
        return 0;
    }
    name = text_constant(text);
    if (!upstream_is_host(name))
        return directive_error(d, &d->args[0], "'" STR_FMT "' is no host name", STR_ARG(name));
    how_of(d)->server_name = arena_str(d->arena, name).p;
    return 0;
}

static int set_insecure(const struct directive_args *d)
{
    how_of(d)->tls = how_of(d)->insecure = true;
    directive_warn(d, &d->node->words[0],
                   "anybody between here and the upstreams can read and change what is sent: "
                   "'tls_trust_pool file <certificate>' trusts one that signs itself");
    return 0;
}

static int set_short_time(const struct directive_args *d, unsigned *out)
{
    uint64_t ms;

    if (directive_duration(d, &d->args[0], &ms) != 0)
        return -1;
    if (ms > INT32_MAX / 2)
        return directive_error(d, &d->args[0], "at most 12 days");
    *out = (unsigned)ms;
    return 0;
}

static int set_tls_timeout(const struct directive_args *d)
{
    how_of(d)->tls = true;
    return set_short_time(d, &how_of(d)->tls_timeout_ms);
}

static int set_except_ports(const struct directive_args *d)
{
    struct upstream_how *how = how_of(d);
    uint16_t *ports = arena_alloc(d->arena, d->n_args * sizeof *ports);

    how->tls = true;
    for (size_t i = 0; i < d->n_args; i++) {
        uint64_t port;

        if (directive_uint(d, &d->args[i], UINT16_MAX, &port) != 0)
            return -1;
        ports[i] = (uint16_t)port;
    }
    how->plain_ports = ports;
    how->n_plain_ports = d->n_args;
    return 0;
}

/* ---- HTTP ---- */

static int set_versions(const struct directive_args *d)
{
    static const char *const known[] = {"1.1", "2", "h2c", "3", NULL};
    bool has[ARRAY_LEN(known)] = {false};

    for (size_t i = 0; i < d->n_args; i++) {
        size_t k = 0;

        while (known[k] != NULL && !str_is(d->args[i].text, known[k]))
            k++;
        if (known[k] == NULL)
            return directive_unknown(d, &d->args[i], "version", known);
        has[k] = true;
    }
    how_of(d)->http2 = has[1];
    how_of(d)->h2c = has[2];
    if (has[0] || has[1] || has[2])
        return 0;
    return directive_error(d, &d->args[0], "HTTP/3 is not spoken with upstreams: add '1.1' or '2'");
}

/* ---- connections ---- */

static int set_count(const struct directive_args *d, unsigned *out)
{
    uint64_t n;

    if (directive_uint(d, &d->args[0], CONNS_MAX, &n) != 0)
        return -1;
    *out = (unsigned)n;
    return 0;
}

static int set_idle_conns(const struct directive_args *d)
{
    return set_count(d, &how_of(d)->idle.max);
}

static int set_idle_conns_per_host(const struct directive_args *d)
{
    return set_count(d, &how_of(d)->idle.max_each);
}

static int set_interval(const struct directive_args *d)
{
    unsigned *ms = &how_of(d)->probe_ms;

    if (str_is(d->args[0].text, "off")) {
        *ms = 0;
        return 0;
    }
    if (set_short_time(d, ms) != 0)
        return -1;
    if (*ms >= PROBE_MIN_MS && *ms <= PROBE_MAX_MS)
        return 0;
    return directive_error(d, &d->args[0], "1s to 9h, or 'off'");
}

static int set_local_address(const struct directive_args *d)
{
    struct str text = d->args[0].text;
    struct ip ip;

    if (str_starts(text, STR_LIT("tcp/")))
        text = str_from(text, 4);
    if (text.len > 2 && text.p[0] == '[' && text.p[text.len - 1] == ']')
        text = (struct str){text.p + 1, text.len - 2};
    if (!ip_parse(text, &ip))
        return directive_error(d, &d->args[0], "an IP address of this machine, without a port");
    how_of(d)->local_address = arena_str(d->arena, ip_format(d->arena, &ip)).p;
    return 0;
}

static int set_resolvers(const struct directive_args *d)
{
    how_of(d)->servers = arena_alloc(d->arena, sizeof *how_of(d)->servers);
    how_of(d)->servers_at = &d->node->words[0];
    return dynamic_add_servers(d, d->args, d->n_args, how_of(d)->servers);
}

static int set_proxy_protocol(const struct directive_args *d)
{
    static const char *const known[] = {"v1", "v2", NULL};
    const struct token *t = &d->args[0];

    if (!str_is(t->text, known[0]) && !str_is(t->text, known[1]))
        return directive_unknown(d, t, "version", known);
    how_of(d)->proxy_protocol = str_is(t->text, known[0]) ? 1 : 2;
    how_of(d)->proxy_protocol_at = t;
    return 0;
}

static int set_keepalive(const struct directive_args *d)
{
    unsigned *idle_ms = &how_of(d)->idle_ms;

    if (str_is(d->args[0].text, "off")) {
        *idle_ms = TRANSFER_ONCE;
        return 0;
    }
    if (set_short_time(d, idle_ms) != 0)
        return -1;
    if (*idle_ms == 0)
        return directive_error(d, &d->args[0], "more than 0, or 'off'");
    return 0;
}

static int set_max_conns(const struct directive_args *d)
{
    struct reverse_proxy_conf *c = d->target;
    uint64_t n;

    if (directive_uint(d, &d->args[0], CONNS_MAX, &n) != 0)
        return -1;
    if (n == 0)
        return directive_error(d, &d->args[0],
                               "one at least; without this option there is no limit");
    c->passive.max_conns = (unsigned)n;
    return 0;
}

/* An answer's header goes on to the client, and what it may have there is given. */
static int set_max_header(const struct directive_args *d)
{
    struct reverse_proxy_conf *c = d->target;
    uint64_t bytes;

    if (directive_size(d, &d->args[0], &bytes) != 0)
        return -1;
    if (bytes < HEADER_MIN)
        return directive_error(d, &d->args[0], "256 bytes at least");
    if (bytes > UPSTREAM_HEADER_MAX)
        directive_warn(d, &d->args[0], "it is 16KiB, as much as can be sent on");
    c->max_header = bytes < UPSTREAM_HEADER_MAX ? (size_t)bytes : UPSTREAM_HEADER_MAX;
    return 0;
}

const struct directive upstream_how_options[] = {
    {.name = "keepalive",
     .min_args = 1,
     .max_args = 1,
     .set = set_keepalive,
     .help = "keepalive off|<duration>: how long a connection waits for its next request"},
    {.name = "keepalive_idle_conns",
     .min_args = 1,
     .max_args = 1,
     .set = set_idle_conns,
     .help = "keepalive_idle_conns <number>: connections that wait for requests, in all"},
    {.name = "keepalive_idle_conns_per_host",
     .min_args = 1,
     .max_args = 1,
     .set = set_idle_conns_per_host,
     .help = "keepalive_idle_conns_per_host <number>: the same, to each upstream"},
    {.name = "keepalive_interval",
     .min_args = 1,
     .max_args = 1,
     .set = set_interval,
     .help = "keepalive_interval off|<duration>: between probes of a connection, 30 s"},
    {.name = "local_address",
     .min_args = 1,
     .max_args = 1,
     .set = set_local_address,
     .help = "local_address <address>: of this machine, from which upstreams are connected to"},
    {.name = "max_conns_per_host",
     .min_args = 1,
     .max_args = 1,
     .set = set_max_conns,
     .help = "max_conns_per_host <number>: requests to an upstream at a time"},
    {.name = "max_response_header",
     .min_args = 1,
     .max_args = 1,
     .set = set_max_header,
     .help = "max_response_header <size>: of an answer, up to 16KiB"},
    {.name = "proxy_protocol",
     .min_args = 1,
     .max_args = 1,
     .set = set_proxy_protocol,
     .help = "proxy_protocol v1|v2: connections begin with the client's address"},
    {.name = "resolvers",
     .min_args = 1,
     .max_args = -1,
     .set = set_resolvers,
     .help = "resolvers <address>[:<port>]...: DNS servers that are asked for names"},
    {.name = "tls", .set = set_tls, .help = "tls: with upstreams written without a scheme"},
    {.name = "tls_client_auth",
     .min_args = 1,
     .max_args = 2,
     .set = set_client_auth,
     .help = "tls_client_auth <certificate> <key>: files, of what upstreams are shown"},
    {.name = "tls_except_ports",
     .min_args = 1,
     .max_args = -1,
     .set = set_except_ports,
     .help = "tls_except_ports <port>...: no TLS there"},
    {.name = "tls_insecure_skip_verify",
     .set = set_insecure,
     .help = "tls_insecure_skip_verify: believe anybody"},
    {.name = "tls_server_name",
     .min_args = 1,
     .max_args = 1,
     .set = set_server_name,
     .help = "tls_server_name <name>: that upstreams' certificates must be for"},
    {.name = "tls_timeout",
     .min_args = 1,
     .max_args = 1,
     .set = set_tls_timeout,
     .help = "tls_timeout <duration>: for the handshake, beside dial_timeout"},
    {.name = "tls_trust_pool",
     .min_args = 1,
     .max_args = -1,
     .block = true,
     .set = set_trust_pool,
     .help = "tls_trust_pool file <pem>...: whom to believe instead of the system's roots"},
    {.name = "tls_trusted_ca_certs",
     .min_args = 1,
     .max_args = -1,
     .set = set_trusted_ca_certs,
     .help = "tls_trusted_ca_certs <pem>...: the old name of tls_trust_pool file"},
    {.name = "versions",
     .min_args = 1,
     .max_args = -1,
     .set = set_versions,
     .help = "versions 1.1|2|h2c...: what may be spoken"},
    {0},
};
