#include "http/hsts.h"

#include <stddef.h>

enum { DAY_S = 86400 };

/* Longest first. */
static const struct {
    int64_t served_s;
    struct str value;
} steps[] = {
    {30 * DAY_S, {"max-age=31536000", 16}},
    {7 * DAY_S, {"max-age=604800", 14}},
    {DAY_S, {"max-age=86400", 13}},
};

struct str hsts_ramp(int64_t public_since_s, int64_t now_s)
{
    if (public_since_s <= 0)
        return (struct str){NULL, 0};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
        if (now_s - public_since_s >= steps[i].served_s)
            return steps[i].value;
    return STR_LIT("max-age=300"); /* also when the clock was set back */
}
