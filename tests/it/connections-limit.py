#!/usr/bin/env python3
"""max_connections: when all places are taken, an idle connection makes way for a new one; if all are at
work, a new one is answered 503 with Retry-After and closed, over TLS as well for a few at a time; it
recovers at once; a reload changes the number; the log does not grow with the refused."""

import json
import re
import ssl
import subprocess
import threading
import time

import lib
from lib import Reader, check, check_eq, connect, connect_tls, request, wait_for
from upstream import Upstream

CONF = """
{
    http_port %(http)d
    https_port %(tls)d
    auto_https disable_redirects
    workers %(workers)d
    servers {
        max_connections %(max)s
    }
}
http://localhost:%(plain)d, https://localhost:%(tls)d {
    handle /wait {
        reverse_proxy 127.0.0.1:%(up)d
    }
    respond ok
}
"""
GET = b"GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Server:
    def __init__(self, t, workers, most):
        self.t = t
        self.go = threading.Event()
        self.waiting = set()
        self.upstream = Upstream(self.serve)
        http, plain, tls = t.free_ports(3)
        self.facts = dict(http=http, plain=plain, tls=tls, workers=workers, max=most,
                          up=self.upstream.port)
        self.plain, self.tls = plain, tls
        self.lintel = t.lintel(CONF % self.facts)
        self.lintel.wait_log(rb" server: listening on .*https")
        wait_for(30, self.has_certificate, "a certificate")
        self.busy = []

    def serve(self, c):
        self.waiting.add(c)
        self.go.wait(60)
        self.waiting.remove(c)
        return c.reply(200, b"waited")

    def has_certificate(self):
        try:
            return self.ask_tls().status == 200
        except ssl.SSLError:
            return False

    def reload(self, most):
        self.facts["max"] = most
        self.lintel.reload(CONF % self.facts)

    def status(self):
        out = subprocess.run([lib.LINTEL, "status", "--config", self.lintel.conf_path],
                             env=self.t.env, stdout=subprocess.PIPE, check=True).stdout
        return json.loads(out)

    def connections(self):
        return self.status()["connections"]

    def wait_connections(self, n):
        wait_for(30, lambda: self.connections() == n, "%d connections" % n)

    def occupy(self, n):
        """Connections with a request that is not answered."""
        for _ in range(n):
            self.busy.append(connect(self.plain))
            self.busy[-1].sendall(GET % b"/wait")
        wait_for(30, lambda: len(self.waiting) == len(self.busy), "them to be under way")

    def release(self):
        self.go.set()
        for s in self.busy:
            check_eq(b"waited", Reader(s).response().body)
            s.close()
        self.busy.clear()
        wait_for(30, lambda: not self.waiting, "the upstream")
        self.go.clear()

    def ask(self):
        with connect(self.plain) as s:
            return request(s)

    def ask_tls(self):
        with connect_tls(self.tls, "localhost", lib.tls_context()) as s:
            return request(s)

    def expect_503(self, answer):
        check_eq((503, "1", "close"), (answer.status, answer.field("Retry-After"),
                                       answer.field("Connection").lower()))

    def end(self):
        self.upstream.stop()
        check_eq(0, self.lintel.stop(), "exit status")


def all_at_work(s, most):
    s.occupy(most)
    check_eq((most, most), (s.connections(), s.status()["max_connections"]))
    lines = s.lintel.log().count(b"\n")
    for _ in range(60):
        s.expect_503(s.ask())
    s.expect_503(s.ask_tls())
    with connect(s.plain) as sock:
        sock.sendall(GET % b"/")
        check(Reader(sock).response().status == 503)
        check_eq(b"", sock.recv(1), "closed")
    with connect(s.plain) as sock:  # a request with a body
        sock.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello")
        s.expect_503(Reader(sock).response())
    with connect(s.plain) as sock:
        s.expect_503(request(sock, method="HEAD"))
    check(re.search(rb"turned away: all %d places are taken" % most, s.lintel.log()))
    check(s.lintel.log().count(b"\n") - lines <= 4, "a line for each")
    s.release()
    s.wait_connections(0)
    check_eq((b"ok", b"ok"), (s.ask().body, s.ask_tls().body), "it recovers")


