#!/usr/bin/env python3
"""How TLS records go out: a response's header in one segment with the beginning of its body, and all
bytes in their order when the socket is full at any place in them."""

import hashlib
import os
import socket
import ssl
import threading

import lib
from lib import check, check_eq, tls_context

SIZES = {"small": 1024, "page": 4096, "pages": 60 * 1024, "large": 300 * 1024}
# Requests one behind the other, with more in the answers than a socket holds. The small ones are
# for headers that find it nearly full.
ALL = [(method, name, 200) for name in SIZES for method in ("GET", "HEAD")] + [
    ("GET", "missing", 404), ("GET", "page", 304)]
RUNS = (ALL * 40, [("GET", "small", 200), ("GET", "page", 200)] * 1500)


def files(t):
    os.mkdir(t.path("www"))
    for name, size in SIZES.items():
        with open(t.path("www", name), "wb") as f:
            f.write(os.urandom(size))
        os.utime(t.path("www", name), (10**9, 10**9))


def content(t, name):
    with open(t.path("www", name), "rb") as f:
        return f.read()


class Records:
    """A TLS client that sees the records."""

    def __init__(self, port):
        self.sock = socket.create_connection(("127.0.0.1", port), 30)
        self.came, self.goes = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = tls_context().wrap_bio(self.came, self.goes, server_hostname="localhost")
        self.call(self.tls.do_handshake)

    def call(self, step):
        while True:
            try:
                return step()
            except ssl.SSLWantReadError:
                self.sock.sendall(self.goes.read())
                self.came.write(self.sock.recv(65536))
            finally:
                self.sock.sendall(self.goes.read())

    def ask(self, target):
        """The lengths of the records that came at once with the first."""
        self.tls.write(b"GET /%s HTTP/1.1\r\nHost: localhost\r\n\r\n" % target.encode())
        self.sock.sendall(self.goes.read())
        came, lengths = self.sock.recv(1 << 20), []
        self.came.write(came)
        while len(came) >= 5:
            lengths.append(int.from_bytes(came[3:5], "big"))
            came = came[5 + lengths[-1]:]
        return lengths

    def read(self, size):
        body = b""
        while len(body) < size:
            body += self.call(lambda: self.tls.read(65536))
        return body


def one_segment(t, port):
    r = Records(port)
    for name in ("small", "page", "pages", "large"):
        for _ in range(25):
            lengths = r.ask(name)
            check(len(lengths) > 1, "%s: the header came alone" % name, lengths)
            head, begun = r.read(1).split(b"\r\n\r\n", 1)
            check(head.startswith(b"HTTP/1.1 200"), head)
            body = begun + r.read(SIZES[name] - len(begun))
            check(body == content(t, name), "%s: other bytes" % name)


def tight_socket(port, version):
    """With a small window, so that the server's socket fills."""
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
    s.settimeout(30)
    s.connect(("127.0.0.1", port))
    return tls_context(version=version).wrap_socket(s, server_hostname="localhost")


def in_order(t, port, version, asked):
    with tight_socket(port, version) as s:
        etag = lib.request(s, "/page").field("ETag")
        text = "".join("%s /%s HTTP/1.1\r\nHost: localhost\r\n%s\r\n" % (
            method, name, "If-None-Match: %s\r\n" % etag if status == 304 else "")
            for method, name, status in asked)
        sender = threading.Thread(target=s.sendall, args=(text.encode(),))
        sender.start()
        reader = lib.Reader(s)
        digests = {name: hashlib.sha256(content(t, name)).digest() for name in SIZES}
        for method, name, status in asked:
            response = reader.response(head=method == "HEAD")
            check_eq(status, response.status, name)
            if method == "GET" and status == 200:
                check_eq(digests[name], hashlib.sha256(response.body).digest(), name)
        sender.join()


def main():
    with lib.Test() as t:
        port, http_port = t.free_ports(2)
        files(t)
        t.lintel("""{
            https_port %d
            http_port %d
        }
        localhost {
            root %s
            file_server
        }
        """ % (port, http_port, t.path("www")))
        one_segment(t, port)
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            for asked in RUNS:
                in_order(t, port, version, asked)


main()
