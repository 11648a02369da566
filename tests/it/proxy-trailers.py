#!/usr/bin/env python3
"""Trailers of upstreams' answers: which reach the client and which do not, in chunks, compressed,
over TLS and from HTTP/2; and nothing of them where there are no chunks."""

import gzip
import threading

import lib
from lib import Reader, check, check_eq, connect, connect_tls, tls_context, wait_for
from upstream import Upstream, before_caddy, each_client

FORBIDDEN = ["Transfer-Encoding: chunked", "Content-Length: 3", "Connection: X-Late", "Keep-Alive: 1",
             "TE: trailers", "Trailer: X", "Upgrade: h2c", "Host: evil", "Via: 1.1 evil",
             "X-Forwarded-For: 10.0.0.1", "Authorization: x", "WWW-Authenticate: Basic",
             "Set-Cookie: a=b", "Cookie: a=b", "Expect: 100-continue", "Range: bytes=0-1",
             "If-Match: x", "Cache-Control: no-store", "Date: now", "Expires: 0", "Location: /evil",
             "Retry-After: 9", "Vary: *", "Content-Encoding: gzip", "Content-Type: text/html",
             "Content-Range: bytes 0-1/2"]
LONG = "v" * 1000


class Script:
    go = threading.Event()  # what is late may come


def answer(head, body, trailer):
    """In one piece."""
    lines = b"".join(b"%s\r\n" % line.encode() for line in trailer)
    chunk = b"%x\r\n%s\r\n" % (len(body), body) if body else b""
    return (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n" + head + b"\r\n" + chunk
            + b"0\r\n" + lines + b"\r\n")


GRPC = answer(b"Content-Type: application/grpc\r\nTrailer: grpc-status, grpc-message\r\n", b"abc",
              ["grpc-status: 0", "grpc-message: fine"])
ANSWERS = {
    "/grpc": GRPC,
    "/unannounced": answer(b"", b"abc", ["X-Late: 1", "x-late: 2"]),
    "/empty": answer(b"Trailer: X-Late\r\n", b"", ["X-Late: 1"]),
    "/announced-only": answer(b"Trailer: X-Late\r\n", b"abc", []),
    "/forbidden": answer(b"Trailer: Content-Type, X-Good, b@d\r\n", b"abc",
                         FORBIDDEN + ["X-Good: 1", "X-Empty:"]),
    "/all-forbidden": answer(b"Trailer: Host\r\n", b"abc", FORBIDDEN),
    "/hop": answer(b"Connection: X-Hop\r\nTrailer: x-hop, X-Good\r\n", b"abc",
                   ["X-Hop: 1", "X-Good: 1"]),
    "/text": answer(b"Content-Type: text/plain\r\nTrailer: X-Sum, Content-Digest\r\n", b"word " * 999,
                    ["Content-Digest: sha-256=:x:", 'ETag: "x"', "X-Sum: 7"]),
    "/large": answer(b"", b"abc", ["X-%d: %s" % (i, LONG) for i in range(8)]),
    "/too-large": answer(b"", b"abc", ["X-%d: %s" % (i, LONG) for i in range(20)]),
    "/too-many": answer(b"", b"abc", ["A: 1"] * 600),
    "/malformed": answer(b"", b"abc", ["no colon"]),
    "/control": answer(b"", b"abc", ["X: a\x01b"]),
    "/length": b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTrailer: X-Late\r\n\r\nabc",
}


def serve(c):
    c.read_body()
    path = c.target
    if c.method == "HEAD":
        c.send(ANSWERS[path].split(b"\r\n\r\n")[0] + b"\r\n\r\n")
    elif path == "/late":  # the trailer long after the last byte that is told of
        c.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
        Script.go.wait(60)
        c.send(b"0\r\nX-Late: 1\r\n\r\n")
    elif path == "/bytes":  # each by itself
        for b in GRPC:
            c.send(bytes([b]))
    elif path == "/echo":
        c.reply(200, c.head)
    else:
        c.send(ANSWERS[path])


