#!/usr/bin/env python3
"""Upstreams whose address a request makes: it is followed, and nothing but HOST:PORT is one."""

import lib
from lib import check, check_eq, connect, request
from upstream import Upstream


def ask(port, **fields):
    with connect(port) as s:
        return request(s, "/", fields=[(k.replace("_", "-"), v) for k, v in fields.items()])


def placeholders(t):
    one, two = Upstream(lambda c: c.reply(200, b"one " + c.head)), Upstream(
        lambda c: c.reply(200, b"two"))
    path = t.path("secret.sock")
    hidden = Upstream(lambda c: c.reply(200, b"hidden"), unix_path=path)
    t.env["UP_AT"] = "127.0.0.1:%d" % two.port
    ports = t.free_ports(5)
    says = ["{header.X-Up}", "{header.X-Host}:%d" % one.port, "{env.UP_AT}",
            "https://{header.X-Up}", "{header.X-Up} 127.0.0.1:%d {\n  lb_policy first\n }" % two.port]
    server = t.lintel("".join("http://localhost:%d {\n reverse_proxy %s\n}\n" % one
                              for one in zip(ports, says)))
    for _ in range(2):
        check(ask(ports[0], X_Up="127.0.0.1:%d" % one.port).body.startswith(b"one "))
        check_eq(b"two", ask(ports[0], X_Up="127.0.0.1:%d" % two.port).body)
        check(ask(ports[1], X_Host="LocalHost").body.startswith(b"one "))
        check(ask(ports[1], X_Host="127.0.0.1").body.startswith(b"one "))
        check_eq(b"two", ask(ports[2]).body)
    check(b"Host: localhost" in ask(ports[1], X_Host="127.0.0.1").body, "the client's Host")
    check_eq(504, ask(ports[3], X_Up="127.0.0.1:%d" % one.port).status, "TLS to one without")
    check_eq(b"two", ask(ports[4], X_Up="nonsense").body, "another is asked instead")
    hostile(t, server, ports, one, two, path)
    check_eq([], hidden.requests, "requests to the unix socket")
    for up in (one, two, hidden):
        up.stop()


def hostile(t, server, ports, one, two, path):
    asked = len(one.requests) + len(two.requests)
    at = "127.0.0.1:%d" % one.port
    values = ["unix/" + path, "unix+h2c/" + path, "http://" + at, "https://" + at, at + "/", at + "/x",
              at + "?x", at + "#x", "user@" + at, "user:pass@" + at, at + " " + at, at + "," + at,
              at + "-%d" % (one.port + 1), "127.0.0.1", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536",
              ":%d" % one.port, ":", "[::1", "[127.0.0.1]x:%d" % one.port, "[]:80", "a\tb:80", "%31:80",
              "{env.UP_AT}", "{header.X-Up}", "x" * 5000 + ":80", "..:%d" % one.port + "/..", "\xff:80",
              "127.0.0.1\\:%d" % one.port]
    for value in values:
        check_eq(502, ask(ports[0], X_Up=value).status, "X-Up: %r" % value[:60])
    check_eq(502, ask(ports[0]).status, "no X-Up")
    for value in ("", "unix/" + path, "a b", "x@127.0.0.1", "127.0.0.1:1@127.0.0.1", "127.0.0.1/"):
        check_eq(502, ask(ports[1], X_Host=value).status, "X-Host: %r" % value)
    check_eq(asked, len(one.requests) + len(two.requests), "requests that came nevertheless")
    server.wait_log(rb"upstream \{header\.X-Up\}: the request makes '")


def main():
    with lib.Test() as t:
        placeholders(t)


main()
