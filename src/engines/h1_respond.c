#include "engines/h1_internal.h"

#include <assert.h>
#include <fcntl.h>
#include <unistd.h>

/* Read or pulled at once where MHD does not send a file itself. */
enum {
    BLOCK = 16 * 1024,        /* of a source: what goes into one TLS record */
    PLAIN_BLOCK = 32 * 1024,  /* of one without TLS */
    LARGE_BLOCK = 256 * 1024, /* of a long one: a quarter less time than with 64 KiB... */
    LARGE_BLOCKS = 8 << 20,   /* ...until there are as many bytes of such in an engine */
    FILE_BLOCK = 64 * 1024 /* whose records go out together (h1_push.c); without that, blocks of 64
                            * KiB take 30% more time than of 16 */
};

/* ---- fields ---- */

bool h1_is_engines_own(struct str name)
{
    static const struct str own[] = {
        {"Connection", 10}, {"Content-Length", 14}, {"Transfer-Encoding", 17}, {"Keep-Alive", 10}};

    for (size_t i = 0; i < ARRAY_LEN(own); i++)
        if (str_eq_nocase(name, own[i]))
            return true;
    return false;
}

static size_t text_size(const struct fields *f)
{
    size_t size = 0;

    for (size_t i = 0; i < f->n; i++)
        size += f->list[i].name.len + f->list[i].value.len + sizeof ": \r\n" - 1;
    return size;
}

struct MHD_Response *h1_response_with(struct MHD_Response *r, const struct fields *fields,
                                      bool close, struct arena *scratch)
{
    if (r == NULL)
        return NULL;
    for (size_t i = 0; i < fields->n; i++) {
        const struct field *f = &fields->list[i];

        /* MHD takes no empty values; a field without a value says nothing. */
        if (f->value.len > 0 && !h1_is_engines_own(f->name))
            MHD_add_response_header(r, arena_str(scratch, f->name).p,
                                    arena_str(scratch, f->value).p);
    }
    if (close)
        MHD_add_response_header(r, MHD_HTTP_HEADER_CONNECTION, "close");
    return r;
}

/* ---- bodies ---- */

static ssize_t on_read_file(void *cls, uint64_t at, char *buf, size_t max)
{
    struct h1_stream *st = cls;
    struct body *b = &st->ex.body;
    ssize_t n;

    if (st->conn->dead)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    n = pread(b->fd, buf, max, (off_t)(b->offset + (int64_t)at));
    if (n <= 0)
        return MHD_CONTENT_READER_END_WITH_ERROR; /* it has become shorter since its length was sent
                                                   */
    st->ex.bytes_sent += n;
    st->conn->push.ahead = (size_t)n;
    return n;
}

/* MHD writes the trailer into the memory in which it builds chunks, of which room is what one may
 * have in it; where that is too small, it closes the connection. */
static void add_trailer(struct h1_stream *st, size_t room)
{
    const struct exchange *ex = &st->ex;
    size_t size = sizeof "0\r\n\r\n" - 1 + text_size(&ex->trailer);

    if (ex->trailer.n == 0 || ex->http_minor == 0)
        return;
    if (size > room) {
        log_warn("http", "%s: no room for a trailer of %zu bytes", st->conn->remote_host, size);
        return;
    }
    for (size_t i = 0; i < ex->trailer.n; i++)
        MHD_add_response_footer(st->response, arena_str(st->arena, ex->trailer.list[i].name).p,
                                arena_str(st->arena, ex->trailer.list[i].value).p);
}

static ssize_t on_pull(void *cls, uint64_t at, char *buf, size_t max)
{
    struct h1_stream *st = cls;
    struct source *s = st->ex.body.source;
    size_t n = 0;

    (void)at;
    for (;;) {
        if (st->conn->dead)
            return MHD_CONTENT_READER_END_WITH_ERROR;
        st->woken = false;
        switch (s->pull(s, buf, max, &n)) {
        case PULL_BYTES:
            assert(n > 0 && n <= max);
            st->ex.bytes_sent += (int64_t)n;
            if (st->ex.body.len >= 0)
                st->conn->push.ahead = n;
            return (ssize_t)n;
        case PULL_AGAIN:
            if (st->woken || st->conn->dead)
                continue;
            if (!h1_hold(st))
                h1_park(st);
            return 0;
        case PULL_END:
            if (st->ex.body.len >= 0)
                return MHD_CONTENT_READER_END_WITH_ERROR;
            add_trailer(st, max);
            return MHD_CONTENT_READER_END_OF_STREAM;
        case PULL_FAIL:
            return MHD_CONTENT_READER_END_WITH_ERROR;
        }
    }
}

