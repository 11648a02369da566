#!/usr/bin/env python3
"""Connections to upstreams: from which address they come, how many are kept, and that they are probed."""

import os
import re
import threading

import lib
from lib import check, check_eq, connect, request, wait_for
from upstream import CLIENT, Upstream, each_client

CROWD = 6


class Peer(Upstream):
    """Tells who is asking; of a crowd, nobody is answered before all are there."""

    def __init__(self):
        self.crowd = threading.Barrier(CROWD)
        super().__init__(self.answer)

    def answer(self, c):
        if c.target == "/crowd":
            self.crowd.wait(60)
        c.reply(200, c.sock.getpeername()[0].encode())

    @property
    def open(self):
        return self.accepts - self.closed


def site(port, upstreams, transport):
    return ("http://localhost:%d {\n reverse_proxy %s {\n transport http {\n%s\n}\n}\n}\n"
            % (port, upstreams, transport))


def ask(port, target="/"):
    with connect(port) as s:
        return request(s, target)


def local_address(t):
    peer = Peer()
    at = "127.0.0.1:%d" % peer.port
    ports = t.free_ports(5)
    server = t.lintel("{\n workers 1\n}\n"
                      + site(ports[0], at, "local_address 127.0.0.3")
                      + site(ports[1], at, "")
                      + site(ports[2], "localhost:%d" % peer.port, "local_address tcp/127.0.0.4")
                      + site(ports[3], at, "local_address ::1")
                      + site(ports[4], at, "local_address 192.0.2.1"))
    check_eq(b"127.0.0.1", ask(ports[1]).body)
    for _ in range(3):
        check_eq([b"127.0.0.3", b"127.0.0.4"], [ask(ports[0]).body, ask(ports[2]).body])
    if CLIENT == "direct":
        check_eq(b"127.0.0.1", ask(ports[1]).body)
    check_eq(3, peer.accepts, "a connection for each address")
    check_eq(502, ask(ports[3]).status, "an address of another family")
    check(ask(ports[4]).status in (502, 503), "an address that is not ours")
    server.stop()
    peer.stop()


def timer_of(port):
    """The timer of a connection to the port that waits for nothing: its kind, and seconds left."""
    with open("/proc/net/tcp") as f:
        for line in f:
            found = re.match(r"\s*\d+: \w+:\w+ \w+:%04X 01 \w+:\w+ (\w\w):(\w+)" % port, line)
            if found:
                return found.group(1), int(found.group(2), 16) / os.sysconf("SC_CLK_TCK")
    return None


def probes(t):
    for option, kind, limits in (("", "02", (10, 30)), ("keepalive_interval 100s", "02", (40, 100)),
                                 ("keepalive_interval off", "00", (0, 0))):
        peer = Peer()
        port = t.free_port()
        server = t.lintel(site(port, "127.0.0.1:%d" % peer.port, option))
        check_eq(200, ask(port).status)
        wait_for(20, lambda: (timer_of(peer.port) or "?")[0] == kind, "timer %s" % kind)
        left = timer_of(peer.port)[1]
        check(limits[0] <= left <= limits[1], option, left)
        server.stop()
        peer.stop()


def crowd(port):
    threads = [threading.Thread(target=ask, args=(port, "/crowd")) for _ in range(CROWD)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()


def kept(t):
    """So many connections to one upstream, and to all of a proxy."""
    first, second, other = Peer(), Peer(), Peer()
    both = "127.0.0.1:%d" % first.port, "127.0.0.1:%d" % second.port
    ports = t.free_ports(4)
    server = t.lintel("{\n workers 1\n}\n"
                      + site(ports[0], both[0], "keepalive_idle_conns 3")
                      + site(ports[1], both[1], "keepalive_idle_conns_per_host 2")
                      + site(ports[2], "127.0.0.1:%d" % other.port, ""))
    crowd(ports[0])
    crowd(ports[1])
    crowd(ports[2])
    wait_for(20, lambda: (first.open, second.open, other.open) == (3, 2, CROWD),
             "connections to be closed: %r" % [first.open, second.open, other.open])
    # Of one proxy with two upstreams, those that waited longest go.
    server.reload("{\n workers 1\n}\n" + "".join(
        "http://localhost:%d {\n reverse_proxy {query.to} {\n transport http {\n"
        " keepalive_idle_conns %d\n }\n }\n}\n" % (port, most)
        for port, most in ((ports[2], 1), (ports[3], 100))))
    before = other.open
    for at in both:
        check_eq(200, ask(ports[2], "/?to=" + at).status)
        check_eq(200, ask(ports[3], "/?to=" + at).status)
    check_eq(before, other.open, "connections that others keep")
    accepts = first.accepts + second.accepts
    check_eq(200, ask(ports[2], "/?to=" + both[1]).status)
    check_eq(accepts, first.accepts + second.accepts, "a connection that was kept")
    server.stop()
    for peer in (first, second, other):
        peer.stop()


def main():
    with lib.Test() as t:
        local_address(t)
        probes(t)
        if CLIENT == "direct":
            kept(t)


each_client()
main()
