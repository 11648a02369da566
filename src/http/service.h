/* One worker's live instance of one configuration: the handlers' states and the way from an
 * exchange to its site and rows. Counted by reference within the worker: every exchange pins the
 * one it began with. */
#ifndef LINTEL_HTTP_SERVICE_H
#define LINTEL_HTTP_SERVICE_H

#include "cert/cert_set.h"
#include "http/handler.h"

struct error_pages;
struct service;

/* Where finished exchanges are written down; one a worker. */
struct access_log {
    /* line: whole, with its newline; log: conf.logs row it belongs to. */
    void (*write)(struct access_log *al, const struct log_conf *log, struct str line);
};

/* Takes a reference of conf. NULL with *e set if a handler cannot start. al may be NULL. */
struct service *service_new(struct conf *conf, const struct worker_env *env, struct access_log *al,
                            struct err *e);
struct service *service_ref(struct service *s);
void service_unref(struct service *s); /* NULL is fine */
/* Tells its handlers that another has taken its place. */
void service_retire(struct service *s);

const struct conf *service_conf(const struct service *s);

/* For http/error_page.h: the service's own. */
struct error_pages *service_error_pages(struct service *s);

/* The state of a handler (conf.handlers). */
void *service_state(const struct service *s, size_t slot);

/* The certificates as of now, for challenges and HSTS; a reference of its own is taken. */
void service_set_certs(struct service *s, struct cert_set *set);

/* Routes a request: http-01 challenges, host, redirect to https, HSTS, then the site's rows. Always
 * ends in an answer, now or later. The engine has pinned s in ex->service. */
void service_handle(struct service *s, struct exchange *ex);

/* Writes the access log line of an exchange that has ended (before exchange_fini). */
void service_log(struct service *s, struct exchange *ex);

#endif