static struct MHD_Response *from_bytes(struct str s)
{
    return MHD_create_response_from_buffer(s.len, (void *)s.p, MHD_RESPMEM_PERSISTENT);
}

/* A descriptor of the file that is MHD's to close. */
static int fd_for_mhd(struct body *b)
{
    if (b->keep_fd)
        return fcntl(b->fd, F_DUPFD_CLOEXEC, 0);
    b->keep_fd = true; /* by the exchange */
    return b->fd;
}

/* Without a descriptor to spare, the file is read from that of the exchange. */
static struct MHD_Response *from_file(struct h1_stream *st)
{
    struct body *b = &st->ex.body;
    struct MHD_Response *r;
    int fd = -1;

    if (b->len == 0)
        return from_bytes(STR_LIT(""));
    if (st->conn->session == NULL && b->fd != -1)
        fd = fd_for_mhd(b);
    if (fd == -1) {
        size_t block = b->len < FILE_BLOCK ? (size_t)b->len : FILE_BLOCK;

        return MHD_create_response_from_callback((uint64_t)b->len, block, on_read_file, st, NULL);
    }
    r = MHD_create_response_from_fd_at_offset64((uint64_t)b->len, fd, (uint64_t)b->offset);
    if (r == NULL)
        close(fd);
    return r;
}

/* Whether a block above the usual size may be had: a client that reads slowly keeps it for long. */
static bool take_large(struct h1_stream *st, size_t block)
{
    struct h1_engine *en = st->conn->en;

    if (en->large_blocks + block > LARGE_BLOCKS)
        return false;
    st->large_block = block;
    en->large_blocks += block;
    return true;
}

static size_t source_block(struct h1_stream *st, int64_t len)
{
    const bool tls = st->conn->session != NULL;
    const int64_t usual = tls || len < 0 ? BLOCK : PLAIN_BLOCK,
                  most = tls ? FILE_BLOCK : LARGE_BLOCK;

    if (len >= 0 && len <= usual)
        return (size_t)len;
    if (len > usual && take_large(st, (size_t)(len < most ? len : most)))
        return st->large_block;
    return (size_t)usual;
}

static struct MHD_Response *from_source(struct h1_stream *st)
{
    int64_t len = st->ex.body.len;
    size_t block = source_block(st, len);
    struct MHD_Response *r;

    if (len == 0)
        return from_bytes(STR_LIT(""));
    /* Chunks are built in MHD's own memory: this block is then for HTTP/1.0 alone. */
    r = MHD_create_response_from_callback(len < 0 ? MHD_SIZE_UNKNOWN : (uint64_t)len, block,
                                          on_pull, st, NULL);
    /* MHD sends the last chunk also after the header that answers a HEAD, where the client takes it
     * for the next response. Without chunks it closes the connection instead. */
    if (r != NULL && len < 0 && st->ex.is_head)
        MHD_set_response_options(r, MHD_RF_HTTP_1_0_COMPATIBLE_STRICT, MHD_RO_END);
    return r;
}

static struct MHD_Response *make(struct h1_stream *st, bool close)
{
    struct exchange *ex = &st->ex;
    struct MHD_Response *r = NULL;

    if (ex->upgraded)
        return h1_response_with(h1_tunnel_response(st), &ex->response, false, st->arena);
    switch (ex->body.kind) {
    case BODY_PREPARED:
        return h1_variant(st, close);
    case BODY_NONE:
        r = from_bytes(STR_LIT(""));
        break;
    case BODY_BYTES:
        r = from_bytes(ex->body.bytes);
        break;
    case BODY_FILE:
        r = from_file(st);
        break;
    case BODY_SOURCE:
        r = from_source(st);
        break;
    }
    return h1_response_with(r, &ex->response, close, st->arena);
}

