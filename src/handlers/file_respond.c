#include "handlers/file_respond.h"

#include "handlers/file_multipart.h"
#include "http/ranges.h"

/* What another handler has set stays. */
static void add(struct exchange *ex, struct str name, struct str value)
{
    if (value.len > 0 && fields_get(&ex->response, name).p == NULL)
        fields_add(&ex->response, ex->arena, name, value);
}

static void on_end(void *rep)
{
    file_rep_unref(rep);
}

/* From here on the exchange uses the bytes, texts and descriptor of rep. */
static void hold(struct exchange *ex, struct file_rep *rep)
{
    exchange_defer(ex, on_end, file_rep_ref(rep));
}

static void add_coding(struct exchange *ex, const struct file_rep *rep)
{
    if (rep->coding != NULL)
        add(ex, STR_LIT("Content-Encoding"), rep->coding->name);
}

static void add_fields(struct exchange *ex, const struct file_rep *rep)
{
    add_coding(ex, rep);
    add(ex, STR_LIT("ETag"), rep->validators.etag);
    add(ex, STR_LIT("Last-Modified"), str_of(rep->last_modified));
    add(ex, STR_LIT("Accept-Ranges"), STR_LIT("bytes"));
    exchange_nosniff(ex);
}

static void respond_whole(struct exchange *ex, struct file_rep *rep)
{
    if (rep->full != NULL) {
        exchange_respond_prepared(ex, rep->full);
        return;
    }
    hold(ex, rep);
    add(ex, STR_LIT("Content-Type"), rep->content_type);
    add_fields(ex, rep);
    exchange_respond_file(ex, 200, rep->fd, true, 0, rep->size);
}

static void respond_range(struct exchange *ex, const struct file_rep *rep, const struct range *r)
{
    struct str content_range =
        arena_printf(ex->arena, "bytes %lld-%lld/%lld", (long long)r->first,
                     (long long)(r->first + r->len - 1), (long long)rep->size);

    add(ex, STR_LIT("Content-Type"), rep->content_type);
    fields_set(&ex->response, ex->arena, STR_LIT("Content-Range"), content_range);
    if (rep->full != NULL)
        exchange_respond_bytes(ex, 206, (struct str){rep->full->body.p + r->first, (size_t)r->len});
    else
        exchange_respond_file(ex, 206, rep->fd, true, r->first, r->len);
}

static void respond_unsatisfiable(struct exchange *ex, const struct file_rep *rep)
{
    fields_set(&ex->response, ex->arena, STR_LIT("Content-Range"),
               arena_printf(ex->arena, "bytes */%lld", (long long)rep->size));
    exchange_respond_error(ex, 416);
}

/* Several parts of what is encoded are not sent at once: would Content-Encoding be of each, or of
 * what they are wrapped up in? */
static void respond_some(struct exchange *ex, struct file_rep *rep, const struct range *ranges,
                         size_t n)
{
    if (n > 1 && rep->coding != NULL) {
        respond_whole(ex, rep);
        return;
    }
    hold(ex, rep);
    add_fields(ex, rep);
    if (n == 1)
        respond_range(ex, rep, &ranges[0]);
    else
        file_multipart_respond(ex, rep, ranges, n);
}

static void respond_ranges(struct exchange *ex, struct file_rep *rep, struct str wanted)
{
    struct range ranges[RANGES_MAX];
    size_t n;

    switch (ranges_parse(wanted, rep->size, ranges, &n)) {
    case RANGES_WHOLE:
        respond_whole(ex, rep);
        return;
    case RANGES_UNSATISFIABLE:
        respond_unsatisfiable(ex, rep);
        return;
    case RANGES_SOME:
        respond_some(ex, rep, ranges, n);
        return;
    }
}

static void respond_as_asked(struct exchange *ex, struct file_rep *rep)
{
    const int64_t now_s = loop_wall_s(ex->loop);
    struct conditions c;

    if (!conditions_read(&ex->request, ex->arena, &c)) {
        respond_whole(ex, rep);
        return;
    }
    switch (conditions_check(&c, &rep->validators, true, now_s)) {
    case PRECONDITION_NOT_MODIFIED:
        exchange_respond_prepared(ex, file_rep_not_modified(rep));
        return;
    case PRECONDITION_FAILED:
        exchange_respond_error(ex, 412);
        return;
    case PRECONDITION_HOLDS:
        break;
    }
    /* Ranges are defined for GET alone (RFC 9110 14.2). */
    if (c.range.p != NULL && !ex->is_head && conditions_allow_range(&c, &rep->validators, now_s))
        respond_ranges(ex, rep, c.range);
    else
        respond_whole(ex, rep);
}

/* The page of an error, or of another status that is said, is always whole: conditions and ranges
 * are about what would have been there (RFC 9110 13.2.1, 14.2), and so are validators. */
static void respond_page(struct exchange *ex, struct file_rep *rep, int status)
{
    hold(ex, rep);
    add(ex, STR_LIT("Content-Type"), rep->content_type);
    exchange_nosniff(ex);
    add_coding(ex, rep);
    ex->body.prepared = rep->full; /* whose bytes they are: to be encoded once */
    if (rep->full != NULL)
        exchange_respond_bytes(ex, status, rep->full->body);
    else
        exchange_respond_file(ex, status, rep->fd, true, 0, rep->size);
}

void file_respond(struct exchange *ex, struct file_rep *rep, int status)
{
    if (status == 0)
        respond_as_asked(ex, rep);
    else
        respond_page(ex, rep, status);
}
