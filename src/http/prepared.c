#include "http/prepared.h"

#include "base/alloc.h"

#include <stdlib.h>

/* Two small arenas for the fields, and what an engine hangs on it. */
enum { COST = 3 * 1024 };

struct prepared *prepared_new(int status, struct str body)
{
    struct prepared *p = xalloc(sizeof *p);

    p->refs = 1;
    p->status = status;
    p->arena = arena_new_small();
    p->body = arena_str(p->arena, body);
    return p;
}

struct prepared *prepared_ref(struct prepared *p)
{
    p->refs++;
    return p;
}

void prepared_unref(struct prepared *p)
{
    if (p == NULL || --p->refs > 0)
        return;
    if (p->variants != NULL)
        p->free_variants(p->variants);
    while (p->forms != NULL) {
        struct prepared *form = p->forms;

        p->forms = form->next;
        prepared_unref(form);
    }
    arena_free(p->arena);
    free(p);
}

struct prepared *prepared_form(const struct prepared *p, const void *maker, unsigned variety)
{
    struct prepared *form = p->forms;

    while (form != NULL && (form->maker != maker || form->variety != variety))
        form = form->next;
    return form;
}

void prepared_add_form(struct prepared *p, const void *maker, unsigned variety,
                       struct prepared *form)
{
    form->maker = maker;
    form->variety = variety;
    form->next = p->forms;
    p->forms = form;
    if (p->meter != NULL)
        *p->meter += prepared_bytes(form);
}

size_t prepared_bytes(const struct prepared *p)
{
    size_t bytes = COST + p->body.len;

    for (const struct prepared *form = p->forms; form != NULL; form = form->next)
        bytes += prepared_bytes(form);
    return bytes;
}

struct fields prepared_fields(const struct prepared *p, const struct fields *extra, struct arena *a)
{
    struct fields all = {0};

    for (size_t i = 0; i < extra->n; i++)
        fields_add(&all, a, extra->list[i].name, extra->list[i].value);
    for (size_t i = 0; i < p->fields.n; i++)
        if (fields_get(extra, p->fields.list[i].name).p == NULL)
            fields_add(&all, a, p->fields.list[i].name, p->fields.list[i].value);
    return all;
}
