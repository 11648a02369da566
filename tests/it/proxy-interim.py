#!/usr/bin/env python3
"""Interim responses of upstreams (RFC 9110 15.2): what reaches the client before the answer, over
plain connections and TLS, and what does not; a flood of them; and that the answer, and those of
requests that follow, are as they are without."""

import socket
import threading

import lib
from lib import Reader, check, check_eq, connect, connect_tls, tls_context, wait_for
from upstream import Upstream, before_caddy, each_client

HINT = b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n"
PARTS = {  # before the answer
    "/hint": HINT,
    "/several": b"HTTP/1.1 102 Processing\r\n\r\n" + HINT + b"HTTP/1.1 199 Odd\r\nX: 1\r\n\r\n",
    "/continue": b"HTTP/1.1 100 Continue\r\n\r\n" + HINT,
    "/hop": b"HTTP/1.1 103 Early Hints\r\nConnection: X-Hop\r\nX-Hop: 1\r\nKeep-Alive: 5\r\n"
            b"Content-Length: 9\r\nTransfer-Encoding: chunked\r\nTrailer: x\r\nUpgrade: h2c\r\n"
            b"Proxy-Authenticate: x\r\nX-Gone: 1\r\nX-Stays: 2\r\nX-Stays: 3\r\n\r\n",
    "/large": b"HTTP/1.1 103 Early Hints\r\n" + b"X: %s\r\n" % (b"v" * 1000) * 6 + b"\r\n",
    "/too-large": b"HTTP/1.1 103 Early Hints\r\n" + b"X: %s\r\n" % (b"v" * 1000) * 9 + b"\r\n",
    "/flood": HINT * 33,
    "/no-flood": b"HTTP/1.1 103 A\r\nX: 1\r\n\r\n" * 32,
    "/malformed": b"HTTP/1.1 103 Early Hints\r\nno colon\r\n\r\n",
    "/control": b"HTTP/1.1 103 Early Hints\r\nX: a\x01b\r\n\r\n",
    "/switch": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
}


class Script:
    go = threading.Event()  # the answer may come


def serve(c):
    if c.target == "/early":  # the hint before the body is read
        c.send(HINT)
    c.read_body()
    if c.target == "/waits":  # the hint long before the answer
        c.send(HINT)
        Script.go.wait(60)
    else:
        c.send(PARTS.get(c.target, b""))
    c.reply(200, c.body or b"done", ["X-Gone: 1"])


def all_of(s, reader=None):
    """The interim responses and the answer."""
    reader, parts = reader or Reader(s), []
    while True:
        parts.append(reader.response())
        if parts[-1].status >= 200:
            return parts[:-1], parts[-1]


def ask(s, path, version=b"1.1"):
    s.sendall(b"GET %s HTTP/%s\r\nHost: localhost\r\n\r\n" % (path.encode(), version))


def get(s, path):
    ask(s, path)
    interim, r = all_of(s)
    check_eq((200, b"done"), (r.status, r.body), path)
    return interim


def statuses(interim):
    return [r.status for r in interim]


def reach_the_client(s):
    (hint,) = get(s, "/hint")
    check_eq((103, {"link": ["</a.css>; rel=preload"]}), (hint.status, hint.fields))
    check_eq([102, 103, 199], statuses(get(s, "/several")))
    check_eq([], get(s, "/none"))
    check_eq([103], statuses(get(s, "/continue")), "100 was not asked for")
    (hint,) = get(s, "/large")
    check_eq(6000, len(hint.field("X").replace(", ", "")))
    check_eq([103] * 32, statuses(get(s, "/no-flood")))


def are_end_to_end(s):
    (hint,) = get(s, "/hop")
    check_eq({"x-gone": ["1"], "x-stays": ["2", "3"]}, hint.fields)  # header_down is for answers


def come_at_once(s):
    """Each as it comes, and the answer long after."""
    Script.go.clear()
    ask(s, "/waits")
    reader = Reader(s)
    check_eq(103, reader.response().status)
    Script.go.set()
    check_eq(200, reader.response().status)


