/* A growing byte buffer with a mandatory ceiling: what a peer can size lives in one of these. */
#ifndef LINTEL_BASE_BUF_H
#define LINTEL_BASE_BUF_H

#include "base/err.h"
#include "base/str.h"

#include <stddef.h>

struct buf {
    char *p; /* always terminated by a NUL beyond len once anything was appended; else NULL */
    size_t len;
    size_t cap;
    size_t max; /* len never exceeds it */
};

#define BUF_INIT(ceiling) ((struct buf){NULL, 0, 0, (ceiling)})

void buf_init(struct buf *b, size_t max);

/* Wipes and frees the bytes; b can be used again with the same ceiling. */
void buf_fini(struct buf *b);

/* Forgets the bytes, keeps the memory. */
void buf_clear(struct buf *b);

/* Each returns 0, or -1 if the ceiling would be passed or memory is short (b is then unchanged).
 * The name for that in a struct err is ERR_LIMIT. */
MUST_CHECK int buf_reserve(struct buf *b, size_t more); /* room for `more` bytes after len */
MUST_CHECK int buf_append(struct buf *b, const void *p, size_t len);
MUST_CHECK int buf_append_str(struct buf *b, struct str s);
MUST_CHECK int buf_puts(struct buf *b, const char *s);
MUST_CHECK int buf_putc(struct buf *b, char c);
MUST_CHECK int buf_printf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Hands the memory to the caller (free()), never NULL; b is empty afterwards. */
char *buf_take(struct buf *b);

static inline struct str buf_str(const struct buf *b)
{
    return (struct str){b->p, b->len};
}

#endif
