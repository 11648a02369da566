#!/usr/bin/env python3
"""Answers that are known in the middle of a request's body: they reach the client at once, who may
go on sending or not, and need not be looking."""

import threading
import time

import lib
from lib import Reader, check, check_eq, connect, connect_tls, tls_context
from upstream import Upstream, each_client

MB = 1 << 20
LARGE = b"x" * 100000


class Script:
    go = threading.Event()


def serve(c):
    if c.target == "/dies":
        Script.go.wait(60)
        Script.go.clear()
        return False
    if c.target == "/no-body":
        c.send(b"HTTP/1.1 403 Forbidden\r\nX-Why: a\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    elif c.target == "/large-answer":
        c.send(b"HTTP/1.1 403 Forbidden\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(LARGE)
               + LARGE)
    elif c.target == "/no":
        c.send(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno")
    else:
        c.read_body()
        return c.reply(200, b"%d" % len(c.body))
    while c.sock.recv(65536):  # a close with bytes unread would reset it
        pass
    return False


def begin(s, path, framing, first):
    s.sendall(b"POST %s HTTP/1.1\r\nHost: localhost\r\n%s\r\n\r\n" % (path, framing) + first)


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


def ends(s):
    """With the answer or soon after, however it ends."""
    try:
        return s.recv(1) == b""
    except ConnectionResetError:
        return True


def at_once(opened):
    """Though the body does not go on."""
    for path, status, body in ((b"/no", 403, b"no"), (b"/no-body", 403, b""),
                               (b"/limited", 413, b"too large")):
        for framing in (b"Content-Length: %d" % (50 * MB), b"Transfer-Encoding: chunked"):
            if path == b"/limited" and b"Length" in framing:
                continue  # refused by its length
            with opened() as s:
                first = b"x" * 3000
                begin(s, path, framing, first if b"Length" in framing else chunk(first))
                r = Reader(s).response()
                check_eq((status, body, "close", str(len(body))),
                         (r.status, r.body, r.field("Connection"), r.field("Content-Length")), path)
                check(r.field("Date") and r.field("Server"), r.fields)


def after_continue(opened):
    """The client was asked for its body, and nobody is left to take it."""
    with opened() as s:
        reader = Reader(s)
        begin(s, b"/dies", b"Expect: 100-continue\r\nContent-Length: %d" % (50 * MB), b"")
        check_eq(100, reader.response().status)
        Script.go.set()
        try:
            for _ in range(20):  # none of them has to be the one that is answered
                s.sendall(b"x" * 3000)
                time.sleep(0.01)
        except OSError:
            pass
        r = reader.response()
        check_eq((502, "close"), (r.status, r.field("Connection")))


def ends_with_the_body(opened):
    """A client that goes on sending, and reads then, loses nothing."""
    with opened() as s:
        begin(s, b"/no", b"Content-Length: %d" % (8 * MB), b"x" * (8 * MB))
        r = Reader(s).response()
        check_eq((403, b"no"), (r.status, r.body))  # perhaps after the body, and then it is kept
        check(r.field("Connection") is None or ends(s), "the connection is kept")
    with opened() as s:
        begin(s, b"/limited", b"Transfer-Encoding: chunked", chunk(b"x" * MB) * 8 + b"0\r\n\r\n"
              + b"GET /again HTTP/1.1\r\nHost: localhost\r\n\r\n")
        r = Reader(s).response()
        check_eq((413, "close"), (r.status, r.field("Connection")))
        check(ends(s), "what follows is answered")


def has_an_end(opened):
    """One that would go on for ever is not listened to, however fast it sends."""
    with opened() as s:
        begin(s, b"/no", b"Content-Length: %d" % (1000 * 1000 * MB), b"")
        sent = 0
        try:
            while sent < 100 * MB:
                s.sendall(b"x" * MB)
                sent += MB
        except OSError:
            pass
        check(sent < 100 * MB, sent)


def keeps_the_connection(opened):
    """Where the rest is short."""
    with opened() as s:
        reader = Reader(s)
        for _ in range(3):
            begin(s, b"/no", b"Content-Length: 10000", b"x" * 3000)
            s.sendall(b"x" * 7000)
            r = reader.response()
            check_eq((403, b"no", None), (r.status, r.body, r.field("Connection")))
        begin(s, b"/", b"Content-Length: 3", b"abc")
        check_eq((200, b"3"), (lambda r: (r.status, r.body))(reader.response()))


def waits(opened):
    """Too much to go out at once: after the body."""
    with opened() as s:
        begin(s, b"/large-answer", b"Content-Length: %d" % MB, b"x" * MB)
        r = Reader(s).response()
        check_eq((403, LARGE), (r.status, r.body))


def main():
    with lib.Test() as t:
        up = Upstream(serve)
        plain, tls = t.free_ports(2)
        site = """
 request_body /limited {
  max_size 1000
 }
 reverse_proxy 127.0.0.1:%d
 handle_errors {
  respond "too large"
 }
""" % up.port
        t.lintel("{\n auto_https disable_redirects\n}\nhttp://localhost:%d {\n%s\n}\n"
                 "https://localhost:%d {\n tls internal\n%s\n}\n" % (plain, site, tls, site))
        for opened in (lambda: connect(plain), lambda: connect_tls(tls, "localhost", tls_context())):
            at_once(opened)
            after_continue(opened)
            ends_with_the_body(opened)
            has_an_end(opened)
            keeps_the_connection(opened)
            waits(opened)
        up.stop()


each_client()
main()
