#include "cert/manager.h"
#include "cli/cli.h"

#include <stdio.h>

enum { LIST_MAX = 16 * 1024 * 1024 };

static int list(const struct cli_options *o)
{
    struct conf *conf = cli_load(o);
    struct buf text = BUF_INIT(LIST_MAX);
    int status = EXIT_OK;
    struct err e;

    if (conf == NULL)
        return EXIT_USAGE;
    if (manager_list(conf, &text, &e) == 0) {
        cli_print(&text, stdout);
    } else {
        cli_usage_error("%s", e.msg);
        status = EXIT_RUN;
    }
    buf_fini(&text);
    conf_unref(conf);
    return status;
}

int cli_certs(const struct cli_options *o)
{
    if (o->n_arguments == 1 && str_is(str_of(o->arguments[0]), "list"))
        return list(o);
    return cli_usage_error("certs: say 'lintel certs list'");
}
