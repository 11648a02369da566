#include "handlers/file_multipart.h"

#include "base/alloc.h"

#include <errno.h>
#include <sys/random.h>
#include <unistd.h>

/* The head of a part, a part, or the end. */
struct piece {
    struct str bytes; /* p == NULL: of the file */
    int64_t offset;
    int64_t len;
};

struct multipart {
    struct source source;
    const struct file_rep *rep;
    struct piece *pieces;
    size_t n;
};

/* A boundary that no content can foresee. */
static struct str new_boundary(struct arena *a)
{
    unsigned char r[12] = {0};

    if (getrandom(r, sizeof r, GRND_NONBLOCK) != (ssize_t)sizeof r)
        r[0] = 1; /* in the first seconds of a machine; the parts' lengths are told as well */
    return arena_printf(a, "%02x%02x%02x%02x%02x%02x%02x%02x%02x%02x%02x%02x", r[0], r[1], r[2],
                        r[3], r[4], r[5], r[6], r[7], r[8], r[9], r[10], r[11]);
}

static enum pull read_file(struct multipart *m, struct piece *piece, char *buf, size_t cap,
                           size_t *n)
{
    ssize_t got;

    if ((int64_t)cap > piece->len)
        cap = (size_t)piece->len;
    do
        got = pread(m->rep->fd, buf, cap, (off_t)piece->offset);
    while (got == -1 && errno == EINTR);
    if (got <= 0)
        return PULL_FAIL; /* the file was cut short meanwhile */
    piece->offset += got;
    piece->len -= got;
    *n = (size_t)got;
    return PULL_BYTES;
}

static enum pull multipart_pull(struct source *s, char *buf, size_t cap, size_t *n)
{
    struct multipart *m = container_of(s, struct multipart, source);
    struct piece *piece = m->pieces;

    if (m->n == 0)
        return PULL_END;
    if (piece->bytes.p == NULL) {
        enum pull result = read_file(m, piece, buf, cap, n);

        if (result != PULL_BYTES)
            return result;
    } else {
        *n = (int64_t)cap < piece->len ? cap : (size_t)piece->len;
        memcpy(buf, piece->bytes.p + piece->offset, *n);
        piece->offset += (int64_t)*n;
        piece->len -= (int64_t)*n;
    }
    if (piece->len == 0) {
        m->pieces++;
        m->n--;
    }
    return PULL_BYTES;
}

static void add_bytes(struct multipart *m, struct str bytes)
{
    m->pieces[m->n++] = (struct piece){bytes, 0, (int64_t)bytes.len};
}

/* The Content-Type may be one that another handler has set. */
static struct str type_of_parts(const struct exchange *ex, const struct file_rep *rep)
{
    struct str set = fields_get(&ex->response, STR_LIT("Content-Type"));

    return set.p != NULL ? set : rep->content_type;
}

static struct str head_of_part(struct exchange *ex, const struct file_rep *rep,
                               const struct range *r, struct str boundary, bool first)
{
    return arena_printf(ex->arena,
                        "%s--" STR_FMT "\r\nContent-Type: " STR_FMT
                        "\r\nContent-Range: bytes %lld-%lld/%lld\r\n\r\n",
                        first ? "" : "\r\n", STR_ARG(boundary), STR_ARG(type_of_parts(ex, rep)),
                        (long long)r->first, (long long)(r->first + r->len - 1),
                        (long long)rep->size);
}

void file_multipart_respond(struct exchange *ex, const struct file_rep *rep,
                            const struct range *ranges, size_t n)
{
    struct multipart *m = arena_alloc(ex->arena, sizeof *m);
    struct str boundary = new_boundary(ex->arena);
    int64_t len = 0;

    m->source.pull = multipart_pull;
    m->rep = rep;
    m->pieces = arena_alloc(ex->arena, (2 * n + 1) * sizeof *m->pieces);
    for (size_t i = 0; i < n; i++) {
        add_bytes(m, head_of_part(ex, rep, &ranges[i], boundary, i == 0));
        m->pieces[m->n++] =
            (struct piece){rep->full == NULL ? (struct str){NULL, 0} : rep->full->body,
                           ranges[i].first, ranges[i].len};
    }
    add_bytes(m, arena_printf(ex->arena, "\r\n--" STR_FMT "--\r\n", STR_ARG(boundary)));
    for (size_t i = 0; i < m->n && len >= 0; i++)
        if (__builtin_add_overflow(len, m->pieces[i].len, &len))
            len = -1; /* no number of bytes that can be said: of a file of nearly 8 EiB */
    fields_set(
        &ex->response, ex->arena, STR_LIT("Content-Type"),
        arena_printf(ex->arena, "multipart/byteranges; boundary=" STR_FMT, STR_ARG(boundary)));
    exchange_respond_source(ex, 206, &m->source, len);
}
