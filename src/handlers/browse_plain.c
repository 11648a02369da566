/* The list as text, for people at terminals: columns by tabs, as Caddy lays them out. */
#include "handlers/browse_show.h"

enum { TAB = 8 };

static struct browse_pen pen_on(char *text, size_t len)
{
    return (struct browse_pen){text, text + len};
}

static size_t size_text(const struct browse_entry *e, char text[32])
{
    struct browse_pen p = pen_on(text, 32);

    browse_put_size(&p, e->size);
    return (size_t)(p.at - text);
}

static size_t most(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* Columns end at a tab stop that is beyond all of their cells. */
static size_t column(size_t widest)
{
    return (widest / TAB + 1) * TAB;
}

static void measure(struct browse_out *o)
{
    size_t name = sizeof "Name" - 1, size = sizeof "Size" - 1;
    char text[32];

    for (size_t i = o->show->from; i < o->show->to; i++) {
        const struct browse_entry *e = browse_show_row(o->show, i);

        name = most(name, browse_plain_width(browse_name(e)) + e->is_folder);
        size = most(size, size_text(e, text));
    }
    o->widths[0] = column(name);
    o->widths[1] = column(size);
}

static void put_tabs(struct browse_pen *p, size_t width, size_t column)
{
    for (; width < column; width = (width / TAB + 1) * TAB)
        browse_put_char(p, '\t');
}

static void put_head(const struct browse_out *o, struct browse_pen *p, const char *name,
                     const char *size, const char *time)
{
    browse_put(p, str_of(name));
    put_tabs(p, strlen(name), o->widths[0]);
    browse_put(p, str_of(size));
    put_tabs(p, strlen(size), o->widths[1]);
    browse_put(p, str_of(time));
    browse_put_char(p, '\n');
}

static void put_entry(const struct browse_out *o, struct browse_pen *p,
                      const struct browse_entry *e)
{
    char text[32];
    size_t len = size_text(e, text);

    browse_put_plain(p, browse_name(e));
    if (e->is_folder)
        browse_put_char(p, '/');
    put_tabs(p, browse_plain_width(browse_name(e)) + e->is_folder, o->widths[0]);
    browse_put(p, (struct str){text, len});
    put_tabs(p, len, o->widths[1]);
    browse_put_long_time(p, e->mtime_s);
    browse_put_char(p, '\n');
}

static bool next(struct browse_out *o)
{
    struct browse_pen p = browse_out_pen(o);

    if (o->step > 0 && o->row == o->show->to)
        return false;
    if (o->step == 0) {
        measure(o);
        put_head(o, &p, "Name", "Size", "Modified");
        put_head(o, &p, "----", "----", "--------");
        o->step = 1;
    } else {
        put_entry(o, &p, browse_show_row(o->show, o->row++));
    }
    browse_out_done(o, &p);
    return true;
}

const struct browse_form browse_plain = {
    {"text/plain", 10}, {"text/plain; charset=utf-8", 25}, next};
