#include "server/directives.h"

#include "handlers/basic_auth.h"
#include "handlers/copy_response.h"
#include "handlers/encode.h"
#include "handlers/error.h"
#include "handlers/file_match.h"
#include "handlers/file_server.h"
#include "handlers/handle.h"
#include "handlers/header.h"
#include "handlers/intercept.h"
#include "handlers/log.h"
#include "handlers/map.h"
#include "handlers/metrics.h"
#include "handlers/php_fastcgi.h"
#include "handlers/rate_limit.h"
#include "handlers/redir.h"
#include "handlers/request_body.h"
#include "handlers/respond.h"
#include "handlers/reverse_proxy.h"
#include "handlers/rewrite.h"
#include "handlers/root.h"
#include "handlers/try_files.h"
#include "handlers/uri.h"
#include "handlers/vars.h"
#include "http/match.h"

/* One a line, so that changes to it do not meet. */
/* clang-format off */
static const struct directive *const directives[] = {
    basic_auth_directives,
    copy_response_directives,
    encode_directives,
    error_directives,
    file_server_directives,
    handle_directives,
    header_directives,
    intercept_directives,
    log_directives,
    map_directives,
    metrics_directives,
    php_fastcgi_directives,
    rate_limit_directives,
    redir_directives,
    request_body_directives,
    respond_directives,
    reverse_proxy_directives,
    rewrite_directives,
    root_directives,
    try_files_directives,
    uri_directives,
    vars_directives,
    NULL,
};
/* clang-format on */

static const struct matcher_type *const *const matchers[] = {
    http_matcher_table,
    file_match_matchers,
    NULL,
};

const struct language server_language = {.directives = directives, .matchers = matchers};
