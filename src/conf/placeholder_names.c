#include "conf/placeholder_names.h"

#include "base/alloc.h"
#include "conf/diag.h"
#include "conf/placeholder_load.h"

/* Each with its short name, or NULL, and its long one. */
static const struct plain {
    const char *name;
    const char *long_name;
    enum placeholder kind;
} plain[] = {
    {"host", "http.request.host", PH_HOST},
    {"hostport", "http.request.hostport", PH_HOSTPORT},
    {"port", "http.request.port", PH_PORT},
    {"method", "http.request.method", PH_METHOD},
    {"scheme", "http.request.scheme", PH_SCHEME},
    {NULL, "http.request.proto", PH_PROTO},
    {NULL, "http.request.proto_name", PH_PROTO},
    {"uuid", "http.request.uuid", PH_UUID},
    {NULL, "http.request.duration", PH_DURATION},
    {NULL, "http.request.duration_ms", PH_DURATION_MS},
    {"uri", "http.request.uri", PH_URI},
    {"%uri", "http.request.uri_escaped", PH_URI_ESCAPED},
    {"path", "http.request.uri.path", PH_PATH},
    {"%path", "http.request.uri.path_escaped", PH_PATH_ESCAPED},
    {"dir", "http.request.uri.path.dir", PH_DIR},
    {"file", "http.request.uri.path.file", PH_FILE},
    {"file.base", "http.request.uri.path.file.base", PH_FILE_BASE},
    {"file.ext", "http.request.uri.path.file.ext", PH_FILE_EXT},
    {"query", "http.request.uri.query", PH_QUERY},
    {"%query", "http.request.uri.query_escaped", PH_QUERY_ESCAPED},
    {"?query", "http.request.uri.prefixed_query", PH_PREFIXED_QUERY},
    {"orig_method", "http.request.orig_method", PH_ORIG_METHOD},
    {"orig_uri", "http.request.orig_uri", PH_ORIG_URI},
    {"orig_path", "http.request.orig_uri.path", PH_ORIG_PATH},
    {"orig_dir", "http.request.orig_uri.path.dir", PH_ORIG_DIR},
    {"orig_file", "http.request.orig_uri.path.file", PH_ORIG_FILE},
    {"orig_query", "http.request.orig_uri.query", PH_ORIG_QUERY},
    {"orig_?query", "http.request.orig_uri.prefixed_query", PH_ORIG_PREFIXED_QUERY},
    {"remote", "http.request.remote", PH_REMOTE},
    {"remote_host", "http.request.remote.host", PH_REMOTE_HOST},
    {"remote_port", "http.request.remote.port", PH_REMOTE_PORT},
    {"client_ip", "http.vars.client_ip", PH_CLIENT_IP},
    {NULL, "http.request.local", PH_LOCAL},
    {NULL, "http.request.local.host", PH_LOCAL_HOST},
    {NULL, "http.request.local.port", PH_LOCAL_PORT},
    {"tls_version", "http.request.tls.version", PH_TLS_VERSION},
    {"tls_cipher", "http.request.tls.cipher_suite", PH_TLS_CIPHER},
    {NULL, "http.request.tls.resumed", PH_TLS_RESUMED},
    {NULL, "http.request.tls.proto", PH_TLS_PROTO},
    {NULL, "http.request.tls.proto_mutual", PH_TLS_PROTO_MUTUAL},
    {NULL, "http.request.tls.server_name", PH_TLS_SERVER_NAME},
    {NULL, "http.request.tls.ech", PH_TLS_ECH},
    {"vars.root", "http.vars.root", PH_ROOT},
    {"upstream_hostport", "http.reverse_proxy.upstream.hostport", PH_UPSTREAM_HOSTPORT},
    {"rp.upstream.hostport", "http.reverse_proxy.upstream.hostport", PH_UPSTREAM_HOSTPORT},
    {"rp.upstream.host", "http.reverse_proxy.upstream.host", PH_UPSTREAM_HOST},
    {"rp.upstream.port", "http.reverse_proxy.upstream.port", PH_UPSTREAM_PORT},
    {"rp.upstream.address", "http.reverse_proxy.upstream.address", PH_UPSTREAM_ADDRESS},
    {"rp.status_code", "http.reverse_proxy.status_code", PH_ANSWER_STATUS},
    {"rp.status_text", "http.reverse_proxy.status_text", PH_ANSWER_STATUS_TEXT},
    {"resp.status_code", "http.intercept.status_code", PH_INTERCEPTED_STATUS},
    {"err.status_code", "http.error.status_code", PH_ERROR_STATUS},
    {"err.status_text", "http.error.status_text", PH_ERROR_STATUS_TEXT},
    {"err.message", "http.error.message", PH_ERROR_MESSAGE},
    {"err.id", "http.error.id", PH_ERROR_ID},
    {"err.trace", "http.error.trace", PH_ERROR_TRACE},
    {NULL, "time.now", PH_TIME},
    {NULL, "time.now.http", PH_TIME_HTTP},
    {NULL, "time.now.common_log", PH_TIME_COMMON_LOG},
    {NULL, "time.now.year", PH_TIME_YEAR},
    {NULL, "time.now.unix", PH_TIME_UNIX},
    {NULL, "time.now.unix_ms", PH_TIME_UNIX_MS},
};

