#!/usr/bin/env python3
"""reverse_proxy with large bodies: streamed both ways, memory bounded, each side slowed by the
other, and taken along when it goes.

  SIZE_MB=1000 tests/it/proxy-stream.py    bodies of that size; 100 by default
"""

import os
import threading
import time

import lib
from lib import Reader, check, check_eq, connect, wait_for
from upstream import Upstream, each_client, rss_peak_kb, sanitized

SIZE = int(os.environ.get("SIZE_MB", "100")) * 1000 * 1000
BLOCK = bytes(range(256)) * 256
GROWTH_KB = 1024  # what a body may cost in memory, buffers and a library's first use included


class State:
    sent = 0          # bytes the upstream could send
    received = 0      # bytes of request bodies the upstream read
    go = threading.Event()
    broken = threading.Event()


def send_many(c, chunked):
    sent = 0  # of this response: the one before may still be about to count its last block
    try:
        while sent < SIZE:
            n = min(len(BLOCK), SIZE - sent)
            c.send((b"%x\r\n" % n + BLOCK[:n] + b"\r\n") if chunked else BLOCK[:n])
            sent += n
            State.sent = sent
        if chunked:
            c.send(b"0\r\n\r\n")
    except OSError:
        State.broken.set()
        return False


def serve(c):
    if c.target == "/down":
        c.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % SIZE)
        return send_many(c, False)
    if c.target == "/down-chunked":
        c.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        return send_many(c, True)
    if c.target == "/lazy":   # reads nothing until told
        State.go.wait(600)

    def sink(part):
        State.received += len(part)

    try:
        c.read_body(sink)
    except (EOFError, OSError):
        State.broken.set()
        raise
    c.reply(200, b"%d" % State.received)


def reset():
    State.sent = State.received = 0
    State.go.clear()
    State.broken.clear()


def settled(value, seconds=0.4):
    """Waits until value() has not changed for a while; returns it."""
    last, since = value(), time.monotonic()
    while time.monotonic() - since < seconds:
        time.sleep(0.02)
        if value() != last:
            last, since = value(), time.monotonic()
    return last


def read_body(s, size, chunked):
    """Reads a whole response and compares its bytes; returns the count."""
    s.settimeout(600)
    data = b""
    while b"\r\n\r\n" not in data:
        data += s.recv(65536)
    head, data = data.split(b"\r\n\r\n", 1)
    check(head.startswith(b"HTTP/1.1 200"), head)
    check_eq(chunked, b"chunked" in head.lower())
    got = 0
    if not chunked:
        check(b"Content-Length: %d" % size in head, head)
        data = data or s.recv(262144)
        while data:
            at = got % 256
            check(data == (BLOCK * (len(data) // len(BLOCK) + 2))[at:at + len(data)], "wrong bytes")
            got += len(data)
            data = s.recv(262144) if got < size else b""
        return got
    f = s.makefile("rb", 1 << 18)
    f = _Joined(data, f)
    while True:
        n = int(f.readline(), 16)
        if n == 0:
            check_eq(b"\r\n", f.readline())
            return got
        got += len(f.read(n))
        check_eq(b"\r\n", f.read(2))


class _Joined:
    def __init__(self, first, f):
        self.first, self.f = first, f

    def read(self, n):
        part, self.first = self.first[:n], self.first[n:]
        return part + self.f.read(n - len(part)) if len(part) < n else part

    def readline(self):
        line = b""
        while not line.endswith(b"\n"):
            line += self.read(1)
        return line


def downloads(connect_to, server):
    for path, chunked in (("/down", False), ("/down-chunked", True)):
        reset()
        with connect_to() as s:
            s.sendall(b"GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n" % path.encode())
            stuck = settled(lambda: State.sent)  # a client that is slow to begin with
            check(stuck < SIZE // 2, "the upstream was not slowed: %d" % stuck)
            check_eq(SIZE, read_body(s, SIZE, chunked))


def uploads(connect_to, server):
    for chunked in (False, True):
        reset()
        with connect_to() as s:
            s.sendall(b"POST /up HTTP/1.1\r\nHost: localhost\r\n" + (
                b"Transfer-Encoding: chunked\r\n\r\n" if chunked
                else b"Content-Length: %d\r\n\r\n" % SIZE))
            left = SIZE
            while left > 0:
                n = min(len(BLOCK), left)
                s.sendall((b"%x\r\n" % n + BLOCK[:n] + b"\r\n") if chunked else BLOCK[:n])
                left -= n
            if chunked:
                s.sendall(b"0\r\n\r\n")
            check_eq(b"%d" % SIZE, Reader(s).response().body)


def slow_client(connect_to, up):
    reset()
    with connect_to() as s:
        s.sendall(b"GET /down HTTP/1.1\r\nHost: localhost\r\n\r\n")
        check(s.recv(1000), "nothing came")
        stuck = settled(lambda: State.sent)
        check(stuck < SIZE // 2, "the upstream was not slowed: %d" % stuck)
        closed = up.closed
    # The client has gone in the middle: the upstream's connection goes too.
    wait_for(20, lambda: State.broken.is_set() and up.closed > closed, "the upstream's connection")


def slow_upstream(connect_to):
    reset()
    with connect_to() as s:
        s.sendall(b"POST /lazy HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % SIZE)
        sent = [0]

        def push():
            while sent[0] < SIZE:
                n = min(len(BLOCK), SIZE - sent[0])
                s.sendall(BLOCK[:n])
                sent[0] += n

        pusher = threading.Thread(target=push, daemon=True)
        pusher.start()
        stuck = settled(lambda: sent[0])
        check(stuck < SIZE // 2, "the client was not slowed: %d" % stuck)
        State.go.set()
        pusher.join(600)
        check_eq(b"%d" % SIZE, Reader(s).response().body)


def client_goes_in_its_body(connect_to, up):
    reset()
    closed = up.closed
    with connect_to() as s:
        s.sendall(b"POST /up HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nabc")
        wait_for(20, lambda: State.received == 3, "the body's beginning")
    wait_for(20, lambda: State.broken.is_set() and up.closed > closed, "the upstream's connection")


def bounded(server, move):
    """Moves bodies; what that costs in memory must not depend on their length."""
    with open("/proc/%d/clear_refs" % server.pid, "w") as f:
        f.write("5")  # the peak begins anew
    before = rss_peak_kb(server.pid)
    move()
    grown = rss_peak_kb(server.pid) - before
    if not sanitized():
        check(grown < GROWTH_KB, "memory grew by %d KB" % grown)


def main():
    with lib.Test() as t:
        up = Upstream(serve)
        plain, tls, http = t.free_ports(3)
        server = t.lintel("{\n http_port %d\n https_port %d\n local_certs\n}\n"
                          "http://localhost:%d, https://localhost:%d {\n"
                          " reverse_proxy 127.0.0.1:%d\n}\n" % (http, tls, plain, tls, up.port))
        context = lib.tls_context()

        def over_tls():
            return lib.connect_tls(tls, "localhost", context)

        def over_plain():
            return connect(plain)

        for connect_to in (over_plain, over_tls):
            with connect_to() as s:
                check_eq(200, lib.request(s).status)
        for connect_to in (over_plain, over_tls):
            bounded(server, lambda: downloads(connect_to, server))
            bounded(server, lambda: uploads(connect_to, server))
            bounded(server, lambda: slow_client(connect_to, up))
            bounded(server, lambda: slow_upstream(connect_to))
            client_goes_in_its_body(connect_to, up)
        up.stop()


each_client()
main()
