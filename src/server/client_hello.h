/* Reads a TLS ClientHello out of the first bytes of a connection (RFC 8446 4.1.2, RFC 6066 3,
 * RFC 7301 3.1), so that the front door knows which engine and which certificate to choose before
 * a TLS session exists. The engine's own handshake reads it again and is the one that counts.
 * Pure: no I/O, no allocation. */
#ifndef LINTEL_SERVER_CLIENT_HELLO_H
#define LINTEL_SERVER_CLIENT_HELLO_H

#include "base/str.h"

#include <stdint.h>

enum { CLIENT_HELLO_MAX = 16 * 1024 + 5 }; /* bytes worth looking at */

enum hello_verdict {
    HELLO_OK,
    HELLO_MORE,    /* a prefix of something that may become a ClientHello */
    HELLO_NOT_TLS, /* the first bytes are no TLS record: plain HTTP on a TLS port, for one */
    HELLO_BAD      /* a TLS record, but not a ClientHello that could be parsed, or one that is
                      longer than CLIENT_HELLO_MAX */
};

struct client_hello {
    char sni[256]; /* lower-cased, NUL-terminated, without a final dot; "" if none; only letters,
                      digits, "-", "_" and "." */
    size_t sni_len;
    uint16_t max_version; /* the highest offered: 0x0304 for TLS 1.3 */
    uint16_t min_version; /* the lowest; 0x0300 if the client only names its highest */
    bool alpn;            /* an ALPN extension was there */
    bool alpn_http1;      /* "http/1.1" (or "http/1.0") in it */
    bool alpn_h2;
    bool alpn_acme;  /* "acme-tls/1" in it */
    bool has_ticket; /* a session ticket or PSK identity of at least 16 bytes */
    uint8_t ticket_name[16];
};

/* Looks at p[0..len). Records may be fragmented as they like. hello is filled in on HELLO_OK only,
 * and zeroed otherwise. */
enum hello_verdict client_hello_parse(const uint8_t *p, size_t len, struct client_hello *hello);

#endif
