/* A compiled configuration: built whole by conf/load.h, then never written again. Shared by all
 * threads, counted by reference; everything in it lives in its arena. */
#ifndef LINTEL_CONF_CONF_H
#define LINTEL_CONF_CONF_H

#include "base/arena.h"
#include "base/err.h"
#include "base/ip_set.h"
#include "base/log.h"
#include "base/str.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct handler_type; /* http/handler.h; conf only carries the pointer */
struct matcher_type; /* conf/directive.h */
struct directive;
struct source; /* conf/source.h */

/* ---- what a request must be like: evaluated by http/match.h ---- */

struct condition {
    const struct matcher_type *type;
    const void *conf;   /* of the type */
    const char *source; /* as written, where that is kept (struct language); else NULL */
};

struct matcher {
    const struct condition *all; /* each of them must hold */
    size_t n;                    /* 0: any request */
};

/* ---- a text with placeholders, compiled: expanded by http/placeholder.h ---- */

enum placeholder {
    PH_LITERAL, /* text holds the bytes */
    /* The request. */
    PH_HOST,
    PH_HOSTPORT,
    PH_PORT,
    PH_LABEL, /* index, from the right */
    PH_METHOD,
    PH_SCHEME,
    PH_PROTO,
    PH_HEADER, /* text: the field's name */
    PH_COOKIE, /* text: its name */
    PH_UUID,
    PH_DURATION,
    PH_DURATION_MS,
    /* Its target, as handlers have left it. */
    PH_URI,
    PH_URI_ESCAPED,
    PH_PATH,
    PH_PATH_ESCAPED,
    PH_PATH_PART, /* index, from the left */
    PH_DIR,
    PH_FILE,
    PH_FILE_BASE,
    PH_FILE_EXT,
    PH_QUERY,
    PH_QUERY_ESCAPED,
    PH_PREFIXED_QUERY,
    PH_QUERY_VALUE, /* text: the key */
    /* The request as the client sent it. */
    PH_ORIG_METHOD,
    PH_ORIG_URI,
    PH_ORIG_PATH,
    PH_ORIG_PATH_PART, /* index, from the left */
    PH_ORIG_DIR,
    PH_ORIG_FILE,
    PH_ORIG_QUERY,
    PH_ORIG_PREFIXED_QUERY,
    /* The connection. */
    PH_REMOTE,
    PH_REMOTE_HOST,
    PH_REMOTE_PORT,
    PH_CLIENT_IP,
    PH_LOCAL,
    PH_LOCAL_HOST,
    PH_LOCAL_PORT,
    PH_TLS_VERSION,
    PH_TLS_CIPHER,
    PH_TLS_RESUMED,
    PH_TLS_PROTO,
    PH_TLS_PROTO_MUTUAL,
    PH_TLS_SERVER_NAME,
    PH_TLS_ECH,
    /* What handlers and matchers have found out. */
    PH_ROOT,
    PH_VARIABLE,        /* text: its name in http/vars.h */
    PH_RESPONSE_HEADER, /* text: the field's name */
    PH_UPSTREAM_HOSTPORT,
    PH_UPSTREAM_HOST,
    PH_UPSTREAM_PORT,
    PH_UPSTREAM_ADDRESS,
    PH_ANSWER_STATUS,
    PH_ANSWER_STATUS_TEXT,
    PH_ANSWER_HEADER, /* text: the field's name */
    PH_INTERCEPTED_STATUS,
    PH_INTERCEPTED_HEADER, /* text: the field's name */
    PH_ERROR_STATUS,
    PH_ERROR_STATUS_TEXT,
    PH_ERROR_MESSAGE,
    PH_ERROR_ID,
    PH_ERROR_TRACE,
    /* The time, UTC. */
    PH_TIME,
    PH_TIME_HTTP,
    PH_TIME_COMMON_LOG,
    PH_TIME_YEAR,
    PH_TIME_UNIX,
    PH_TIME_UNIX_MS,
    PH_COUNT
};

struct text_part {
    enum placeholder kind;
    unsigned index;
    struct str text;
};

struct text {
    const struct text_part *parts;
    size_t n_parts;
    bool constant; /* at most one literal part: text_constant() */
};

/* The bytes of a constant text. */
static inline struct str text_constant(const struct text *t)
{
    return t->n_parts == 0 ? STR_LIT("") : t->parts[0].text;
}

