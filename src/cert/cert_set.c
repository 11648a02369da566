#include "cert/cert_set.h"

#include "base/alloc.h"
#include "base/arena.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>

enum {
    HOST_NAME_MAX_LEN = 253, /* RFC 1035 2.3.4, as text */
    NEAR_MAX = 3             /* letters that may be wrong in a name that we suggest */
};

struct alpn_answer {
    struct str name;
    struct cred *cred;
};

struct http01_answer {
    struct str token;
    struct str key_authorization;
};

/* Sealed: each array is sorted by its first member, which is a struct str in all three. */
struct cert_set {
    atomic_uint refs;
    unsigned number;
    bool sealed;
    struct arena *arena;
    struct cert_entry *entries;
    size_t n_entries, cap_entries;
    struct alpn_answer *alpn;
    size_t n_alpn, cap_alpn;
    struct http01_answer *http01;
    size_t n_http01, cap_http01;
};

/* ---- building ---- */

struct cert_set *cert_set_new(void)
{
    static atomic_uint last_number;
    struct cert_set *s = xalloc(sizeof *s);

    atomic_init(&s->refs, 1);
    s->number = atomic_fetch_add(&last_number, 1) + 1;
    s->arena = arena_new();
    return s;
}

uint64_t cert_set_number(const struct cert_set *s)
{
    return s->number;
}

void cert_set_add(struct cert_set *s, const struct cert_entry *entry)
{
    struct cert_entry copy = *entry;

    assert(!s->sealed);
    copy.name = arena_str(s->arena, entry->name);
    copy.reason = arena_strdup(s->arena, entry->reason == NULL ? "" : entry->reason);
    copy.cred = entry->cred == NULL ? NULL : cred_ref(entry->cred);
    s->entries =
        arena_grow(s->arena, s->entries, s->n_entries, &s->cap_entries, sizeof *s->entries);
    s->entries[s->n_entries++] = copy;
}

void cert_set_add_alpn(struct cert_set *s, struct str name, struct cred *cred)
{
    assert(!s->sealed);
    s->alpn = arena_grow(s->arena, s->alpn, s->n_alpn, &s->cap_alpn, sizeof *s->alpn);
    s->alpn[s->n_alpn++] = (struct alpn_answer){arena_str(s->arena, name), cred_ref(cred)};
}

void cert_set_add_http01(struct cert_set *s, struct str token, struct str key_authorization)
{
    assert(!s->sealed);
    s->http01 = arena_grow(s->arena, s->http01, s->n_http01, &s->cap_http01, sizeof *s->http01);
    s->http01[s->n_http01++] =
        (struct http01_answer){arena_str(s->arena, token), arena_str(s->arena, key_authorization)};
}

static int compare_rows(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

static void sort(void *rows, size_t n, size_t size)
{
    if (n > 0)
        qsort(rows, n, size, compare_rows);
}

void cert_set_seal(struct cert_set *s)
{
    assert(!s->sealed);
    sort(s->entries, s->n_entries, sizeof *s->entries);
    sort(s->alpn, s->n_alpn, sizeof *s->alpn);
    sort(s->http01, s->n_http01, sizeof *s->http01);
    s->sealed = true;
}

struct cert_set *cert_set_ref(struct cert_set *s)
{
    atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
    return s;
}

void cert_set_unref(struct cert_set *s)
{
    if (s == NULL || atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t i = 0; i < s->n_entries; i++)
        cred_unref(s->entries[i].cred);
    for (size_t i = 0; i < s->n_alpn; i++)
        cred_unref(s->alpn[i].cred);
    arena_free(s->arena);
    free(s);
}

/* ---- looking up: any thread ---- */

static const void *find(const void *rows, size_t n, size_t size, struct str name)
{
    return n == 0 ? NULL : bsearch(&name, rows, n, size, compare_rows);
}

const struct cert_entry *cert_set_find(const struct cert_set *s, struct str name)
{
    char wildcard[1 + HOST_NAME_MAX_LEN];
    const struct cert_entry *found;
    size_t dot = str_chr(name, '.');

    assert(s->sealed);
    found = find(s->entries, s->n_entries, sizeof *s->entries, name);
    if (found != NULL || dot == 0 || dot == name.len || name.len > HOST_NAME_MAX_LEN)
        return found;
    wildcard[0] = '*';
    memcpy(wildcard + 1, name.p + dot, name.len - dot);
    return find(s->entries, s->n_entries, sizeof *s->entries,
                (struct str){wildcard, 1 + name.len - dot});
}

struct str cert_set_nearest(const struct cert_set *s, struct str name)
{
    struct str nearest = STR_LIT("");
    unsigned best = NEAR_MAX + 1;

    for (size_t i = 0; i < s->n_entries; i++) {
        unsigned distance = str_distance(s->entries[i].name, name);

        /* A short name would be near to anything. */
        if (distance < best && distance * 2 < s->entries[i].name.len) {
            best = distance;
            nearest = s->entries[i].name;
        }
    }
    return nearest;
}

struct cred *cert_set_alpn(const struct cert_set *s, struct str name)
{
    const struct alpn_answer *found = find(s->alpn, s->n_alpn, sizeof *s->alpn, name);

    return found == NULL ? NULL : found->cred;
}

struct str cert_set_http01(const struct cert_set *s, struct str token)
{
    const struct http01_answer *found = find(s->http01, s->n_http01, sizeof *s->http01, token);

    return found == NULL ? STR_LIT("") : found->key_authorization;
}