def come_with_bodies(s):
    """While the body is on its way, and after it."""
    reader = Reader(s)
    s.sendall(b"POST /early HTTP/1.1\r\nHost: localhost\r\nContent-Length: 6\r\n\r\nabc")
    check_eq(103, reader.response().status)
    s.sendall(b"def")
    r = reader.response()
    check_eq((200, b"abcdef"), (r.status, r.body))
    s.sendall(b"POST /hint HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
              b"3\r\nabc\r\n0\r\n\r\n")
    interim, r = all_of(s, reader)
    check_eq(([103], b"abc"), (statuses(interim), r.body))
    s.sendall(b"POST /hint HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n"
              b"Expect: 100-continue\r\n\r\n")
    check_eq(100, reader.response().status)
    s.sendall(b"abc")
    interim, r = all_of(s, reader)
    check_eq(([103], b"abc"), (statuses(interim), r.body))


def are_pipelined(s):
    """Each before its own answer, also when both requests came at once."""
    s.sendall(b"".join(b"GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n" % p
                       for p in (b"/hint", b"/none", b"/several", b"/hint")))
    reader = Reader(s)
    seen = [(statuses(interim), r.body) for interim, r in (all_of(s, reader) for _ in range(4))]
    check_eq([([103], b"done"), ([], b"done"), ([102, 103, 199], b"done"), ([103], b"done")], seen)


def are_not_for_old_clients(port):
    got = lib.raw(port, b"GET /several HTTP/1.0\r\nHost: localhost\r\n\r\n")
    check(got.startswith(b"HTTP/1.1 200 ") and b" 103 " not in got, got)


def are_bounded(s):
    check_eq([], get(s, "/too-large"))
    for path in ("/flood", "/malformed", "/control", "/switch"):
        ask(s, path)
        interim, r = all_of(s)
        check_eq(502, r.status, path)
        check_eq([103] * 32 if path == "/flood" else [], statuses(interim), path)
    check_eq([103], statuses(get(s, "/hint")))


def are_left_out(port, up):
    """A client that reads nothing gets no more of them than its socket has room for, and what it
    gets is whole."""
    count, before = 700, len(up.requests)
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        s.settimeout(60)
        s.connect(("127.0.0.1", port))
        s.sendall(b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n" * count)
        wait_for(60, lambda: len(up.requests) == before + count, "all requests to arrive")
        reader = Reader(s)
        counts = [len(all_of(s, reader)[0]) for _ in range(count)]
        check(0 < sum(counts) < count, counts)


def come_from_caddy(t, up):
    """A real server in between, which speaks HTTP/2 with us."""
    port, other = before_caddy(t, up)

    def is_up():
        with connect(other) as s:
            ask(s, "/none")
            return Reader(s).response().status == 200

    wait_for(30, is_up, "Caddy")
    for p in (port, other):
        with connect(p) as s:
            hints = [r for r in get(s, "/hint") if r.status == 103]
            check_eq(["</a.css>; rel=preload"], [r.field("Link") for r in hints])


def main():
    with lib.Test() as t:
        up = Upstream(serve)
        plain, tls = t.free_ports(2)
        proxy = "encode gzip\n reverse_proxy 127.0.0.1:%d {\n  header_down -X-Gone\n }" % up.port
        t.lintel("{\n auto_https disable_redirects\n}\nhttp://localhost:%d {\n %s\n}\n"
                 "https://localhost:%d {\n tls internal\n %s\n}\n" % (plain, proxy, tls, proxy))
        for opened in (lambda: connect(plain), lambda: connect_tls(tls, "localhost", tls_context())):
            for step in (reach_the_client, are_end_to_end, come_at_once, come_with_bodies,
                         are_pipelined, are_bounded):
                with opened() as s:
                    step(s)
        are_not_for_old_clients(plain)
        are_left_out(plain, up)
        come_from_caddy(t, up)
        up.stop()


each_client()
main()
