#!/usr/bin/env python3
"""A certificate that lives half a minute is renewed while a client holds a connection and downloads
slowly: the download goes on to its end, the connection serves once more, new connections get the new
certificate."""

import hashlib
import os
import socket
import ssl
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lib  # noqa: E402

HOST = "a.example.com"
REQUEST = b"GET /big HTTP/1.1\r\nHost: a.example.com\r\n\r\n"
SIZE = 8000000


def read_head(f):
    status = f.readline()
    lib.check(status.startswith(b"HTTP/1.1 200 "), status)
    while f.readline() not in (b"\r\n", b""):
        pass


def main():
    with lib.Test() as t:
        http_port, https_port = t.free_ports(2)
        ca = t.pebble(http_port, https_port, validity_s=30)
        big = os.urandom(SIZE)
        t.write("site/big", big)
        server = t.lintel("{\n%s    default_bind 127.0.0.1\n}\n%s {\n    root %s\n    file_server\n}\n"
                          % (ca.globals, HOST, t.path("site")))
        server.wait_log(rb"certificate obtained", 60)
        trust = lib.tls_context(ca.root)

        def connect():
            try:
                return trust.wrap_socket(lib.connect(https_port), server_hostname=HOST)
            except ssl.SSLError:
                return None

        slow = lib.wait_for(10, connect, "the first certificate")
        first = slow.getpeercert(True)
        slow.settimeout(60)
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        slow.sendall(REQUEST)
        f = slow.makefile("rb", 4096)
        read_head(f)
        digest = hashlib.sha256(f.read(100000))

        server.wait_log(rb"certificate renewed", 60)

        def renewed():
            with connect() as c:
                return c.getpeercert(True) != first

        lib.wait_for(10, renewed, "the new certificate")
        digest.update(f.read(SIZE - 100000))
        lib.check_eq(hashlib.sha256(big).hexdigest(), digest.hexdigest(), "what was downloaded")
        slow.sendall(REQUEST)
        read_head(f)
        lib.check(f.read(SIZE) == big, "the second download over the old connection")
        server.stop()
        lib.check(b" error " not in server.log(), "errors in the log")


main()
