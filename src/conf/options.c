/* The global options. */
#include "base/alloc.h"
#include "conf/tls_options.h"

enum { WORKERS_MAX = 1024, HEADER_SIZE_MIN = 1024, HEADER_SIZE_MAX = 1024 * 1024 };

static const uint64_t second_ms = 1000;
static const uint64_t year_ms = 365ULL * 24 * 3600 * 1000;

static struct global *global_of(const struct directive_args *d)
{
    return d->target;
}

static struct options *options_of(const struct directive_args *d)
{
    return &global_of(d)->options;
}

/* A duration within bounds. */
static int bounded_duration(const struct directive_args *d, uint64_t min_ms, uint64_t max_ms,
                            uint64_t *ms)
{
    uint64_t value;

    if (directive_duration(d, &d->args[0], &value) != 0)
        return -1;
    if (value < min_ms)
        return directive_error(d, &d->args[0], "'" STR_FMT "' is too short: at least %llu s",
                               STR_ARG(d->args[0].text), (unsigned long long)(min_ms / second_ms));
    if (value > max_ms)
        return directive_error(d, &d->args[0], "'" STR_FMT "' is too long: at most %llu days",
                               STR_ARG(d->args[0].text),
                               (unsigned long long)(max_ms / (24 * 3600 * second_ms)));
    *ms = value;
    return 0;
}

/* ---- certificates ---- */

static int set_email(const struct directive_args *d)
{
    return tls_options_email(d, &global_of(d)->tls, &d->args[0]);
}

static int set_acme_ca(const struct directive_args *d)
{
    return tls_options_ca(d, &global_of(d)->tls);
}

static int set_acme_ca_root(const struct directive_args *d)
{
    return tls_options_ca_root(d, &global_of(d)->tls);
}

static int set_acme_eab(const struct directive_args *d)
{
    return tls_options_eab(d, &global_of(d)->tls);
}

static int set_key_type(const struct directive_args *d)
{
    return tls_options_key_type(d, &global_of(d)->tls);
}

static int set_local_certs(const struct directive_args *d)
{
    global_of(d)->local_certs = true;
    return 0;
}

static int set_auto_https(const struct directive_args *d)
{
    static const char *const modes[] = {"off", "disable_redirects", "disable_certs",
                                        "ignore_loaded_certs", NULL};

    for (size_t i = 0; modes[i] != NULL; i++)
        if (str_is(d->args[0].text, modes[i])) {
            global_of(d)->auto_https = (enum auto_https)(AUTO_HTTPS_OFF + i);
            return 0;
        }
    return directive_unknown(d, &d->args[0], "mode", modes);
}

static int set_renew_interval(const struct directive_args *d)
{
    return bounded_duration(d, second_ms, year_ms, &options_of(d)->renew_interval_ms);
}

static int set_ticket_rotation(const struct directive_args *d)
{
    return bounded_duration(d, 60 * second_ms, year_ms, &options_of(d)->ticket_rotation_ms);
}

/* ---- where things are ---- */

static int set_port(const struct directive_args *d, uint16_t *port)
{
    uint64_t value;

    if (directive_uint(d, &d->args[0], UINT16_MAX, &value) != 0)
        return -1;
    if (value == 0)
        return directive_error(d, &d->args[0], "'0' is no port (1 to 65535)");
    *port = (uint16_t)value;
    return 0;
}

static int set_http_port(const struct directive_args *d)
{
    return set_port(d, &options_of(d)->http_port);
}

static int set_https_port(const struct directive_args *d)
{
    return set_port(d, &options_of(d)->https_port);
}

static int set_default_bind(const struct directive_args *d)
{
    return build_bindings(d, &global_of(d)->bind);
}

static int set_storage_root(const struct directive_args *d)
{
    options_of(d)->storage = directive_path(d, &d->args[0]);
    return 0;
}

static const struct directive storage_rows[] = {
    {.name = "root", .min_args = 1, .max_args = 1, .set = set_storage_root, .help = "root PATH"},
    {0},
};

