#!/usr/bin/env python3
"""After a rush of slow downloads the process gives its memory back."""

import os
import socket

import lib
from lib import check, check_eq, request, wait_for
from upstream import Upstream, sanitized

CLIENTS = 400
SIZE = 4 * 1024 * 1024


def serve(c):
    return c.reply(200, b"x" * SIZE)


def slow(port):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    s.settimeout(30)
    s.connect(("127.0.0.1", port))
    s.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    check_eq(b"H", s.recv(1), "an answer begins")
    return s


def main():
    with lib.Test() as t:
        if sanitized():
            raise lib.Skip("a sanitizer keeps what was freed")
        if os.confstr("CS_GNU_LIBC_VERSION") is None:
            raise lib.Skip("the C library is not asked to give memory back")
        up = Upstream(serve)
        port, = t.free_ports(1)
        server = t.lintel("{\n admin off\n workers 2\n}\nhttp://localhost:%d {\n"
                          " reverse_proxy 127.0.0.1:%d\n}\n" % (port, up.port))
        with lib.connect(port) as s:
            check_eq(SIZE, len(request(s).body))
        before = server.rss_kb()
        clients = [slow(port) for _ in range(CLIENTS)]
        most = server.rss_kb()
        for s in clients:
            s.close()
        if most - before < 8 * 1024:
            raise lib.Skip("nothing much was needed: %d KB, then %d KB" % (before, most))
        wait_for(60, lambda: server.rss_kb() - before < (most - before) / 4, "memory to come back")
        print("KB of memory before, at most, after:", before, most, server.rss_kb())
        with lib.connect(port) as s:
            check_eq(SIZE, len(request(s).body))
        check(server.alive())
        up.stop()


main()