def idle_ones_make_way(s, most):
    """In the order in which they fell idle, whether with TLS or without."""
    idle = [connect_tls(s.tls, "localhost", lib.tls_context())]
    check_eq(b"ok", request(idle[0]).body)
    time.sleep(0.01)  # the server's clock has milliseconds
    idle += [connect(s.plain) for _ in range(most - 1)]
    for sock in idle[1:]:
        check_eq(b"ok", request(sock).body)
    s.wait_connections(most)
    new = []
    for old in idle:
        new.append(connect(s.plain))
        check_eq(b"ok", request(new[-1]).body, "in the place of another")
        check_eq(b"", old.recv(1), "closed for it")
    check_eq(most, s.connections())
    for sock in idle + new:
        sock.close()
    s.wait_connections(0)


def silent_ones_make_way(s, most):
    silent = [connect(s.plain) for _ in range(2 * most)]
    for _ in range(3):
        wait_for(30, lambda: s.ask().status == 200, "an answer beside silent clients")
    for sock in silent:
        sock.close()
    s.wait_connections(0)


def idle_ones_of_others(s, most):
    """A worker without an idle connection has the others close theirs: soon there is a place."""
    idle = [connect(s.plain) for _ in range(most)]
    for sock in idle:
        check_eq(b"ok", request(sock).body)
    for _ in range(3 * most):
        wait_for(30, lambda: s.ask().status == 200, "a place")
    for sock in idle:
        sock.close()
    s.wait_connections(0)


def handshakes_are_few(s, most):
    """Beyond the places, 16 clients a worker may shake hands, and have 5 s for their request."""
    s.occupy(most)
    shaken, alerts = [], 0
    for _ in range(24):
        try:
            shaken.append(connect_tls(s.tls, "localhost", lib.tls_context()))
        except ssl.SSLError as e:
            check("INTERNAL_ERROR" in str(e).upper(), e)
            alerts += 1
    check_eq((16, 8), (len(shaken), alerts), "handshakes and alerts")
    check_eq(most, s.connections(), "none of them has a place")
    s.expect_503(request(shaken[0]))
    check_eq(b"", shaken[0].recv(1), "closed")
    shaken.pop(0).close()
    for sock in shaken:
        check_eq(b"", sock.recv(1), "no request came on it: closed")
        sock.close()
    s.expect_503(s.ask_tls())
    s.release()
    s.wait_connections(0)


def reload_changes_it(s, most):
    s.occupy(most)
    s.expect_503(s.ask())
    s.reload(most + 2)
    s.occupy(2)
    s.expect_503(s.ask())
    s.reload(1)
    s.expect_503(s.ask())
    check_eq((most + 2, 1), (s.connections(), s.status()["max_connections"]), "all go on")
    s.release()
    s.wait_connections(0)
    check_eq(b"ok", s.ask().body)
    s.reload(most)
    idle = [connect(s.plain) for _ in range(most)]
    for sock in idle:
        check_eq(b"ok", request(sock).body)
    s.reload(2)
    s.wait_connections(2)
    for sock in idle[:-2]:
        check_eq(b"", sock.recv(1), "idle, and too many now")
    for sock in idle[-2:]:
        check_eq(b"ok", request(sock).body, "goes on")
        sock.close()
    s.reload(1000000)
    s.lintel.wait_log(rb"max_connections: \d+ of 1000000, since no more than \d+ open files")
    s.reload("0")
    s.lintel.wait_log(rb"'0' would let nobody in")


def main():
    with lib.Test() as t:
        s = Server(t, 1, 6)
        all_at_work(s, 6)
        idle_ones_make_way(s, 6)
        silent_ones_make_way(s, 6)
        handshakes_are_few(s, 6)
        reload_changes_it(s, 6)
        s.end()
        s = Server(t, 2, 6)
        all_at_work(s, 6)
        idle_ones_of_others(s, 6)
        s.end()


main()
