#include "handlers/encode_body.h"

#include "base/alloc.h"
#include "handlers/encode_form.h"
#include "http/trailer.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- at once ---- */

/* Beyond what any of the formats adds to what cannot be compressed. */
static size_t room_for(size_t len)
{
    return len + len / 64 + 1024;
}

struct str encode_bytes(const struct encode_how *how, struct str in)
{
    const struct str none = {NULL, 0};
    size_t cap = room_for(in.len), n = 0;
    struct coder *c = coder_pool_get(how->pool, how->type, &how->settings, (int64_t)in.len);
    char *out;

    if (c == NULL)
        return none;
    out = xrealloc_array(NULL, cap, 1);
    if (how->type->run(c, CODER_FINISH, &in, out, cap, &n) != CODER_DONE) {
        free(out);
        out = NULL;
    }
    coder_pool_put(how->pool, c);
    return out == NULL ? none : (struct str){xrealloc_array(out, n, 1), n};
}

static void set_bytes(struct exchange *ex, struct str bytes)
{
    ex->body.bytes = bytes;
    ex->body.len = (int64_t)bytes.len;
}

/* Of a response that is kept ready: its bytes, although its fields go other ways. */
static bool take_form(struct exchange *ex, const struct encode_how *how)
{
    struct prepared *form = encode_form(ex->body.prepared, how);

    if (form == NULL)
        return false;
    exchange_defer(ex, (void (*)(void *))prepared_unref, prepared_ref(form));
    set_bytes(ex, form->body);
    return true;
}

static bool encode_small(struct exchange *ex, const struct encode_how *how)
{
    struct str out;

    if (ex->body.prepared != NULL)
        return take_form(ex, how);
    out = encode_bytes(how, ex->body.bytes);
    if (out.p == NULL)
        return false;
    exchange_defer(ex, free, (void *)out.p);
    set_bytes(ex, out);
    return true;
}

/* ---- as it is taken ---- */

enum stage { GOING, FLUSHING, FINISHING, ENDED, FAILED };

struct encoded {
    struct source source;
    struct exchange *ex;
    struct body inner;
    struct encode_how how;
    bool reserved;       /* memory of the coder */
    struct coder *coder; /* NULL before the first pull and after the end */
    enum stage stage;
    struct str in; /* read and not yet taken by the coder: in its block, or of inner.bytes */
    int64_t at;    /* bytes of inner that have been read */
    bool unsent;   /* the coder has taken something since it was flushed */

    char spill[CODER_ROOM]; /* output, where there is less room than a coder needs */
    struct str spilled;
};

static void release(struct encoded *e)
{
    coder_pool_put(e->how.pool, e->coder);
    e->coder = NULL;
    if (e->reserved)
        coder_pool_cancel(e->how.pool, e->how.type);
    e->reserved = false;
}

static void on_close(struct source *s)
{
    struct encoded *e = container_of(s, struct encoded, source);

    release(e);
    exchange_close_body(&e->inner);
}

/* ---- input ---- */

static enum pull read_file(const struct encoded *e, size_t cap, size_t *n)
{
    ssize_t got;

    do
        got = pread(e->inner.fd, e->coder->block, cap, (off_t)(e->inner.offset + e->at));
    while (got == -1 && errno == EINTR);
    if (got <= 0)
        return PULL_FAIL; /* the file was cut short meanwhile */
    *n = (size_t)got;
    return PULL_BYTES;
}

/* What comes next of the original, into e->in. Its end is where its length says, if that is known:
 * one that ends before has failed. */
static enum pull read_more(struct encoded *e)
{
    struct body *b = &e->inner;
    size_t cap = CODER_BLOCK, n = 0;
    enum pull answer = PULL_BYTES;
    const char *from = e->coder->block;

    if (b->len == e->at)
        return PULL_END;
    if (b->len >= 0 && b->len - e->at < (int64_t)cap)
        cap = (size_t)(b->len - e->at);
    if (b->kind == BODY_BYTES) {
        from = b->bytes.p + e->at;
        n = cap;
    } else if (b->kind == BODY_FILE) {
        answer = read_file(e, cap, &n);
    } else {
        answer = b->source->pull(b->source, e->coder->block, cap, &n);
    }
    if (answer == PULL_END && b->len >= 0)
        return PULL_FAIL;
    if (answer == PULL_BYTES) {
        assert(n > 0 && n <= cap);
        e->in = (struct str){from, n};
        e->at += (int64_t)n;
        e->unsent = true;
    }
    return answer;
}

