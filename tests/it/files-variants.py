#!/usr/bin/env python3
"""Fields of small files that hold what a client has sent: what is kept ready with a file does not grow
by them, and each client gets its own."""

import lib
from lib import Reader, check, check_eq, connect, request
from upstream import sanitized

FILES = 500

CONF = """
{
    admin off
    auto_https off
    workers 1
}
http://:%d {
    root %s
    header Access-Control-Allow-Origin {header.Origin}
    file_server
}
"""


def ask_all(sock, reader, size):
    for letter in "abcd":
        for i in range(FILES):
            for more, status in ((), 200), ((("If-None-Match", "*"),), 304):
                origin = letter * size
                r = request(sock, "/%d.txt" % i, fields=[("Origin", origin), *more], reader=reader)
                check_eq(status, r.status, "status")
                check_eq([origin], r.fields["access-control-allow-origin"], "the client's own")
                check_eq(b"x" * 10 if status == 200 else b"", r.body, "body")
                check_eq("10", r.field("Content-Length"), "length")


def main(test):
    for i in range(FILES):
        test.write("www/%d.txt" % i, "x" * 10)
    port = test.free_port()
    server = test.lintel(CONF % (port, test.path("www")))
    with connect(port) as sock:
        reader = Reader(sock)
        ask_all(sock, reader, 20)
        before = server.rss_kb()
        ask_all(sock, reader, 6000)
        grown = server.rss_kb() - before
        check(sanitized() or grown < 4096, "memory: %d kB more" % grown)


if __name__ == "__main__":
    with lib.Test() as t:
        main(t)
