/* The option "file_cache": how much each worker keeps of the files it has served. */
#include "conf/options.h"

enum {
    BYTES_MIN = 64 * 1024, /* the largest file that is kept in memory */
    ENTRIES_MAX = 1000 * 1000,
    DESCRIPTORS_MAX = 100 * 1000
};

static const uint64_t bytes_max = 1ULL << 40;
static const uint64_t fresh_max_ms = 3600 * 1000;

static struct file_cache_limits *limits_of(const struct directive_args *d)
{
    return &((struct global *)d->target)->options.file_cache;
}

static int set_bytes(const struct directive_args *d)
{
    uint64_t bytes;

    if (directive_size(d, &d->args[0], &bytes) != 0)
        return -1;
    if (bytes < BYTES_MIN || bytes > bytes_max || bytes > SIZE_MAX / 2)
        return directive_error(d, &d->args[0],
                               "'" STR_FMT "' is out of range: 64KiB to 1TiB; write 'file_cache "
                               "off' to keep nothing",
                               STR_ARG(d->args[0].text));
    limits_of(d)->bytes = (size_t)bytes;
    return 0;
}

static int set_count(const struct directive_args *d, unsigned max, unsigned *count)
{
    uint64_t value;

    if (!str_to_uint(d->args[0].text, max, &value) || value == 0)
        return directive_error(d, &d->args[0], "'" STR_FMT "' is no number from 1 to %u",
                               STR_ARG(d->args[0].text), max);
    *count = (unsigned)value;
    return 0;
}

static int set_files(const struct directive_args *d)
{
    return set_count(d, ENTRIES_MAX, &limits_of(d)->files);
}

static int set_descriptors(const struct directive_args *d)
{
    return set_count(d, DESCRIPTORS_MAX, &limits_of(d)->descriptors);
}

static int set_absent(const struct directive_args *d)
{
    return set_count(d, ENTRIES_MAX, &limits_of(d)->absent);
}

static int set_fresh(const struct directive_args *d)
{
    uint64_t ms;

    if (directive_duration(d, &d->args[0], &ms) != 0)
        return -1;
    if (ms > fresh_max_ms)
        return directive_error(d, &d->args[0], "'" STR_FMT "' is too long: at most 1h",
                               STR_ARG(d->args[0].text));
    limits_of(d)->fresh_ms = ms;
    return 0;
}

const struct directive options_file_cache_options[] = {
    {.name = "absent", .min_args = 1, .max_args = 1, .set = set_absent, .help = "absent NUMBER"},
    {.name = "bytes", .min_args = 1, .max_args = 1, .set = set_bytes, .help = "bytes SIZE"},
    {.name = "descriptors",
     .min_args = 1,
     .max_args = 1,
     .set = set_descriptors,
     .help = "descriptors NUMBER"},
    {.name = "files", .min_args = 1, .max_args = 1, .set = set_files, .help = "files NUMBER"},
    {.name = "fresh", .min_args = 1, .max_args = 1, .set = set_fresh, .help = "fresh DURATION"},
    {0},
};

int options_file_cache_set(const struct directive_args *d)
{
    if (d->n_args == 1 && !str_is(d->args[0].text, "off"))
        return directive_error(d, &d->args[0],
                               "'file_cache' takes 'off', or a block with its limits");
    if (d->n_args == 1 && d->node->has_block)
        return directive_error(d, &d->args[0], "a cache that is off has no limits");
    if (d->n_args == 0 && !d->node->has_block)
        return directive_error(d, &d->node->words[0],
                               "'file_cache' needs 'off', or a block with its limits");
    limits_of(d)->off = d->n_args == 1;
    return directive_block(d, options_file_cache_options, NULL, d->target);
}
