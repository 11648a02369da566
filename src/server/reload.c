#include "server/server_priv.h"

#include "base/alloc.h"
#include "base/log.h"
#include "conf/load.h"
#include "server/directives.h"
#include "server/instance.h"
#include "server/net_text.h"
#include "server/notify.h"

#include <stdio.h>
#include <unistd.h>

/* ---- loading ---- */

struct conf *server_load(const struct server_source *source, struct buf *text)
{
    struct buf warnings = BUF_INIT(ADMIN_ANSWER_MAX);
    struct conf *conf;

    if (source->text.p == NULL)
        conf = conf_load(source->path, &server_language, text, &warnings);
    else
        conf = conf_parse(source->path, source->text, &server_language, text, &warnings);

    if (warnings.len > 0)
        fwrite(warnings.p, 1, warnings.len, stderr);
    buf_fini(&warnings);
    alloc_trim(); /* A load takes many times what its result does. */
    return conf;
}

/* ---- the end of a change ---- */

/* Whoever started us may wait for it. */
static void greet(const struct server *s)
{
    log_info("server", "ready");
    if (s->source->greeting == NULL)
        return;
    fputs(s->source->greeting, stdout);
    fflush(stdout);
}

static void forget_conf(struct change *c)
{
    conf_unref(c->conf);
    c->conf = NULL;
    c->step = CHANGE_NONE;
}

/* error: NULL, or what is to be told to people; logged here if it is one line. */
static void finish(struct server *s, const char *error)
{
    struct change *c = &s->change;

    forget_conf(c);
    if (!s->ready && error != NULL) {
        s->exit_status = EXIT_RUN;
        server_stop(s, 0);
        return;
    }
    if (!s->ready)
        greet(s);
    else if (error == NULL)
        log_info("server", "reloaded " STR_FMT, STR_ARG(s->conf->path));
    s->ready = true;
    notify_ready();
    admin_answer(s->admin, c->number, error);
    if (c->again && !s->stopping) {
        c->again = false;
        server_reload(s);
    }
}

static void fail(struct server *s)
{
    char line[sizeof s->change.err.msg + 64];

    if (s->ready)
        log_error("server", "reload refused, nothing has changed: %s", s->change.err.msg);
    else
        log_error("server", "%s", s->change.err.msg);
    snprintf(line, sizeof line, "%s\n", s->change.err.msg);
    finish(s, line);
}

/* ---- taking up ---- */

static const char *scheme_of(const struct listener_conf *l)
{
    return l->tls ? "https" : "http";
}

static void log_listeners(const struct server *s, const struct listeners *old,
                          const struct conf *old_conf)
{
    char text[NET_TEXT_MAX];

    for (size_t i = 0; i < s->conf->n_listeners; i++) {
        const struct listener_conf *l = &s->conf->listeners[i];
        bool known = false;

        for (size_t j = 0; old_conf != NULL && j < old_conf->n_listeners; j++)
            if (old->open[j] && listeners_same_address(&old_conf->listeners[j], l))
                known = true;
        net_text((const void *)&l->addr, text);
        if (s->listeners.open[i] && !known)
            log_info("server", "listening on %s (%s)", text, scheme_of(l));
    }
}

static bool has_http_port(const struct server *s)
{
    for (size_t i = 0; i < s->conf->n_listeners; i++) {
        const struct listener_conf *l = &s->conf->listeners[i];

        if (s->listeners.open[i] && !l->tls && l->port == s->conf->options.http_port)
            return true;
    }
    return false;
}

/* Options that some part was made with for good. */
static void warn_of_fixed(const struct options *old, const struct options *new)
{
    if (old->workers != new->workers)
        log_warn("server", "workers: a change takes effect at the next start");
    if (old->max_header_size != new->max_header_size)
        log_warn("server", "max_header_size: a change takes effect at the next start");
}

static void warn_of_connections(const struct server *s)
{
    unsigned wanted = s->conf->options.max_connections, n = server_max_connections(s);

    if (wanted > n)
        log_warn("server",
                 "max_connections: %u of %u, since no more than %u open files are allowed", n,
                 wanted, s->descriptors);
}

/* Storage and admin socket: a server without them still serves. */
static void set_management(struct server *s, const char *old_storage)
{
    const struct options *o = &s->conf->options;
    struct err e;

    if (s->source->text.p != NULL)
        return;
    if (old_storage == NULL || strcmp(old_storage, o->storage) != 0) {
        instance_release(s->instance);
        s->instance = instance_take(o->storage, &e);
        if (s->instance == -1)
            log_warn("server", "%s; going on without an admin socket", e.msg);
    }
    if (admin_listen(s->admin, s->instance == -1 ? "" : o->admin, &e) != 0)
        log_warn("server", "%s; going on without it", e.msg);
}

static void set_rotation(struct server *s, const struct conf *old)
{
    uint64_t ms = s->conf->options.ticket_rotation_ms;

    if (old == NULL || old->options.ticket_rotation_ms != ms)
        timer_set(s->loop, &s->rotation, ms);
}

