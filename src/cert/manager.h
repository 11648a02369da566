/* The certificate thread: keeps every name of the configuration supplied with a certificate, from
 * storage, from the files the site names, from the embedded local CA or by ACME; renews in time;
 * publishes a new cert_set whenever anything changed. Private keys are read and written only here.
 */
#ifndef LINTEL_CERT_MANAGER_H
#define LINTEL_CERT_MANAGER_H

#include "base/buf.h"
#include "cert/cert_set.h"
#include "conf/conf.h"

struct manager;

enum { MANAGER_ANSWER_WAIT_MS = 300 };

/* Called in the certificate thread with one reference to the new set, given away. */
typedef void (*manager_publish)(void *arg, struct cert_set *set);

/* Starts the thread. Returns NULL with *e set if it cannot. */
struct manager *manager_start(manager_publish publish, void *arg, struct err *e);

/* Takes up a configuration (a reference of its own is taken): the first set is published at once
 * with whatever storage and files hold. What is under way for names that stay goes on. Any thread.
 */
void manager_set_conf(struct manager *m, struct conf *conf);

/* Looks at everything again now (after SIGHUP files may have changed). Any thread. */
void manager_kick(struct manager *m);

/* Tells whether the http port could be bound, after each configuration: http-01 is used only if it
 * is. Until told, it is taken for bound if the configuration has a listener there. Any thread. */
void manager_set_ports(struct manager *m, bool http_bound);

/* Tells that all workers have taken up the set with this number (cert_set_number) or a later one: a
 * challenge is begun only when its answer has reached all of them. Without this word it is begun
 * after MANAGER_ANSWER_WAIT_MS. Any thread. */
void manager_taken(struct manager *m, uint64_t number);

/* Stops the thread and frees m; orders under way are left for the next start. Blocks until it is
 * done (at most about a second). */
void manager_stop(struct manager *m);

/* For "lintel certs list": one line a managed name of the configuration, read from storage, without
 * a running thread. Blocks. */
MUST_CHECK int manager_list(const struct conf *conf, struct buf *out, struct err *e);

#endif
