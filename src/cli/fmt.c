#include "base/diff.h"
#include "base/file.h"
#include "cli/cli.h"
#include "conf/format.h"
#include "conf/lexer.h"

#include <fcntl.h>
#include <unistd.h>

enum { RESULT_MAX = 8 * LEXER_TEXT_MAX };

const struct cli_flag cli_fmt_flags[] = {
    CLI_FLAG_CONFIG,
    {"overwrite", 'w', NULL, "write the result to the file", false},
    {"diff", 'd', NULL, "show what differs instead of the result", false},
    {0},
};

struct job {
    const char *path; /* NULL: standard input */
    bool overwrite, diff;
    struct buf text, result;
};

/* The file is an argument or --config, "-" in both, or the usual one. False after saying why not.
 */
static bool find_file(const struct cli_options *o, struct job *j)
{
    const char *named = cli_value(o, "config");

    if (named != NULL && o->n_arguments > 0) {
        cli_usage_error("fmt: one file only: either '%s' or --config '%s'", o->arguments[0], named);
        return false;
    }
    j->path = o->n_arguments > 0 ? o->arguments[0] : cli_conf_path(o);
    if (j->path == NULL)
        return false;
    if (str_is(str_of(j->path), "-"))
        j->path = NULL;
    return true;
}

static int read_text(struct job *j, struct err *e)
{
    return j->path == NULL ? fd_read_all(STDIN_FILENO, "standard input", &j->text, e)
                           : file_read(AT_FDCWD, j->path, &j->text, e);
}

/* The number of the first line that is not as it is to be. */
static size_t first_difference(const struct job *j)
{
    size_t line = 1;

    for (size_t i = 0; i < j->text.len && i < j->result.len; i++) {
        if (j->text.p[i] != j->result.p[i])
            break;
        line += j->text.p[i] == '\n';
    }
    return line;
}

static int show(struct job *j, bool same)
{
    struct buf diff = BUF_INIT(2 * RESULT_MAX);
    const char *name = j->path == NULL ? "-" : j->path;

    if (!j->diff) {
        cli_print(&j->result, stdout);
    } else if (diff_unified(buf_str(&j->text), buf_str(&j->result), name, name, &diff) == 0) {
        cli_print(&diff, stdout);
    } else {
        cli_usage_error("fmt: the difference is too large to be shown");
    }
    buf_fini(&diff);
    if (fflush(stdout) != 0) {
        cli_usage_error("fmt: standard output cannot be written");
        return EXIT_RUN;
    }
    if (same || (j->path == NULL && !j->diff))
        return EXIT_OK;
    return cli_usage_error("%s:%zu: not formatted from here on; --overwrite formats the file", name,
                           first_difference(j));
}

/* Standard input cannot be overwritten: the result is shown, as ever. */
static int finish(struct job *j, struct err *e)
{
    bool same = str_eq(buf_str(&j->text), buf_str(&j->result));

    if (!j->overwrite || j->path == NULL)
        return show(j, same);
    if (j->diff)
        (void)show(j, true);
    if (same || file_rewrite(j->path, buf_str(&j->result), e) == 0)
        return EXIT_OK;
    cli_usage_error("%s", e->msg);
    return EXIT_RUN;
}

int cli_fmt(const struct cli_options *o)
{
    struct job j = {.overwrite = cli_has(o, "overwrite"),
                    .diff = cli_has(o, "diff"),
                    .text = BUF_INIT(LEXER_TEXT_MAX),
                    .result = BUF_INIT(RESULT_MAX)};
    struct err e;
    int status;

    if (!find_file(o, &j))
        return EXIT_USAGE;
    if (read_text(&j, &e) != 0)
        status = cli_usage_error("%s", e.msg);
    else if (format_text(buf_str(&j.text), &j.result) != 0)
        status = cli_usage_error("%s: the result is too large", j.path == NULL ? "-" : j.path);
    else
        status = finish(&j, &e);
    buf_fini(&j.text);
    buf_fini(&j.result);
    return status;
}