/* ---- room ---- */

enum {
    FIELD_RECORD = 64, /* MHD's memory for a field of a request, beyond its text */
    OWN_FIELDS = 256   /* the status line and what MHD adds: Date, Connection, the framing */
};

/* MHD writes the response's header into the memory that holds the request's, and where it has no
 * room closes the connection without a word. Returns 0 if there is room, or the status to answer
 * with instead: the larger of the two is to blame. */
static int without_room(const struct h1_stream *st)
{
    const struct exchange *ex = &st->ex;
    size_t used = st->header_size + ex->request.n * FIELD_RECORD;
    size_t needed = text_size(&ex->response);

    if (ex->body.kind == BODY_PREPARED)
        needed += text_size(&ex->body.prepared->fields);
    if (used + OWN_FIELDS + needed <= st->conn->en->pool)
        return 0;
    if (used >= needed)
        return 431; /* such as a redirect to what the client sent */
    log_warn("http", "%s: no room for a response's header of %zu bytes beside its request's of %zu",
             st->conn->remote_host, needed, used);
    return 500;
}

/* Of the response that was meant only the end is still to come: exchange_fini(). */
static struct MHD_Response *make_do(struct exchange *ex, int status)
{
    ex->status = status;
    ex->response.n = 0;
    ex->body.len = 0;
    return h1_response_with(from_bytes(STR_LIT("")), &ex->response, true, ex->arena);
}

/* ---- queueing ---- */

static void begin_tunnel(struct h1_stream *st)
{
    if (h1_tunnel_begin(st))
        return;
    log_debug("http", "%s: no tunnel can be made of it, cut", st->conn->remote_host);
    h1_conn_kill(st->conn);
}

void h1_queue(struct h1_stream *st)
{
    struct h1_conn *c = st->conn;
    struct exchange *ex = &st->ex;
    int refusal = without_room(st);
    bool close;
    struct MHD_Response *r;

    if (ex->upgraded && refusal == 0 && c->session != NULL) {
        begin_tunnel(st);
        return;
    }
    /* After a reload the connection goes on, unless its listener has gone. */
    h1_conn_refresh(c);
    close = ex->close || c->en->draining || c->service != c->en->service;
    r = refusal == 0 ? make(st, close) : make_do(ex, refusal);
    st->response = r;
    h1_push_expect(c, ex);
    if (r == NULL || MHD_queue_response(c->mhd, (unsigned)ex->status, r) != MHD_YES) {
        log_warn("http", "%s: a response could not be queued", c->remote_host);
        h1_conn_kill(c);
    } else {
        st->queued = true;
    }
    if (r != NULL && (refusal != 0 || !h1_variant_is_kept(ex)))
        MHD_destroy_response(r); /* our reference; the connection has its own */
    if (st->parked || st->asked > 0)
        h1_unpark(st);
}

static void on_respond(struct exchange *ex)
{
    struct h1_stream *st = h1_stream_of(ex);

    if (st->conn->dead)
        return;
    switch (st->stage) {
    case STAGE_HEADER:
        if (st->refused || !h1_body_is_short(st))
            h1_queue(st);
        break; /* else when the body has been read */
    case STAGE_BODY:
        h1_early(st);
        if (st->parked)
            h1_unpark(st);
        break;
    case STAGE_EXPECT:
        if (st->parked)
            h1_unpark(st);
        break;
    case STAGE_FULL:
        h1_queue(st);
        break;
    }
}

static void on_resume(struct exchange *ex)
{
    h1_unpark(h1_stream_of(ex));
}

static void on_abort(struct exchange *ex)
{
    h1_conn_kill(h1_stream_of(ex)->conn);
}

static struct str on_local_host(struct exchange *ex)
{
    return h1_conn_local_host(h1_stream_of(ex)->conn, ex->arena);
}

const struct exchange_engine h1_exchange_engine = {
    .respond = on_respond,
    .resume = on_resume,
    .read_body = h1_body_read,
    .abort = on_abort,
    .local_host = on_local_host,
    .interim = h1_interim,
};
