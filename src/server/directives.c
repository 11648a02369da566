#include "server/directives.h"

#include "handlers/file_server.h"
#include "handlers/header.h"
#include "handlers/redir.h"
#include "handlers/respond.h"
#include "handlers/reverse_proxy.h"
#include "handlers/root.h"

const struct directive *const server_directives[] = {
    file_server_directives,
    header_directives,
    redir_directives,
    respond_directives,
    reverse_proxy_directives,
    root_directives,
    NULL,
};
