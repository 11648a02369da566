#include "fcgi_transcript.h"

#include "base/alloc.h"

#include <stdlib.h>

#define SAY(...)                                                                                   \
    do {                                                                                           \
        if (buf_printf(out, __VA_ARGS__) != 0)                                                     \
            abort();                                                                               \
    } while (0)

static void on_stderr(void *arg, struct str bytes)
{
    if (buf_append_str(arg, bytes) != 0)
        abort();
}

static void say_body(struct buf *out, struct fcgi_response *f, struct str *in, size_t mouthful)
{
    struct str bytes = f->cgi.bytes;

    if (mouthful != 0 && mouthful < bytes.len)
        bytes.len = mouthful;
    if (buf_append_str(out, bytes) != 0)
        abort();
    fcgi_response_take(f, in, bytes.len);
}

/* Says what an event tells; false: it is over, or needs more. */
static bool say(struct buf *out, struct fcgi_response *f, enum response_event event)
{
    switch (event) {
    case RESPONSE_FIELD:
        SAY(STR_FMT "=" STR_FMT "|", STR_ARG(f->cgi.name), STR_ARG(f->cgi.value));
        return true;
    case RESPONSE_HEAD:
        SAY("(%d %lld)", f->cgi.status, (long long)f->cgi.content_length);
        return true;
    case RESPONSE_END:
        SAY(".");
        if (f->records.app_status != 0)
            SAY("x%u", (unsigned)f->records.app_status);
        return false;
    case RESPONSE_TOO_BIG:
        SAY("#%s", f->why);
        return false;
    case RESPONSE_BROKEN:
        SAY("!%s%s", f->why, f->overloaded ? "!" : "");
        return false;
    case RESPONSE_MORE:
        return false;
    case RESPONSE_BODY:
    case RESPONSE_INTERIM: /* it never says these */
    case RESPONSE_INTERIM_FIELD:
    case RESPONSE_TRAILER:
        abort();
    }
    return false;
}

/* Events up to the next that needs more; false: it is over. */
static bool run(struct buf *out, struct fcgi_response *f, struct str *in, size_t mouthful)
{
    enum response_event event;

    do {
        event = fcgi_response_next(f, in);
        if (event == RESPONSE_BODY)
            say_body(out, f, in, mouthful);
    } while (event == RESPONSE_BODY || say(out, f, event));
    return event == RESPONSE_MORE;
}

void fcgi_transcript(struct buf *out, struct str message, const struct fcgi_transcript_how *how)
{
    size_t step = how->step == 0 ? message.len + 1 : how->step;
    struct buf errors = BUF_INIT(SIZE_MAX / 2);
    struct fcgi_response f;
    char *kept = xalloc(1); /* of exactly the size, so that a sanitizer sees a read past the end */
    size_t len = 0, at = 0;
    bool more = true;

    fcgi_response_init(&f, how->is_head, how->max_head);
    f.on_stderr = on_stderr;
    f.arg = &errors;
    while (more && at < message.len) {
        size_t n = message.len - at < step ? message.len - at : step;
        char *both = xalloc(len + n);
        struct str in = {both, len + n};

        memcpy(both, kept, len);
        memcpy(both + len, message.p + at, n);
        at += n;
        more = run(out, &f, &in, how->mouthful);
        free(kept);
        len = in.len;
        kept = xalloc(len + 1);
        memcpy(kept, in.p, len);
        free(both);
    }
    if (more)
        (void)say(out, &f, fcgi_response_close(&f));
    if (f.records.state == FCGI_AT_END && len + message.len - at > 0)
        SAY("+%zu", len + message.len - at);
    if (errors.len > 0)
        SAY("[" STR_FMT "]", STR_ARG(buf_str(&errors)));
    fcgi_response_fini(&f);
    buf_fini(&errors);
    free(kept);
}
