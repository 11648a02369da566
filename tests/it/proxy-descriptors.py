#!/usr/bin/env python3
"""A proxy that has no descriptor left for another connection to an upstream: 503 with Retry-After,
which is no failure of the upstream, neither for its requests nor for its checks; idle connections give
theirs; and as soon as there are descriptors again, all is as before."""

import os
import resource

import lib
from lib import Reader, check, check_eq, connect, request, wait_for
from upstream import CLIENT, Upstream, each_client

CHECKS = """
            health_uri /check
            health_interval 100ms"""


def close_after(c):
    c.reply(200, b"other")
    return False


class Server:
    def __init__(self, t, checks):
        self.one = Upstream(lambda c: c.reply(200, b"one"))
        self.other = Upstream(close_after)
        self.port, = t.free_ports(1)
        self.lintel = t.lintel("""
{
    admin off
    auto_https off
    workers 1
}
http://:%d {
    handle /other {
        reverse_proxy 127.0.0.1:%d {
            max_fails 1
            fail_duration 10m%s
        }
    }
    reverse_proxy 127.0.0.1:%d
}
""" % (self.port, self.other.port, checks, self.one.port))
        self.client = connect(self.port)
        self.reader = Reader(self.client)
        self.limits = resource.prlimit(self.lintel.pid, resource.RLIMIT_NOFILE)
        self.held = []

    def ask(self, target):
        return request(self.client, target, reader=self.reader)

    def descriptors(self):
        return {int(n) for n in os.listdir("/proc/%d/fd" % self.lintel.pid)}

    def is_full(self):
        if len(self.descriptors()) == self.most:
            return True
        self.held.append(connect(self.port))
        return False

    def fill(self):
        """Clients take all descriptors that are left."""
        self.most = max(self.descriptors()) + 3
        resource.prlimit(self.lintel.pid, resource.RLIMIT_NOFILE, (self.most, self.limits[1]))
        wait_for(30, self.is_full, "all descriptors to be taken")

    def expect_503(self, target):
        """In the end: a check may have had a descriptor, and given it back."""
        answers = []

        def is_refused():
            if self.is_full():
                answers.append(self.ask(target))
            return answers and answers[-1].status == 503

        wait_for(30, is_refused, "none to be left for " + target)
        check_eq({200, 503}, {r.status for r in answers} | {200}, target)
        check_eq("1", answers[-1].field("Retry-After"), target)

    def relieve(self):
        resource.prlimit(self.lintel.pid, resource.RLIMIT_NOFILE, self.limits)

    def end(self):
        for s in self.held + [self.client]:
            s.close()
        self.one.stop()
        self.other.stop()


def idle_ones_make_way(t):
    s = Server(t, "")
    check_eq(b"other", s.ask("/other").body)
    check_eq(b"one", s.ask("/one").body)
    s.fill()
    check_eq(b"one", s.ask("/one").body, "over the idle connection")
    check_eq(b"other", s.ask("/other").body, "in the place of the idle connection")
    s.end()


def nobody_is_blamed(t):
    s = Server(t, CHECKS)
    check_eq(b"other", s.ask("/other").body)
    wait_for(20, lambda: len(s.other.requests) > 3, "checks")
    s.fill()
    for _ in range(5):
        s.expect_503("/other")
    s.expect_503("/one")
    wait_for(20, lambda: b"Too many open files" in s.lintel.log(), "a line in the log")
    asked = len(s.other.requests)
    s.relieve()
    wait_for(20, lambda: len(s.other.requests) > asked + 2, "checks again")
    check_eq(b"other", s.ask("/other").body)
    check_eq(b"one", s.ask("/one").body)
    check(b"unhealthy" not in s.lintel.log(), "a check that could not be made was held against it")
    s.end()


def main():
    with lib.Test() as t:
        if CLIENT == "direct":
            idle_ones_make_way(t)
        nobody_is_blamed(t)


each_client()
main()
