#!/usr/bin/env python3
"""Active checks: once a process, with what they are told to send, and what they find decides who is
asked."""

import threading
import time

import lib
from lib import Reader, check, check_eq, connect, request, wait_for
from upstream import Upstream, each_client


class Checked:
    """An upstream whose answer to checks can be changed."""

    def __init__(self, name):
        self.name = name
        self.status = 200
        self.body = b"all is well"
        self.fields = []
        self.checks = []  # heads and bodies
        self.hosts = set()
        self.up = Upstream(self.serve)
        self.port = self.up.port

    def serve(self, c):
        c.read_body()
        if c.target.startswith("/check"):
            self.checks.append(c.head + c.body)
            self.hosts.add(tuple(c.fields("Host")))
            if c.target == "/check/moved":
                c.reply(302, b"", ["Location: http://elsewhere.test/check"])
            elif c.target == "/check/login":
                c.reply(302, b"", ["Location: /check/page?next=http://elsewhere.test/lost#top"])
            elif c.target.startswith("/check/page"):
                c.reply(200 if c.target == "/check/page?next=http://elsewhere.test/lost" else 500)
            elif c.target == "/check/endless":
                c.send(b"HTTP/1.1 200 OK\r\n\r\n")
                while True:
                    c.send(b"on and on " * 1000)
            elif c.target == "/check/host":
                c.reply(302, b"", ["Location: //elsewhere.test/check"])
            else:
                c.reply(self.status, self.body, self.fields)
        else:
            c.reply(200, self.name.encode())


def ask(port):
    with connect(port) as s:
        return request(s)


def is_asked(port, name):
    return lambda: ask(port).body == name


def follows_health(port, a, b):
    check_eq(b"a", ask(port).body)
    a.status = 500
    wait_for(20, is_asked(port, b"b"), "a to be passed over")
    b.status = 404
    wait_for(20, lambda: ask(port).status == 503, "nobody to be left")
    check_eq("1", ask(port).field("Retry-After"))
    a.status = b.status = 200
    wait_for(20, is_asked(port, b"a"), "a to be asked again")


def looks_at_the_body(port, a):
    wait_for(20, is_asked(port, b"a"), "a to be asked again")
    a.body = b"all is WELL"
    wait_for(20, is_asked(port, b"b"), "a to be passed over")
    a.body = b"all is well"
    wait_for(20, is_asked(port, b"a"), "a to be asked again")


def counts(server, port, a):
    """Three failures in a row count, and two successes."""

    def checks():
        return len([c for c in a.checks if b"/check/times" in c])

    wait_for(20, is_asked(port, b"a"), "a to be asked again")
    before = checks()
    a.status = 500
    wait_for(20, is_asked(port, b"b"), "a to be passed over")
    check(checks() - before >= 3, "too few failures")
    before = checks()
    a.status = 200
    wait_for(20, is_asked(port, b"a"), "a to be asked again")
    check(checks() - before >= 2, "too few successes")
    check(b"unhealthy: it answered 500" in server.log() and b"healthy again" in server.log())


def end_with_their_configuration(t, a):
    """Also where a request holds on to it."""
    go_on = threading.Event()
    slow = Upstream(lambda c: go_on.wait(30) and c.reply(200, b"held"))
    port, held = t.free_ports(2)
    conf = "{\n workers 1\n}\nhttp://localhost:%d {\n respond new\n}\n" % port
    server = t.lintel("""http://localhost:%d {
    forward_auth 127.0.0.1:%d {
        uri /auth
        health_uri /check/auth
        health_interval 20ms
    }
}
http://localhost:%d {
    reverse_proxy 127.0.0.1:%d
}
""" % (port, a.port, held, slow.port))
    with connect(held) as s:
        s.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        wait_for(20, lambda: slow.requests and [c for c in a.checks if b"/check/auth" in c], "a check")
        server.reload(conf)
        wait_for(20, lambda: ask(port).body == b"new", "the new configuration")
        seen = [-1]

        def is_over():
            before, seen[0] = seen[0], len(a.checks)
            time.sleep(0.3)
            return before == seen[0]

        wait_for(10, is_over, "the end of the checks")
        go_on.set()
        check_eq(b"held", Reader(s).response().body)
    slow.stop()


