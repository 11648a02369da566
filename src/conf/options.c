/* The global options. */
#include "conf/options.h"
#include "base/alloc.h"
#include "conf/tls_options.h"

enum { WORKERS_MAX = 1024 };

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

int options_duration(const struct directive_args *d, uint64_t min_ms, uint64_t max_ms, uint64_t *ms)
{
    uint64_t value;

    if (directive_duration(d, &d->args[0], &value) != 0)
        return -1;
    if (value < min_ms)
        return directive_error(
            d, &d->args[0], "'" STR_FMT "' is too short: at least %llu %s",
            STR_ARG(d->args[0].text),
            (unsigned long long)(min_ms < second_ms ? min_ms : min_ms / second_ms),
            min_ms < second_ms ? "ms" : "s");
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
    return options_duration(d, second_ms, year_ms, &options_of(d)->renew_interval_ms);
}

static int set_ticket_rotation(const struct directive_args *d)
{
    return options_duration(d, 60 * second_ms, year_ms, &options_of(d)->ticket_rotation_ms);
}

/* ---- where things are ---- */

static int set_port(const struct directive_args *d, uint16_t *port)
{
    uint64_t value;

    if (!str_to_uint(d->args[0].text, UINT16_MAX, &value) || value == 0)
        return directive_error(d, &d->args[0], "'" STR_FMT "' is no port (1 to 65535)",
                               STR_ARG(d->args[0].text));
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
    return options_duration(d, 0, year_ms, &options_of(d)->grace_period_ms);
}

static int set_debug(const struct directive_args *d)
{
    options_of(d)->log_level = LOG_DEBUG;
    return 0;
}

static int set_log_level(const struct directive_args *d)
{
    static const char *const names[] = {"DEBUG", "INFO", "WARN", "ERROR", NULL};

    for (size_t i = 0; names[i] != NULL; i++)
        if (str_eq_nocase(d->args[0].text, str_of(names[i]))) {
            options_of(d)->log_level = (enum log_level)(LOG_DEBUG + i);
            return 0;
        }
    return directive_unknown(d, &d->args[0], "level", names);
}

static int set_log_output(const struct directive_args *d)
{
    if (str_is(d->args[0].text, "stderr"))
        return 0;
    return directive_error(d, &d->args[0],
                           "the server's own log goes to stderr; access logs are set by 'log' in "
                           "the block of a site");
}

static int set_log_format(const struct directive_args *d)
{
    if (str_is(d->args[0].text, "console"))
        return 0;
    return directive_error(d, &d->args[0],
                           "the server's own log is text; access logs are set by 'log' in the "
                           "block of a site");
}

static const struct directive log_rows[] = {
    {.name = "format",
     .min_args = 1,
     .max_args = 1,
     .set = set_log_format,
     .help = "format console"},
    {.name = "level", .min_args = 1, .max_args = 1, .set = set_log_level, .help = "level LEVEL"},
    {.name = "output",
     .min_args = 1,
     .max_args = 2,
     .set = set_log_output,
     .help = "output stderr"},
    {0},
};

static int set_log(const struct directive_args *d)
{
    if (d->n_args > 0 && !str_is(d->args[0].text, "default"))
        return directive_error(d, &d->args[0], "there is one log of the server, 'default'");
    return directive_block(d, log_rows, refused_global_log, d->target);
}

static int set_shutdown_delay(const struct directive_args *d)
{
    return options_duration(d, 0, year_ms, &options_of(d)->shutdown_delay_ms);
}

/* ---- what is so in any case ---- */

static int expect_off(const struct directive_args *d, const char *why)
{
    if (str_is(d->args[0].text, "off"))
        return 0;
    return directive_error(d, &d->args[0], "'" STR_FMT "' can only be off: %s",
                           STR_ARG(d->node->words[0].text), why);
}

static int set_persist_config(const struct directive_args *d)
{
    return expect_off(d, "the file is the configuration");
}

static int set_ocsp_stapling(const struct directive_args *d)
{
    return expect_off(d, "nothing is stapled");
}

static int set_skip_install_trust(const struct directive_args *d)
{
    (void)d; /* Lintel never touches the system's trust store. */
    return 0;
}

/* ---- the order of directives ---- */

