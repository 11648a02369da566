#include "handlers/encode_form.h"

#include "handlers/encode_etag.h"

#include <stdlib.h>

static void add_field(struct prepared *form, const struct field *f, struct str coding)
{
    struct str value = f->value;

    if (str_eq_nocase(f->name, STR_LIT("Accept-Ranges")))
        return;
    if (str_eq_nocase(f->name, STR_LIT("ETag")))
        value = encode_etag_add(form->arena, value, coding);
    /* A form can be sent for longer than its original is kept. */
    fields_add(&form->fields, form->arena, arena_str(form->arena, f->name),
               arena_str(form->arena, value));
}

static unsigned variety_of(const struct coder_settings *s)
{
    return (unsigned)s->level * 2 + s->checksum;
}

struct prepared *encode_form(struct prepared *p, const struct encode_how *how)
{
    struct prepared *form = prepared_form(p, how->type, variety_of(&how->settings));
    struct str body;

    if (form != NULL || p->body.len > ENCODE_SMALL)
        return form;
    body = encode_bytes(how, p->body);
    if (body.p == NULL)
        return NULL;
    form = prepared_new(p->status, body);
    free((void *)body.p);
    for (size_t i = 0; i < p->fields.n; i++)
        add_field(form, &p->fields.list[i], how->type->name);
    fields_add(&form->fields, form->arena, STR_LIT("Content-Encoding"), how->type->name);
    prepared_add_form(p, how->type, variety_of(&how->settings), form);
    return form;
}
