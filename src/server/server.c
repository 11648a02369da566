#include "server/server.h"

#include "base/alloc.h"
#include "base/log.h"
#include "server/instance.h"
#include "server/limits.h"
#include "server/notify.h"
#include "server/server_priv.h"
#include "server/status.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

/* Half of the CPUs of a small machine; a helper's job is a password hash of a tenth of a second and
 * more, so that a longer queue would only make clients wait in vain. A name server
 * that does not answer keeps a helper for each worker that asks it, and others that do should not
 * have to wait for that: there are many, once there is need of them. */
enum { HELPERS_MAX = 2, NAME_HELPERS = 32, OFFLOAD_QUEUE = 64 };

/* ---- certificates and tickets ---- */

/* In the certificate thread. The workers are there from before the manager starts until after it
 * has stopped. */
static void on_publish(void *arg, struct cert_set *set)
{
    struct server *s = arg;

    for (unsigned i = 0; i < s->n_workers; i++)
        worker_set_certs(s->workers[i], cert_set_ref(set));
    cert_set_unref(set);
}

static void on_rotation(struct timer *t)
{
    struct server *s = container_of(t, struct server, rotation);
    struct err e;
    struct tls_tickets *next = tls_tickets_rotated(s->tickets, &e);

    timer_set(s->loop, t, s->conf->options.ticket_rotation_ms);
    if (next == NULL) {
        log_error("tls", "the session ticket key stays as it is: %s", e.msg);
        return;
    }
    tls_tickets_unref(s->tickets);
    s->tickets = next;
    for (unsigned i = 0; i < s->n_workers; i++)
        worker_set_tickets(s->workers[i], tls_tickets_ref(next));
}

/* ---- signals ---- */

void server_stop(struct server *s, uint64_t grace_ms)
{
    if (!s->stopping)
        notify_stopping();
    s->stopping = true;
    timer_cancel(s->loop, &s->rotation);
    for (unsigned i = 0; i < s->n_workers; i++)
        worker_drain(s->workers[i], grace_ms);
}

static void begin_stop(struct server *s)
{
    uint64_t grace_ms = s->conf == NULL ? 0 : s->conf->options.grace_period_ms;

    log_info("server", "stopping, at most %llu ms for requests under way",
             (unsigned long long)grace_ms);
    server_stop(s, grace_ms);
}

static void on_delay(struct timer *t)
{
    begin_stop(container_of(t, struct server, delay));
}

static void on_stop_signal(struct server *s)
{
    uint64_t delay_ms = s->conf == NULL ? 0 : s->conf->options.shutdown_delay_ms;

    if (s->leaving || s->stopping) {
        log_info("server", "stopping at once");
        timer_cancel(s->loop, &s->delay);
        server_stop(s, 0);
    } else if (delay_ms > 0) {
        log_info("server", "stopping in %llu ms", (unsigned long long)delay_ms);
        timer_set(s->loop, &s->delay, delay_ms);
    } else {
        begin_stop(s);
    }
    s->leaving = true;
}

static void on_signal(void *arg, int number)
{
    struct server *s = arg;

    if (number == SIGTERM || number == SIGINT)
        on_stop_signal(s);
    else if (s->leaving || s->stopping)
        return;
    else if (number == SIGHUP && s->source->text.p != NULL)
        log_info("server", "there is nothing to reload: the command line is the configuration");
    else if (number == SIGHUP)
        server_reload(s);
    else if (number == SIGUSR1 && s->conf != NULL)
        log_hub_settle(s->hub, s->conf);
}

/* ---- the admin socket, and what it tells ---- */

unsigned server_max_connections(const struct server *s)
{
    unsigned wanted = s->conf == NULL ? 0 : s->conf->options.max_connections;

    return limits_connections(s->descriptors, s->n_workers, wanted);
}

static uint64_t on_admin_reload(void *arg)
{
    return server_reload(arg);
}

static char *on_admin_status(void *arg)
{
    const struct server *s = arg;

    return status_json(s->workers, s->n_workers,
                       atomic_load_explicit(&s->connections.used, memory_order_relaxed),
                       server_max_connections(s));
}

static const struct admin_commands admin_commands = {on_admin_reload, on_admin_status};

/* ---- start and end ---- */

