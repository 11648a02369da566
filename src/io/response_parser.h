/* The parser of HTTP/1.1 responses (RFC 9112), strict: what could be read in two ways is broken. It
 * does no I/O and copies nothing: the caller gives it what has come, and it says what is next in
 * it.
 *
 *     struct str in = what was received and not yet taken;
 *     switch (response_next(&rp, &in)) ...        and again, until RESPONSE_MORE
 *
 * It takes whole lines and nothing of a line that is not whole: what is left of `in` comes first
 * the next time, with more behind it. It does not matter how the bytes are cut up.
 *
 * Differences to the letter of the RFC, each of which it allows: a line ends with CR LF, never with
 * LF alone (2.2); folded lines are refused (5.2), space before a colon is taken out (5.1); and of
 * transfer codings there is but "chunked", since no other was asked for. */
#ifndef LINTEL_IO_RESPONSE_PARSER_H
#define LINTEL_IO_RESPONSE_PARSER_H

#include "base/str.h"

enum {
    RESPONSE_FIELDS_MAX = 512,    /* lines, those of interim responses and trailers as well */
    RESPONSE_INTERIM_MAX = 32,    /* responses before the final one */
    RESPONSE_CHUNK_LINE_MAX = 512 /* bytes of a chunk's size and extensions */
};

enum response_event {
    RESPONSE_MORE,          /* nothing more can be said before more has come */
    RESPONSE_INTERIM_FIELD, /* name, value: of an interim response... */
    RESPONSE_INTERIM,       /* ...whose header is complete: status */
    RESPONSE_FIELD,         /* name, value: of the final response's header */
    RESPONSE_HEAD,          /* the header is complete: status, content_length, ... */
    RESPONSE_BODY,          /* bytes: some of the body, to be taken with response_take() */
    RESPONSE_TRAILER,       /* name, value */
    RESPONSE_END,           /* the response is complete; what is left of `in` is not of it */
    RESPONSE_TOO_BIG,       /* the header or the trailer is: why */
    RESPONSE_BROKEN         /* it is no HTTP/1.1 response: why */
};

enum response_state {
    RESPONSE_AT_STATUS,
    RESPONSE_AT_FIELDS,
    RESPONSE_AT_LENGTH, /* `left` bytes of body */
    RESPONSE_AT_CLOSE,  /* body until the connection is closed */
    RESPONSE_AT_CHUNK_SIZE,
    RESPONSE_AT_CHUNK, /* `left` bytes of it */
    RESPONSE_AT_CHUNK_END,
    RESPONSE_AT_TRAILER,
    RESPONSE_AT_END,
    RESPONSE_FAILED /* with `failure` */
};

struct response_parser {
    /* What events tell. Texts point into what response_next() was given. */
    struct str name;
    struct str value;
    struct str bytes;
    int status;
    int64_t content_length; /* as stated; -1: not stated, or chunked */
    bool chunked;
    bool keep_alive; /* the connection can carry another response after this one */
    bool switched;   /* status 101: what follows is the other protocol's, up to the close */
    const char *why; /* RESPONSE_TOO_BIG and RESPONSE_BROKEN: one line in plain words */

    /* The parser's own. */
    enum response_state state;
    enum response_event failure;
    bool is_head;
    bool upgrade;
    bool coded; /* there is a Transfer-Encoding */
    bool says_close;
    bool says_keep_alive;
    unsigned minor;
    unsigned n_fields;
    unsigned n_interim;
    size_t head_left; /* bytes that the header and the trailer may still have */
    size_t scanned;   /* bytes of the line at hand in which there is no end of it */
    uint64_t left;
};

/* For the response to a request with method HEAD, or not; that asked for another protocol by
 * Upgrade, or not. max_head: bytes of its header, interim responses and trailer included;
 * at least those of a status line. */
void response_init(struct response_parser *rp, bool is_head, bool upgrade, size_t max_head);

/* What is next in *in, from which lines are taken. After RESPONSE_END, RESPONSE_TOO_BIG and
 * RESPONSE_BROKEN always the same. */
enum response_event response_next(struct response_parser *rp, struct str *in);

/* Takes n bytes of those that RESPONSE_BODY told of out of *in: all, or what there is room for. */
void response_take(struct response_parser *rp, struct str *in, size_t n);

/* How many of the bytes that come next are surely the body's, for who wants to receive them without
 * showing them to the parser: that many may be, and then response_took() tells how many were. Only
 * while nothing is left over of what response_next() was given. */
uint64_t response_room(const struct response_parser *rp);
void response_took(struct response_parser *rp, size_t n);

/* The peer has closed: RESPONSE_END if that is the response's end, else RESPONSE_BROKEN. All that
 * came must have been shown to response_next(). */
enum response_event response_close(struct response_parser *rp);

/* Whether anything of the response has been taken. What has come of its first line is not. */
bool response_begun(const struct response_parser *rp);

#endif
