#include "cli/cli.h"
#include "server/admin.h"

#include <stdio.h>

static int ask(const struct conf *conf)
{
    struct buf answer = BUF_INIT(ADMIN_ANSWER_MAX);
    int status = EXIT_RUN;
    struct err e;

    if (conf->options.admin[0] == '\0') {
        cli_usage_error("status: the server has no admin socket, by 'admin off'");
    } else if (admin_ask(conf->options.admin, "status\n", &answer, &e) == 0) {
        cli_print(&answer, stdout);
        status = EXIT_OK;
    } else {
        cli_usage_error("%s", e.code == ERR_NOT_FOUND ? "no server is running" : e.msg);
    }
    buf_fini(&answer);
    return status;
}

int cli_status(const struct cli_options *o)
{
    struct conf *conf = cli_load(o);
    int status;

    if (conf == NULL)
        return EXIT_USAGE;
    status = ask(conf);
    conf_unref(conf);
    return status;
}
