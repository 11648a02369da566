/* Base64url without padding (RFC 4648 5), as JOSE wants it (RFC 7515 2), and what HTTP and password
 * files have: base64 with padding (RFC 4648 4). Pure functions. */
#ifndef LINTEL_BASE_BASE64_H
#define LINTEL_BASE_BASE64_H

#include "base/buf.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The text length of len bytes, without a NUL; and the most bytes that len of text can hold. */
#define BASE64URL_LEN(len) (((len)*4 + 2) / 3)
#define BASE64URL_BYTES(len) ((len) / 4 * 3 + 2)

/* Writes BASE64URL_LEN(data.len) characters and a NUL. */
void base64url_encode(struct str data, char *out);

/* Appends the text of data to out; -1 if out's ceiling would be passed. */
MUST_CHECK int base64url_append(struct buf *out, struct str data);

/* Strict: the alphabet of RFC 4648 5 only, no padding, no white space, no length of 4n+1, unused
 * bits zero (so that one value has one text). False if text is not so, or if it holds more than
 * cap bytes. */
bool base64url_decode(struct str text, uint8_t *out, size_t cap, size_t *len);

/* The same for the alphabet of RFC 4648 4: a multiple of four characters, the last padded by "=".
 */
bool base64_decode(struct str text, uint8_t *out, size_t cap, size_t *len);

#endif
