#include "handlers/browse_conf.h"

#include "base/alloc.h"
#include "base/file.h"

#include <fcntl.h>

enum { TEMPLATE_MOST = 1024 * 1024 };

static const char *const sorts[BROWSE_SORTS + 1] = {[BROWSE_NAME] = "name",
                                                    [BROWSE_FOLDERS_FIRST] = "namedirfirst",
                                                    [BROWSE_SIZE] = "size",
                                                    [BROWSE_TIME] = "time"};
static const char *const orders[] = {"asc", "desc", NULL};

bool browse_sort_parse(struct str s, enum browse_sort *out)
{
    for (int i = 0; i < BROWSE_SORTS; i++) {
        if (str_is(s, sorts[i])) {
            *out = (enum browse_sort)i;
            return true;
        }
    }
    return false;
}

bool browse_order_parse(struct str s, bool *descending)
{
    if (!str_is(s, orders[0]) && !str_is(s, orders[1]))
        return false;
    *descending = str_is(s, orders[1]);
    return true;
}

/* ---- options ---- */

static int set_reveal(const struct directive_args *d)
{
    ((struct browse_conf *)d->target)->reveal = true;
    return 0;
}

static int set_sort(const struct directive_args *d)
{
    struct browse_conf *conf = d->target;

    if (!browse_sort_parse(d->args[0].text, &conf->sort))
        return directive_unknown(d, &d->args[0], "sort", sorts);
    if (d->n_args > 1 && !browse_order_parse(d->args[1].text, &conf->descending))
        return directive_unknown(d, &d->args[1], "order", orders);
    return 0;
}

static int set_limit(const struct directive_args *d)
{
    struct browse_conf *conf = d->target;
    uint64_t n;

    if (directive_uint(d, &d->args[0], BROWSE_LIMIT_MOST, &n) != 0)
        return -1;
    if (n == 0)
        return directive_error(d, &d->args[0], "a list of nothing is of no use: 1 to %d",
                               BROWSE_LIMIT_MOST);
    conf->limit = (size_t)n;
    return 0;
}

const struct directive browse_options[] = {
    {.name = "reveal_symlinks", .set = set_reveal, .help = "reveal_symlinks"},
    {.name = "sort",
     .min_args = 1,
     .max_args = 2,
     .set = set_sort,
     .help = "sort name|namedirfirst|size|time [asc|desc]"},
    {.name = "file_limit",
     .min_args = 1,
     .max_args = 1,
     .set = set_limit,
     .help = "file_limit <number>"},
    {0},
};

/* ---- the template ---- */

/* Go's templates look much the same. */
static bool is_go(struct str text, size_t at)
{
    static const char *const words[] = {"range", "end", "if", "else", "with", "define", "block"};
    struct str word = str_from(text, at + 2);

    while (word.len > 0 && (word.p[0] == '-' || word.p[0] == ' '))
        word = str_from(word, 1);
    if (word.len > 0 && (word.p[0] == '.' || word.p[0] == '$'))
        return true;
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (str_starts(word, str_of(words[i])))
            return true;
    return false;
}

static int set_template(const struct directive_args *d, struct browse_conf *conf)
{
    const char *path = directive_path(d, &d->args[0]);
    struct buf content = BUF_INIT(TEMPLATE_MOST);
    struct str text;
    struct err e;

    if (file_read(AT_FDCWD, path, &content, &e) != 0) {
        buf_fini(&content);
        return directive_error(d, &d->args[0], "the template cannot be read: %s", e.msg);
    }
    text = arena_str(d->arena, buf_str(&content));
    buf_fini(&content);
    conf->page = browse_template_new(d->arena, text, &e);
    conf->is_own = true;
    if (conf->page != NULL)
        return 0;
    return directive_error(d, &d->args[0], "%s, %s%s", path, e.msg,
                           is_go(text, e.at) ? " (this is no Go template: see lintel.conf(5))"
                                             : "");
}

/* ---- all of it ---- */

void browse_conf_init(struct browse_conf *conf)
{
    *conf = (struct browse_conf){
        .page = browse_template_default(), .limit = BROWSE_LIMIT, .sort = BROWSE_FOLDERS_FIRST};
}

int browse_conf_set(const struct directive_args *d)
{
    struct browse_conf *conf = d->target;
    int rc = 0;

    browse_conf_init(conf);
    if (d->n_args > 0)
        rc = set_template(d, conf);
    if (directive_block(d, browse_options, NULL, conf) != 0)
        rc = -1;
    return rc;
}

void browse_conf_describe(const struct browse_conf *conf, struct describer *out)
{
    describe_text(out, "browse", conf->is_own ? STR_LIT("own page") : STR_LIT("built-in page"));
    describe_text(out, "sort", str_of(sorts[conf->sort]));
    describe_text(out, "order", str_of(orders[conf->descending]));
    describe_number(out, "file_limit", (int64_t)conf->limit);
    describe_flag(out, "reveal_symlinks", conf->reveal);
}
