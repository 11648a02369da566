#include "handlers/browse_show.h"

#include "base/alloc.h"

/* ---- rows ---- */

static bool has(struct str name, struct str lower)
{
    if (lower.len > name.len)
        return false;
    for (size_t at = 0; at <= name.len - lower.len; at++) {
        size_t i = 0;

        while (i < lower.len && ascii_lower(name.p[at + i]) == lower.p[i])
            i++;
        if (i == lower.len)
            return true;
    }
    return false;
}

static void choose(struct browse_show *s, struct arena *a)
{
    const struct browse_entry **chosen = arena_alloc(a, (s->n_rows + 1) * sizeof *chosen);
    char *lower = arena_bytes(a, s->filter.len);
    size_t n = 0;

    for (size_t i = 0; i < s->filter.len; i++)
        lower[i] = ascii_lower(s->filter.p[i]);
    for (size_t i = 0; i < s->n_rows; i++)
        if (has(browse_name(s->rows[i]), (struct str){lower, s->filter.len}))
            chosen[n++] = s->rows[i];
    s->rows = chosen;
    s->n_rows = n;
}

void browse_show_select(struct browse_show *s, struct arena *a)
{
    s->rows = browse_list_order(s->list, s->sort);
    s->n_rows = s->list->n;
    if (s->filter.len > 0)
        choose(s, a);
    s->from = s->offset < s->n_rows ? (size_t)s->offset : s->n_rows;
    s->to = s->n_rows;
    if (s->limit > 0 && s->limit < s->to - s->from)
        s->to = s->from + (size_t)s->limit;
}

/* ---- the way to the folder ---- */

/* How many names the path has, and the root. */
static size_t depth(struct str path)
{
    size_t n = 1;

    for (size_t i = 1; i < path.len; i++)
        if (path.p[i - 1] == '/')
            n++;
    return n;
}

size_t browse_crumbs(const struct browse_show *s)
{
    size_t n = depth(s->path);

    return n < BROWSE_CRUMBS_MAX ? n : BROWSE_CRUMBS_MAX;
}

struct str browse_crumb(const struct browse_show *s, size_t i)
{
    struct str rest = s->path;

    /* What the path has more than the crumbs is left out at its beginning. */
    i += depth(s->path) - browse_crumbs(s);
    if (i == 0)
        return (struct str){rest.p, 0};
    while (i-- > 0)
        str_cut(&rest, '/');
    return rest;
}

/* ---- pieces ---- */

static enum pull pull(struct source *source, char *buf, size_t cap, size_t *n)
{
    struct browse_out *o = container_of(source, struct browse_out, source);
    size_t done = 0;

    while (done < cap) {
        size_t len = o->piece.len < cap - done ? o->piece.len : cap - done;

        if (len == 0 && !o->next(o))
            break;
        memcpy(buf + done, o->piece.p, len);
        o->piece = str_from(o->piece, len);
        done += len;
    }
    *n = done;
    return done > 0 ? PULL_BYTES : PULL_END;
}

struct browse_out *browse_out_new(struct arena *a, const struct browse_form *form,
                                  const struct browse_show *s)
{
    struct browse_out *o = arena_alloc(a, sizeof *o);

    o->source.pull = pull;
    o->show = s;
    o->next = form->next;
    o->scratch = arena_bytes(a, BROWSE_SCRATCH);
    browse_out_rewind(o);
    return o;
}

void browse_out_rewind(struct browse_out *o)
{
    o->piece = (struct str){o->scratch, 0};
    o->step = o->crumb = 0;
    o->row = o->show->from;
}

struct browse_pen browse_out_pen(struct browse_out *o)
{
    return (struct browse_pen){o->scratch, o->scratch + BROWSE_SCRATCH};
}

void browse_out_done(struct browse_out *o, const struct browse_pen *p)
{
    o->piece = (struct str){o->scratch, (size_t)(p->at - o->scratch)};
}
