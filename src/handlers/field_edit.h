/* Changes of the fields of a message, as header and request_header have them: "[+|-]name [value]",
 * or "name find replacement". */
#ifndef LINTEL_HANDLERS_FIELD_EDIT_H
#define LINTEL_HANDLERS_FIELD_EDIT_H

#include "conf/directive.h"
#include "http/exchange.h"

/* In the order in which they are carried out, as in Caddy: what is added is not deleted by "-*". */
enum field_edit_kind { EDIT_CLEAR, EDIT_ADD, EDIT_SET, EDIT_DELETE, EDIT_REPLACE };

struct field_edit {
    enum field_edit_kind kind;
    struct str name; /* EDIT_DELETE, EDIT_REPLACE: perhaps with a star at either end */
    struct text value;
    const struct regex *find; /* EDIT_REPLACE */
};

struct field_edits {
    struct field_edit *list;
    size_t n, cap;
};

/* Adds what the words say, without any other sign than "+" and "-". The framing of messages is the
 * engines', so its fields are refused. -1 after directive_error(). */
MUST_CHECK int field_edit_add(const struct directive_args *d, const struct token *words, size_t n,
                              struct field_edits *out);

/* Carries all of them out at f, which is in the exchange's arena. */
void field_edits_run(const struct field_edits *edits, struct exchange *ex, struct fields *f);

/* Whether the edit has a field of this name to change, if there is one; one that only sets takes
 * none away. */
bool field_edit_concerns(const struct field_edit *edit, struct str name);

#endif