static int start_workers(struct server *s, const struct options *o, struct err *e)
{
    unsigned n = o->workers > 0 ? o->workers : limits_cpus();
    struct worker_params p = {.n_workers = n,
                              .hub = s->hub,
                              .offload = s->offload,
                              .names = s->names,
                              .shared = s->shared,
                              .tickets = s->tickets,
                              .connections = &s->connections,
                              .descriptors = s->descriptors,
                              .max_header_size = o->max_header_size,
                              .home = &s->home,
                              .on_report = server_on_report};

    s->workers = xalloc(n * sizeof(*s->workers));
    s->cert_numbers = xalloc(n * sizeof *s->cert_numbers);
    for (; s->n_workers < n; s->n_workers++) {
        p.index = s->n_workers;
        s->workers[s->n_workers] = worker_start(&p, e);
        if (s->workers[s->n_workers] == NULL)
            return -1;
    }
    return 0;
}

static int open_parts(struct server *s, const struct options *o, struct err *e)
{
    if ((s->tickets = tls_tickets_new(e)) == NULL || start_workers(s, o, e) != 0)
        return -1;
    s->manager = manager_start(on_publish, s, e);
    return s->manager == NULL ? -1 : 0;
}

static int open_loop(struct server *s, struct err *e)
{
    s->loop = loop_new(e);
    if (s->loop == NULL || mailbox_init(&s->home, s->loop, s, e) != 0)
        goto no_mailbox;
    if (signals_open(&s->signals, s->loop, on_signal, s, e) == 0)
        return 0;
    mailbox_fini(&s->home);
no_mailbox:
    loop_free(s->loop);
    return -1;
}

static void close_parts(struct server *s)
{
    unsigned cut = 0;

    if (s->manager != NULL)
        manager_stop(s->manager);
    for (unsigned i = 0; i < s->n_workers; i++)
        cut += worker_join(s->workers[i]);
    if (cut > 0)
        log_warn("server", "stopped, %u connection%s cut", cut, cut == 1 ? " was" : "s were");
    else if (s->ready)
        log_info("server", "stopped");
    offload_free(s->offload);
    offload_free(s->names);
    shared_free(s->shared);
    admin_free(s->admin);
    instance_release(s->instance);
    tls_tickets_unref(s->tickets);
    signals_close(&s->signals);
    mailbox_fini(&s->home);
    log_hub_free(s->hub);
    conf_unref(s->conf);
    conf_unref(s->change.conf);
    listeners_fini(&s->listeners);
    listeners_fini(&s->change.listeners);
    free(s->workers);
    free(s->cert_numbers);
    timer_cancel(s->loop, &s->rotation);
    timer_cancel(s->loop, &s->delay);
    loop_free(s->loop);
}

/* Serves conf, whose reference is given away. */
static int serve(struct server *s, struct conf *conf)
{
    struct err e;

    alloc_keep();
    if (open_loop(s, &e) != 0) {
        log_error("server", "%s", e.msg);
        conf_unref(conf);
        return EXIT_RUN;
    }
    s->hub = log_hub_new(s->loop, &s->home);
    s->shared = shared_new();
    s->descriptors = limits_raise_descriptors();
    s->offload = offload_new(limits_cpus() > 1 ? HELPERS_MAX : 1, OFFLOAD_QUEUE);
    s->names = offload_new(NAME_HELPERS, OFFLOAD_QUEUE);
    s->admin = admin_new(s->loop, &admin_commands, s);
    if (open_parts(s, &conf->options, &e) == 0) {
        server_change(s, conf);
    } else {
        log_error("server", "%s", e.msg);
        conf_unref(conf);
        s->exit_status = EXIT_RUN;
        server_stop(s, 0);
    }
    if (s->n_workers > 0 && loop_run(s->loop, &e) != 0) {
        log_error("server", "%s", e.msg);
        s->exit_status = EXIT_RUN;
        server_stop(s, 0);
    }
    close_parts(s);
    return s->exit_status;
}

int server_run(const struct server_source *source)
{
    struct server s = {.source = source, .instance = -1};
    struct buf text = BUF_INIT(ADMIN_ANSWER_MAX);
    struct conf *conf;

    s.rotation.on_timer = on_rotation;
    s.delay.on_timer = on_delay;
    s.reload.run = server_on_reload;
    signals_block();
    conf = server_load(source, &text);
    if (conf == NULL) {
        fwrite(text.p, 1, text.len, stderr);
        buf_fini(&text);
        return EXIT_USAGE;
    }
    buf_fini(&text);
    return serve(&s, conf);
}
