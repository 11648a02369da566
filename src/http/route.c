#include "http/route.h"

#include "http/error_page.h"
#include "http/match.h"
#include "http/service.h"

struct frame {
    struct frame *up;
    const struct route *route;
    size_t next;   /* the row that comes next */
    unsigned done; /* the groups of which a row was run */
    unsigned depth;
};

static void push(struct exchange *ex, const struct route *r)
{
    struct frame *f = arena_alloc(ex->arena, sizeof *f);

    f->up = ex->frame;
    f->route = r;
    f->depth = f->up == NULL ? 1 : f->up->depth + 1;
    ex->frame = f;
}

enum verdict route_enter(struct exchange *ex, const struct route *r)
{
    if (ex->frame != NULL && ex->frame->depth >= ROUTE_DEPTH_MAX) {
        route_fail(ex, 500, STR_LIT("named routes invoke each other without an end"));
        return TAKEN;
    }
    push(ex, r);
    return NEXT;
}

void route_detour(struct exchange *ex, const struct route *r)
{
    if (route_enter(ex, r) == TAKEN)
        return;
    ex->frame->up = NULL;
    route_continue(ex);
}

/* The next row that is for this exchange; NULL at the end, or when a matcher failed. */
static const struct handler_row *next_row(struct exchange *ex)
{
    struct frame *f;

    while ((f = ex->frame) != NULL) {
        while (f->next < f->route->n_rows) {
            const struct handler_row *row = &f->route->rows[f->next++];

            if ((f->done & row->group) != 0)
                continue;
            if (!matcher_matches(&row->matcher, ex)) {
                if (ex->match_error != 0)
                    return NULL;
                continue;
            }
            f->done |= row->group;
            return row;
        }
        ex->frame = f->up;
    }
    return NULL;
}

static void fail_match(struct exchange *ex)
{
    int status = ex->match_error;

    ex->match_error = 0;
    route_fail(ex, status, STR_LIT(""));
}

void route_continue(struct exchange *ex)
{
    const struct handler_row *row;

    while ((row = next_row(ex)) != NULL) {
        ex->handler_state = service_state(ex->service, row->slot);
        if (row->type->handle(row->conf, ex) == TAKEN)
            return;
    }
    if (ex->match_error != 0)
        fail_match(ex);
    else if (ex->error.status != 0 && ex->unanswered == 0)
        error_page_respond(ex, ex->error.status);
    else
        exchange_respond_unanswered(ex);
}

void route_start(struct exchange *ex, const struct route *r)
{
    ex->frame = NULL;
    push(ex, r);
    route_continue(ex);
}

void route_fail(struct exchange *ex, int status, struct str message)
{
    /* An error of what answers an error: the first one is what the client has to know. */
    if (ex->error.status != 0) {
        error_page_respond(ex, ex->error.status);
        return;
    }
    ex->error.status = status;
    ex->error.message = message;
    ex->unanswered = 0;
    if (ex->site == NULL || ex->site->errors.n_rows == 0) {
        error_page_respond(ex, status);
        return;
    }
    /* Where it was rewritten to is not what the error is about. */
    exchange_restore_target(ex);
    route_start(ex, &ex->site->errors);
}

void exchange_respond_error(struct exchange *ex, int status)
{
    route_fail(ex, status, (struct str){NULL, 0});
}