/* ---- routes: rows of handlers, in the order of evaluation ---- */

/* Of the rows of a route that are in the same group, only the first that matches is run. */
enum row_group { GROUP_NONE = 0, GROUP_HANDLE = 1, GROUP_REWRITE = 2, GROUP_ROOT = 4 };

struct handler_row {
    struct matcher matcher;
    const struct handler_type *type;
    const void *conf; /* directive.conf_size bytes */
    uint32_t slot;    /* in conf.handlers */
    enum row_group group;
};

/* A site has one, and each directive whose block holds directives. */
struct route {
    const struct handler_row *rows;
    size_t n_rows;
};

/* A handler as configured, however many rows run it. */
struct handler_conf {
    const struct handler_type *type;
    const void *conf;
    struct str file; /* where it was written, for messages */
    unsigned line;
    const struct directive *row;
    const struct source *source; /* as written, where that is kept; else NULL */
};

/* ---- sites ---- */

enum key_type { KEY_P256, KEY_P384, KEY_RSA2048, KEY_RSA3072, KEY_RSA4096, KEY_ED25519 };

/* Where the certificate of a name comes from. */
enum cert_source {
    CERT_NONE,     /* a site without TLS */
    CERT_ACME,     /* from a CA, by ACME */
    CERT_INTERNAL, /* from the embedded local CA */
    CERT_FILES     /* from the two files the site names */
};

enum tls_version { TLS_1_2 = 0x0303, TLS_1_3 = 0x0304 };

/* The tls directive and the global options it inherits from. Strings are NUL-terminated; "" =
 * unset. */
struct tls_conf {
    enum cert_source source;
    const char *email;
    const char *ca;          /* directory URL */
    const char *ca_root;     /* PEM file to trust for the directory's own TLS */
    const char *eab_key_id;  /* external account binding */
    const char *eab_mac_key; /* base64url; never logged */
    const char *cert_file;
    const char *key_file;
    enum key_type key_type;
    enum tls_version min_version;
    enum tls_version max_version;
    unsigned renewal_permille; /* of the lifetime is left when it is renewed; 0: a third */
};

enum hsts_mode { HSTS_RAMP, HSTS_OFF, HSTS_FIXED };

struct hsts_conf {
    enum hsts_mode mode;
    struct str value; /* HSTS_FIXED: the whole field value */
};

enum log_format { LOG_FORMAT_JSON, LOG_FORMAT_CONSOLE, LOG_FORMAT_COMBINED };

enum { LOG_MODE_DEFAULT = 0640 };

struct log_rule;   /* conf/log_format.h */
struct log_member; /* conf/log_format.h */

/* One access log. Several may write to the same file. */
struct log_conf {
    const char *path;  /* "stderr", "stdout" or a file's absolute path; NULL: nowhere */
    unsigned mode;     /* of a file that is made */
    struct str logger; /* "http.log.access", perhaps with a name behind it */
    enum log_format format;
    bool errors_only; /* answers of 500 and more */
    const struct log_rule *rules;
    size_t n_rules;
    const struct log_member *members; /* that every line has */
    size_t n_members;
    size_t index; /* in conf.logs */
};

/* A log of a site. Of those with hosts, the ones that name the host of a request exactly go before
 * those with a wildcard for it, and these before those with an empty one. */
struct site_log {
    const struct log_conf *log;
    const struct str *hosts;
    size_t n_hosts; /* 0: for every host of the site */
};

struct site {
    struct str name; /* its first address as written, for messages */
    struct route route;
    struct route errors; /* of handle_errors; no rows: the built-in pages */
    struct tls_conf tls;
    struct hsts_conf hsts;
    const struct site_log *logs;
    size_t n_logs;
    size_t index; /* in conf.sites */
};

/* ---- listeners ---- */

/* What one host name means at one listener. */
struct host_entry {
    struct str host; /* lower-case A-label; "*.example.com" for a wildcard; "" for any host */
    const struct site *site; /* NULL: this entry redirects to https */
    uint16_t https_port;     /* of the redirect */
};

struct listener_conf {
    struct sockaddr_storage addr;
    socklen_t addr_len;
    uint16_t port;
    bool tls;
    bool implicit; /* made for redirects and challenges only: if it cannot be bound, warn and go on
                    */
    const struct host_entry *const
        *buckets;                 /* hash by str_hash_nocase, chained by probing; conf/hosts.h */
    size_t n_buckets;             /* a power of two, 0 for none */
    const struct host_entry *any; /* the entry without a host, or NULL */
    size_t index;                 /* in conf.listeners */
};

