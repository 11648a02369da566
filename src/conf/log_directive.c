#include "conf/log_directive.h"

#include "conf/log_format.h"

struct draft {
    struct log_conf conf;
    bool no_hostname;
    struct str *hosts;
    size_t n_hosts, cap_hosts;
};

/* ---- output ---- */

static int set_mode(const struct directive_args *d)
{
    struct log_conf *log = d->target;
    struct str s = d->args[0].text;
    unsigned mode = 0;

    for (size_t i = 0; i < s.len; i++) {
        if (s.p[i] < '0' || s.p[i] > '7' || s.len > 4)
            return directive_error(d, &d->args[0],
                                   "'" STR_FMT "' is no file mode: one to four octal digits",
                                   STR_ARG(s));
        mode = mode * 8 + (unsigned)(s.p[i] - '0');
    }
    log->mode = mode == 0 ? 0600 : mode & 0777;
    return 0;
}

static int set_no_roll(const struct directive_args *d)
{
    (void)d;
    return 0;
}

static const struct directive file_rows[] = {
    {.name = "mode", .min_args = 1, .max_args = 1, .set = set_mode, .help = "mode MODE"},
    {.name = "roll_disabled", .set = set_no_roll, .help = "roll_disabled"},
    {0},
};

static int set_file(const struct directive_args *d)
{
    struct log_conf *log = d->target;

    if (d->n_args != 2)
        return directive_error(d, &d->args[0], "'output file' needs a path");
    log->path = directive_path(d, &d->args[1]);
    return directive_block(d, file_rows, refused_log_file, log);
}

static int set_output(const struct directive_args *d)
{
    static const char *const outputs[] = {"stderr", "stdout", "discard", "file", NULL};
    struct log_conf *log = d->target;
    const struct token *t = &d->args[0];

    if (str_is(t->text, "file"))
        return set_file(d);
    if (str_is(t->text, "net"))
        return directive_error(d, t,
                               "'output net' is not supported: write to stdout, or to a file or "
                               "FIFO that another program reads");
    for (size_t i = 0; i < 3; i++) {
        if (!str_is(t->text, outputs[i]))
            continue;
        if (d->n_args > 1)
            return directive_error(d, &d->args[1], "nothing follows 'output %s'", outputs[i]);
        if (d->node->has_block)
            return directive_error(d, t, "'output %s' has no block", outputs[i]);
        log->path = i == 2 ? NULL : outputs[i];
        return 0;
    }
    return directive_unknown(d, t, "output", outputs);
}

/* ---- the other options ---- */

/* A line is of level INFO, or ERROR where the answer is 500 or more, as in Caddy. */
static int set_level(const struct directive_args *d)
{
    static const char *const names[] = {"DEBUG", "INFO", "WARN", "ERROR", NULL};
    struct log_conf *log = d->target;

    for (size_t i = 0; names[i] != NULL; i++) {
        if (!str_eq_nocase(d->args[0].text, str_of(names[i])))
            continue;
        log->errors_only = i >= 2;
        return 0;
    }
    return directive_unknown(d, &d->args[0], "level", names);
}

static struct draft *draft_of(const struct directive_args *d)
{
    return (struct draft *)((char *)d->target - offsetof(struct draft, conf));
}

static int set_hostnames(const struct directive_args *d)
{
    struct draft *draft = draft_of(d);

    for (size_t i = 0; i < d->n_args; i++) {
        draft->hosts = arena_grow(d->arena, draft->hosts, draft->n_hosts, &draft->cap_hosts,
                                  sizeof *draft->hosts);
        draft->hosts[draft->n_hosts++] = directive_str(d, &d->args[i]);
    }
    return 0;
}

static int set_no_hostname(const struct directive_args *d)
{
    draft_of(d)->no_hostname = true;
    return 0;
}

static const struct directive log_rows[] = {
    {.name = "format",
     .min_args = 1,
     .max_args = -1,
     .block = true,
     .set = log_format_set,
     .help = "format json|console|combined|filter|append"},
    {.name = "hostnames",
     .min_args = 1,
     .max_args = -1,
     .repeats = true,
     .set = set_hostnames,
     .help = "hostnames HOST..."},
    {.name = "level", .min_args = 1, .max_args = 1, .set = set_level, .help = "level LEVEL"},
    {.name = "no_hostname", .set = set_no_hostname, .help = "no_hostname"},
    {.name = "output",
     .min_args = 1,
     .max_args = 2,
     .block = true,
     .set = set_output,
     .help = "output stderr|stdout|discard|file PATH"},
    {0},
};

/* ---- logs ---- */

static const struct log_draft *find_log(const struct conf_builder *b, struct str name)
{
    for (size_t i = 0; i < b->n_logs; i++)
        if (str_eq(b->logs[i].name, name))
            return &b->logs[i];
    return NULL;
}

static bool is_same(const struct log_conf *a, const struct log_conf *b)
{
    return a->format == b->format && a->errors_only == b->errors_only &&
           (a->path == NULL) == (b->path == NULL) &&
           (a->path == NULL || strcmp(a->path, b->path) == 0) && a->n_rules == b->n_rules &&
           a->n_members == b->n_members && a->mode == b->mode;
}

/* "log0", "log1"... as Caddy counts those that have no name of their own, but say something. */
static struct str logger_of(const struct directive_args *d)
{
    struct conf_builder *b = d->builder;

    if (d->n_args > 0)
        return arena_printf(d->arena, "http.log.access." STR_FMT, STR_ARG(d->args[0].text));
    if (d->node->n_children == 0)
        return STR_LIT("http.log.access");
    return arena_printf(d->arena, "http.log.access.log%zu", b->n_unnamed_logs++);
}