static int set_storage(const struct directive_args *d)
{
    if (!str_is(d->args[0].text, "file_system"))
        return directive_error(d, &d->args[0],
                               "storage '" STR_FMT "' is not supported yet; "
                               "there is file_system",
                               STR_ARG(d->args[0].text));
    if (d->n_args == 2) {
        options_of(d)->storage = directive_path(d, &d->args[1]);
        return 0;
    }
    if (!d->node->has_block)
        return directive_error(d, &d->args[0], "storage file_system needs a path");
    return directive_block(d, storage_rows, NULL, d->target);
}

static int set_admin(const struct directive_args *d)
{
    struct token t = d->args[0];

    if (str_is(t.text, "off")) {
        options_of(d)->admin = "";
        return 0;
    }
    if (!str_starts(t.text, STR_LIT("unix//")))
        return directive_error(d, &t,
                               "the admin socket is a Unix socket: write off or "
                               "unix//path/of/the/socket");
    t.text = str_from(t.text, 5);
    options_of(d)->admin = directive_path(d, &t);
    return 0;
}

/* ---- the running server ---- */

static int set_grace_period(const struct directive_args *d)
{
    return bounded_duration(d, 0, year_ms, &options_of(d)->grace_period_ms);
}

static int set_debug(const struct directive_args *d)
{
    options_of(d)->debug = true;
    return 0;
}

static int set_workers(const struct directive_args *d)
{
    uint64_t value;

    if (directive_uint(d, &d->args[0], WORKERS_MAX, &value) != 0)
        return -1;
    options_of(d)->workers = (unsigned)value;
    return 0;
}

static int set_read_header(const struct directive_args *d)
{
    return bounded_duration(d, second_ms, year_ms, &options_of(d)->header_timeout_ms);
}

static int set_read_body(const struct directive_args *d)
{
    return bounded_duration(d, second_ms, year_ms, &options_of(d)->body_timeout_ms);
}

static int set_idle(const struct directive_args *d)
{
    return bounded_duration(d, second_ms, year_ms, &options_of(d)->idle_timeout_ms);
}

static const struct directive timeout_rows[] = {
    {.name = "read_header",
     .min_args = 1,
     .max_args = 1,
     .set = set_read_header,
     .help = "read_header DURATION"},
    {.name = "read_body",
     .min_args = 1,
     .max_args = 1,
     .set = set_read_body,
     .help = "read_body DURATION"},
    {.name = "idle", .min_args = 1, .max_args = 1, .set = set_idle, .help = "idle DURATION"},
    {0},
};

static const char *const known_timeouts[] = {"write", "read_idle", "write_idle", NULL};

static int set_timeouts(const struct directive_args *d)
{
    return directive_block(d, timeout_rows, known_timeouts, d->target);
}

static int set_max_header_size(const struct directive_args *d)
{
    uint64_t bytes;

    if (directive_size(d, &d->args[0], &bytes) != 0)
        return -1;
    if (bytes < HEADER_SIZE_MIN || bytes > HEADER_SIZE_MAX)
        return directive_error(d, &d->args[0], "'" STR_FMT "' is out of range: %d to %d bytes",
                               STR_ARG(d->args[0].text), HEADER_SIZE_MIN, HEADER_SIZE_MAX);
    options_of(d)->max_header_size = (size_t)bytes;
    return 0;
}

static const struct directive server_rows[] = {
    {.name = "timeouts", .block = true, .set = set_timeouts, .help = "timeouts { ... }"},
    {.name = "max_header_size",
     .min_args = 1,
     .max_args = 1,
     .set = set_max_header_size,
     .help = "max_header_size SIZE"},
    {0},
};

static const char *const known_servers[] = {
    "0rtt",
    "client_ip_headers",
    "enable_full_duplex",
    "keepalive_count",
    "keepalive_idle",
    "keepalive_interval",
    "listener_wrappers",
    "log_credentials",
    "metrics",
    "name",
    "protocols",
    "strict_sni_host",
    "trace",
    "trusted_proxies",
    "trusted_proxies_strict",
    "trusted_proxies_unix",
    NULL,
};

