#!/usr/bin/env python3
"""encode before reverse_proxy: streams with and without a length, events that must arrive one by
one, streams that break off, clients that stop reading or go, and the memory of all that."""

import os
import socket
import threading
import zlib

import codings
import lib
from lib import Reader, check, check_eq, connect, connect_tls, request, wait_for
from upstream import Upstream, rss_peak_kb, sanitized

BLOCK = os.urandom(128 * 1024).hex().encode()  # halved by any coding, and longer than their windows
COUNT = 64  # of them in a large body: more than the kernel's buffers hold, encoded as well
GROWTH_KB = 96 * 1024  # 64 MiB for encoders, and buffers
MANY = 90


class State:
    go = threading.Semaphore(0)  # one more event, or piece
    lock = threading.Lock()
    gone = 0  # streams whose client went


def serve(c):
    kind = c.target.lstrip("/")
    fields = b"Content-Type: text/plain\r\nETag: \"v1\"\r\n"
    if kind == "encoded":
        c.reply(200, b"not really br" * 100, ["Content-Type: text/plain", "Content-Encoding: br"])
    elif kind == "condition":
        tags = c.fields("If-None-Match")
        c.reply(304 if tags == ['"v1"'] else 200, b"" if tags == ['"v1"'] else BLOCK,
                ['ETag: "v1"', "Content-Type: text/plain"])
    elif kind == "edit":
        c.reply(204 if c.fields("If-Match") == ['"v1"'] else 412, b"")
    elif kind == "short":
        c.reply(200, b"short", ["Content-Type: text/plain"])
    elif kind in ("length", "breaks"):
        c.send(b"HTTP/1.1 200 OK\r\n" + fields + b"Content-Length: %d\r\n\r\n" % (len(BLOCK) * 3))
        c.send(BLOCK * (3 if kind == "length" else 1))
        return kind == "length"
    else:
        if kind == "events":
            fields = b"Content-Type: text/event-stream\r\n"
        c.send(b"HTTP/1.1 200 OK\r\n" + fields + b"Transfer-Encoding: chunked\r\n\r\n")
        return chunks(c, kind)


def chunk(c, data):
    c.send(b"%x\r\n%s\r\n" % (len(data), data))


def chunks(c, kind):
    if kind in ("events", "pieces"):
        for i in range(5):
            if not State.go.acquire(timeout=60):
                return False
            chunk(c, b"data: event %d\n\n" % i)
    elif kind == "chunk-breaks":
        chunk(c, BLOCK)
        return False
    elif kind == "large":
        try:
            for _ in range(COUNT):
                chunk(c, BLOCK)
        except OSError:
            with State.lock:
                State.gone += 1
            return False
    c.send(b"0\r\n\r\n")


def ask(open_socket, target, accept, method="GET", **fields):
    with open_socket() as s:
        return request(s, target, method=method, fields=[("Accept-Encoding", accept)]
                       + [(k.replace("_", "-"), v) for k, v in fields.items()])


def whole(open_socket, names):
    for name in names:
        r = ask(open_socket, "/length", name)
        check_eq((name, 'W/"v1-%s"' % name), (r.field("Content-Encoding"), r.field("ETag")))
        if codings.readable(name):
            check(codings.decode(name, r.body) == BLOCK * 3, name, "with a length")
    r = ask(open_socket, "/encoded", names[0])
    check_eq(("br", b"not really br" * 100), (r.field("Content-Encoding"), r.body))
    check_eq(None, ask(open_socket, "/short", names[0]).field("Content-Encoding"))


def conditions(open_socket, names):
    r = ask(open_socket, "/condition", names[0])
    check_eq((200, names[0]), (r.status, r.field("Content-Encoding")))
    tag = r.field("ETag")
    r = ask(open_socket, "/condition", names[0], If_None_Match=tag)
    check_eq((304, tag, "Accept-Encoding"), (r.status, r.field("ETag"), r.field("Vary")))
    # Who has read it encoded may change it as well.
    for method, match, status in (("PUT", tag, 204), ("PUT", '"v1"', 204), ("PUT", '"v2"', 412),
                                  ("DELETE", tag, 204), ("GET", tag, 412)):
        r = ask(open_socket, "/edit", names[0], method, If_Match=match)
        check_eq(status, r.status, "%s if %s" % (method, match))


