#include "http/vary.h"

void vary_add(struct exchange *ex, const struct fields *all, struct str name)
{
    static const struct str field = STR_LIT("Vary");
    struct str vary = fields_joined(all, ex->arena, field);

    if (fields_has_token(all, field, name) || fields_has_token(all, field, STR_LIT("*")))
        return;
    if (vary.len > 0)
        vary = arena_printf(ex->arena, STR_FMT ", " STR_FMT, STR_ARG(vary), STR_ARG(name));
    fields_set(&ex->response, ex->arena, field, vary.len > 0 ? vary : name);
}
