#include "conf/foreign.h"

#include "base/alloc.h"

static const char write_address[] = "the names of a site are written before its '{'";
static const char write_site[] = "a site is its address and a block: 'example.com {'";
static const char write_handle[] = "write 'handle /path/* {'";
static const char write_proxy[] = "write 'reverse_proxy HOST:PORT'";
static const char write_upstreams[] = "name all upstreams in one 'reverse_proxy'";
static const char write_header_up[] =
    "write 'header_up FIELD VALUE' in the block of 'reverse_proxy'";
static const char write_redir[] = "write 'redir TO [STATUS]'";
static const char write_rewrite[] = "write 'rewrite', 'redir' or 'uri', with a matcher";
static const char write_tls[] =
    "write 'tls CERTIFICATE KEY', or nothing: certificates are obtained";
static const char write_tls_block[] = "write 'tls {' with 'protocols'; the defaults are safe";
static const char write_auth[] = "write 'basic_auth {' with users and hashes";
static const char write_ip[] = "write '@name remote_ip RANGE' and use '@name'";
static const char write_errors[] = "write 'handle_errors {'";
static const char write_log[] = "write 'log {'";
static const char write_index[] = "write 'index' in the block of 'file_server'";
static const char write_body[] = "write 'request_body {' with 'max_size'";
static const char write_limit[] = "write 'rate_limit EVENTS WINDOW'";
static const char write_matcher[] = "conditions are named matchers: '@name path /x*'";
static const char write_import[] = "write 'import FILE'";
static const char write_encode[] = "write 'encode'";
static const char write_php[] = "write 'php_fastcgi ADDRESS'";
static const char write_root[] = "write 'root * FOLDER'";
static const char write_alias[] = "write 'handle_path /path/* {' with 'root' and 'file_server'";
static const char write_header[] = "write 'header FIELD VALUE'";
static const char write_try[] = "write 'try_files'";
static const char leave_out[] = "leave it out";

/* Compared without regard to case: Apache has none. */
static const struct {
    const char *word;
    const char *instead;
} words[] = {
    {"access_log", write_log},
    {"add_header", write_header},
    {"addhandler", write_php},
    {"addoutputfilterbytype", write_encode},
    {"alias", write_alias},
    {"allow", write_ip},
    {"auth_basic", write_auth},
    {"auth_basic_user_file", write_auth},
    {"auth_request", "write 'forward_auth'"},
    {"authname", write_auth},
    {"authtype", write_auth},
    {"authuserfile", write_auth},
    {"autoindex", "write 'file_server browse'"},
    {"browse", "write 'file_server browse'"},
    {"brotli", write_encode},
    {"client_max_body_size", write_body},
    {"cors", write_header},
    {"customlog", write_log},
    {"deny", write_ip},
    {"directoryindex", write_index},
    {"documentroot", write_root},
    {"error_log", write_log},
    {"error_page", write_errors},
    {"errordocument", write_errors},
    {"errorlog", write_log},
    {"errors", write_errors},
    {"events", leave_out},
    {"expires", "write 'header Cache-Control max-age=SECONDS'"},
    {"ext", write_try},
    {"fallbackresource", write_try},
    {"fastcgi", write_php},
    {"fastcgi_param", write_php},
    {"fastcgi_pass", write_php},
    {"gzip", write_encode},
    {"gzip_types", write_encode},
    {"http", write_site},
    {"if", write_matcher},
    {"include", write_import},
    {"index", write_index},
    {"internal", "write '@name path /x*' and 'error @name 404'"},
    {"ipfilter", write_ip},
    {"limit_req", write_limit},
    {"limit_req_zone", write_limit},
    {"limitrequestbody", write_body},
    {"limits", write_body},
    {"listen", "the port stands in the address: 'example.com:8080 {'"},
    {"loadmodule", leave_out},
    {"location", write_handle},
    {"log_format", write_log},
    {"proxy", write_proxy},
    {"proxy_http_version", leave_out},
    {"proxy_pass", write_proxy},
    {"proxy_redirect", leave_out},
    {"proxy_set_header", write_header_up},
    {"proxypass", write_proxy},
    {"proxypassreverse", leave_out},
    {"proxypreservehost", leave_out},
    {"ratelimit", write_limit},
    {"realip", "write 'trusted_proxies' in 'servers' among the global options"},
    {"redirect", write_redir},
    {"redirectmatch", write_redir},
    {"requestheader", "write 'request_header FIELD VALUE'"},
    {"require", write_ip},
    {"return", "write 'respond' or 'redir'"},
    {"rewritecond", write_rewrite},
    {"rewriteengine", write_rewrite},
    {"rewriterule", write_rewrite},
    {"server", write_site},
    {"server_name", write_address},
    {"server_tokens", leave_out},
    {"serveralias", write_address},
    {"servername", write_address},
    {"set", "write 'vars NAME VALUE'"},
    {"ssl", write_tls},
    {"ssl_certificate", write_tls},
    {"ssl_certificate_key", write_tls},
    {"ssl_ciphers", write_tls_block},
    {"ssl_protocols", write_tls_block},
    {"sslcertificatefile", write_tls},
    {"sslcertificatekeyfile", write_tls},
    {"sslengine", write_tls},
    {"sslprotocol", write_tls_block},
    {"status", "write 'respond STATUS'"},
    {"strip_prefix", "write 'uri strip_prefix PREFIX'"},
    {"sub_filter", "a response is sent as it is"},
    {"transparent", leave_out},
    {"upstream", write_upstreams},
    {"websocket", "'reverse_proxy' passes WebSockets on by itself"},
};

