/* The values of placeholders, a function each: for the table of http/placeholder.c. What they
 * return lives as long as the exchange; p may be NULL when it is empty. */
#ifndef LINTEL_HTTP_PLACEHOLDER_VALUES_H
#define LINTEL_HTTP_PLACEHOLDER_VALUES_H

#include "http/exchange.h"

typedef struct str placeholder_plain(struct exchange *ex);
typedef struct str placeholder_with(struct exchange *ex, const struct text_part *part);

/* ---- placeholder_request.c ---- */

placeholder_plain placeholder_host, placeholder_hostport, placeholder_port;
placeholder_with placeholder_label;
placeholder_plain placeholder_method, placeholder_scheme, placeholder_proto;
placeholder_with placeholder_header, placeholder_response_header, placeholder_cookie;

/* ---- placeholder_uri.c ---- */

placeholder_plain placeholder_uri, placeholder_uri_escaped;
placeholder_plain placeholder_path, placeholder_path_escaped;
placeholder_with placeholder_path_part;
placeholder_plain placeholder_dir, placeholder_file, placeholder_file_base, placeholder_file_ext;
placeholder_plain placeholder_query, placeholder_query_escaped, placeholder_prefixed_query;
placeholder_with placeholder_query_value;
placeholder_plain placeholder_orig_method, placeholder_orig_uri, placeholder_orig_path;
placeholder_with placeholder_orig_path_part;
placeholder_plain placeholder_orig_dir, placeholder_orig_file;
placeholder_plain placeholder_orig_query, placeholder_orig_prefixed_query;

/* ---- placeholder_connection.c ---- */

placeholder_plain placeholder_remote, placeholder_remote_host, placeholder_remote_port;
placeholder_plain placeholder_client_ip;
placeholder_plain placeholder_local, placeholder_local_host, placeholder_local_port;
placeholder_plain placeholder_tls_version, placeholder_tls_cipher, placeholder_tls_resumed;
placeholder_plain placeholder_tls_proto, placeholder_tls_proto_mutual;
placeholder_plain placeholder_tls_server_name, placeholder_tls_ech;

/* ---- placeholder_state.c ---- */

placeholder_plain placeholder_root, placeholder_uuid;
placeholder_with placeholder_variable;
placeholder_plain placeholder_upstream_hostport, placeholder_upstream_host;
placeholder_plain placeholder_upstream_port, placeholder_upstream_address;
placeholder_plain placeholder_answer_status, placeholder_answer_status_text;
placeholder_with placeholder_answer_header;
placeholder_plain placeholder_intercepted_status;
placeholder_with placeholder_intercepted_header;
placeholder_plain placeholder_error_status, placeholder_error_status_text;
placeholder_plain placeholder_error_message, placeholder_error_id, placeholder_error_trace;

/* ---- placeholder_time.c ---- */

placeholder_plain placeholder_duration, placeholder_duration_ms;
placeholder_plain placeholder_time, placeholder_time_http, placeholder_time_common_log;
placeholder_plain placeholder_time_year, placeholder_time_unix, placeholder_time_unix_ms;

#endif
