#include "base/diff.h"

enum {
    CONTEXT = 3, /* equal lines around what differs */
    AHEAD = 32   /* lines that are looked at for where the texts meet again */
};

/* The next lines of a text. A last line without its end is another one than the same with it. */
struct side {
    struct str rest;
    struct str lines[AHEAD]; /* with their ends */
    size_t n;                /* less than AHEAD: the text ends behind them */
    size_t number;           /* of the first of them, from 1 */
};

/* The lines that are printed together. */
struct hunk {
    struct buf body;
    struct str before[CONTEXT]; /* the equal lines in front of it, as long as it is empty */
    size_t n_before;
    size_t equal; /* lines at the end of body that are equal */
    size_t lines[2], start[2];
    struct buf *out;
    bool full;
};

/* ---- the two texts ---- */

static void fill(struct side *s)
{
    while (s->n < AHEAD && s->rest.len > 0) {
        size_t end = str_chr(s->rest, '\n');
        size_t len = end < s->rest.len ? end + 1 : end;

        s->lines[s->n++] = (struct str){s->rest.p, len};
        s->rest = str_from(s->rest, len);
    }
}

static void drop(struct side *s, size_t n)
{
    memmove(s->lines, s->lines + n, (s->n - n) * sizeof s->lines[0]);
    s->n -= n;
    s->number += n;
    fill(s);
}

/* Whether the texts go on alike from these lines on; their ends are alike. */
static bool meet(const struct side *a, const struct side *b, size_t i, size_t j)
{
    if (i < a->n && j < b->n)
        return str_eq(a->lines[i], b->lines[j]);
    return i == a->n && j == b->n && a->n < AHEAD && b->n < AHEAD;
}

/* The fewest lines after which the texts meet; if that is too far ahead, one of each. */
static void find_meeting(const struct side *a, const struct side *b, size_t *i, size_t *j)
{
    for (size_t sum = 1; sum <= a->n + b->n; sum++)
        for (*i = sum > b->n ? sum - b->n : 0; *i <= sum && *i <= a->n; ++*i) {
            *j = sum - *i;
            if (meet(a, b, *i, *j))
                return;
        }
    *i = a->n > 0;
    *j = b->n > 0;
}

/* ---- hunks ---- */

static void put_line(struct hunk *h, char mark, struct str line)
{
    bool ended = str_ends(line, STR_LIT("\n"));

    if (buf_printf(&h->body, "%c", mark) != 0 || buf_append_str(&h->body, line) != 0 ||
        (!ended && buf_puts(&h->body, "\n\\ No newline at end of file\n") != 0))
        h->full = true;
    h->lines[0] += mark != '+';
    h->lines[1] += mark != '-';
}

/* A file of no lines begins at line 0. */
static size_t first_line(const struct hunk *h, int side)
{
    return h->lines[side] == 0 ? h->start[side] - 1 : h->start[side];
}

static void end_hunk(struct hunk *h)
{
    if (h->body.len > 0 && (buf_printf(h->out, "@@ -%zu,%zu +%zu,%zu @@\n", first_line(h, 0),
                                       h->lines[0], first_line(h, 1), h->lines[1]) != 0 ||
                            buf_append_str(h->out, buf_str(&h->body)) != 0))
        h->full = true;
    buf_clear(&h->body);
    h->n_before = h->equal = h->lines[0] = h->lines[1] = 0;
}

/* The line, which both have, stands between hunks, or in this one. */
static void add_equal(struct hunk *h, struct str line)
{
    if (h->body.len > 0) {
        put_line(h, ' ', line);
        if (++h->equal == CONTEXT)
            end_hunk(h);
        return;
    }
    if (h->n_before == CONTEXT) {
        memmove(h->before, h->before + 1, (CONTEXT - 1) * sizeof h->before[0]);
        h->n_before--;
    }
    h->before[h->n_before++] = line;
}

static void add_changed(struct hunk *h, const struct side *a, const struct side *b, size_t i,
                        size_t j)
{
    if (h->body.len == 0) {
        h->start[0] = a->number - h->n_before;
        h->start[1] = b->number - h->n_before;
        for (size_t n = 0; n < h->n_before; n++)
            put_line(h, ' ', h->before[n]);
    }
    h->equal = 0;
    for (size_t n = 0; n < i; n++)
        put_line(h, '-', a->lines[n]);
    for (size_t n = 0; n < j; n++)
        put_line(h, '+', b->lines[n]);
}

/* ---- all of it ---- */

static void compare(struct side *a, struct side *b, struct hunk *h)
{
    size_t i, j;

    fill(a);
    fill(b);
    while (!h->full && (a->n > 0 || b->n > 0)) {
        if (meet(a, b, 0, 0)) {
            add_equal(h, a->lines[0]);
            i = j = 1;
        } else {
            find_meeting(a, b, &i, &j);
            add_changed(h, a, b, i, j);
        }
        drop(a, i);
        drop(b, j);
    }
    end_hunk(h);
}

int diff_unified(struct str from, struct str to, const char *from_name, const char *to_name,
                 struct buf *out)
{
    struct side a = {.rest = from, .number = 1}, b = {.rest = to, .number = 1};
    struct hunk h = {.body = BUF_INIT(out->max), .out = out};

    if (str_eq(from, to))
        return 0;
    if (buf_printf(out, "--- %s\n+++ %s\n", from_name, to_name) != 0)
        return -1;
    compare(&a, &b, &h);
    buf_fini(&h.body);
    return h.full ? -1 : 0;
}
