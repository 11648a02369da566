#include "handlers/file_rep.h"

#include "base/alloc.h"
#include "handlers/sniff.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { READS_MAX = 4 };

/* ---- validators ---- */

/* Base 36, as Caddy writes it. Returns the end. */
static char *put_base36(char *at, uint64_t n)
{
    char digits[16];
    size_t len = 0;

    do {
        digits[len++] = "0123456789abcdefghijklmnopqrstuvwxyz"[n % 36];
        n /= 36;
    } while (n > 0);
    while (len > 0)
        *at++ = digits[--len];
    return at;
}

/* Images of containers and reproducible packages set all times to 0 or 1: such a time would be the
 * same for the next version too. */
static bool has_time(const struct stat *st)
{
    return st->st_mtim.tv_sec > 1;
}

/* Of a sidecar it has the extension at its end: a program may have given it the time of its
 * original, or of another one of the same size. */
static char *put_etag(const struct file_rep *r, char *at)
{
    const struct timespec *t = &r->st.st_mtim;

    *at++ = '"';
    at = put_base36(at, (uint64_t)t->tv_sec * 1000000000 + (uint64_t)t->tv_nsec);
    *at++ = '-';
    at = put_base36(at, (uint64_t)r->size);
    if (r->coding != NULL)
        at = mempcpy(at, r->coding->extension.p, r->coding->extension.len);
    *at++ = '"';
    return at;
}

static void set_etag(struct file_rep *r, struct str own)
{
    char *at = r->etag;

    r->named = own.len > 0;
    if (r->named)
        at = mempcpy(at, own.p, own.len);
    else if (has_time(&r->st))
        at = put_etag(r, at);
    *at = '\0';
    r->validators.etag = (struct str){r->etag, (size_t)(at - r->etag)};
}

/* A Last-Modified must not be later than the response's Date (RFC 9110 8.8.2.1). */
static void set_last_modified(struct file_rep *r, int64_t now_s)
{
    r->validators.mtime_s = NO_MTIME;
    if (!has_time(&r->st) || r->st.st_mtim.tv_sec > now_s)
        return;
    date_format_http(r->st.st_mtim.tv_sec, r->last_modified);
    r->validators.mtime_s = r->st.st_mtim.tv_sec;
}

/* ---- responses ---- */

static void add_nosniff(struct prepared *p)
{
    fields_add(&p->fields, p->arena, STR_LIT("X-Content-Type-Options"), STR_LIT("nosniff"));
}

static void add_validators(const struct file_rep *r, struct prepared *p, bool not_modified)
{
    if (r->etag[0] != '\0')
        fields_add(&p->fields, p->arena, STR_LIT("ETag"), arena_str(p->arena, r->validators.etag));
    /* A 304 needs but one (RFC 9110 15.4.5). */
    if (r->last_modified[0] != '\0' && !(not_modified && r->etag[0] != '\0'))
        fields_add(&p->fields, p->arena, STR_LIT("Last-Modified"),
                   arena_str(p->arena, str_of(r->last_modified)));
}

struct prepared *file_rep_not_modified(struct file_rep *r)
{
    if (r->not_modified == NULL) {
        r->not_modified = prepared_new(304, STR_LIT(""));
        r->not_modified->instead = r->size;
        add_validators(r, r->not_modified, true);
        add_nosniff(r->not_modified);
    }
    return r->not_modified;
}

static void prepare(struct file_rep *r, struct str body)
{
    struct prepared *p = prepared_new(200, body);

    fields_add(&p->fields, p->arena, STR_LIT("Content-Type"), r->content_type);
    if (r->coding != NULL)
        fields_add(&p->fields, p->arena, STR_LIT("Content-Encoding"), r->coding->name);
    add_validators(r, p, false);
    fields_add(&p->fields, p->arena, STR_LIT("Accept-Ranges"), STR_LIT("bytes"));
    add_nosniff(p);
    r->full = p;
}

/* ---- reading ---- */

