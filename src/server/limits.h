/* How much of the machine we may use. */
#ifndef LINTEL_SERVER_LIMITS_H
#define LINTEL_SERVER_LIMITS_H

/* Raises the limit of open descriptors to the highest allowed, and returns it. */
unsigned limits_raise_descriptors(void);

/* The CPUs that this process may run on, at least 1. */
unsigned limits_cpus(void);

/* How many connections clients of n workers may have: those that are wanted, if there are
 * descriptors for them; or, wanted being 0, so many that files, upstreams and connections on their
 * way in find descriptors too. */
unsigned limits_connections(unsigned descriptors, unsigned n_workers, unsigned wanted);

/* How many of one worker may be on their way in, if clients may have so many connections. */
unsigned limits_pending(unsigned connections, unsigned n_workers);

#endif