each_client()
with lib.Test() as t:
    a, b = Checked("a"), Checked("b")
    to = "to 127.0.0.1:%d 127.0.0.1:%d\n lb_policy first\n health_interval 20ms" % (a.port, b.port)
    other, silent = Checked("other"), Checked("silent")
    blocks = {
        "status": to + "\n health_uri /check/status",
        "body": to + "\n health_uri /check/body\n health_body \"is w(ell)\"",
        "times": to + "\n health_uri /check/times\n health_fails 3\n health_passes 2\n"
                 " health_status 200",
        "moved": to + "\n health_uri /check/moved\n health_follow_redirects",
        "login": to + "\n health_uri /check/login\n health_follow_redirects",
        "host": to + "\n health_uri /check/host\n health_follow_redirects",
        "endless": to + "\n health_uri /check/endless\n health_timeout 2m\n health_fails 1000\n"
                   " health_body \"^on and on\"",
        "later": to + "\n health_uri /check/endless\n health_timeout 2m\n"
                 " health_body \"never said\"",
        "unmoved": to + "\n health_uri /check/moved",
        "sent": to + "\n health_uri /check/sent\n health_method PUT\n health_request_body ping\n"
                " health_headers {\n Host me.test\n X-Two one two\n}",
        "port": "to 127.0.0.1:1\n health_interval 20ms\n health_uri /check/port\n"
                " health_port %d" % other.port,
        "upstream": to + "\n health_uri /check/upstream\n health_upstream 127.0.0.1:%d" % other.port,
    }
    ports = dict(zip(blocks, t.free_ports(len(blocks))))
    conf = "{\n admin off\n auto_https off\n default_bind 127.0.0.1\n workers 2\n}\n"
    for name, block in blocks.items():
        conf += "http://:%d {\n reverse_proxy {\n %s\n }\n}\n" % (ports[name], block)
    server = t.lintel(conf)
    follows_health(ports["status"], a, b)
    looks_at_the_body(ports["body"], a)
    counts(server, ports["times"], a)
    wait_for(20, is_asked(ports["moved"], b"a"), "a redirect to be followed")
    for name in ("login", "host"):
        wait_for(20, is_asked(ports[name], b"a"), "a redirect to be followed: " + name)
    check(is_asked(ports["endless"], b"a")())
    wait_for(30, lambda: ask(ports["later"]).status == 503, "a verdict before the end")
    check(not [r for r in a.up.requests if r.startswith((b"GET /lost", b"GET //"))])
    wait_for(20, lambda: ask(ports["unmoved"]).status == 503, "a redirect to be a failure")
    sent = [c for c in a.checks if b"/check/sent" in c]
    check(sent[0].startswith(b"PUT /check/sent HTTP/1.1\r\n") and sent[0].endswith(b"\r\n\r\nping"),
          sent[0])
    for field in (b"Host: me.test\r\n", b"X-Two: one\r\n", b"X-Two: two\r\n",
                  b"User-Agent: Lintel\r\n", b"Content-Length: 4\r\n"):
        check_eq(1, sent[0].count(field), field)
    wait_for(20, lambda: len([c for c in other.checks if b"/check/port" in c]) > 3, "checks")
    check_eq(502, ask(ports["port"]).status)
    wait_for(20, lambda: [c for c in other.checks if b"/check/upstream" in c], "checks elsewhere")
    check(not [c for c in a.checks if b"/check/upstream" in c])
    # One worker checks: connections for it are kept, so a few are enough for all that was asked.
    check(len([c for c in a.checks if b"/check/status" in c]) > 3)
    count = len(a.checks)
    server.reload("{\n admin off\n auto_https off\n default_bind 127.0.0.1\n}\nhttp://:%d {\n}\n"
                  % ports["status"])
    wait_for(20, lambda: len(a.checks) >= count, "the end of checks")
    with connect(a.port) as s:  # what was under way has come by then
        request(s)
    count = len(a.checks)
    wait_for(5, lambda: ask(ports["status"]).status == 200, "the new configuration")
    check(len(a.checks) - count <= 1, "checks go on after the reload")
    check_eq(0, server.stop(), "the end")
    end_with_their_configuration(t, a)
