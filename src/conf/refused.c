/* What Caddy's language has and Lintel has not, with what to do instead. A word is taken out of
 * here by the change that makes it work. */
#include "conf/build.h"

const struct refused refused_directives[] = {
    {"acme_server", "run a CA of its own beside Lintel and name it by 'acme_ca'"},
    {"fs", "files come from folders only: use 'root'"},
    {"push", "browsers have given up HTTP/2 push: send a Link field with 'header'"},
    {"templates", "serve the pages from an application behind a 'reverse_proxy'"},
    {"timeouts", "they are set for all sites, by 'servers { timeouts }' among the global options"},
    {"tracing", "there are access logs: 'log'"},
    {NULL, NULL},
};

const struct refused refused_options[] = {
    {"acme_dns", "challenges are solved on Lintel's own ports, by tls-alpn-01 and http-01"},
    {"cert_lifetime", "the CA decides"},
    {"dns", "challenges are solved on Lintel's own ports, by tls-alpn-01 and http-01"},
    {"ech", "GnuTLS does not speak it"},
    {"events", NULL},
    {"filesystem", "files come from folders only: use 'root'"},
    {"frankenphp", "use a 'reverse_proxy' to PHP's own server"},
    {"metrics", NULL},
    {"ocsp_interval", "nothing is stapled"},
    {"on_demand_tls", "name the hosts in the addresses of sites"},
    {"pki", "the local CA has no settings"},
    {"preferred_chains", "the chain that the CA prefers is sent"},
    {"storage_check", "leave it out: storage is tried at every start"},
    {"storage_clean_interval", "leave it out: storage is not cleaned"},
    {"tls_resolvers", "names are resolved by the system"},
    {NULL, NULL},
};

const struct refused refused_servers[] = {
    {"enable_full_duplex", "a response is held back until the request has been read"},
    {"keepalive_count", "see tcp(7) for the system's settings"},
    {"keepalive_idle", "see tcp(7) for the system's settings"},
    {"keepalive_interval", "see tcp(7) for the system's settings"},
    {"log_credentials", "credentials are never logged"},
    {"metrics", NULL},
    {"name", "leave it out: listeners have no names"},
    {"trace", "use 'debug'"},
    {"trusted_proxies_unix", "listeners are no Unix sockets"},
    {NULL, NULL},
};

const struct refused refused_timeouts[] = {
    {"read_idle", "'read_body' is the time without progress of a body, either way"},
    {"write", "'read_body' is the time without progress of a body, either way"},
    {"write_idle", "'read_body' is the time without progress of a body, either way"},
    {NULL, NULL},
};

const struct refused refused_log[] = {
    {"core", "lines go to the one 'output'"},
    {"exclude", "it belongs to Caddy's global option 'log'"},
    {"include", "it belongs to Caddy's global option 'log'"},
    {"sampling", "keep requests out of the log with 'log_skip'"},
    {NULL, NULL},
};

const struct refused refused_global_log[] = {
    {"core", NULL}, {"exclude", NULL}, {"include", NULL}, {"sampling", NULL}, {NULL, NULL},
};

#define OTHERS_ROLL "rename the file and run 'lintel reload', as logrotate(8) does"

const struct refused refused_log_file[] = {
    {"backup_time_format", OTHERS_ROLL},
    {"dir_mode", "make the folder before the start"},
    {"roll_at", OTHERS_ROLL},
    {"roll_compression", OTHERS_ROLL},
    {"roll_gzip", OTHERS_ROLL},
    {"roll_interval", OTHERS_ROLL},
    {"roll_keep", OTHERS_ROLL},
    {"roll_keep_for", OTHERS_ROLL},
    {"roll_local_time", OTHERS_ROLL},
    {"roll_minutes", OTHERS_ROLL},
    {"roll_size", OTHERS_ROLL},
    {"roll_uncompressed", OTHERS_ROLL},
    {NULL, NULL},
};

#define FIXED_FORM "lines have the form that Caddy's have by default"

const struct refused refused_log_format[] = {
    {"caller_key", FIXED_FORM}, {"duration_format", FIXED_FORM}, {"level_format", FIXED_FORM},
    {"level_key", FIXED_FORM},  {"line_ending", FIXED_FORM},     {"message_key", FIXED_FORM},
    {"name_key", FIXED_FORM},   {"stacktrace_key", FIXED_FORM},  {"time_format", FIXED_FORM},
    {"time_key", FIXED_FORM},   {"time_local", FIXED_FORM},      {NULL, NULL},
};

const struct refused refused_issuer[] = {
    {"alt_http_port", "set 'http_port' among the global options"},
    {"alt_tlsalpn_port", "set 'https_port' among the global options"},
    {"disable_http_challenge", "leave it out: tls-alpn-01 is tried first"},
    {"disable_tlsalpn_challenge", "leave it out: http-01 is tried when tls-alpn-01 fails"},
    {"dns", "challenges are solved on Lintel's own ports, by tls-alpn-01 and http-01"},
    {"lifetime", "the local CA has no settings"},
    {"preferred_chains", "the chain that the CA prefers is sent"},
    {"profile", NULL},
    {"resolvers", "names are resolved by the system"},
    {"sign_with_root", "the local CA has no settings"},
    {"test_dir", "name the CA to use in 'dir'"},
    {"timeout", "leave it out: an order is given up when the CA has been silent for long"},
    {NULL, NULL},
};

const struct refused refused_tls[] = {
    {"ciphers", "GnuTLS chooses; Lintel's list has no weak ones"},
    {"client_auth", NULL},
    {"curves", "GnuTLS chooses, X25519 first"},
    {"dns", "challenges are solved on Lintel's own ports, by tls-alpn-01 and http-01"},
    {"dns_challenge_override_domain", "there is no dns-01"},
    {"dns_ttl", "there is no dns-01"},
    {"get_certificate", "name the files: tls CERT KEY"},
    {"insecure_secrets_log", "secrets are never logged"},
    {"load", "name the files: tls CERT KEY"},
    {"on_demand", "name the hosts in the addresses of sites"},
    {"propagation_delay", "there is no dns-01"},
    {"propagation_timeout", "there is no dns-01"},
    {"resolvers", "names are resolved by the system"},
    {"reuse_private_keys", "each certificate gets a new key"},
    {NULL, NULL},
};