static int set_order(const struct directive_args *d)
{
    static const char *const places[] = {"first", "last", "before", "after", NULL};
    struct conf_builder *b = d->builder;
    const struct token *name = &d->args[0], *place = &d->args[1];
    size_t i = 0;

    while (places[i] != NULL && !str_is(place->text, places[i]))
        i++;
    if (places[i] == NULL)
        return directive_unknown(d, place, "place", places);
    if (build_check_ordered(b, name) != 0)
        return -1;
    if ((i >= ORDER_BEFORE) != (d->n_args == 3))
        return directive_error(
            d, place, i >= ORDER_BEFORE ? "the other directive is missing" : "nothing follows '%s'",
            places[i]);
    if (i >= ORDER_BEFORE && build_check_ordered(b, &d->args[2]) != 0)
        return -1;
    if (order_move(&b->order, b->scratch, name->text, (enum order_place)i,
                   d->n_args == 3 ? d->args[2].text : STR_LIT("")))
        return 0;
    return directive_error(d, &d->args[2], "a directive has no place beside itself");
}

/* ---- TLS without a name, or with another one ---- */

static int set_default_sni(const struct directive_args *d)
{
    global_of(d)->default_sni = d->args[0];
    return 0;
}

static int set_fallback_sni(const struct directive_args *d)
{
    global_of(d)->fallback_sni = d->args[0];
    return 0;
}

static int set_renewal_ratio(const struct directive_args *d)
{
    return tls_options_renewal_ratio(d, &global_of(d)->tls);
}

static int set_cert_issuer(const struct directive_args *d)
{
    bool internal = false;
    int rc = tls_options_issuer(d, &global_of(d)->tls, &internal);

    global_of(d)->local_certs |= internal;
    return rc;
}

static int set_workers(const struct directive_args *d)
{
    uint64_t value;

    if (directive_uint(d, &d->args[0], WORKERS_MAX, &value) != 0)
        return -1;
    options_of(d)->workers = (unsigned)value;
    return 0;
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
    {.name = "file_cache",
     .places = IN_GLOBAL,
     .max_args = 1,
     .block = true,
     .set = options_file_cache_set,
     .options = options_file_cache_options,
     .help = "file_cache off | file_cache { bytes, files, descriptors, absent, fresh }"},
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
     .set = options_servers_set,
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
    {.name = "cert_issuer",
     .places = IN_GLOBAL,
     .min_args = 1,
     .max_args = 2,
     .block = true,
     .set = set_cert_issuer,
     .help = "cert_issuer internal | cert_issuer acme [URL] { ... }"},
    {.name = "default_sni",
     .places = IN_GLOBAL,
     .min_args = 1,
     .max_args = 1,
     .set = set_default_sni,
     .help = "default_sni NAME"},
    {.name = "fallback_sni",
     .places = IN_GLOBAL,
     .min_args = 1,
     .max_args = 1,
     .set = set_fallback_sni,
     .help = "fallback_sni NAME"},
    {.name = "log",
     .places = IN_GLOBAL,
     .min_args = 0,
     .max_args = 1,
     .block = true,
     .set = set_log,
     .help = "log { level, output, format }"},
    {.name = "ocsp_stapling",
     .places = IN_GLOBAL,
     .min_args = 1,
     .max_args = 1,
     .set = set_ocsp_stapling,
     .help = "ocsp_stapling off"},
    {.name = "order",
     .places = IN_GLOBAL,
     .min_args = 2,
     .max_args = 3,
     .repeats = true,
     .set = set_order,
     .help = "order DIRECTIVE first|last|before|after [DIRECTIVE]"},
    {.name = "persist_config",
     .places = IN_GLOBAL,
     .min_args = 1,
     .max_args = 1,
     .set = set_persist_config,
     .help = "persist_config off"},
    {.name = "renewal_window_ratio",
     .places = IN_GLOBAL,
     .min_args = 1,
     .max_args = 1,
     .set = set_renewal_ratio,
     .help = "renewal_window_ratio RATIO"},
    {.name = "shutdown_delay",
     .places = IN_GLOBAL,
     .min_args = 1,
     .max_args = 1,
     .set = set_shutdown_delay,
     .help = "shutdown_delay DURATION"},
    {.name = "skip_install_trust",
     .places = IN_GLOBAL,
     .min_args = 0,
     .max_args = 0,
     .set = set_skip_install_trust,
     .help = "skip_install_trust"},
    {0},
};
