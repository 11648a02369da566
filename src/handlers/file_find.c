#include "handlers/file_find.h"

#include "base/alloc.h"
#include "base/log.h"
#include "http/accept_encoding.h"

#include <assert.h>

void file_finder_init(struct file_finder *f, struct file_cache *cache,
                      const struct file_rules *rules)
{
    f->cache = cache;
    f->rules = *rules;
    for (size_t i = 0; i < ARRAY_LEN(f->owners); i++)
        f->owners[i] = file_cache_add_owner(cache);
}

void file_finder_fini(struct file_finder *f)
{
    for (size_t i = 0; i < ARRAY_LEN(f->owners); i++)
        file_cache_drop_owner(f->cache, f->owners[i]);
}

/* What is looked for. */
struct sought {
    struct file_finder *f;
    struct exchange *ex;
    const struct folder *root;
    struct str path;
    struct file_kind kind;
};

static unsigned owner_of(const struct sought *s)
{
    return s->f->owners[(s->kind.coding != NULL ? 2 : 0) + s->root->follow_links];
}

static void look_up(const struct sought *s, struct file_entry *found)
{
    const int64_t now_s = loop_wall_s(s->ex->loop);

    *found = (struct file_entry){.checked_ms = loop_now_ms(s->ex->loop)};
    file_lookup(&s->f->rules, s->root, s->path, &s->kind, now_s, found);
    if (found->outcome == FILE_STATUS && found->status == 503) {
        /* Out of descriptors: those kept for speed are the first to go. */
        file_cache_drop_fds(s->f->cache);
        file_lookup(&s->f->rules, s->root, s->path, &s->kind, now_s, found);
    }
    if (found->outcome == FILE_STATUS && found->status >= 500)
        found->checked_ms = 0; /* may pass at any time */
}

/* What is sent from a descriptor is what the file is now: its length must be so, too. A file in
 * memory needs no look, and gets none. */
static bool is_changed(const struct file_entry *e)
{
    struct stat st;

    return e->rep != NULL && e->rep->fd != -1 &&
           (fstat(e->rep->fd, &st) != 0 || !file_rep_is(e->rep, &st));
}

/* What the cache has, if that can still be believed; else NULL. */
static struct file_entry *recall(const struct sought *s)
{
    struct file_cache *c = s->f->cache;
    struct file_entry *e = file_cache_get(c, owner_of(s), s->root->path, s->path);
    bool fresh = e != NULL && file_cache_is_fresh(c, e->checked_ms);

    if (e == NULL || (fresh ? is_changed(e)
                            : e->checked == NULL || !file_lookup_still(&s->f->rules, s->root, e)))
        return NULL;
    if (s->kind.coding == NULL)
        file_cache_hit(c, e, !fresh); /* one for each request */
    else if (!fresh)
        e->checked_ms = loop_now_ms(s->ex->loop);
    return e;
}

static struct file_entry *keep(const struct sought *s, const struct file_entry *found)
{
    return file_cache_put(s->f->cache, owner_of(s), s->root->path, s->path, found);
}

struct file_entry *file_find(struct file_finder *f, struct exchange *ex, const struct folder *root,
                             struct str path)
{
    const struct sought s = {f, ex, root, path, {0}};
    struct file_entry *e = recall(&s), found;

    if (e != NULL)
        return e;
    look_up(&s, &found);
    return keep(&s, &found);
}

/* ---- sidecars ---- */

/* What keeps a sidecar from being sent, or NULL. No coding makes nothing of anything: an empty one
 * is what a full disk has left of it. Seconds, since some programs that set the time of what they
 * make to that of the original set no more than that. */
static const char *fault_of(const struct file_rep *side, const struct file_rep *of)
{
    if (side->size == 0)
        return "empty";
    return side->st.st_mtim.tv_sec < of->st.st_mtim.tv_sec ? "older than the file it was made of"
                                                           : NULL;
}

/* Said once for each content of the file that is kept; those that are not kept are many. */
static void tell_fault(const struct sought *s, struct file_rep *of, unsigned bit, const char *fault)
{
    unsigned left_out;

    if ((of->told & bit) == 0 &&
        log_limit_allows(&s->f->log_limit, loop_now_ms(s->ex->loop), &left_out))
        log_warn("http", STR_FMT STR_FMT ": %s, and not sent", STR_ARG(s->root->path),
                 STR_ARG(s->path), fault);
    of->told |= bit;
}

/* One reference, or NULL. What is not there is not kept in the cache, where it would drive out
 * others, but remembered with the file itself for as long as an entry is believed. */
static struct file_rep *find_side(const struct sought *s, struct file_rep *of, unsigned bit)
{
    struct file_entry *e, found;
    const char *fault = NULL;

    if ((of->absent & bit) != 0)
        return NULL;
    e = recall(s);
    if (e == NULL) {
        look_up(s, &found);
        e = found.outcome == FILE_SERVE ? keep(s, &found) : NULL;
    }
    if (e != NULL)
        fault = fault_of(e->rep, of);
    if (e != NULL && fault == NULL)
        return file_rep_ref(e->rep);
    if (fault != NULL)
        tell_fault(s, of, bit, fault);
    of->absent |= bit;
    return NULL;
}

static void forget_absent(const struct file_cache *c, struct file_rep *of, uint64_t now_ms)
{
    if (file_cache_is_fresh(c, of->absent_ms))
        return;
    of->absent = 0;
    of->absent_ms = now_ms;
}

/* The codings that have not been tried yet. */
struct choice {
    struct str accept;
    struct str names[FILE_CODINGS_MAX];
    size_t which[FILE_CODINGS_MAX]; /* of the directive's list */
    size_t n;
};

static void choice_init(struct choice *c, struct exchange *ex, const struct file_codings *codings)
{
    c->accept = fields_joined(&ex->request, ex->arena, STR_LIT("Accept-Encoding"));
    for (c->n = 0; c->n < codings->n; c->n++) {
        c->names[c->n] = codings->list[c->n]->name;
        c->which[c->n] = c->n;
    }
}

/* Takes the one that the client likes best. False: it would rather have the file itself. */
static bool choice_next(struct choice *c, size_t *which)
{
    size_t i = accept_encoding_choose(c->accept, c->names, c->n);

    if (i == c->n)
        return false;
    *which = c->which[i];
    c->n--;
    for (; i < c->n; i++) {
        c->names[i] = c->names[i + 1];
        c->which[i] = c->which[i + 1];
    }
    return true;
}

struct file_rep *file_find_encoded(struct file_finder *f, struct exchange *ex,
                                   const struct folder *root, struct file_entry *e,
                                   const struct file_codings *codings)
{
    const struct str path = arena_str(ex->arena, file_entry_path(e, root));
    struct sought s = {f, ex, root, path, {.content_type = e->rep->content_type}};
    struct file_rep *of = file_rep_ref(e->rep), *side = NULL;
    struct choice choice;
    size_t which;

    choice_init(&choice, ex, codings);
    forget_absent(f->cache, of, loop_now_ms(ex->loop));
    while (side == NULL && choice_next(&choice, &which)) {
        s.kind.coding = codings->list[which];
        s.path = arena_printf(ex->arena, STR_FMT STR_FMT, STR_ARG(path),
                              STR_ARG(s.kind.coding->extension));
        side = find_side(&s, of, 1U << which);
    }
    file_rep_unref(of);
    return side;
}
