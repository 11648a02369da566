/* A small response kept ready in memory: status, fields and body, built once and sent many times.
 * An engine hangs its own form of it (an MHD_Response) on it, one for each set of further fields
 * that it was sent with, so that nothing is formatted or copied on the hot path. Counted by
 * reference; one worker. */
#ifndef LINTEL_HTTP_PREPARED_H
#define LINTEL_HTTP_PREPARED_H

#include "http/fields.h"

struct prepared_variant; /* an engine's form: engines own its layout */

struct prepared {
    unsigned refs;
    int status;
    struct arena *arena;  /* holds fields and body */
    struct fields fields; /* Content-Type, ETag, Last-Modified... */
    struct str body;
    struct prepared_variant *variants;
    void (*free_variants)(struct prepared_variant *v); /* set by the engine with the first one */
};

/* body is copied; add fields with fields_add(&p->fields, p->arena, ...) before the first use. */
struct prepared *prepared_new(int status, struct str body);
/* All fields of the response to send: extra (those of the exchange), then those of p whose name is
 * not among them. In the arena a. */
struct fields prepared_fields(const struct prepared *p, const struct fields *extra,
                              struct arena *a);

struct prepared *prepared_ref(struct prepared *p);
void prepared_unref(struct prepared *p); /* NULL is fine */

#endif
