/* International host names as DNS and certificates have them: IDNA 2008 (RFC 5890), written in any
 * case and with any dots that UTS 46 maps. The library for it is optional. */
#ifndef LINTEL_BASE_IDNA_H
#define LINTEL_BASE_IDNA_H

#include "base/str.h"

enum { IDNA_NAME_MAX = 253 }; /* bytes of a name in ASCII: RFC 1035 2.3.4 */

/* Whether the name is more than ASCII, and so has to be converted. */
bool idna_is_international(struct str name);

/* The name, in UTF-8, with A-labels ("xn--..."); what is ASCII in it is only lower-cased. Returns
 * 0, or -1 with the reason in e; always so when lintel was built without libidn2. */
MUST_CHECK int idna_to_ascii(struct str name, char out[IDNA_NAME_MAX + 1], struct err *e);

/* The library's, or NULL when lintel was built without it. */
const char *idna_version(void);

#endif