static int read_all(int fd, char *p, size_t len)
{
    size_t done = 0;

    while (done < len) {
        ssize_t n = pread(fd, p + done, len - done, (off_t)done);

        if (n == -1 && errno == EINTR)
            continue;
        if (n == -1)
            return -1;
        if (n == 0) {
            errno = EAGAIN; /* it shrinks while we look */
            return -1;
        }
        done += (size_t)n;
    }
    return 0;
}

/* What changes while it is read is read again, so that it is of one version. If it goes on
 * changing, as a log does, it is what was read last. *content is malloc'ed; NULL if the file has
 * become large. */
static int read_small(struct file_rep *r, int fd, char **content)
{
    for (int i = 1; r->st.st_size <= FILE_REP_SMALL; i++) {
        struct stat after;
        int rc;

        free(*content);
        *content = xalloc((size_t)r->st.st_size + 1);
        rc = read_all(fd, *content, (size_t)r->st.st_size);
        if ((rc != 0 && errno != EAGAIN) || fstat(fd, &after) == -1)
            return -1;
        if (rc == 0 && file_rep_is(r, &after))
            return 0;
        r->settled = false;
        if (i == READS_MAX)
            return rc;
        r->st = after;
    }
    free(*content);
    *content = NULL;
    return 0;
}

/* What is text of a large file, and cannot be read any more, fails when it is sent. */
static struct str sniff(const struct file_rep *r, int fd, const char *content)
{
    size_t len = r->size < SNIFF_MAX ? (size_t)r->size : SNIFF_MAX;
    char head[SNIFF_MAX];

    if (content != NULL)
        return sniff_type((struct str){content, len});
    return sniff_type((struct str){head, read_all(fd, head, len) == 0 ? len : 0});
}

static int load(struct file_rep *r, int fd, struct str etag, int64_t now_s)
{
    char *content = NULL;
    int rc = read_small(r, fd, &content);

    if (rc == 0) {
        r->size = r->st.st_size;
        set_etag(r, etag);
        set_last_modified(r, now_s);
        if (r->content_type.p == NULL)
            r->content_type = sniff(r, fd, content);
        if (content != NULL)
            prepare(r, (struct str){content, (size_t)r->size});
    }
    free(content);
    return rc;
}

struct file_rep *file_rep_new(int fd, const struct stat *st, struct str name,
                              const struct file_kind *kind, int64_t now_s)
{
    struct file_rep *r = xalloc(sizeof *r);

    r->refs = 1;
    r->st = *st;
    r->settled = st->st_mtim.tv_sec + 2 < now_s && st->st_ctim.tv_sec + 2 < now_s;
    r->coding = kind->coding;
    r->content_type = kind->coding != NULL ? kind->content_type : mime_type(kind->types, name);
    r->fd = fd;
    if (load(r, fd, kind->etag, now_s) != 0) {
        file_rep_unref(r);
        return NULL;
    }
    if (r->full != NULL) {
        close(fd);
        r->fd = -1;
    }
    return r;
}

/* ---- life ---- */

struct file_rep *file_rep_ref(struct file_rep *r)
{
    r->refs++;
    return r;
}

void file_rep_unref(struct file_rep *r)
{
    int saved = errno;

    if (r == NULL || --r->refs > 0)
        return;
    prepared_unref(r->full);
    prepared_unref(r->not_modified);
    if (r->fd != -1)
        close(r->fd);
    free(r);
    errno = saved;
}

bool file_rep_is(const struct file_rep *r, const struct stat *st)
{
    return r->st.st_ino == st->st_ino && r->st.st_dev == st->st_dev &&
           r->st.st_size == st->st_size && r->st.st_mode == st->st_mode &&
           r->st.st_mtim.tv_sec == st->st_mtim.tv_sec &&
           r->st.st_mtim.tv_nsec == st->st_mtim.tv_nsec &&
           r->st.st_ctim.tv_sec == st->st_ctim.tv_sec &&
           r->st.st_ctim.tv_nsec == st->st_ctim.tv_nsec;
}

size_t file_rep_bytes(const struct file_rep *r)
{
    return sizeof *r + (r->full == NULL ? 0 : prepared_bytes(r->full));
}

void file_rep_set_meter(struct file_rep *r, size_t *meter)
{
    if (r->full != NULL)
        r->full->meter = meter;
}
