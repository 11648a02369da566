#include "http/placeholder.h"

#include "http/placeholder_values.h"

static placeholder_plain *const plain[PH_COUNT] = {
    [PH_HOST] = placeholder_host,
    [PH_HOSTPORT] = placeholder_hostport,
    [PH_PORT] = placeholder_port,
    [PH_METHOD] = placeholder_method,
    [PH_SCHEME] = placeholder_scheme,
    [PH_PROTO] = placeholder_proto,
    [PH_UUID] = placeholder_uuid,
    [PH_DURATION] = placeholder_duration,
    [PH_DURATION_MS] = placeholder_duration_ms,
    [PH_URI] = placeholder_uri,
    [PH_URI_ESCAPED] = placeholder_uri_escaped,
    [PH_PATH] = placeholder_path,
    [PH_PATH_ESCAPED] = placeholder_path_escaped,
    [PH_DIR] = placeholder_dir,
    [PH_FILE] = placeholder_file,
    [PH_FILE_BASE] = placeholder_file_base,
    [PH_FILE_EXT] = placeholder_file_ext,
    [PH_QUERY] = placeholder_query,
    [PH_QUERY_ESCAPED] = placeholder_query_escaped,
    [PH_PREFIXED_QUERY] = placeholder_prefixed_query,
    [PH_ORIG_METHOD] = placeholder_orig_method,
    [PH_ORIG_URI] = placeholder_orig_uri,
    [PH_ORIG_PATH] = placeholder_orig_path,
    [PH_ORIG_DIR] = placeholder_orig_dir,
    [PH_ORIG_FILE] = placeholder_orig_file,
    [PH_ORIG_QUERY] = placeholder_orig_query,
    [PH_ORIG_PREFIXED_QUERY] = placeholder_orig_prefixed_query,
    [PH_REMOTE] = placeholder_remote,
    [PH_REMOTE_HOST] = placeholder_remote_host,
    [PH_REMOTE_PORT] = placeholder_remote_port,
    [PH_CLIENT_IP] = placeholder_client_ip,
    [PH_LOCAL] = placeholder_local,
    [PH_LOCAL_HOST] = placeholder_local_host,
    [PH_LOCAL_PORT] = placeholder_local_port,
    [PH_TLS_VERSION] = placeholder_tls_version,
    [PH_TLS_CIPHER] = placeholder_tls_cipher,
    [PH_TLS_RESUMED] = placeholder_tls_resumed,
    [PH_TLS_PROTO] = placeholder_tls_proto,
    [PH_TLS_PROTO_MUTUAL] = placeholder_tls_proto_mutual,
    [PH_TLS_SERVER_NAME] = placeholder_tls_server_name,
    [PH_TLS_ECH] = placeholder_tls_ech,
    [PH_ROOT] = placeholder_root,
    [PH_UPSTREAM_HOSTPORT] = placeholder_upstream_hostport,
    [PH_UPSTREAM_HOST] = placeholder_upstream_host,
    [PH_UPSTREAM_PORT] = placeholder_upstream_port,
    [PH_UPSTREAM_ADDRESS] = placeholder_upstream_address,
    [PH_ANSWER_STATUS] = placeholder_answer_status,
    [PH_ANSWER_STATUS_TEXT] = placeholder_answer_status_text,
    [PH_INTERCEPTED_STATUS] = placeholder_intercepted_status,
    [PH_ERROR_STATUS] = placeholder_error_status,
    [PH_ERROR_STATUS_TEXT] = placeholder_error_status_text,
    [PH_ERROR_MESSAGE] = placeholder_error_message,
    [PH_ERROR_ID] = placeholder_error_id,
    [PH_ERROR_TRACE] = placeholder_error_trace,
    [PH_TIME] = placeholder_time,
    [PH_TIME_HTTP] = placeholder_time_http,
    [PH_TIME_COMMON_LOG] = placeholder_time_common_log,
    [PH_TIME_YEAR] = placeholder_time_year,
    [PH_TIME_UNIX] = placeholder_time_unix,
    [PH_TIME_UNIX_MS] = placeholder_time_unix_ms,
};

static placeholder_with *const with_argument[PH_COUNT] = {
    [PH_LABEL] = placeholder_label,
    [PH_HEADER] = placeholder_header,
    [PH_COOKIE] = placeholder_cookie,
    [PH_PATH_PART] = placeholder_path_part,
    [PH_QUERY_VALUE] = placeholder_query_value,
    [PH_ORIG_PATH_PART] = placeholder_orig_path_part,
    [PH_VARIABLE] = placeholder_variable,
    [PH_RESPONSE_HEADER] = placeholder_response_header,
    [PH_ANSWER_HEADER] = placeholder_answer_header,
    [PH_INTERCEPTED_HEADER] = placeholder_intercepted_header,
};

static struct str part_value(const struct text_part *part, struct exchange *ex)
{
    struct str value;

    if (part->kind == PH_LITERAL)
        return part->text;
    if (plain[part->kind] != NULL)
        value = plain[part->kind](ex);
    else
        value = with_argument[part->kind](ex, part);
    return value.p == NULL ? STR_LIT("") : value;
}

static struct str join(struct arena *a, const struct str *values, size_t n, size_t len)
{
    char *out = arena_bytes(a, len + 1), *at = out;

    for (size_t i = 0; i < n; i++)
        at = mempcpy(at, values[i].p, values[i].len);
    return (struct str){out, len};
}

struct str text_expand(const struct text *t, struct exchange *ex)
{
    struct str *values;
    size_t len = 0;

    if (t->constant)
        return text_constant(t);
    if (t->n_parts == 1)
        return part_value(&t->parts[0], ex);
    values = arena_alloc(ex->arena, t->n_parts * sizeof *values);
    for (size_t i = 0; i < t->n_parts; i++) {
        values[i] = part_value(&t->parts[i], ex);
        len += values[i].len;
    }
    return join(ex->arena, values, t->n_parts, len);
}
