"""What Linux says of processes and of the machine, for contrib/bench."""

import os
import re
import resource
import shutil
import statistics
import subprocess
import tempfile
import time

TICK_S = 1 / os.sysconf("SC_CLK_TCK")


def output(*command, env=None):
    return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env=env,
                          stderr=subprocess.STDOUT, text=True, check=False).stdout


def program(name):
    path = shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin:/usr/local/sbin")
    if not path:
        raise SystemExit("%s is not installed; contrib/quickstart bench installs it" % name)
    return path


# ---- processes ----


def tree(pid):
    """The pid and all its descendants."""
    found, wave = [], [pid]
    while wave:
        found += wave
        below = []
        for p in wave:
            try:
                for task in os.listdir("/proc/%d/task" % p):
                    with open("/proc/%d/task/%s/children" % (p, task)) as f:
                        below += map(int, f.read().split())
            except OSError:
                pass
        wave = below
    return found


def cpu_s(pid):
    """User and system time of the tree: of its threads in nanoseconds where the kernel keeps that
    (the other account is by clock ticks, and short bursts of work fall through)."""
    total = 0.0
    for p in tree(pid):
        try:
            for task in os.listdir("/proc/%d/task" % p):
                with open("/proc/%d/task/%s/schedstat" % (p, task)) as f:
                    total += int(f.read().split()[0]) / 1e9
        except OSError:
            pass
    return total


def ticks(pid):
    """User and system time of one process, and those of its children that it has waited for."""
    try:
        with open("/proc/%d/stat" % pid) as f:
            return [int(n) for n in f.read().rsplit(")", 1)[1].split()[11:15]]
    except (OSError, IndexError):
        return [0, 0, 0, 0]


def user_and_system(pid):
    both = [ticks(p)[:2] for p in tree(pid)]
    return sum(t[0] for t in both), sum(t[1] for t in both)


def pss_mb(pid):
    total = 0
    for p in tree(pid):
        try:
            with open("/proc/%d/smaps_rollup" % p) as f:
                total += int(re.search(r"^Pss:\s+(\d+)", f.read(), re.M).group(1))
        except OSError:
            pass
    return total / 1024


# ---- the machine ----


def others_s():
    """CPU time of all processes but our own: what others do to a measurement. One that ended meanwhile
    has left its time to its parent."""
    ours = set(tree(os.getpid()))
    pids = [int(name) for name in os.listdir("/proc") if name.isdigit() and int(name) not in ours]
    return sum(sum(ticks(p)) for p in pids) * TICK_S


def idle_and_stolen_s():
    with open("/proc/stat") as f:
        n = [int(word) for word in f.readline().split()[1:]]
    return (n[3] + n[4]) * TICK_S, n[7] * TICK_S


def load_s():
    """CPU time of the children that have ended: of the load generators."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


# ---- a load and what it costs ----


def count_in(text):
    """The number in the output of perf stat -x, or None where it does not count."""
    found = re.search(r"^(\d+),", text, re.M)
    return int(found.group(1)) if found else None


def countable(event):
    """The event as perf counts it of our own processes (without privileges, in user mode only: NAME:u),
    or None where it cannot."""
    if not event or not shutil.which("perf"):
        return None
    found = re.search(r"^\d+,[^,]*,([^,]+),", output("perf", "stat", "-x,", "-e", event, "true"), re.M)
    return found.group(1) if found else None


class Usage:
    """What a load cost: CPU seconds of the server, its part in user mode, those of the upstreams and of
    the load generator, of others, stolen by the host, and idle; and how often the event occurred in the
    server, or None."""

    def __init__(self, watch):
        self.wall = time.monotonic()
        self.server = cpu_s(watch.server)
        self.user, self.system = user_and_system(watch.server)
        self.upstream = sum(cpu_s(pid) for pid in watch.upstreams)
        self.load = load_s()
        self.others = others_s()
        self.idle, self.stolen = idle_and_stolen_s()
        self.count = None

    def since(self, before):
        for name in ("wall", "server", "user", "system", "upstream", "load", "others", "idle", "stolen"):
            setattr(self, name, max(0, getattr(self, name) - getattr(before, name)))
        return self

    def user_s(self):
        both = self.user + self.system
        return self.server * self.user / both if both else self.server / 2

    def percent(self, name, cpus):
        return 100 * getattr(self, name) / (self.wall * cpus)


class Watch:
    """Runs a load and keeps its usage."""

    def __init__(self, server, upstreams, event=None):
        self.server = server
        self.upstreams = upstreams
        self.event = event
        self.usage = None

    def run(self, *command, env=None):
        with tempfile.NamedTemporaryFile("r", suffix=".perf") as counted:
            if self.event:
                pids = ",".join(map(str, tree(self.server)))
                command = ["perf", "stat", "-x,", "-o", counted.name, "-e", self.event, "-p", pids,
                           "--", *command]
            before = Usage(self)
            text = output(*command, env=env)
            self.usage = Usage(self).since(before)
            if self.event:
                self.usage.count = count_in(counted.read())
        return text


def median_percent(usages, name, cpus):
    return statistics.median(u.percent(name, cpus) for u in usages)
