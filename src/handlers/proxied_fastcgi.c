/* A proxied exchange whose upstream speaks FastCGI: which script, with which variables, and what it
 * says on stderr. */
#include "handlers/fastcgi_params.h"
#include "handlers/proxied.h"

#include "base/alloc.h"
#include "base/log.h"

enum { NOTES_MAX = 8 * 1024 }; /* bytes of stderr that are logged of one exchange */

static const struct fastcgi_conf *conf_of(const struct proxied *p)
{
    return p->st->conf->fastcgi;
}

int proxied_find_script(struct proxied *p)
{
    const bool rewritten = p->st->conf->has_rewrite;

    return fastcgi_script_find(conf_of(p), p->ex, rewritten ? p->request.target : NULL, &p->script);
}

bool proxied_needs_length(const struct proxied *p)
{
    return conf_of(p) != NULL && p->request.body_len < 0;
}

void proxied_ask_fastcgi(struct proxied *p, struct transfer_spec *spec)
{
    const struct reverse_proxy_conf *c = p->st->conf;
    const struct fields fields = proxy_request_fields(p->ex, c, &p->request, &p->resolved);
    struct fastcgi_params params;

    fastcgi_params_make(p->ex, conf_of(p), &p->request, &fields, &p->script, &params);
    spec->params = params.list;
    spec->n_params = params.n;
    spec->keep = conf_of(p)->keepalive;
}

/* ---- stderr ---- */

void proxied_on_stderr(void *arg, struct str bytes)
{
    struct proxied *p = arg;
    size_t room = NOTES_MAX - p->notes.len;

    if (!conf_of(p)->capture_stderr)
        return;
    p->notes.max = NOTES_MAX;
    if (bytes.len > room)
        bytes.len = room;
    if (buf_append_str(&p->notes, bytes) != 0)
        p->notes.len = 0; /* there is no memory for it */
}

static void note(const struct proxied *p, bool failed, struct str line)
{
    const char *upstream = p->resolved.name;
    const struct exchange *ex = p->ex;

    if (failed)
        log_error("fastcgi", "%s: " STR_FMT " (" STR_FMT " " STR_FMT STR_FMT ")", upstream,
                  STR_ARG(line), STR_ARG(ex->method), STR_ARG(ex->authority),
                  STR_ARG(ex->raw_path));
    else
        log_warn("fastcgi", "%s: " STR_FMT " (" STR_FMT " " STR_FMT STR_FMT ")", upstream,
                 STR_ARG(line), STR_ARG(ex->method), STR_ARG(ex->authority), STR_ARG(ex->raw_path));
}

/* As Caddy does it, the level goes by the status of the answer. */
void proxied_log_notes(struct proxied *p)
{
    const bool failed = p->answer.status == 0 || p->answer.status >= 400;
    struct str rest = buf_str(&p->notes);

    while (rest.len > 0) {
        struct str line = str_trim(str_cut(&rest, '\n'));

        if (line.len > 0)
            note(p, failed, line);
    }
    buf_fini(&p->notes);
}
