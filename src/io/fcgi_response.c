#include "io/fcgi_response.h"

void fcgi_response_init(struct fcgi_response *f, bool is_head, size_t max_head)
{
    *f = (struct fcgi_response){.why = NULL};
    cgi_response_init(&f->cgi, is_head, max_head);
}

void fcgi_response_fini(struct fcgi_response *f)
{
    cgi_response_fini(&f->cgi);
}

static enum response_event broken(struct fcgi_response *f, const char *why)
{
    f->why = why;
    return RESPONSE_BROKEN;
}

/* What the program has said. */
static enum response_event said(struct fcgi_response *f, enum response_event event)
{
    if (event == RESPONSE_TOO_BIG || event == RESPONSE_BROKEN)
        f->why = f->cgi.why;
    return event;
}

static enum response_event on_stdout(struct fcgi_response *f, struct str *in)
{
    struct str bytes = f->records.bytes;
    enum response_event event = cgi_response_next(&f->cgi, &bytes);

    fcgi_take(&f->records, in, f->records.bytes.len - bytes.len);
    return said(f, event);
}

static enum response_event on_stderr(struct fcgi_response *f, struct str *in)
{
    if (f->on_stderr != NULL)
        f->on_stderr(f->arg, f->records.bytes);
    fcgi_take(&f->records, in, f->records.bytes.len);
    return RESPONSE_MORE;
}

static enum response_event on_end(struct fcgi_response *f)
{
    switch (f->records.refusal) {
    case FCGI_DONE:
        return said(f, cgi_response_end(&f->cgi));
    case FCGI_OVERLOADED:
        f->overloaded = true;
        return broken(f, "the FastCGI server is overloaded");
    case FCGI_CANNOT_MULTIPLEX:
    case FCGI_UNKNOWN_ROLE:
        break;
    }
    return broken(f, "the FastCGI server does not take such requests");
}

enum response_event fcgi_response_next(struct fcgi_response *f, struct str *in)
{
    struct str none = STR_LIT("");
    enum response_event event = said(f, cgi_response_next(&f->cgi, &none));

    while (event == RESPONSE_MORE)
        switch (fcgi_next(&f->records, in)) {
        case FCGI_MORE:
            return RESPONSE_MORE;
        case FCGI_STDOUT:
            event = on_stdout(f, in);
            break;
        case FCGI_STDERR:
            event = on_stderr(f, in);
            break;
        case FCGI_END:
            event = on_end(f);
            break;
        case FCGI_BROKEN:
            event = broken(f, f->records.why);
            break;
        }
    return event;
}

void fcgi_response_take(struct fcgi_response *f, struct str *in, size_t n)
{
    cgi_response_took(&f->cgi, n);
    fcgi_take(&f->records, in, n);
}

enum response_event fcgi_response_close(struct fcgi_response *f)
{
    if (f->records.state == FCGI_AT_END)
        return on_end(f);
    return broken(f, f->records.begun ? "the response is cut short"
                                      : "the connection was closed before an answer");
}
