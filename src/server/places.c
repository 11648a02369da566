#include "server/places.h"

#include "base/alloc.h"
#include "base/log.h"

enum {
    ASK_MS = 50,   /* between two times that the other workers are asked */
    MADE_PART = 64 /* one in so many places, and one more, is made free when they are */
};

static const char come_again[] = "HTTP/1.1 503 Service Unavailable\r\n"
                                 "Server: Lintel\r\n"
                                 "Retry-After: 1\r\n"
                                 "Content-Length: 0\r\n"
                                 "Connection: close\r\n"
                                 "\r\n";

void places_init(struct places *p)
{
    refusals_init(&p->refusals, p->loop);
}

void places_fini(struct places *p)
{
    refusals_fini(&p->refusals);
}

static size_t used(const struct places *p)
{
    return atomic_load_explicit(&p->all->used, memory_order_relaxed);
}

/* The idlest of all that are idle. */
static bool close_idle(struct places *p)
{
    struct h1_engine *idlest = p->engines[0];

    for (size_t i = 1; i < ARRAY_LEN(p->engines); i++)
        if (h1_engine_idle_since(p->engines[i]) < h1_engine_idle_since(idlest))
            idlest = p->engines[i];
    return h1_engine_close_idle(idlest);
}

static bool make_room(struct places *p)
{
    if (close_idle(p))
        return true;
    for (size_t i = 0; i < ARRAY_LEN(p->engines); i++)
        if (h1_engine_close_slow(p->engines[i]))
            return true;
    return false;
}

void places_set_max(struct places *p, unsigned max)
{
    p->max = max;
    while (used(p) > max && close_idle(p))
        continue;
}

void places_make(struct places *p)
{
    size_t wanted = p->max / MADE_PART + 1;

    while (used(p) + wanted > p->max && close_idle(p))
        continue;
}

static void turned_away(struct places *p)
{
    uint64_t now = loop_now_ms(p->loop);
    unsigned before;

    if (log_limit_allows_of(&p->limit, 1, now, &before)) {
        if (before > 0)
            log_warn("server", "%u more connections were turned away, not shown", before);
        log_warn("server",
                 "a connection is turned away: all %u places are taken, and none is idle "
                 "(max_connections)",
                 p->max);
    }
    if (p->on_none == NULL || (p->asked_ms != 0 && now - p->asked_ms < ASK_MS))
        return;
    p->asked_ms = now;
    p->on_none(p->arg);
}

bool places_take(struct places *p)
{
    while (!budget_take(p->all, 1, p->max))
        if (!make_room(p)) {
            turned_away(p);
            return false;
        }
    return true;
}

void places_refuse(struct places *p, int fd)
{
    refusals_add(&p->refusals, fd, (struct str){come_again, sizeof come_again - 1});
}
