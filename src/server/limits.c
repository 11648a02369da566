#include "server/limits.h"

#include <sched.h>
#include <sys/resource.h>

enum {
    DESCRIPTORS_MAX = 1024 * 1024,
    RESERVED = 64,          /* for the process: logs, storage, the ACME client */
    RESERVED_A_WORKER = 16, /* its loop, engines, listeners */
    SHARES = 3,             /* plain connections, TLS connections, files and upstreams */
    CONNECTIONS_MIN = 16,
    CONNECTIONS_MAX = 100 * 1000
};

unsigned limits_raise_descriptors(void)
{
    struct rlimit r;

    if (getrlimit(RLIMIT_NOFILE, &r) == -1)
        return 1024;
    r.rlim_cur = r.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &r) == -1)
        getrlimit(RLIMIT_NOFILE, &r);
    return r.rlim_cur > DESCRIPTORS_MAX ? DESCRIPTORS_MAX : (unsigned)r.rlim_cur;
}

unsigned limits_cpus(void)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof set, &set) == -1 || CPU_COUNT(&set) < 1)
        return 1;
    return (unsigned)CPU_COUNT(&set);
}

unsigned limits_connections(unsigned descriptors, unsigned n_workers)
{
    unsigned reserved = RESERVED + RESERVED_A_WORKER * n_workers;
    unsigned n = descriptors > reserved ? (descriptors - reserved) / n_workers / SHARES : 0;

    return n < CONNECTIONS_MIN ? CONNECTIONS_MIN : n > CONNECTIONS_MAX ? CONNECTIONS_MAX : n;
}
