/* Parking a stream and waking it costs two calls of epoll_ctl() and a read of nothing. Where the
 * server is busy, an upstream often answers before this worker would have slept: so a stream is
 * first held, which is to say that MHD is told nothing and asks again with each of its runs. */
#include "engines/h1_internal.h"

enum {
    HELD_MOST = 64, /* streams at a time: each run of MHD asks them all */
    ASKED_MOST = 4  /* times, each in a turn of the loop, before the stream is parked after all */
};

/* h1_tunnel.c takes such a connection from MHD while it is suspended. */
static bool may_upgrade(const struct h1_stream *st)
{
    return fields_get(&st->ex.request, STR_LIT("Upgrade")).p != NULL;
}

bool h1_hold(struct h1_stream *st)
{
    struct h1_engine *en = st->conn->en;

    if (en->idle || st->asked == ASKED_MOST ||
        (st->asked == 0 && (en->n_held == HELD_MOST || may_upgrade(st)))) {
        h1_hold_end(st);
        return false;
    }
    if (st->asked++ == 0)
        en->n_held++;
    return true;
}

void h1_hold_end(struct h1_stream *st)
{
    if (st->asked > 0)
        st->conn->en->n_held--;
    st->asked = 0;
}
