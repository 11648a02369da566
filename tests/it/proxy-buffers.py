#!/usr/bin/env python3
"""The memory for bodies that proxies hold is bounded in all: when it is used up, a request that is to
be buffered is answered 503 with Retry-After, an answer is sent on as it comes, and what cannot be kept
for a repetition is not repeated; as soon as others have gone, all is as before."""

import select
import threading

import lib
from lib import Reader, check, check_eq, connect, wait_for
from upstream import Upstream, each_client

KB = 1024
HEAD = b"POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n"


class Upload:
    """All of a body but its last byte."""

    def __init__(self, port, size, target=b"/up"):
        self.sock = connect(port)
        self.sock.sendall(HEAD % (target, size) + b"x" * (size - 1))

    def finish(self):
        self.sock.sendall(b"x")
        return self.answer()

    def answer(self):
        r = Reader(self.sock).response()
        self.sock.close()
        return r


def is_read(port):
    """Whether nothing waits in the kernel for the server at that port, or is on its way to it."""
    with open("/proc/net/tcp") as f:
        rows = [line.split() for line in f.readlines()[1:]]
    with open("/proc/net/tcp6") as f:
        rows += [line.split() for line in f.readlines()[1:]]
    here = ":%04X" % port
    return not any(row[1].endswith(here) and row[3] == "01" and not row[4].endswith(":00000000") or
                   row[2].endswith(here) and not row[4].startswith("00000000:") for row in rows)


go = threading.Event()


def serve(c):
    if c.target == "/down":
        c.send(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab")
        go.wait(60)
        c.send(b"cde")
        return True
    return c.reply(200, b"%d" % len(c.read_body()))


def main():
    with lib.Test() as t:
        up = Upstream(serve)
        port, = t.free_ports(1)
        t.lintel("""
{
    admin off
    auto_https off
    workers 1
    servers {
        proxy_buffers 200KiB
    }
}
http://:%d {
    reverse_proxy 127.0.0.1:%d {
        request_buffers 100KiB
        response_buffers 64KiB
    }
}
""" % (port, up.port))
        check_eq(b"100", Upload(port, 100).finish().body)
        # Two have it all.
        uploads = [Upload(port, 100 * KB) for _ in range(2)]
        wait_for(30, lambda: is_read(port), "the server to read them")
        for _ in range(3):
            r = Upload(port, 8 * KB).finish()
            check_eq(503, r.status)
            check_eq("1", r.field("Retry-After"))
        with connect(port) as s:
            s.sendall(b"GET /down HTTP/1.1\r\nHost: localhost\r\n\r\n")
            reader = Reader(s)
            while not reader.buffer.endswith(b"\r\n\r\nab"):  # as it comes
                part = s.recv(1000)
                check(part, "closed after", reader.buffer)
                reader.buffer += part
            go.set()
            check_eq(b"abcde", reader.response().body)
        for u in uploads:
            check_eq(b"%d" % (100 * KB), u.finish().body)

        # All as before: an answer is held back, and there is room for a request.
        check_eq(b"%d" % (100 * KB), Upload(port, 100 * KB).finish().body)
        go.clear()
        with connect(port) as s:
            s.sendall(b"GET /down HTTP/1.1\r\nHost: localhost\r\n\r\n")
            check_eq(([], [], []), select.select([s], [], [], 0.3), "before all has come")
            go.set()
            check_eq(b"abcde", Reader(s).response().body)

        # Short answers, of a length that is known, take no more than that.
        go.clear()
        seen, streams = len(up.requests), [connect(port) for _ in range(4)]
        for s in streams:
            s.sendall(b"GET /down HTTP/1.1\r\nHost: localhost\r\n\r\n")
        wait_for(30, lambda: len(up.requests) == seen + 4, "four requests")
        check_eq(b"%d" % (100 * KB), Upload(port, 100 * KB).finish().body)
        check_eq(([], [], []), select.select(streams, [], [], 0.3), "before all has come")
        go.set()
        for s in streams:
            check_eq(b"abcde", Reader(s).response().body)
            s.close()


each_client()
main()
