/* What of a list is shown for a request, and the forms it comes in: a page, JSON or text, formatted
 * as they are pulled. One worker. */
#ifndef LINTEL_HANDLERS_BROWSE_SHOW_H
#define LINTEL_HANDLERS_BROWSE_SHOW_H

#include "handlers/browse_list.h"
#include "handlers/browse_text.h"
#include "http/exchange.h"

struct browse_template; /* handlers/browse_template.h */

struct browse_show {
    struct browse_list *list;
    struct str path; /* of the folder, as the client knows it; decoded */
    enum browse_sort sort;
    bool descending;
    struct str filter; /* names that have it, whatever the case; len 0: all */
    uint64_t offset;
    uint64_t limit; /* 0: none */
    const struct browse_template *page;

    /* Filled in by browse_show_select(). */
    const struct browse_entry *const *rows; /* those that match, ascending */
    size_t n_rows;
    size_t from, to; /* of these, in the order shown */
};

enum { BROWSE_CRUMBS_MAX = 64 };
enum { BROWSE_FILTER_MAX = 255 }; /* bytes, as of names */

/* Finds the rows; a choice of them lives in a. */
void browse_show_select(struct browse_show *s, struct arena *a);

/* The i-th in the order shown. */
static inline const struct browse_entry *browse_show_row(const struct browse_show *s, size_t i)
{
    return s->rows[s->descending ? s->n_rows - 1 - i : i];
}

/* The folders that lead here, the root among them; of many, the last ones. */
size_t browse_crumbs(const struct browse_show *s);

/* The path from the i-th of them on, without a slash before it; len 0: the root. */
struct str browse_crumb(const struct browse_show *s, size_t i);

static inline struct str browse_name(const struct browse_entry *e)
{
    return (struct str){e->name, e->name_len};
}

/* Room for the longest piece: a row of JSON with a name and a link's text that are all escapes. */
enum { BROWSE_SCRATCH = 12 * 1024 };

/* One form on its way out: a source of pieces. */
struct browse_out {
    struct source source;
    const struct browse_show *show;
    /* Sets piece, which may be written to scratch. False: that was all. */
    bool (*next)(struct browse_out *o);
    struct str piece;
    size_t step, row, crumb; /* where it is: the form's own */
    size_t widths[2];
    char *scratch;
};

struct browse_form {
    struct str type; /* "text/html" */
    struct str content_type;
    bool (*next)(struct browse_out *o);
};

extern const struct browse_form browse_html, browse_json, browse_plain;

/* From its beginning; in a. The list is the caller's to hold. */
struct browse_out *browse_out_new(struct arena *a, const struct browse_form *form,
                                  const struct browse_show *s);
void browse_out_rewind(struct browse_out *o);

/* What is written to scratch, and the end of writing. */
struct browse_pen browse_out_pen(struct browse_out *o);
void browse_out_done(struct browse_out *o, const struct browse_pen *p);

#endif
