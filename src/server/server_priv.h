/* What server.c (start, signals, end) and reload.c (configurations) share. Main thread, but for
 * what on_publish() touches. */
#ifndef LINTEL_SERVER_SERVER_PRIV_H
#define LINTEL_SERVER_SERVER_PRIV_H

#include "base/budget.h"
#include "cert/manager.h"
#include "io/offload.h"
#include "server/admin.h"
#include "server/listeners.h"
#include "server/log_hub.h"
#include "server/server.h"
#include "server/signals.h"
#include "server/worker.h"

/* A configuration on its way into the workers:
 *  1. loaded, its listeners and log files opened;
 *  2. every worker prepares it and says so;
 *  3. if all could, it is committed everywhere; otherwise it is abandoned everywhere and nothing
 *     has changed;
 *  4. every worker says that it has it: the change is over. */
enum change_step { CHANGE_NONE, CHANGE_PREPARING, CHANGE_COMMITTING };

struct change {
    enum change_step step;
    uint64_t number;   /* of this change, or of the last one */
    bool again;        /* another one was asked for meanwhile */
    struct conf *conf; /* until it is committed */
    struct listeners listeners;
    unsigned n_waiting; /* workers that have not answered */
    struct err err;     /* the first failure */
};

struct server {
    const struct server_source *source;
    struct loop *loop;
    struct mailbox home;
    struct signals signals;
    struct log_hub *hub;
    struct admin *admin;
    struct manager *manager;
    struct offload *offload;
    struct offload *names; /* what waits for name servers: it must not keep others waiting */
    struct shared *shared;
    struct tls_tickets *tickets;
    struct timer rotation;
    int instance; /* descriptor of server/instance.h, or -1 */

    struct worker **workers;
    struct budget connections; /* of clients: places in use */
    unsigned descriptors;      /* that the process may have */
    uint64_t *cert_numbers;    /* by worker: the set that it has */
    uint64_t certs_taken;      /* the set that all have */
    unsigned n_workers;
    unsigned n_ended;

    struct conf *conf; /* the one in use; NULL before the first */
    struct listeners listeners;
    struct change change;
    struct task reload;

    bool ready;
    bool leaving;       /* the signal to stop was there */
    struct timer delay; /* of shutdown_delay */
    bool stopping;
    int exit_status;
};

/* ---- server.c ---- */

/* Begins to stop; a second call can only shorten the time. */
void server_stop(struct server *s, uint64_t grace_ms);

/* What the configuration in use allows. */
unsigned server_max_connections(const struct server *s);

/* ---- reload.c ---- */

/* Loads the source. NULL after errors: they are appended to text. Warnings are logged. */
struct conf *server_load(const struct server_source *source, struct buf *text);

/* Begins a change to conf, whose reference is given away. */
void server_change(struct server *s, struct conf *conf);

/* Has the file loaded and changed to, after this batch or after the change under way. Returns the
 * number of that change. */
uint64_t server_reload(struct server *s);
void server_on_reload(struct task *t); /* struct server.reload */

void server_on_report(void *server, const struct worker_report *r);

#endif