def get(s, path, fields=b"", method=b"GET"):
    s.sendall(method + b" %s HTTP/1.1\r\nHost: localhost\r\n%s\r\n" % (path.encode(), fields))
    return Reader(s).response(head=method == b"HEAD")


def reaches_the_client(s):
    for path in ("/grpc", "/bytes"):
        for fields in (b"TE: trailers\r\n", b""):
            r = get(s, path, fields)
            check_eq((200, b"abc", [b"grpc-status: 0", b"grpc-message: fine"]),
                     (r.status, r.body, r.trailer), path)
            check_eq("grpc-status, grpc-message", r.field("Trailer"))
    r = get(s, "/unannounced")
    check_eq((b"abc", [b"X-Late: 1", b"x-late: 2"], None), (r.body, r.trailer, r.field("Trailer")))
    r = get(s, "/empty")
    check_eq((b"", [b"X-Late: 1"]), (r.body, r.trailer))
    r = get(s, "/large")
    check_eq((b"abc", [b"X-%d: %s" % (i, LONG.encode()) for i in range(8)]), (r.body, r.trailer))


def has_no_room(s):
    """What does not fit into the memory of a connection beside the request is left out, whole."""
    r = get(s, "/large", b"X-Filler: %s\r\n" % (b"x" * 15000))
    check_eq((200, b"abc", []), (r.status, r.body, r.trailer))
    check_eq(200, get(s, "/echo").status)


def comes_late(s):
    s.sendall(b"GET /late HTTP/1.1\r\nHost: localhost\r\n\r\n")
    got = b""
    while b"3\r\nabc\r\n" not in got:
        got += s.recv(65536)
    Script.go.set()
    while not got.endswith(b"\r\n\r\n"):
        got += s.recv(65536)
    check(got.endswith(b"3\r\nabc\r\n0\r\nX-Late: 1\r\n\r\n"), got)


def is_filtered(s):
    r = get(s, "/forbidden")
    check_eq(([b"X-Good: 1"], "X-Good", b"abc"), (r.trailer, r.field("Trailer"), r.body))
    check_eq(None, r.field("Content-Type"))
    r = get(s, "/all-forbidden")
    check_eq(([], None, b"abc"), (r.trailer, r.field("Trailer"), r.body))
    r = get(s, "/hop")
    check_eq(([b"X-Good: 1"], "X-Good"), (r.trailer, r.field("Trailer")))


def needs_chunks(s, port):
    for path in ("/grpc", "/length"):
        with connect(port) as other:
            r = get(other, path, method=b"HEAD")
        check_eq((200, None), (r.status, r.field("Trailer")), path)
    r = get(s, "/length")
    check_eq((b"abc", [], None, "3"),
             (r.body, r.trailer, r.field("Trailer"), r.field("Content-Length")))
    r = get(s, "/announced-only")
    check_eq((b"abc", [], None), (r.body, r.trailer, r.field("Trailer")))
    got = lib.raw(port, b"GET /grpc HTTP/1.0\r\nHost: localhost\r\n\r\n")
    check(b"railer" not in got and b"grpc-status" not in got and got.endswith(b"\r\n\r\nabc"), got)


def is_compressed(s):
    """What speaks of the bytes as the upstream sent them goes."""
    r = get(s, "/text", b"Accept-Encoding: gzip\r\n")
    check_eq(("gzip", b"word " * 999, [b"X-Sum: 7"]),
             (r.field("Content-Encoding"), gzip.decompress(r.body), r.trailer))
    r = get(s, "/text")
    check_eq((b"word " * 999, [b"Content-Digest: sha-256=:x:", b'ETag: "x"', b"X-Sum: 7"]),
             (r.body, r.trailer))


def is_broken(port):
    """What is no trailer, or too much of one, breaks the answer off."""
    for path in ("/too-large", "/too-many", "/malformed", "/control"):
        got = lib.raw(port, b"GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
                      % path.encode())
        check(got.startswith(b"HTTP/1.1 502 ") or b"\r\n0\r\n" not in got, path, got)


