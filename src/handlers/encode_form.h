/* Prepared responses, encoded once and then sent many times. */
#ifndef LINTEL_HANDLERS_ENCODE_FORM_H
#define LINTEL_HANDLERS_ENCODE_FORM_H

#include "handlers/encode_body.h"
#include "http/prepared.h"

/* The response p, with content, encoded: a whole response with its own Content-Encoding and ETag.
 * Made when it is first asked for with these settings, and kept with p, whose it stays. NULL: it
 * is too large to be made at once, or memory is short. */
struct prepared *encode_form(struct prepared *p, const struct encode_how *how);

#endif
