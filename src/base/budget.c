#include "base/budget.h"

#include "base/alloc.h"

#include <stdlib.h>

static void *make(const void *arg)
{
    (void)arg;
    return xalloc(sizeof(struct budget));
}

const struct shared_type budget_type = {make, free};

bool budget_take(struct budget *b, size_t n, size_t max)
{
    size_t used;

    if (n == 0) /* as mostly: the workers do not contend for it */
        return true;
    used = atomic_load_explicit(&b->used, memory_order_relaxed);
    do {
        if (used > max || n > max - used)
            return false;
    } while (!atomic_compare_exchange_weak_explicit(&b->used, &used, used + n, memory_order_relaxed,
                                                    memory_order_relaxed));
    return true;
}

void budget_give(struct budget *b, size_t n)
{
    if (n > 0)
        atomic_fetch_sub_explicit(&b->used, n, memory_order_relaxed);
}
