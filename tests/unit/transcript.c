#include "transcript.h"

#include "base/alloc.h"

#include <stdlib.h>

#define SAY(...)                                                                                   \
    do {                                                                                           \
        if (buf_printf(out, __VA_ARGS__) != 0)                                                     \
            abort();                                                                               \
    } while (0)

static void say_head(struct buf *out, const struct response_parser *rp)
{
    SAY("(%d %lld%s%s%s)", rp->status, (long long)rp->content_length, rp->chunked ? " c" : "",
        rp->keep_alive ? " k" : "", rp->switched ? " s" : "");
}

static void say_field(struct buf *out, const struct response_parser *rp)
{
    SAY(STR_FMT "=" STR_FMT "|", STR_ARG(rp->name), STR_ARG(rp->value));
}

/* Events up to the next that needs more; false: it is over. */
static bool run(struct buf *out, struct response_parser *rp, struct str *in, size_t mouthful)
{
    for (;;) {
        enum response_event event = response_next(rp, in);
        size_t n;

        switch (event) {
        case RESPONSE_MORE:
            return true;
        case RESPONSE_INTERIM_FIELD:
            SAY("^");
            say_field(out, rp);
            break;
        case RESPONSE_INTERIM:
            SAY("^(%d)", rp->status);
            break;
        case RESPONSE_FIELD:
            say_field(out, rp);
            break;
        case RESPONSE_TRAILER:
            SAY("~");
            say_field(out, rp);
            break;
        case RESPONSE_HEAD:
            say_head(out, rp);
            break;
        case RESPONSE_BODY:
            n = mouthful != 0 && mouthful < rp->bytes.len ? mouthful : rp->bytes.len;
            if (buf_append(out, rp->bytes.p, n) != 0)
                abort();
            response_take(rp, in, n);
            break;
        case RESPONSE_END:
            return false;
        case RESPONSE_TOO_BIG:
            SAY("#%s", rp->why);
            return false;
        case RESPONSE_BROKEN:
            SAY("!%s", rp->why);
            return false;
        }
    }
}

void transcript(struct buf *out, struct str message, const struct transcript_how *how)
{
    size_t step = how->step == 0 ? message.len + 1 : how->step;
    struct response_parser rp;
    char *kept = xalloc(1); /* of exactly the size, so that a sanitizer sees a read past the end */
    size_t len = 0, at = 0;
    bool more = true;

    response_init(&rp, how->is_head, how->upgrade, how->max_head);
    while (more && at < message.len) {
        size_t n = message.len - at < step ? message.len - at : step;
        char *both = xalloc(len + n);
        struct str in = {both, len + n};

        memcpy(both, kept, len);
        memcpy(both + len, message.p + at, n);
        at += n;
        more = run(out, &rp, &in, how->mouthful);
        free(kept);
        len = in.len;
        kept = xalloc(len + 1);
        memcpy(kept, in.p, len);
        free(both);
    }
    if (more && response_close(&rp) == RESPONSE_BROKEN)
        SAY("!%s", rp.why);
    if (rp.state == RESPONSE_AT_END) {
        SAY(".");
        if (len + message.len - at > 0)
            SAY("+%zu", len + message.len - at);
    }
    free(kept);
}
