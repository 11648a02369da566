/* A file as it was when it was opened: what is sent for it (RFC 9110 3.2, a representation). Small
 * files are kept as prepared responses, larger ones as an open descriptor. Counted by reference;
 * one worker. */
#ifndef LINTEL_HANDLERS_FILE_REP_H
#define LINTEL_HANDLERS_FILE_REP_H

#include "base/date.h"
#include "handlers/mime.h"
#include "http/conditional.h"
#include "http/prepared.h"

#include <sys/stat.h>

enum {
    FILE_REP_SMALL = 64 * 1024, /* bytes; larger files are not kept in memory */
    FILE_ETAG_MAX = 160         /* bytes: a SHA-512 in hexadecimal, its quotes, and some more */
};

/* A content coding in which a file may lie beside the file itself. */
struct file_coding {
    struct str name;
    struct str extension;
};

/* What a file is, where its name does not say it. Zeroed: a file by itself. */
struct file_kind {
    const struct file_coding *coding; /* NULL: none */
    struct str content_type;          /* with a coding: that of the content */
    struct str etag;                  /* len 0: one of its time and size */
    const struct mime_list *types;    /* or NULL; outlives the file */
};

struct file_rep {
    unsigned refs;
    struct stat st;
    bool settled; /* not changed so lately that a further change might not show in st */
    int64_t size;
    struct str content_type;          /* a constant, or of the list of types */
    const struct file_coding *coding; /* NULL: none */
    bool named;                       /* the ETag is the user's own */
    char etag[FILE_ETAG_MAX + 1];     /* "" if the file's time says nothing */
    char last_modified[DATE_HTTP_LEN + 1];
    struct validators validators; /* of the two above */
    struct prepared *full;        /* NULL if it is not small */
    struct prepared *not_modified;
    int fd; /* -1 if it is small */

    /* The finder's own, of sidecars: bits by the directive's list of codings. */
    unsigned absent;    /* at absent_ms */
    unsigned told;      /* those of which the log has a word already */
    uint64_t absent_ms; /* of the loop's clock */
};

/* Takes fd, a regular file open for reading, with its st. name decides the type, where kind does
 * not say it; where it tells nothing, the first bytes do. NULL with errno if it cannot be read. */
struct file_rep *file_rep_new(int fd, const struct stat *st, struct str name,
                              const struct file_kind *kind, int64_t now_s);

struct file_rep *file_rep_ref(struct file_rep *r);
void file_rep_unref(struct file_rep *r); /* NULL is fine */

/* The 304, made when it is first asked for. */
struct prepared *file_rep_not_modified(struct file_rep *r);

/* Whether a file with this stat is the one that r was made of, unchanged. */
bool file_rep_is(const struct file_rep *r, const struct stat *st);

/* About how much memory it holds, with what handlers have made of it. */
size_t file_rep_bytes(const struct file_rep *r);

/* From now on, *meter grows with file_rep_bytes(); NULL: no more. */
void file_rep_set_meter(struct file_rep *r, size_t *meter);

#endif
