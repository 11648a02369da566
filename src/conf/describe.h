/* What a directive tells of what it was compiled to, defaults filled in: for "lintel adapt". */
#ifndef LINTEL_CONF_DESCRIBE_H
#define LINTEL_CONF_DESCRIBE_H

#include "conf/conf.h"

/* Takes what is told; each value has a key. */
struct describer {
    void (*text)(struct describer *d, const char *key, struct str value);
    void (*number)(struct describer *d, const char *key, int64_t value);
    void (*flag)(struct describer *d, const char *key, bool value);
    void (*item)(struct describer *d, const char *key, struct str value); /* one more of a list */
    void (*route)(struct describer *d, const char *key, const struct route *value);
};

static inline void describe_text(struct describer *d, const char *key, struct str value)
{
    d->text(d, key, value);
}

static inline void describe_number(struct describer *d, const char *key, int64_t value)
{
    d->number(d, key, value);
}

static inline void describe_flag(struct describer *d, const char *key, bool value)
{
    d->flag(d, key, value);
}

static inline void describe_item(struct describer *d, const char *key, struct str value)
{
    d->item(d, key, value);
}

static inline void describe_route(struct describer *d, const char *key, const struct route *value)
{
    d->route(d, key, value);
}

#endif