/* The rest of the name is an argument. */
static const struct family {
    const char *name;
    const char *long_name;
    enum placeholder kind;
    bool number;          /* the argument is one */
    const char *variable; /* PH_VARIABLE: what comes before the argument in the variable's name */
} families[] = {
    {"labels.", "http.request.host.labels.", PH_LABEL, true, NULL},
    {"header.", "http.request.header.", PH_HEADER, false, NULL},
    {"cookie.", "http.request.cookie.", PH_COOKIE, false, NULL},
    {"path.", "http.request.uri.path.", PH_PATH_PART, true, NULL},
    {"query.", "http.request.uri.query.", PH_QUERY_VALUE, false, NULL},
    {"orig_path.", "http.request.orig_uri.path.", PH_ORIG_PATH_PART, true, NULL},
    {"vars.", "http.vars.", PH_VARIABLE, false, "vars."},
    {"re.", "http.regexp.", PH_VARIABLE, false, "re."},
    {"file_match.", "http.matchers.file.", PH_VARIABLE, false, "file_match."},
    {NULL, "http.auth.", PH_VARIABLE, false, "auth."},
    {NULL, "http.response.header.", PH_RESPONSE_HEADER, false, NULL},
    {"rp.header.", "http.reverse_proxy.header.", PH_ANSWER_HEADER, false, NULL},
    {"resp.header.", "http.intercept.header.", PH_INTERCEPTED_HEADER, false, NULL},
};

/* What Caddy knows and cannot be had here. A name that ends with a dot or a bracket stands for all
 * that begin with it. */
static const struct withheld {
    const char *name;
    const char *why;
} withheld[] = {
    {"args.", "stands for something only in what is imported with arguments"},
    {"args[", "stands for something only in what is imported with arguments"},
    {"block", "stands for something only in what is imported with a block"},
    {"blocks.", "stands for something only in what is imported with a block"},
    {"http.request.body", "is not supported: a body may be of any size"},
    {"http.request.body_base64", "is not supported: a body may be of any size"},
    {"http.request.remote.host/", "is not supported"},
    {"http.request.tls.client.", "is not supported yet: no client is asked for a certificate"},
    {"tls_client_", "is not supported yet: no client is asked for a certificate"},
    {"http.response.", "is not supported: it is known only when the response has been sent"},
    {"http.reverse_proxy.", "is not supported yet"},
    {"rp.", "is not supported yet"},
    {"http.intercept.", "is not known: only 'status_code' and 'header.NAME' are"},
    {"resp.", "is not known: only 'status_code' and 'header.NAME' are"},
    {"http.shutting_down", "is not supported"},
    {"http.time_until_shutdown", "is not supported"},
    {"http.matchers.", "is not supported"},
};

/* Whether the name begins with that of a family. An empty argument is none. */
static bool is_of_family(struct str name, const char *family, struct str *argument)
{
    struct str f = str_of(family);

    if (family == NULL || !str_starts(name, f) || name.len == f.len)
        return false;
    *argument = str_from(name, f.len);
    return true;
}

static const struct plain *find_plain(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(plain); i++)
        if ((plain[i].name != NULL && str_is(name, plain[i].name)) ||
            str_is(name, plain[i].long_name))
            return &plain[i];
    return NULL;
}

static const struct family *find_family(struct str name, struct str *argument)
{
    for (size_t i = 0; i < ARRAY_LEN(families); i++)
        if (is_of_family(name, families[i].name, argument) ||
            is_of_family(name, families[i].long_name, argument))
            return &families[i];
    return NULL;
}

