/* FastCGI over the connections of the direct transport. What its parser tells is copied to where
 * all others look for it: into the parser of HTTP. */
#include "io/direct_priv.h"

#include <stdlib.h>

/* Each connection occupies a process of the server, also while nobody uses it, and others may wait
 * for that: it is left after a while, and after some requests. */
enum { IDLE_MS = 1000, REQUESTS_MAX = 100 };

static bool prepare(struct direct_transfer *t, const struct transfer_spec *spec, struct err *e)
{
    const size_t size = fcgi_request_size(spec->params, spec->n_params) + FCGI_HEADER_SIZE;
    char *at;

    (void)e;
    if (size > t->head_cap) {
        t->head = xrealloc_array(t->head, size, 1);
        t->head_cap = size;
    }
    at = fcgi_put_request(t->head, spec->params, spec->n_params, spec->keep);
    if (spec->body_len == 0)
        at = fcgi_put_body(at, 0);
    t->head_len = (size_t)(at - t->head);
    t->keep = spec->keep;
    return true;
}

static void on_stderr(void *arg, struct str bytes)
{
    struct direct_transfer *t = arg;

    if (t->events->on_stderr != NULL)
        t->events->on_stderr(t->arg, bytes);
}

static void fini(struct direct_transfer *t)
{
    if (t->fcgi != NULL)
        fcgi_response_fini(t->fcgi);
    free(t->fcgi);
    t->fcgi = NULL;
}

static void begin(struct direct_transfer *t)
{
    fini(t);
    t->fcgi = xalloc(sizeof *t->fcgi);
    fcgi_response_init(t->fcgi, t->is_head, t->max_head);
    t->fcgi->on_stderr = on_stderr;
    t->fcgi->arg = t;
    t->parser = (struct response_parser){.keep_alive = t->keep};
}

static enum response_event tell(struct direct_transfer *t, enum response_event event)
{
    const struct cgi_response *cgi = &t->fcgi->cgi;

    t->parser.name = cgi->name;
    t->parser.value = cgi->value;
    t->parser.bytes = cgi->bytes;
    t->parser.status = cgi->status;
    t->parser.content_length = cgi->content_length;
    t->parser.why = t->fcgi->why;
    return event;
}

static enum response_event next(struct direct_transfer *t, struct str *in)
{
    return tell(t, fcgi_response_next(t->fcgi, in));
}

static void take(struct direct_transfer *t, struct str *in, size_t n)
{
    fcgi_response_take(t->fcgi, in, n);
}

static enum response_event on_close(struct direct_transfer *t)
{
    return tell(t, fcgi_response_close(t->fcgi));
}

const struct wire direct_wire_fcgi = {.records = true,
                                      .idle_ms = IDLE_MS,
                                      .requests_max = REQUESTS_MAX,
                                      .prepare = prepare,
                                      .begin = begin,
                                      .fini = fini,
                                      .next = next,
                                      .take = take,
                                      .close = on_close};