/* With nothing left to take: the next stage. PULL_AGAIN: there is nothing to do. */
static enum pull go_on(struct encoded *e, size_t *turn)
{
    if (*turn == 0) {
        *turn = ENCODE_TURN;
        e->stage = FLUSHING;
        return PULL_BYTES;
    }
    switch (read_more(e)) {
    case PULL_BYTES:
        *turn -= e->in.len < *turn ? e->in.len : *turn;
        break;
    case PULL_AGAIN:
        if (!e->how.prompt || !e->unsent)
            return PULL_AGAIN;
        e->stage = FLUSHING;
        break;
    case PULL_END:
        trailer_recode(&e->ex->trailer);
        e->stage = FINISHING;
        break;
    case PULL_FAIL:
        e->stage = FAILED;
        break;
    }
    return PULL_BYTES;
}

/* ---- output ---- */

/* Runs the coder once; its stage is then over, or the room. True: what is there should be sent. */
static bool run(struct encoded *e, char *buf, size_t cap, size_t *n)
{
    static const enum coder_op ops[] = {CODER_GO, CODER_FLUSH, CODER_FINISH};
    enum coder_answer answer;
    size_t more = 0;

    answer = e->how.type->run(e->coder, ops[e->stage], &e->in, buf + *n, cap - *n, &more);
    *n += more;
    if (answer == CODER_FAILED) {
        e->stage = FAILED;
    } else if (answer == CODER_DONE && e->stage == FINISHING) {
        e->stage = ENDED;
        release(e);
    } else if (answer == CODER_DONE && e->stage == FLUSHING) {
        e->stage = GOING;
        e->unsent = false;
        return *n > 0;
    }
    return false;
}

/* cap is at least CODER_ROOM. */
static enum pull produce(struct encoded *e, char *buf, size_t cap, size_t *n)
{
    size_t turn = ENCODE_TURN;

    *n = 0;
    while (cap - *n >= CODER_ROOM) {
        if (e->stage == ENDED || e->stage == FAILED)
            break;
        if (e->stage == GOING && e->in.len == 0) {
            if (turn == 0 && *n > 0)
                break;
            if (go_on(e, &turn) == PULL_AGAIN)
                return *n > 0 ? PULL_BYTES : PULL_AGAIN;
            if (e->stage == FAILED)
                break;
        }
        if (run(e, buf, cap, n))
            break;
    }
    if (*n > 0)
        return PULL_BYTES;
    return e->stage == ENDED ? PULL_END : PULL_FAIL;
}

static enum pull take_spilled(struct encoded *e, char *buf, size_t cap, size_t *n)
{
    *n = e->spilled.len < cap ? e->spilled.len : cap;
    memcpy(buf, e->spilled.p, *n);
    e->spilled = str_from(e->spilled, *n);
    return PULL_BYTES;
}

static enum pull on_pull(struct source *s, char *buf, size_t cap, size_t *n)
{
    struct encoded *e = container_of(s, struct encoded, source);
    enum pull answer;

    if (e->spilled.len > 0)
        return take_spilled(e, buf, cap, n);
    if (e->coder == NULL && e->stage == GOING) {
        e->coder = coder_pool_get(e->how.pool, e->how.type, &e->how.settings, e->inner.len);
        if (e->coder == NULL)
            e->stage = FAILED;
    }
    if (cap >= CODER_ROOM)
        return produce(e, buf, cap, n);
    answer = produce(e, e->spill, sizeof e->spill, &e->spilled.len);
    e->spilled.p = e->spill;
    return answer == PULL_BYTES ? take_spilled(e, buf, cap, n) : answer;
}

bool encode_body(struct exchange *ex, const struct encode_how *how)
{
    struct encoded *e;

    if (ex->body.kind == BODY_BYTES && ex->body.len <= ENCODE_SMALL)
        return encode_small(ex, how);
    if (!ex->is_head && !coder_pool_reserve(how->pool, how->type))
        return false;
    e = arena_alloc(ex->arena, sizeof *e);
    e->source.pull = on_pull;
    e->source.close = on_close;
    e->ex = ex;
    e->inner = ex->body;
    e->how = *how;
    e->reserved = !ex->is_head;
    ex->body = (struct body){.kind = BODY_SOURCE, .fd = -1, .len = -1, .source = &e->source};
    return true;
}