static const char *const plugins[] = {
    "appsec",     "authenticate",
    "authorize",  "cache",
    "caddy_auth", "cgi",
    "coraza_waf", "crowdsec",
    "defender",   "dynamic_dns",
    "exec",       "filter",
    "geoip",      "git",
    "jwtauth",    "l4",
    "layer4",     "mercure",
    "minify",     "permission",
    "php",        "php_server",
    "postgres",   "replace",
    "s3proxy",    "security",
    "souin",      "ssi",
    "supervisor", "tailscale_auth",
    "transform",  "trace",
    "umami",      "user_agent_parse",
    "waf",        "webdav",
};

static const char leave_out_forwarded[] =
    "leave the line out: 'reverse_proxy' sets X-Forwarded-For by itself";
static const char leave_out_upgrade[] =
    "leave the line out: 'reverse_proxy' hands on upgrades by itself";

/* Of nginx. */
static const struct {
    const char *name;
    const char *instead;
} variables[] = {
    {"args", "write '{query}'"},
    {"binary_remote_addr", "write '{remote_host}'"},
    {"connection_upgrade", leave_out_upgrade},
    {"document_root", "write '{http.vars.root}'"},
    {"document_uri", "write '{path}'"},
    {"host", "write '{host}'"},
    {"hostname", "write '{system.hostname}'"},
    {"http_host", "write '{hostport}'"},
    {"http_upgrade", leave_out_upgrade},
    {"proxy_add_x_forwarded_for", leave_out_forwarded},
    {"proxy_host", "write '{upstream_hostport}'"},
    {"query_string", "write '{query}'"},
    {"remote_addr", "write '{remote_host}'"},
    {"remote_port", "write '{remote_port}'"},
    {"remote_user", "write '{http.auth.user.id}'"},
    {"request_id", "write '{http.request.uuid}'"},
    {"request_method", "write '{method}'"},
    {"request_uri", "write '{uri}'"},
    {"scheme", "write '{scheme}'"},
    {"server_name", "write '{host}'"},
    {"server_port", "write '{port}'"},
    {"uri", "write '{path}'"},
};

const char *foreign_instead(struct str word)
{
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (str_eq_nocase(word, str_of(words[i].word)))
            return words[i].instead;
    return NULL;
}

static size_t name_len(struct str s)
{
    size_t n = 0;

    while (n < s.len && ((s.p[n] >= 'a' && s.p[n] <= 'z') || s.p[n] == '_'))
        n++;
    return n;
}

const char *foreign_variable(struct str text, struct str *variable)
{
    for (size_t at = 0; at < text.len; at++) {
        struct str name = str_from(text, at + 1);

        if (text.p[at] != '$')
            continue;
        name.len = name_len(name);
        for (size_t i = 0; i < ARRAY_LEN(variables); i++)
            if (str_is(name, variables[i].name)) {
                *variable = (struct str){text.p + at, name.len + 1};
                return variables[i].instead;
            }
    }
    return NULL;
}

bool foreign_is_plugin(struct str word)
{
    for (size_t i = 0; i < ARRAY_LEN(plugins); i++)
        if (str_is(word, plugins[i]))
            return true;
    return false;
}
