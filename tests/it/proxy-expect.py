#!/usr/bin/env python3
"""Expect: 100-continue (RFC 9110 10.1.1): a client whose body nobody wants is told so without being
asked for it; one whose body is wanted is asked once, and the upstream gets it."""

import subprocess
import threading

import lib
from lib import Reader, check, check_eq, connect, connect_tls, tls_context, wait_for
from upstream import Upstream, each_client, refusing_port

BODY = b"0123456789" * 300000


class Script:
    go = threading.Event()
    asked = threading.Event()


def decide(c):
    """What the upstream does about a request that expects to be asked for its body."""
    what = c.target.rsplit("/", 1)[1]
    if what == "dies":
        return False
    if what in ("403", "417", "302"):
        c.send(b"HTTP/1.1 %s No\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno" % what.encode())
        check_eq(b"", lib.read_all(c.sock), "the body")
        return False
    if c.fields("Expect") and what == "asks":
        c.send(b"HTTP/1.1 100 Continue\r\n\r\n")
    elif what == "late":
        c.sock.settimeout(60)
        c.rest += c.sock.recv(1)
        c.send(b"HTTP/1.1 100 Continue\r\n\r\n")
    return True


def serve(c):
    if c.target.startswith("/waits/") and not decide(c):
        return False
    if c.target == "/ask/no":  # who is asked whether a request may go on
        c.reply(403, b"no")
    elif c.target.startswith("/ask/"):
        c.reply(200)
    elif c.target == "/early":
        c.send(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig")
        Script.asked.set()
        while c.sock.recv(65536):
            pass
        return False
    elif c.target == "/dies":
        return False
    elif c.target == "/hangs":
        Script.asked.set()
        c.sock.recv(1)
        return False
    else:
        c.read_body()
        c.reply(200, b"%d" % len(c.body) if len(c.body) > 100 else c.body or b"nothing",
                ["X-Expect: %s" % (c.fields("Expect") or "none")])


def head(path, fields=b"Content-Length: 3\r\n", version=b"1.1"):
    return (b"POST %s HTTP/%s\r\nHost: localhost\r\nExpect: 100-continue\r\n%s\r\n"
            % (path, version, fields))


def is_refused(s, path, status, fields=b"Content-Length: 3\r\n"):
    """The answer comes first, and the connection ends with it: what would come next might be the
    body."""
    s.sendall(head(path, fields))
    r = Reader(s).response()
    check_eq((status, "close"), (r.status, r.field("Connection")), path)
    check_eq(b"", lib.read_all(s))


def is_asked(s, path, reader=None, body=b"abc", fields=None, expected="none"):
    reader = reader or Reader(s)
    s.sendall(head(path, fields or b"Content-Length: %d\r\n" % len(body)))
    r = reader.response()
    check_eq((100, {}), (r.status, r.fields), path)
    if fields:
        s.sendall(b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in (body[:5], body[5:]) if p)
                  + b"0\r\n\r\n")
    else:
        s.sendall(body)
    r = reader.response()
    check_eq((200, body if len(body) <= 100 else b"%d" % len(body), expected),
             (r.status, r.body, r.field("X-Expect")), path)


def wanted(opened):
    with opened() as s:
        reader = Reader(s)
        for path in (b"/", b"/allowed", b"/buffered", b"/limited"):
            is_asked(s, path, reader)
            is_asked(s, path, reader, fields=b"Transfer-Encoding: chunked\r\n")
        is_asked(s, b"/", reader, BODY)
        is_asked(s, b"/", reader, BODY, b"Transfer-Encoding: chunked\r\n")
        # A client need not wait, nor is one that has nothing to send asked for it.
        s.sendall(head(b"/") + b"abc")
        r = reader.response()
        if r.status == 100:
            r = reader.response()
        check_eq((200, b"abc"), (r.status, r.body))


def not_wanted(opened):
    for path, status in ((b"/respond", 200), (b"/away", 302), (b"/secret", 401), (b"/denied", 403),
                         (b"/dead", 502), (b"/dead-buffered", 502), (b"/none", 404)):
        with opened() as s:
            if path == b"/dead-buffered":  # there the body is read before anybody is asked
                s.sendall(head(path))
                check_eq(100, Reader(s).response().status)
                continue
            is_refused(s, path, status)
    with opened() as s:
        is_refused(s, b"/limited", 413, b"Content-Length: 11\r\n")


