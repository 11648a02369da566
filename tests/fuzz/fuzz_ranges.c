/* Eight bytes of size, then a Range field. What comes out must lie inside, in no place twice. */
#include "http/ranges.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct range *r, size_t n, int64_t size)
{
    assert(n > 0 && n <= RANGES_MAX);
    for (size_t i = 0; i < n; i++) {
        assert(r[i].first >= 0 && r[i].len > 0 && r[i].len <= size - r[i].first);
        for (size_t j = 0; j < i; j++)
            assert(r[i].first >= r[j].first + r[j].len || r[j].first >= r[i].first + r[i].len);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct range ranges[RANGES_MAX];
    uint64_t of = 0;
    size_t n;

    if (size < sizeof of)
        return 0;
    memcpy(&of, data, sizeof of);
    of &= INT64_MAX;
    if (ranges_parse((struct str){(const char *)data + sizeof of, size - sizeof of}, (int64_t)of,
                     ranges, &n) == RANGES_SOME)
        check(ranges, n, (int64_t)of);
    else
        assert(n <= RANGES_MAX);
    return 0;
}
