#include "conf/hosts.h"

#include "conf/address.h"

void hosts_build(struct arena *a, struct listener_conf *l, const struct host_entry *entries,
                 size_t n)
{
    const struct host_entry **buckets;
    size_t size = 2;

    while (size < 2 * n) /* at most half full: a search ends soon, and always */
        size *= 2;
    buckets = arena_alloc(a, size * sizeof(*buckets));
    for (size_t i = 0; i < n; i++) {
        size_t at = str_hash_nocase(entries[i].host) & (size - 1);

        if (entries[i].host.len == 0) {
            l->any = &entries[i];
            continue;
        }
        while (buckets[at] != NULL)
            at = (at + 1) & (size - 1);
        buckets[at] = &entries[i];
    }
    l->buckets = (const struct host_entry *const *)buckets;
    l->n_buckets = n == 0 ? 0 : size;
}

static const struct host_entry *find(const struct listener_conf *l, struct str host)
{
    size_t mask = l->n_buckets - 1;

    for (size_t at = str_hash_nocase(host) & mask; l->buckets[at] != NULL; at = (at + 1) & mask)
        if (str_eq_nocase(l->buckets[at]->host, host))
            return l->buckets[at];
    return NULL;
}

/* "*" stands for the first label, and a site's wildcard is always in front: one look is enough. */
static const struct host_entry *find_wildcard(const struct listener_conf *l, struct str host)
{
    char key[HOST_LEN_MAX + 1];
    size_t dot = str_chr(host, '.');
    struct str rest = str_from(host, dot);

    if (dot == 0 || rest.len == 0)
        return NULL;
    key[0] = '*';
    memcpy(key + 1, rest.p, rest.len);
    return find(l, (struct str){key, rest.len + 1});
}

const struct host_entry *listener_find(const struct listener_conf *l, struct str host)
{
    const struct host_entry *found = NULL;

    if (l->n_buckets > 0 && host.len > 0 && host.len <= HOST_LEN_MAX) {
        found = find(l, host);
        if (found == NULL)
            found = find_wildcard(l, host);
    }
    return found != NULL ? found : l->any;
}
