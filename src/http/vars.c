#include "http/vars.h"

struct var {
    struct var *next;
    struct str name;
    struct str value;
};

static struct var *find(const struct exchange *ex, struct str name)
{
    struct var *v = ex->vars;

    while (v != NULL && !str_eq(v->name, name))
        v = v->next;
    return v;
}

void vars_set(struct exchange *ex, struct str name, struct str value)
{
    struct var *v = find(ex, name);

    if (v == NULL) {
        v = arena_alloc(ex->arena, sizeof *v);
        v->next = ex->vars;
        v->name = name;
        ex->vars = v;
    }
    v->value = value.p == NULL ? STR_LIT("") : value;
}

struct str vars_get(const struct exchange *ex, struct str name)
{
    const struct var *v = find(ex, name);

    return v == NULL ? (struct str){NULL, 0} : v->value;
}