/* All workers could: from here on nothing can fail. */
static void commit(struct server *s)
{
    struct change *c = &s->change;
    struct conf *old = s->conf;
    struct listeners old_listeners = s->listeners;

    c->step = CHANGE_COMMITTING;
    c->n_waiting = s->n_workers;
    for (unsigned i = 0; i < s->n_workers; i++)
        worker_commit(s->workers[i]);
    s->conf = c->conf;
    c->conf = NULL;
    s->listeners = c->listeners;
    c->listeners = (struct listeners){0};
    log_set_level(s->conf->options.log_level);
    log_listeners(s, &old_listeners, old);
    if (old != NULL)
        warn_of_fixed(&old->options, &s->conf->options);
    warn_of_connections(s);
    set_management(s, old == NULL ? NULL : old->options.storage);
    set_rotation(s, old);
    log_hub_settle(s->hub, s->conf);
    manager_set_ports(s->manager, has_http_port(s));
    manager_set_conf(s->manager, s->conf);
    if (s->ready)
        manager_kick(s->manager); /* somebody may have mended what was wrong */
    listeners_fini(&old_listeners);
    conf_unref(old);
}

static void abandon(struct server *s)
{
    for (unsigned i = 0; i < s->n_workers; i++)
        worker_abandon(s->workers[i]);
    listeners_fini(&s->change.listeners);
    if (s->conf != NULL)
        log_hub_settle(s->hub, s->conf);
    fail(s);
}

static void all_answered(struct server *s)
{
    struct change *c = &s->change;

    if (c->step == CHANGE_COMMITTING)
        finish(s, NULL);
    else if (c->err.code == ERR_NONE)
        commit(s);
    else
        abandon(s);
}

void server_change(struct server *s, struct conf *conf)
{
    struct change *c = &s->change;

    c->conf = conf;
    c->err.code = ERR_NONE;
    if (log_hub_prepare(s->hub, conf, &c->err) != 0 ||
        listeners_open(&c->listeners, conf, s->n_workers, s->conf == NULL ? NULL : &s->listeners,
                       s->conf, &c->err) != 0) {
        if (s->conf != NULL)
            log_hub_settle(s->hub, s->conf);
        fail(s);
        return;
    }
    c->step = CHANGE_PREPARING;
    c->n_waiting = s->n_workers;
    for (unsigned i = 0; i < s->n_workers; i++)
        worker_prepare(s->workers[i], conf_ref(conf), listeners_of(&c->listeners, i));
}

void server_on_reload(struct task *t)
{
    struct server *s = container_of(t, struct server, reload);
    struct buf text = BUF_INIT(ADMIN_ANSWER_MAX);
    struct conf *conf;

    if (s->stopping)
        return;
    s->change.number++;
    notify_reloading();
    conf = server_load(s->source, &text);
    if (conf != NULL) {
        server_change(s, conf);
    } else {
        fwrite(text.p, 1, text.len, stderr);
        log_error("server", "reload refused, nothing has changed: the configuration has errors");
        finish(s, text.len > 0 ? text.p : "the configuration has errors\n");
    }
    buf_fini(&text);
}

uint64_t server_reload(struct server *s)
{
    if (s->change.step != CHANGE_NONE)
        s->change.again = true;
    else
        loop_post(s->loop, &s->reload);
    return s->change.number + 1;
}

/* ---- what workers say ---- */

/* The set that all workers have is the oldest that one of them has. */
static void on_certs(struct server *s, const struct worker_report *r)
{
    uint64_t oldest = r->number;

    s->cert_numbers[r->index] = r->number;
    for (unsigned i = 0; i < s->n_workers; i++)
        if (s->cert_numbers[i] < oldest)
            oldest = s->cert_numbers[i];
    if (oldest > s->certs_taken)
        manager_taken(s->manager, s->certs_taken = oldest);
}

static void on_answer(struct server *s, const struct worker_report *r)
{
    struct change *c = &s->change;

    if (r->err.code != ERR_NONE && c->err.code == ERR_NONE)
        c->err = r->err;
    if (--c->n_waiting == 0 && !s->stopping)
        all_answered(s);
}

static void on_crowded(const struct server *s, const struct worker_report *r)
{
    for (unsigned i = 0; i < s->n_workers; i++)
        if (i != r->index)
            worker_make_room(s->workers[i]);
}

static void on_ended(struct server *s)
{
    if (!s->stopping) { /* its loop failed; a part of the connections would hang for ever */
        s->exit_status = EXIT_RUN;
        server_stop(s, s->conf == NULL ? 0 : s->conf->options.grace_period_ms);
    }
    if (++s->n_ended == s->n_workers)
        loop_stop(s->loop);
}

void server_on_report(void *server, const struct worker_report *r)
{
    struct server *s = server;

    switch (r->news) {
    case WORKER_PREPARED:
    case WORKER_COMMITTED:
        on_answer(s, r);
        break;
    case WORKER_CERTS:
        on_certs(s, r);
        break;
    case WORKER_CROWDED:
        on_crowded(s, r);
        break;
    case WORKER_ENDED:
        on_ended(s);
        break;
    }
}