static const struct withheld *find_withheld(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(withheld); i++) {
        struct str row = str_of(withheld[i].name);

        if (memchr("._[/", row.p[row.len - 1], 4) != NULL ? str_starts(name, row)
                                                          : str_eq(name, row))
            return &withheld[i];
    }
    return NULL;
}

bool placeholder_is_known(struct str name)
{
    struct str argument;

    return find_plain(name) != NULL || find_family(name, &argument) != NULL ||
           placeholder_load_knows(name) || find_withheld(name) != NULL;
}

static enum found use_family(struct arena *a, const struct family *family, struct str argument,
                             struct text_part *out, struct err *e)
{
    uint64_t number;

    out->kind = family->kind;
    if (family->kind == PH_VARIABLE) {
        out->text = arena_printf(a, "%s" STR_FMT, family->variable, STR_ARG(argument));
    } else if (!family->number) {
        out->text = arena_str(a, argument);
    } else if (str_to_uint(argument, 65535, &number)) {
        out->index = (unsigned)number;
    } else {
        err_set(e, ERR_INVALID, "'{%s" STR_FMT "}': '" STR_FMT "' is no number from 0 to 65535",
                family->name, STR_ARG(argument), STR_ARG(argument));
        return FOUND_MISTAKE;
    }
    return FOUND_PLACEHOLDER;
}

enum found placeholder_find(struct arena *a, struct str name, const struct defined *defined,
                            struct text_part *out, struct err *e)
{
    const struct plain *row = find_plain(name);
    const struct family *family;
    struct str argument;

    *out = (struct text_part){.kind = PH_LITERAL};
    if (row != NULL) {
        out->kind = row->kind;
        return FOUND_PLACEHOLDER;
    }
    family = find_family(name, &argument);
    if (family != NULL)
        return use_family(a, family, argument, out, e);
    if (placeholder_load_knows(name))
        return placeholder_load(a, name, &out->text, e) == 0 ? FOUND_PLACEHOLDER : FOUND_MISTAKE;
    if (defined == NULL || !defined_has(defined, name))
        return FOUND_NOTHING;
    out->kind = PH_VARIABLE;
    out->text = defined_variable(a, name);
    return FOUND_PLACEHOLDER;
}

/* ---- names that are none ---- */

/* A name with an argument is compared as far as its first dot. */
static struct str suggestion(struct str name, const struct defined *defined, const char **argument)
{
    const bool is_long = str_starts(name, STR_LIT("http."));
    struct str head = {name.p, str_chr(name, '.')};
    struct nearest whole, family;

    nearest_init(&whole, name);
    for (size_t i = 0; i < ARRAY_LEN(plain); i++)
        if (is_long || plain[i].name == NULL)
            nearest_offer(&whole, str_of(plain[i].long_name));
        else
            nearest_offer(&whole, str_of(plain[i].name));
    placeholder_load_offer(&whole);
    if (defined != NULL)
        defined_offer(defined, &whole);
    head.len += head.len < name.len ? 1 : 0;
    nearest_init(&family, is_long ? name : head);
    for (size_t i = 0; i < ARRAY_LEN(families); i++)
        if (is_long || families[i].name != NULL)
            nearest_offer(&family, str_of(is_long ? families[i].long_name : families[i].name));
    if (family.best.len == 0 || (whole.best.len > 0 && whole.distance <= family.distance)) {
        *argument = str_ends(whole.best, STR_LIT(".")) ? "NAME" : "";
        return whole.best;
    }
    *argument = "NAME";
    for (size_t i = 0; i < ARRAY_LEN(families); i++)
        if (families[i].number &&
            (family.best.p == families[i].name || family.best.p == families[i].long_name))
            *argument = "N";
    return family.best;
}

int placeholder_unknown(struct str name, const struct defined *defined, struct err *e)
{
    const struct withheld *row = find_withheld(name);
    const char *argument;
    struct str nearest;

    if (row != NULL)
        return err_set(e, ERR_INVALID, "'{" STR_FMT "}' %s", STR_ARG(name), row->why);
    nearest = suggestion(name, defined, &argument);
    if (nearest.len == 0)
        return err_set(e, ERR_INVALID, "'{" STR_FMT "}' is no placeholder; write '\\{' for a brace",
                       STR_ARG(name));
    return err_set(e, ERR_INVALID,
                   "'{" STR_FMT "}' is no placeholder; did you mean '{" STR_FMT "%s}'?",
                   STR_ARG(name), STR_ARG(nearest), argument);
}