def upstream_decides(opened, up):
    """expect_continue_timeout: the upstream is asked whether it wants the body, and if it says nothing
    gets it all the same."""
    for path, status in ((b"/waits/403", 403), (b"/waits/417", 417), (b"/waits/302", 302)):
        with opened() as s:
            s.sendall(head(path, b"Content-Length: %d\r\n" % len(BODY)))
            r = Reader(s).response()
            check_eq((status, b"no", "close"), (r.status, r.body, r.field("Connection")), path)
            check(b"\r\nExpect: 100-continue\r\n" in up.requests[-1], up.requests[-1])
    for path in (b"/waits/asks", b"/waits/late", b"/waits/silent", b"/waits/200"):
        for body, fields in ((b"abc", None), (BODY, None), (BODY, b"Transfer-Encoding: chunked\r\n")):
            with opened() as s:
                is_asked(s, path, None, body, fields, expected="['100-continue']")
    with opened() as s:  # but only if the client does
        s.sendall(b"POST /waits/asks HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc")
        r = Reader(s).response()
        check_eq((200, b"abc", "none"), (r.status, r.body, r.field("X-Expect")))
    for path in (b"/waits/dies", b"/waits-dead"):
        with opened() as s:
            is_refused(s, path, 502)


def old_clients(port):
    got = lib.raw(port, head(b"/", version=b"1.0") + b"abc")
    check(got.startswith(b"HTTP/1.1 200 ") and got.endswith(b"abc"), got)


def answers_in_between(opened):
    """The upstream does not wait for the body either: what it says is the answer."""
    Script.asked.clear()
    with opened() as s:
        reader = Reader(s)
        s.sendall(head(b"/early", b"Content-Length: 1000\r\n"))
        r = reader.response()
        if r.status == 100:
            Script.asked.wait(60)
            s.sendall(b"x" * 1000)
            r = reader.response()
        check_eq((413, b"big"), (r.status, r.body))
    with opened() as s:
        reader = Reader(s)
        s.sendall(head(b"/dies"))
        r = reader.response()
        if r.status == 100:
            s.sendall(b"abc")
            r = reader.response()
        check_eq(502, r.status)


def leaves(opened, up):
    """A client that goes while it waits is not waited for."""
    Script.asked.clear()
    closed = up.closed
    with opened() as s:
        s.sendall(head(b"/asks-long"))
        check(Script.asked.wait(60), "nobody was asked")
    wait_for(30, lambda: up.closed > closed, "the one who is asked to be left alone")


def stops(server, opened):
    """Nor does one that waits keep the server."""
    Script.asked.clear()
    with opened() as s:
        s.sendall(head(b"/asks-long"))
        check(Script.asked.wait(60), "nobody was asked")
        server.stop()


def main():
    with lib.Test() as t:
        up = Upstream(serve)
        plain, tls = t.free_ports(2)
        hashed = subprocess.run([lib.LINTEL, "hash-password", "--plaintext", "secret"], check=True,
                                capture_output=True, text=True).stdout.strip()
        routes = """
 respond /respond "here"
 redir /away /there
 respond /none 404
 basic_auth /secret {
  bob %s
 }
 forward_auth /denied 127.0.0.1:%d {
  uri /ask/no
 }
 forward_auth /allowed 127.0.0.1:%d {
  uri /ask/yes
 }
 forward_auth /asks-long 127.0.0.1:%d {
  uri /hangs
 }
 request_body /limited {
  max_size 10
 }
 reverse_proxy /dead 127.0.0.1:%d
 reverse_proxy /waits/* 127.0.0.1:%d {
  transport http {
   expect_continue_timeout 300ms
  }
 }
 reverse_proxy /waits-dead 127.0.0.1:%d {
  transport http {
   expect_continue_timeout 300ms
  }
 }
 reverse_proxy /dead-buffered 127.0.0.1:%d {
  request_buffers 1KB
 }
 reverse_proxy /buffered 127.0.0.1:%d {
  request_buffers 1KB
 }
 reverse_proxy 127.0.0.1:%d
""" % (hashed, up.port, up.port, up.port, refusing_port(), up.port, refusing_port(),
       refusing_port(), up.port, up.port)
        server = t.lintel("{\n auto_https disable_redirects\n grace_period 100ms\n}\n"
                          "http://localhost:%d {\n%s\n}\nhttps://localhost:%d {\n tls internal\n%s\n}\n"
                          % (plain, routes, tls, routes))
        ways = (lambda: connect(plain), lambda: connect_tls(tls, "localhost", tls_context()))
        for opened in ways:
            wanted(opened)
            not_wanted(opened)
            answers_in_between(opened)
            upstream_decides(opened, up)
            leaves(opened, up)
        old_clients(plain)
        stops(server, ways[0])
        up.stop()


each_client()
main()
