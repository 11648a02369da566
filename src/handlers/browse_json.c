/* The list as JSON: the members that Caddy gives, in its order. */
#include "handlers/browse_show.h"

#include <sys/stat.h>

/* The bits of Go's fs.FileMode, which are not those of any system. */
static int64_t go_mode(uint32_t mode)
{
    static const struct {
        uint32_t mask, value, bit;
    } bits[] = {{S_IFMT, S_IFDIR, 1u << 31},
                {S_IFMT, S_IFLNK, 1u << 27},
                {S_ISUID, S_ISUID, 1u << 23},
                {S_ISGID, S_ISGID, 1u << 22},
                {S_ISVTX, S_ISVTX, 1u << 20}};
    uint32_t out = mode & 0777;

    for (size_t i = 0; i < sizeof bits / sizeof bits[0]; i++)
        if ((mode & bits[i].mask) == bits[i].value)
            out |= bits[i].bit;
    return out;
}

static void put_name(struct browse_pen *p, const struct browse_entry *e)
{
    browse_put(p, STR_LIT("{\"name\":\""));
    browse_put_json(p, browse_name(e));
    browse_put(p, e->is_folder ? STR_LIT("/\",\"size\":") : STR_LIT("\",\"size\":"));
    browse_put_number(p, e->size);
    browse_put(p, STR_LIT(",\"url\":\"./"));
    browse_put_json_url(p, browse_name(e));
    browse_put(p, e->is_folder ? STR_LIT("/\"") : STR_LIT("\""));
}

static void put_entry(struct browse_pen *p, const struct browse_entry *e)
{
    put_name(p, e);
    browse_put(p, STR_LIT(",\"mod_time\":\""));
    browse_put_datetime(p, e->mtime_s, e->mtime_ns);
    browse_put(p, STR_LIT("\",\"mode\":"));
    browse_put_number(p, go_mode(e->mode));
    browse_put(p, e->is_folder ? STR_LIT(",\"is_dir\":true") : STR_LIT(",\"is_dir\":false"));
    browse_put(p, e->is_link ? STR_LIT(",\"is_symlink\":true") : STR_LIT(",\"is_symlink\":false"));
    if (e->target != NULL) {
        browse_put(p, STR_LIT(",\"symlink_path\":\""));
        browse_put_json(p, str_of(e->target));
        browse_put_char(p, '"');
    }
    browse_put_char(p, '}');
}

static bool next(struct browse_out *o)
{
    struct browse_pen p = browse_out_pen(o);

    if (o->step == 2)
        return false;
    if (o->step == 0)
        browse_put_char(&p, '[');
    if (o->row < o->show->to) {
        if (o->step == 1)
            browse_put_char(&p, ',');
        put_entry(&p, browse_show_row(o->show, o->row++));
        o->step = 1;
    } else {
        browse_put(&p, STR_LIT("]\n"));
        o->step = 2;
    }
    browse_out_done(o, &p);
    return true;
}

const struct browse_form browse_json = {
    {"application/json", 16}, {"application/json; charset=utf-8", 31}, next};
