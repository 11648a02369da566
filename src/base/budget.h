/* Memory that many uses have in common, in bytes. Any thread. */
#ifndef LINTEL_BASE_BUDGET_H
#define LINTEL_BASE_BUDGET_H

#include "base/shared.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct budget {
    _Atomic size_t used;
};

/* What shared_get() makes one of; of no argument. */
extern const struct shared_type budget_type;

/* False, and nothing is taken, if more than max would be in use. To be given back. */
bool budget_take(struct budget *b, size_t n, size_t max);
void budget_give(struct budget *b, size_t n);

#endif
