#include "server/limits.h"

#include <sched.h>
#include <sys/resource.h>

enum {
    DESCRIPTORS_MAX = 1024 * 1024,
    RESERVED = 64,          /* for the process: logs, storage, the ACME client */
    RESERVED_A_WORKER = 16, /* its loop, engines, listeners */
    SHARES = 3,             /* the last of them is for files and upstreams */
    CONNECTIONS_MIN = 16,
    PENDING_SHARES = 4, /* as many as a fourth of the connections may be on their way in */
    PENDING_MIN = 16,
    PENDING_MAX = 2048
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

unsigned limits_connections(unsigned descriptors, unsigned n_workers, unsigned wanted)
{
    unsigned reserved = RESERVED + RESERVED_A_WORKER * n_workers;
    unsigned most = descriptors > reserved ? descriptors - reserved : 0;
    unsigned n = most / SHARES * (SHARES - 1);

    if (most < CONNECTIONS_MIN)
        most = CONNECTIONS_MIN;
    if (n < CONNECTIONS_MIN)
        n = CONNECTIONS_MIN;
    return wanted == 0 ? n : wanted < most ? wanted : most;
}

unsigned limits_pending(unsigned connections, unsigned n_workers)
{
    unsigned n = connections / n_workers / PENDING_SHARES;

    return n < PENDING_MIN ? PENDING_MIN : n > PENDING_MAX ? PENDING_MAX : n;
}
