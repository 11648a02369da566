#include "cli/cli.h"
#include "server/admin.h"
#include "server/instance.h"

#include <signal.h>
#include <stdio.h>

/* Without an admin socket: a signal. What comes of it is in the server's log only. */
static int reload_by_signal(const struct conf *conf)
{
    struct err e;
    pid_t pid;

    if (instance_find(conf->options.storage, &pid, &e) != 0) {
        cli_usage_error("%s", e.code == ERR_NOT_FOUND ? "no server is running" : e.msg);
        return EXIT_RUN;
    }
    if (kill(pid, SIGHUP) == -1) {
        err_sys(&e, "process %ld", (long)pid);
        cli_usage_error("%s", e.msg);
        return EXIT_RUN;
    }
    printf("told process %ld to reload; its log says what came of it\n", (long)pid);
    return EXIT_OK;
}

static int reload(const struct conf *conf)
{
    struct buf answer = BUF_INIT(ADMIN_ANSWER_MAX);
    struct err e = {.code = ERR_NOT_FOUND};
    int status = EXIT_RUN;

    if (conf->options.admin[0] != '\0' &&
        admin_ask(conf->options.admin, "reload\n", &answer, &e) == 0) {
        status = str_is(buf_str(&answer), "ok\n") ? EXIT_OK : EXIT_USAGE;
        cli_print(&answer, status == EXIT_OK ? stdout : stderr);
    } else if (e.code == ERR_NOT_FOUND) {
        status = reload_by_signal(conf);
    } else {
        cli_usage_error("%s", e.msg);
    }
    buf_fini(&answer);
    return status;
}

int cli_reload(const struct cli_options *o)
{
    struct conf *conf;
    int status;

    conf = cli_load(o);
    if (conf == NULL)
        return EXIT_USAGE;
    status = reload(conf);
    conf_unref(conf);
    return status;
}