def broken(open_socket, names):
    """What the upstream did not end must not look as if it had an end."""
    for target in ("/breaks", "/chunk-breaks"):
        with open_socket() as s:
            s.sendall(b"GET %s HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: %s\r\n\r\n"
                      % (target.encode(), names[0].encode()))
            got = lib.read_all(s)
        check(b"200 OK" in got and not got.endswith(b"\r\n0\r\n\r\n"), target, got[-50:])


def one_by_one(open_socket, target):
    """Each piece can be read before the next one is sent."""
    with open_socket() as s:
        s.settimeout(60)
        s.sendall(b"GET %s HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip\r\n\r\n" % target)
        raw, inflater, text = b"", zlib.decompressobj(31), b""
        State.go.release()
        reader = Reader(s)
        while b"\r\n\r\n" not in reader.buffer:
            reader._more()
        head, reader.buffer = reader.buffer.split(b"\r\n\r\n", 1)
        check(b"Content-Encoding: gzip" in head, head)
        for i in range(5):
            want = b"".join(b"data: event %d\n\n" % j for j in range(i + 1))
            while text != want:
                check(want.startswith(text), "wrong text", text)
                size = int(reader._line(), 16)
                raw = reader._take(size)
                check_eq(b"\r\n", reader._take(2))
                text += inflater.decompress(raw)
            State.go.release() if i < 4 else None
        while not inflater.eof:
            size = int(reader._line(), 16)
            text += inflater.decompress(reader._take(size))
            reader._take(2)
        check_eq(want, text)


def large(open_socket):
    with open_socket() as s:
        r = request(s, "/large", fields=[("Accept-Encoding", "gzip")])
    d, got, twice = zlib.decompressobj(31), 0, BLOCK * 2
    for at in range(0, len(r.body), 65536):
        part = d.decompress(r.body[at:at + 65536])
        check(part == twice[got % len(BLOCK):][:len(part)], "wrong bytes")
        got += len(part)
    check(d.eof, "no end")
    check_eq(COUNT * len(BLOCK), got)


def stopped(plain, server, names):
    """Clients that read nothing: the upstream is stopped, too, and encoders have a limit, beyond
    which the content is sent as it is."""
    State.gone = 0
    socks, plain_ones = [], 0
    for i in range(MANY):
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        s.settimeout(60)
        s.connect(("127.0.0.1", plain))
        s.sendall(b"GET /large HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: %s\r\n\r\n"
                  % names[i % len(names)].encode())
        socks.append(s)
    for s in socks:
        head = s.recv(2000)
        check(b"200 OK" in head, head)
        plain_ones += b"Content-Encoding" not in head
    if not sanitized():
        check(rss_peak_kb(server.pid) - stopped.before < GROWTH_KB,
              "memory grew by %d KB" % (rss_peak_kb(server.pid) - stopped.before))
    check(plain_ones < MANY, "none was encoded")
    if len(names) == 3:
        check(plain_ones > 0, "the encoders of %d clients have no limit" % MANY)
    for s in socks:
        s.close()
    wait_for(60, lambda: State.gone == MANY, "the upstream's connections")
    # All is given back.
    r = ask(lambda: connect(plain), "/length", names[0])
    check_eq(names[0], r.field("Content-Encoding"))


def main():
    with lib.Test() as t:
        names = codings.built_in(t)
        up = Upstream(serve, backlog=256)
        plain, tls, http = t.free_ports(3)
        server = t.lintel("{\n http_port %d\n https_port %d\n local_certs\n workers 1\n}\n"
                          "http://localhost:%d, https://localhost:%d {\n"
                          " encode\n reverse_proxy 127.0.0.1:%d\n}\n"
                          % (http, tls, plain, tls, up.port))
        context = lib.tls_context()
        stopped.before = rss_peak_kb(server.pid)
        for open_socket in (lambda: connect(plain), lambda: connect_tls(tls, "localhost", context)):
            for test in (whole, conditions, broken):
                test(open_socket, names)
            if "gzip" in names:
                one_by_one(open_socket, b"/events")
                one_by_one(open_socket, b"/pieces")
                large(open_socket)
        stopped(plain, server, names)
        up.stop()


main()
