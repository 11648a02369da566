#include "http/vars.h"

struct var {
    struct var *next;
    struct str name;
    struct str value;
    bool own;
    vars_function *fn; /* NULL: value is the value */
    const void *arg;
    bool busy; /* fn is at work: it must not be called again */
};

static struct var *find(const struct exchange *ex, struct str name)
{
    struct var *v = ex->vars;

    while (v != NULL && !str_eq(v->name, name))
        v = v->next;
    return v;
}

static struct var *find_or_add(struct exchange *ex, struct str name)
{
    struct var *v = find(ex, name);

    if (v == NULL) {
        v = arena_alloc(ex->arena, sizeof *v);
        v->next = ex->vars;
        v->name = name;
        ex->vars = v;
    }
    return v;
}

static void set(struct exchange *ex, struct str name, struct str value, bool own)
{
    struct var *v = find_or_add(ex, name);

    v->value = value.p == NULL ? STR_LIT("") : value;
    v->own = own;
    v->fn = NULL;
}

void vars_set(struct exchange *ex, struct str name, struct str value)
{
    set(ex, name, value, false);
}

void vars_set_own(struct exchange *ex, struct str name, struct str value)
{
    set(ex, name, value, true);
}

void vars_set_function(struct exchange *ex, struct str name, vars_function *fn, const void *arg)
{
    struct var *v;

    if (find(ex, name) != NULL)
        return;
    v = find_or_add(ex, name);
    v->fn = fn;
    v->arg = arg;
}

static struct str value_of(struct exchange *ex, struct var *v, bool *own)
{
    struct str value;

    *own = v->own;
    if (v->fn == NULL)
        return v->value;
    if (v->busy)
        return STR_LIT("");
    v->busy = true;
    value = v->fn(ex, v->arg, own);
    v->busy = false;
    return value.p == NULL ? STR_LIT("") : value;
}

struct str vars_get(struct exchange *ex, struct str name)
{
    struct var *v = find(ex, name);
    bool own;

    return v == NULL ? (struct str){NULL, 0} : value_of(ex, v, &own);
}

bool vars_is_own(struct exchange *ex, struct str name)
{
    struct var *v = find(ex, name);
    bool own = false;

    if (v != NULL)
        value_of(ex, v, &own);
    return own;
}