static int set_servers(const struct directive_args *d)
{
    if (d->n_args > 0)
        return directive_error(d, &d->args[0],
                               "options for one listener only are not supported "
                               "yet: write 'servers' without an address");
    return directive_block(d, server_rows, known_servers, d->target);
}

/* ---- the tables ---- */

const struct directive global_directives[] = {
    {.name = "acme_ca",
     .places = IN_GLOBAL,
     .min_args = 1,
     .max_args = 1,
     .set = set_acme_ca,
     .help = "acme_ca URL"},
    {.name = "acme_ca_root",
     .places = IN_GLOBAL,
     .min_args = 1,
     .max_args = 1,
     .set = set_acme_ca_root,
     .help = "acme_ca_root FILE"},
    {.name = "acme_eab",
     .places = IN_GLOBAL,
     .max_args = 2,
     .block = true,
     .set = set_acme_eab,
     .help = "acme_eab { key_id, mac_key }"},
    {.name = "admin",
     .places = IN_GLOBAL,
     .min_args = 1,
     .max_args = 1,
     .set = set_admin,
     .help = "admin off|unix//PATH"},
    {.name = "auto_https",
     .places = IN_GLOBAL,
     .min_args = 1,
     .max_args = 1,
     .set = set_auto_https,
     .help = "auto_https off|disable_redirects|disable_certs|ignore_loaded_certs"},
    {.name = "debug", .places = IN_GLOBAL, .set = set_debug, .help = "debug"},
    {.name = "default_bind",
     .places = IN_GLOBAL,
     .min_args = 1,
     .max_args = -1,
     .set = set_default_bind,
     .help = "default_bind IP..."},
    {.name = "email",
     .places = IN_GLOBAL,
     .min_args = 1,
     .max_args = 1,
     .set = set_email,
     .help = "email ADDRESS"},
    {.name = "grace_period",
     .places = IN_GLOBAL,
     .min_args = 1,
     .max_args = 1,
     .set = set_grace_period,
     .help = "grace_period DURATION"},
    {.name = "http_port",
     .places = IN_GLOBAL,
     .min_args = 1,
     .max_args = 1,
     .set = set_http_port,
     .help = "http_port PORT"},
    {.name = "https_port",
     .places = IN_GLOBAL,
     .min_args = 1,
     .max_args = 1,
     .set = set_https_port,
     .help = "https_port PORT"},
    {.name = "key_type",
     .places = IN_GLOBAL,
     .min_args = 1,
     .max_args = 1,
     .set = set_key_type,
     .help = "key_type TYPE"},
    {.name = "local_certs", .places = IN_GLOBAL, .set = set_local_certs, .help = "local_certs"},
    {.name = "renew_interval",
     .places = IN_GLOBAL,
     .min_args = 1,
     .max_args = 1,
     .set = set_renew_interval,
     .help = "renew_interval DURATION"},
    {.name = "servers",
     .places = IN_GLOBAL,
     .max_args = 1,
     .block = true,
     .set = set_servers,
     .help = "servers { ... }"},
    {.name = "storage",
     .places = IN_GLOBAL,
     .min_args = 1,
     .max_args = 2,
     .block = true,
     .set = set_storage,
     .help = "storage file_system PATH"},
    {.name = "ticket_rotation",
     .places = IN_GLOBAL,
     .min_args = 1,
     .max_args = 1,
     .set = set_ticket_rotation,
     .help = "ticket_rotation DURATION"},
    {.name = "workers",
     .places = IN_GLOBAL,
     .min_args = 1,
     .max_args = 1,
     .set = set_workers,
     .help = "workers N"},
    {0},
};

const char *const known_global_options[] = {
    "acme_dns",
    "cert_issuer",
    "cert_lifetime",
    "default_sni",
    "dns",
    "ech",
    "events",
    "fallback_sni",
    "filesystem",
    "frankenphp",
    "log",
    "metrics",
    "ocsp_interval",
    "ocsp_stapling",
    "on_demand_tls",
    "order",
    "persist_config",
    "pki",
    "preferred_chains",
    "renewal_window_ratio",
    "shutdown_delay",
    "skip_install_trust",
    "storage_check",
    "storage_clean_interval",
    "tls_resolvers",
    NULL,
};