/* ---- the certificates that the sites need: read by the certificate thread ---- */

struct cert_need {
    const char *name; /* lower-case A-label, "*.example.com", or an IP address without brackets */
    const struct tls_conf *tls;
};

/* ---- global options; times in milliseconds, sizes in bytes ---- */

/* What each worker keeps of the files it has served: handlers/file_cache.h. */
struct file_cache_limits {
    bool off;             /* nothing is kept for another request */
    size_t bytes;         /* of files in memory, and of what is encoded of them: 16 MiB */
    unsigned files;       /* entries with a file: 1024 */
    unsigned descriptors; /* of these, with an open descriptor: 128 */
    unsigned absent;      /* entries without a file: 512 */
    uint64_t fresh_ms;    /* how long an entry is believed without a look: 1 s */
};

/* What becomes of a PROXY header, by who sends it. */
enum proxy_policy {
    PROXY_IGNORE,  /* it is read, and not believed */
    PROXY_USE,     /* it is believed */
    PROXY_REQUIRE, /* it is believed, and there must be one */
    PROXY_REJECT,  /* there must be none */
    PROXY_SKIP     /* it is not looked for */
};

/* The PROXY protocol, at all listeners. */
struct proxy_options {
    bool on;
    uint64_t timeout_ms; /* 5 s: for the header */
    struct ip_set allow; /* peers that are believed */
    struct ip_set deny;  /* peers that may not say such things */
    enum proxy_policy fallback;
};

struct options {
    const char *storage;         /* the folder of the file tree, absolute */
    const char *admin;           /* path of the admin socket; "" = off */
    uint16_t http_port;          /* 80 */
    uint16_t https_port;         /* 443 */
    uint64_t grace_period_ms;    /* 10 s */
    uint64_t renew_interval_ms;  /* upper bound between two looks at a certificate; 10 min */
    uint64_t ticket_rotation_ms; /* 12 h */
    uint64_t
        header_timeout_ms;    /* 60 s: from the first byte of a request to the end of its header */
    uint64_t idle_timeout_ms; /* 5 min: a connection without a request */
    uint64_t body_timeout_ms; /* 60 s: without any progress of a body, either way */
    size_t max_header_size;   /* 16 KiB */
    unsigned max_connections; /* of clients; 0: as many as descriptors allow */
    size_t proxy_buffers;     /* 256 MiB: all that is held of bodies that are proxied */
    unsigned workers;         /* 0: one a CPU */
    enum log_level log_level; /* of the server's own log */
    struct ip_set trusted_proxies; /* peers that tell of their clients */
    bool trusted_strict; /* of the addresses they tell, the last that is no trusted proxy */
    const struct str *client_ip_headers; /* the fields they use */
    size_t n_client_ip_headers;
    bool strict_sni;            /* 421 where the host is not the name of the handshake */
    uint64_t shutdown_delay_ms; /* from the signal to the end of accepting */
    struct str default_sni;     /* the site of a client that sends no name; len 0: none is said */
    struct str fallback_sni;    /* the site of a client that sends an unknown one; len 0: none */
    struct file_cache_limits file_cache;
    struct proxy_options proxy;
};

struct conf {
    atomic_uint refs;
    struct arena *arena;
    struct str path;         /* of the main file */
    const struct str *files; /* all that were read: the main one, then those imported */
    size_t n_files;
    struct options options;
    const struct site *const *sites;
    size_t n_sites;
    const struct listener_conf *listeners;
    size_t n_listeners;
    const struct cert_need *certs; /* sorted by name, each name once */
    size_t n_certs;
    const struct log_conf *logs;
    size_t n_logs;
    const struct handler_conf *handlers; /* by slot: each has a state a worker */
    size_t n_handlers;
};

struct conf *conf_ref(struct conf *c);
void conf_unref(struct conf *c); /* NULL is fine; the last one frees */

/* The entry for a host name (lower-cased, no port) at a listener: exact, then wildcards label by
 * label (Caddy: "*" stands for exactly one label), then the catch-all; NULL if there is none. */
const struct host_entry *listener_find(const struct listener_conf *l, struct str host);

#endif
