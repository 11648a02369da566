#!/usr/bin/env python3
"""reverse_proxy, one exchange at a time: fields, framing, failures, fail-over, smuggling."""

import socket
import ssl
import subprocess
import threading
import time

import lib
from lib import Reader, check, check_eq, connect, request
from upstream import Upstream, each_client, refusing_port


def serve(c):
    """What the upstream does is said by the path."""
    path = c.target.split("?")[0]
    action = ACTIONS.get(path)
    if action:
        return action(c)
    c.read_body()
    c.reply(200, c.head + c.body, ["X-Up: 1", "Server: upstream/1", "Connection: X-Hop",
                                   "X-Hop: secret", "Keep-Alive: timeout=9"])


def silent(c):
    c.sock.recv(1)  # until the proxy gives up
    return False


def early_413(c):
    c.send(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig")
    c.sock.shutdown(socket.SHUT_WR)
    while c.sock.recv(65536):
        pass
    return False


def early_ok(c):
    """Success before the body has come: the body must come whole all the same."""
    c.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nearly\r\n")
    c.read_body()
    c.send(b"7\r\n%7d\r\n0\r\n\r\n" % len(c.body))


def text(data, close=False):
    def action(c):
        c.read_body()
        c.send(data)
        return not close
    return action


def interim(c):
    c.send(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n")
    c.reply(200, b"after")


def slow_parts(c):
    """The head at once, the parts when the test says so."""
    c.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n")
    GO.wait(30)
    c.send(b"6\r\nsecond\r\n0\r\n\r\n")


GO = threading.Event()
ACTIONS = {
    "/silent": silent,
    "/early": early_413,
    "/early-ok": early_ok,
    "/interim": interim,
    "/parts": slow_parts,
    "/204": text(b"HTTP/1.1 204 No Content\r\nX-A: b\r\n\r\n"),
    "/304": text(b"HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\nContent-Length: 77\r\n\r\n"),
    "/head": text(b"HTTP/1.1 200 OK\r\nContent-Length: 12345\r\n\r\n"),
    "/http10": text(b"HTTP/1.0 200 OK\r\n\r\nuntil close", close=True),
    "/empty": text(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
    "/teapot": text(b"HTTP/1.1 418 I'm a teapot\r\nContent-Length: 2\r\n\r\nno"),
    "/vanish": text(b"", close=True),
    "/nonsense": text(b"220 mail.example ESMTP\r\n", close=True),
    "/cut-length": text(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", close=True),
    "/cut-chunk": text(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
                       close=True),
    "/two-lengths": text(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
                         close=True),
    "/switch": text(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
                    close=True),
    "/huge-head": text(b"HTTP/1.1 200 OK\r\n" + b"X-Filler: %s\r\n" % (b"v" * 1000) * 17
                       + b"Content-Length: 0\r\n\r\n"),
    "/many-fields": text(b"HTTP/1.1 200 OK\r\n" + b"".join(b"Set-Cookie: c%d=%s\r\n" % (i, b"v" * 80)
                                                           for i in range(60))
                         + b"Content-Length: 2\r\n\r\nok"),
}


def lines_of(reply):
    return reply.body.decode("latin-1").split("\r\n")


def fields_both_ways(port):
    with connect(port) as s:
        r = request(s, "/a%2Fb/./..//c;d?x=%00y&z={}|", fields=[
            ("Accept", "a/b"), ("Connection", "X-Mine, keep-alive"), ("X-Mine", "1"),
            ("Keep-Alive", "timeout=5"), ("Proxy-Connection", "x"), ("TE", "trailers"),
            ("Upgrade", "websocket"), ("X-Forwarded-For", "10.9.9.9"),
            ("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "evil"),
            ("X_Forwarded_For", "10.9.9.9"), ("Cookie", "a=b"), ("Accept-Encoding", "gzip"),
            ("User-Agent", "me")])
        check_eq(200, r.status)
        check_eq(["GET /a%2Fb/./..//c;d?x=%00y&z={}| HTTP/1.1", "Host: localhost", "Accept: a/b",
                  "Cookie: a=b", "Accept-Encoding: gzip", "User-Agent: me",
                  "X-Forwarded-For: 127.0.0.1", "X-Forwarded-Proto: http",
                  "X-Forwarded-Host: localhost", "Via: 1.1 Lintel", "TE: trailers",
                  "Connection: TE", "", ""], lines_of(r))
        check_eq("1", r.field("X-Up"))
        check_eq("upstream/1", r.field("Server"))
        check_eq("1.1 Lintel", r.field("Via"))
        check_eq(None, r.field("X-Hop"))
        check_eq(None, r.field("Keep-Alive"))
        check(r.field("Date"), "no Date")
        # Nothing of libcurl's own taste in a request without fields.
        r = request(s, "/", method="POST")
        check_eq(["POST / HTTP/1.1", "Host: localhost", "X-Forwarded-For: 127.0.0.1",
                  "X-Forwarded-Proto: http", "X-Forwarded-Host: localhost", "Via: 1.1 Lintel",
                  "Content-Length: 0", "", ""], lines_of(r))


def framing(port):
    with connect(port) as s:
        reader = Reader(s)

        def get(path, method="GET"):
            return request(s, path, method=method, reader=reader)

        r = get("/204")
        check_eq((204, None, "b"), (r.status, r.field("Content-Length"), r.field("X-A")))
        r = get("/304")
        check_eq((304, '"x"'), (r.status, r.field("ETag")))
        r = get("/head", "HEAD")
        check_eq((200, "12345"), (r.status, r.field("Content-Length")))
        r = get("/empty")
        check_eq((200, b"", "0"), (r.status, r.body, r.field("Content-Length")))
        check_eq((200, b"until close"), (get("/http10").status, get("/http10").body))
        check_eq((418, b"no"), (get("/teapot").status, get("/teapot").body))
        r = get("/interim")
        check_eq((103, "</a>"), (r.status, r.field("Link")))
        r = reader.response()
        check_eq((200, b"after"), (r.status, r.body))
        r = get("/many-fields")
        check_eq((200, b"ok", 60), (r.status, r.body, len(r.fields["set-cookie"])))
        check_eq(200, get("/").status)  # all of it on one connection


def request_bodies(port):
    with connect(port) as s:
        reader = Reader(s)
        r = request(s, method="POST", body=b"x" * 100000, reader=reader)
        check(r.body.endswith(b"x" * 100000) and b"Content-Length: 100000" in r.body, r.body[:500])
        s.sendall(b"PUT / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
                  b"5\r\nhello\r\n")
        time.sleep(0.05)
        s.sendall(b"7;ext=1\r\n, world\r\n0\r\nX-Trailer: 1\r\n\r\n")
        r = reader.response()
        check(r.body.endswith(b"\r\n\r\nhello, world"), r.body)
        check(b"Transfer-Encoding: chunked" in r.body, r.body)
        check(b"X-Trailer" not in r.body, r.body)
        s.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n"
                  b"Expect: 100-continue\r\n\r\n")
        check_eq(100, reader.response().status)
        s.sendall(b"abc")
        r = reader.response()
        check(r.status == 200 and r.body.endswith(b"abc") and b"Expect" not in r.body, r.body)
    with connect(port) as s:
        r = request(s, "/early", method="POST", body=b"x" * 3000000)
        check_eq((413, b"big"), (r.status, r.body))
    with connect(port) as s:
        r = request(s, "/early-ok", method="POST", body=b"x" * 3000000)
        check_eq((200, b"early3000000"), (r.status, r.body))


def streams_without_waiting(port):
    """What has come is sent on at once, however long the rest takes."""
    with connect(port) as s:
        s.sendall(b"GET /parts HTTP/1.1\r\nHost: localhost\r\n\r\n")
        got = b""
        while b"first" not in got:
            got += s.recv(4096)
        GO.set()
        while not got.endswith(b"0\r\n\r\n"):
            got += s.recv(4096)
        check(b"second" in got, got)


def failures(port, server):
    for path, status in [("/vanish", 502), ("/nonsense", 502), ("/two-lengths", 502),
                         ("/switch", 502), ("/huge-head", 502), ("/silent", 504)]:
        with connect(port) as s:
            r = request(s, path)
            check_eq(status, r.status, path)
            check_eq("Lintel", r.field("Server"), path)
            r = request(s, "/")  # and the client's connection can be used further
            check_eq(200, r.status, path)
    server.wait_log(rb"warn .*proxy.*no answer in time")


def cut_responses(port):
    """A response that breaks off must not look complete: short of its length, or without the last
    chunk; and the connection ends."""
    for path in ("/cut-length", "/cut-chunk"):
        with connect(port) as s:
            s.sendall(b"GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
                      % path.encode())
            got = lib.read_all(s)
            if got.startswith(b"HTTP/1.1 502"):  # it broke before anything was sent
                continue
            check(not got.endswith(b"0\r\n\r\n"), got)
            if b"Content-Length: " in got:
                check(len(got.split(b"\r\n\r\n", 1)[1]) < 10, got)


def cut_later(port):
    """The same when the head has long been sent on."""
    with connect(port) as s:
        s.sendall(b"GET /cut-later HTTP/1.1\r\nHost: localhost\r\n\r\n")
        got = lib.read_all(s)
        check(got.startswith(b"HTTP/1.1 200"), got)
        check(b"abc" in got and not got.endswith(b"0\r\n\r\n"), got)


def http10_client(port):
    got = lib.raw(port, b"GET /parts HTTP/1.0\r\nHost: localhost\r\n\r\n")
    check(b"chunked" not in got and got.endswith(b"firstsecond"), got)


def reuses_connections(port, up):
    with connect(port) as s:
        reader = Reader(s)
        request(s, "/", reader=reader)
        before = up.accepts
        for i in range(40):
            check_eq(200, request(s, "/?%d" % i, method="GET" if i % 2 else "POST",
                                  reader=reader).status)
        # One worker took this connection, and its fetcher keeps one connection to the upstream.
        check_eq(before, up.accepts, "connections to the upstream")


def smuggling(port, up):
    """Whatever the verdict, a request hidden in another's body never reaches the upstream."""
    hidden = b"GET /hidden HTTP/1.1\r\nHost: localhost\r\n\r\n"
    for head in [b"Content-Length: 4\r\nTransfer-Encoding: chunked",
                 b"Transfer-Encoding: chunked\r\nContent-Length: 4",
                 b"Transfer-Encoding: xchunked\r\nContent-Length: %d" % (len(hidden) + 5),
                 b"Transfer-Encoding : chunked\r\nContent-Length: %d" % (len(hidden) + 5),
                 b"Transfer-Encoding: identity\r\nTransfer-Encoding: chunked",
                 b"Transfer-Encoding: chunked, identity",
                 b"Transfer-Encoding:\x0bchunked\r\nContent-Length: %d" % (len(hidden) + 5),
                 b"Content-Length: %d\r\nContent-Length: 0" % (len(hidden) + 5),
                 b"Content-Length: 0\r\nContent-Length: %d" % (len(hidden) + 5),
                 b"Content-Length: +0", b"Content-Length: 0x0", b"Content-Length: 0, 0 5"]:
        before = len(up.requests)
        with connect(port, timeout=5) as s:
            s.sendall(b"POST /outer HTTP/1.1\r\nHost: localhost\r\n" + head + b"\r\n\r\n"
                      b"0\r\n\r\n" + hidden)
            try:
                status = s.recv(4096).split(b"\r\n")[0]
            except OSError:
                status = b""
        time.sleep(0.02)
        new = [r.split(b"\r\n")[0] for r in up.requests[before:]]
        check(b"GET /hidden HTTP/1.1" not in new, head, status, new)


def fail_over(t, up):
    dead = refusing_port()
    port, only_dead = t.free_ports(2)
    t.lintel("http://localhost:%d {\n reverse_proxy 127.0.0.1:%d 127.0.0.1:%d\n}\n"
             "http://localhost:%d {\n reverse_proxy 127.0.0.1:%d\n}\n"
             % (port, dead, up.port, only_dead, dead))
    with connect(port) as s:
        for _ in range(6):
            check_eq(200, request(s, "/").status)
            r = request(s, "/", method="POST", body=b"abc")
            check(r.status == 200 and r.body.endswith(b"abc"), r.status)
    with connect(only_dead) as s:
        check_eq(502, request(s, "/").status)
        check_eq(502, request(s, "/", method="POST", body=b"abc").status)


def unix_upstream(t):
    path = t.path("up.sock")
    up = Upstream(lambda c: c.reply(200, c.head), unix_path=path)
    port = t.free_port()
    t.lintel("http://localhost:%d {\n reverse_proxy unix/%s\n}\n" % (port, path))
    with connect(port) as s:
        check(b"Host: localhost\r\n" in request(s, "/x").body)
    up.stop()


def tls_upstream(t):
    """An https:// upstream that nobody vouches for gets nothing."""
    lib.need("openssl")
    key, cert = t.path("up.key"), t.path("up.crt")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", cert, "-days", "2",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
                   check=True, stderr=subprocess.DEVNULL)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    up = Upstream(lambda c: c.reply(200, c.head), tls=context)
    port = t.free_port()
    t.lintel("http://localhost:%d {\n reverse_proxy https://localhost:%d\n}\n" % (port, up.port))
    with connect(port) as s:
        check_eq(502, request(s, "/").status)
    check_eq([], up.requests)
    up.stop()


def main():
    with lib.Test() as t:
        def cut_after_head(c):
            c.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
            time.sleep(0.2)
            return False

        ACTIONS["/cut-later"] = cut_after_head
        up = Upstream(serve)
        port = t.free_port()
        GO.clear()
        server = t.lintel(
            "http://localhost:%d {\n reverse_proxy /silent 127.0.0.1:%d {\n  transport http {\n"
            "   response_header_timeout 300ms\n  }\n }\n reverse_proxy 127.0.0.1:%d\n}\n"
            % (port, up.port, up.port))
        fields_both_ways(port)
        framing(port)
        request_bodies(port)
        streams_without_waiting(port)
        http10_client(port)
        failures(port, server)
        cut_responses(port)
        cut_later(port)
        reuses_connections(port, up)
        smuggling(port, up)
        fail_over(t, up)
        unix_upstream(t)
        tls_upstream(t)
        up.stop()


each_client()
main()
