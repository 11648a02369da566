/* Content codings: one interface, and a file for each library. A coder makes one stream of a format
 * out of bytes, as they come. One worker's; its memory is made once and used again and again. */
#ifndef LINTEL_HANDLERS_ENCODE_CODER_H
#define LINTEL_HANDLERS_ENCODE_CODER_H

#include "base/str.h"

struct coder_settings {
    int level;
    bool checksum; /* zstd: four bytes at the end */
};

enum coder_op {
    CODER_GO,    /* more will follow */
    CODER_FLUSH, /* what there is must be readable by the client now */
    CODER_FINISH /* nothing will follow */
};

enum coder_answer {
    CODER_DONE,  /* all input is taken; with FLUSH and FINISH, all output is out as well */
    CODER_FULL,  /* the room was not enough: call again with the same op */
    CODER_FAILED /* no memory */
};

enum {
    CODER_BLOCK = 16 * 1024, /* bytes of coder.block */
    CODER_ROOM = 64          /* of output, at least: less could hold nothing but a flush's mark */
};

struct coder {
    const struct coder_type *type;
    struct coder *next;      /* of those that are kept: handlers/encode_pool.c */
    char block[CODER_BLOCK]; /* for its user: input that has been read and not been taken yet */
};

/* A word for a level. */
struct coder_word {
    const char *word; /* NULL: the last */
    int level;
};

struct coder_type {
    struct str name;    /* in Accept-Encoding, Content-Encoding, ETags and the configuration */
    const char *option; /* of ./configure */
    int level_min, level_max, level_default;
    const struct coder_word *words;
    size_t memory; /* what one may hold, about */
    /* NULL: this format was not compiled in. */
    struct coder *(*make)(void);
    void (*free)(struct coder *c);
    /* Begins a stream. len: bytes that will come, -1 if that is not known. False: no memory. */
    bool (*begin)(struct coder *c, const struct coder_settings *s, int64_t len);
    /* Optional: frees what no further stream can use. */
    void (*end)(struct coder *c);
    /* Takes from the front of *in (below 2 GiB), and puts *n of up to cap bytes in out; cap is at
     * least CODER_ROOM. */
    enum coder_answer (*run)(struct coder *c, enum coder_op op, struct str *in, char *out,
                             size_t cap, size_t *n);
};

extern const struct coder_type coder_zstd, coder_br, coder_gzip;

/* All of them, in the order of preference, ended by NULL. */
enum { CODER_TYPES = 3 };
extern const struct coder_type *const coder_types[CODER_TYPES + 1]; /* handlers/encode_pool.c */

#endif
