#include "server/status.h"

#include "base/alloc.h"

#include <json.h>
#include <stddef.h>

static const struct {
    const char *key;
    size_t offset;
} file_counts[] = {
    {"hits", offsetof(struct file_cache_stats, hits)},
    {"revalidations", offsetof(struct file_cache_stats, revalidations)},
    {"misses", offsetof(struct file_cache_stats, misses)},
    {"evictions", offsetof(struct file_cache_stats, evictions)},
    {"files", offsetof(struct file_cache_stats, files)},
    {"descriptors", offsetof(struct file_cache_stats, descriptors)},
    {"absent", offsetof(struct file_cache_stats, absent)},
    {"bytes", offsetof(struct file_cache_stats, bytes)},
};

static uint64_t count_of(const struct file_cache_stats *stats, size_t offset)
{
    const _Atomic uint64_t *at = (const void *)((const char *)stats + offset);

    return atomic_load_explicit(at, memory_order_relaxed);
}

static struct json_object *file_cache(struct worker *const *workers, unsigned n)
{
    struct json_object *o = json_object_new_object();

    for (size_t i = 0; i < ARRAY_LEN(file_counts); i++) {
        uint64_t sum = 0;

        for (unsigned w = 0; w < n; w++)
            sum += count_of(worker_file_stats(workers[w]), file_counts[i].offset);
        json_object_object_add(o, file_counts[i].key, json_object_new_int64((int64_t)sum));
    }
    return o;
}

char *status_json(struct worker *const *workers, unsigned n, size_t connections,
                  unsigned max_connections)
{
    struct json_object *o = json_object_new_object();
    const char *text;
    char *copy;

    json_object_object_add(o, "workers", json_object_new_int64(n));
    json_object_object_add(o, "connections", json_object_new_int64((int64_t)connections));
    json_object_object_add(o, "max_connections", json_object_new_int64(max_connections));
    json_object_object_add(o, "file_cache", file_cache(workers, n));
    text = json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED);
    copy = xalloc(strlen(text) + 2);
    memcpy(copy, text, strlen(text));
    copy[strlen(text)] = '\n';
    json_object_put(o);
    return copy;
}
