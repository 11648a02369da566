/* A small response kept ready in memory: status, fields and body, built once and sent many times.
 * An engine hangs its own form of it (an MHD_Response) on it, one for each set of further fields
 * that it was sent with, so that nothing is formatted or copied on the hot path. A handler may keep
 * what it has made of it, such as the same content encoded, with it. Counted by reference; one
 * worker. */
#ifndef LINTEL_HTTP_PREPARED_H
#define LINTEL_HTTP_PREPARED_H

#include "http/fields.h"

struct prepared_variant; /* an engine's form: engines own its layout */

struct prepared {
    unsigned refs;
    struct prepared *forms; /* made of this one: see prepared_form() */
    struct prepared *next;  /* the next form of the same one */
    const void *maker;      /* of a form */
    unsigned variety;
    size_t *meter; /* NULL, or a count of bytes that grows with each form */
    int status;
    struct arena *arena;  /* holds fields and body */
    struct fields fields; /* Content-Type, ETag, Last-Modified... */
    struct str body;
    int64_t instead; /* of a 304: the length of the content that a 200 would have; 0: not known */
    struct prepared_variant *variants;
    void (*free_variants)(struct prepared_variant *v); /* set by the engine with the first one */
};

/* body is copied; add fields with fields_add(&p->fields, p->arena, ...) before the first use. */
struct prepared *prepared_new(int status, struct str body);
/* All fields of the response to send: extra (those of the exchange), then those of p whose name is
 * not among them. In the arena a. */
struct fields prepared_fields(const struct prepared *p, const struct fields *extra,
                              struct arena *a);

/* The form that this maker has added for a variety of its own, or NULL. */
struct prepared *prepared_form(const struct prepared *p, const void *maker, unsigned variety);

/* Keeps form, which is not shared, with p for as long as p lives. */
void prepared_add_form(struct prepared *p, const void *maker, unsigned variety,
                       struct prepared *form);

/* About how much memory it holds, with its forms. */
size_t prepared_bytes(const struct prepared *p);

struct prepared *prepared_ref(struct prepared *p);
void prepared_unref(struct prepared *p); /* NULL is fine */

#endif