static int check_name(const struct directive_args *d, const struct draft *draft)
{
    const struct log_draft *before = d->n_args == 0 ? NULL : find_log(d->builder, d->args[0].text);

    if (before == NULL || is_same(&before->conf, &draft->conf))
        return 0;
    return directive_error(d, &d->args[0], "log '" STR_FMT "' was already defined in line %u",
                           STR_ARG(d->args[0].text), before->at.line);
}

/* Of a file that two logs write to. */
static int check_mode(const struct directive_args *d, const struct draft *draft)
{
    const struct conf_builder *b = d->builder;
    const struct log_conf *log = &draft->conf;

    for (size_t i = 0; log->mode != LOG_MODE_DEFAULT && log->path != NULL && i < b->n_logs; i++)
        if (b->logs[i].conf.path != NULL && b->logs[i].conf.mode != log->mode &&
            strcmp(b->logs[i].conf.path, log->path) == 0)
            return directive_error(d, &d->node->words[0], "'%s' has another mode in line %u",
                                   log->path, b->logs[i].at.line);
    return 0;
}

static size_t add_log(const struct directive_args *d, const struct draft *draft)
{
    struct conf_builder *b = d->builder;
    struct log_draft row = {.conf = draft->conf, .at = d->node->words[0]};

    if (d->n_args > 0)
        row.name = directive_str(d, &d->args[0]);
    row.conf.logger = logger_of(d);
    row.conf.index = b->n_logs;
    b->logs = arena_grow(b->scratch, b->logs, b->n_logs, &b->cap_logs, sizeof *b->logs);
    b->logs[b->n_logs] = row;
    return b->n_logs++;
}

int log_directive_set(const struct directive_args *d)
{
    struct draft draft = {
        .conf = {.path = "stderr", .format = LOG_FORMAT_JSON, .mode = LOG_MODE_DEFAULT}};
    struct site_draft *site = d->builder->current;
    struct site_log_draft log = {0};

    if (directive_block(d, log_rows, refused_log, &draft.conf) != 0 || check_name(d, &draft) != 0 ||
        check_mode(d, &draft) != 0)
        return -1;
    if (draft.no_hostname && draft.n_hosts > 0)
        return directive_error(d, &d->node->words[0],
                               "'hostnames' and 'no_hostname' contradict each other");
    log = (struct site_log_draft){add_log(d, &draft), draft.hosts, draft.n_hosts};
    if (draft.no_hostname)
        return 0;
    site->logs =
        arena_grow(d->builder->scratch, site->logs, site->n_logs, &site->cap_logs, sizeof log);
    site->logs[site->n_logs++] = log;
    return 0;
}

/* ---- the end of the load ---- */

/* A log without hostnames is for all addresses of the site; which these are matters only beside one
 * that has some, since the nearer name goes first. */
static struct str *hosts_of(struct conf_builder *b, const struct site_draft *site, size_t *n)
{
    struct str *hosts = arena_alloc(b->arena, (site->n_addresses + 1) * sizeof *hosts);

    for (size_t i = 0; i < site->n_addresses; i++)
        hosts[i] = arena_str(b->arena, str_of(site->addresses[i].address.host));
    *n = site->n_addresses;
    return hosts;
}

static void compile_site(struct conf_builder *b, const struct site_draft *draft,
                         const struct log_conf *logs)
{
    struct site_log *list = arena_alloc(b->arena, (draft->n_logs + 1) * sizeof *list);
    bool by_host = false;

    for (size_t i = 0; i < draft->n_logs; i++) {
        list[i] = (struct site_log){&logs[draft->logs[i].log], draft->logs[i].hosts,
                                    draft->logs[i].n_hosts};
        by_host |= list[i].n_hosts > 0;
    }
    for (size_t i = 0; by_host && i < draft->n_logs; i++)
        if (list[i].n_hosts == 0)
            list[i].hosts = hosts_of(b, draft, &list[i].n_hosts);
    draft->site->logs = list;
    draft->site->n_logs = draft->n_logs;
}

static void resolve(struct conf_builder *b, const struct log_use *use, const struct log_conf *logs)
{
    const struct log_draft *found = find_log(b, use->at.text);
    struct nearest nearest;

    if (found != NULL) {
        *use->out = &logs[found - b->logs];
        return;
    }
    nearest_init(&nearest, use->at.text);
    for (size_t i = 0; i < b->n_logs; i++)
        nearest_offer(&nearest, b->logs[i].name);
    diag_unknown(b->diag, &use->at, "log", &nearest);
}

void log_compile(struct conf_builder *b, struct conf *conf)
{
    struct log_conf *logs = arena_alloc(b->arena, (b->n_logs + 1) * sizeof *logs);

    for (size_t i = 0; i < b->n_logs; i++)
        logs[i] = b->logs[i].conf;
    for (size_t i = 0; i < b->n_sites; i++)
        compile_site(b, b->sites[i], logs);
    for (size_t i = 0; i < b->n_log_uses; i++)
        resolve(b, &b->log_uses[i], logs);
    conf->logs = logs;
    conf->n_logs = b->n_logs;
}

void directive_log(const struct directive_args *d, const struct token *t,
                   const struct log_conf **out)
{
    struct conf_builder *b = d->builder;

    b->log_uses =
        arena_grow(b->scratch, b->log_uses, b->n_log_uses, &b->cap_log_uses, sizeof *b->log_uses);
    b->log_uses[b->n_log_uses++] = (struct log_use){*t, out};
}
