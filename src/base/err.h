/* Errors: a result of 0 or -1 plus a caller-owned struct err that says why.
 * The lowest layer sets it, a layer above may prefix it, only the top logs it, once. */
#ifndef LINTEL_BASE_ERR_H
#define LINTEL_BASE_ERR_H

#include <stddef.h>

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

enum err_code {
    ERR_NONE = 0,
    ERR_IO,        /* the operating system or a device said no */
    ERR_LIMIT,     /* larger or more than a limit of ours allows */
    ERR_SYNTAX,    /* text that does not follow its grammar */
    ERR_INVALID,   /* well-formed, but not acceptable */
    ERR_NOT_FOUND, /* no such file, key or name */
    ERR_BUSY,      /* held by another process or thread */
    ERR_TIMEOUT,   /* took longer than it may */
    ERR_NETWORK,   /* a peer could not be reached or broke off */
    ERR_PROTOCOL,  /* a peer answered something its protocol does not allow */
    ERR_REFUSED,   /* a peer understood and declined */
    ERR_TLS,       /* GnuTLS failed */
    ERR_CANCELLED  /* we gave up ourselves */
};

struct err {
    enum err_code code;
    unsigned retry_ms; /* 0: trying again is no use; otherwise not before so many milliseconds */
    unsigned at;       /* of a text that was read: the byte where it is wrong, or 0 */
    char msg[256];     /* one line, no newline, no secrets */
};

/* Each sets *e (which may be NULL) and returns -1, so that a caller can "return err_set(...)".
 * err_sys appends strerror(errno); errno is kept. retry_ms and at are set to 0. */
int err_set(struct err *e, enum err_code code, const char *fmt, ...) PRINTF_LIKE(3, 4);
int err_sys(struct err *e, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Sets e->at. Returns -1. */
int err_at(struct err *e, size_t at);

/* Puts "prefix: " before the message that is there; code and retry_ms stay. Returns -1. */
int err_wrap(struct err *e, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