def is_asked_for(s):
    for fields, asked in [(b"TE: trailers\r\n", True), (b"TE: gzip, Trailers;q=0.5\r\n", False),
                          (b"TE: gzip\r\nTE: deflate, TRAILERS\r\n", True), (b"TE: gzip\r\n", False),
                          (b"", False)]:
        head = get(s, "/echo", fields).body
        check_eq(asked, b"\r\nTE: trailers\r\n" in head, head)
        check_eq(asked, b"\r\nConnection: TE\r\n" in head, head)
        check(head.count(b"TE:") == (1 if asked else 0), head)


def over_tls(t, port):
    for path, trailer in [("/grpc", [b"grpc-status: 0", b"grpc-message: fine"]), ("/late", [b"X-Late: 1"])]:
        with connect_tls(port, "localhost", tls_context()) as s:
            r = get(s, path)
            check_eq((b"abc", trailer), (r.body, r.trailer))


def from_caddy(t, up):
    """A real server that speaks HTTP/2, with the scripted one behind it."""
    port, other = before_caddy(t, up)

    def is_up():
        with connect(other) as s:
            return get(s, "/echo").status == 200

    wait_for(30, is_up, "Caddy")
    for p in (port, other):
        with connect(p) as s:
            r = get(s, "/grpc", b"TE: trailers\r\n")
            check_eq((200, b"abc"), (r.status, r.body))
            check_eq([b"grpc-message: fine", b"grpc-status: 0"], sorted(x.lower() for x in r.trailer))
    with connect(port) as s:  # it drops what Connection names, of which there is none in HTTP/2
        head = get(s, "/echo", b"TE: trailers\r\n").body.lower()
        check(b"te: trailers" in head, head)


def from_nginx(t):
    lib.need("nginx")
    nginx, port = t.free_ports(2)
    conf = t.write("nginx.conf", """daemon off;
master_process off;
pid %s/nginx.pid;
error_log stderr;
events { }
http {
    access_log off;
    server {
        listen 127.0.0.1:%d;
        location / {
            gzip on;
            gzip_proxied any;
            gzip_min_length 1;
            gzip_types text/plain;
            default_type text/plain;
            add_trailer X-Late "of $request_uri" always;
            add_trailer Set-Cookie a=b always;
            return 200 "%s";
        }
    }
}
""" % (t.path(), nginx, "text " * 100))
    t.spawn("nginx", ["nginx", "-p", t.path(), "-c", conf, "-e", "stderr"])
    t.lintel("{\n admin off\n}\nhttp://localhost:%d {\n reverse_proxy 127.0.0.1:%d\n}\n"
             % (port, nginx))

    def is_up():
        with connect(port) as s:
            return get(s, "/a").status == 200

    wait_for(30, is_up, "nginx")
    with connect(port) as s:
        r = get(s, "/a", b"Accept-Encoding: gzip\r\n")
        check_eq((200, b"text " * 100, [b"X-Late: of /a"]),
                 (r.status, gzip.decompress(r.body), r.trailer))


def main():
    with lib.Test() as t:
        up = Upstream(serve)
        plain, buffered, encoded, tls = t.free_ports(4)
        Script.go.clear()
        t.lintel("{\n auto_https disable_redirects\n}\n"
                 "http://localhost:%d {\n reverse_proxy 127.0.0.1:%d\n}\n"
                 "http://localhost:%d {\n reverse_proxy 127.0.0.1:%d {\n response_buffers 64KiB\n }\n}\n"
                 "http://localhost:%d {\n encode gzip\n reverse_proxy 127.0.0.1:%d\n}\n"
                 "https://localhost:%d {\n tls internal\n encode gzip\n reverse_proxy 127.0.0.1:%d\n}\n"
                 % (plain, up.port, buffered, up.port, encoded, up.port, tls, up.port))
        for port in (plain, buffered, encoded):
            with connect(port) as s:
                reaches_the_client(s)
                is_filtered(s)
                needs_chunks(s, port)
                is_asked_for(s)
            is_broken(port)
        with connect(plain) as s:
            comes_late(s)
            has_no_room(s)
        with connect(encoded) as s:
            is_compressed(s)
        over_tls(t, tls)
        from_caddy(t, up)
        from_nginx(t)
        up.stop()


each_client()
main()
