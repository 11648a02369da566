#!/usr/bin/env python3
"""What an upstream sends reaches the client though nothing more comes: byte by byte, in chunks, with
a length, until the close and as events; plain, over TLS, compressed, and compressed over TLS."""

import threading
import zlib

import lib
from lib import check, check_eq, connect, connect_tls, tls_context
from upstream import Upstream, each_client

WORD = b"flushed"
KINDS = {  # what each is sent as
    "/chunked": b"Content-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n",
    "/events": b"Content-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n",
    "/close": b"Content-Type: text/plain\r\n\r\n",
    "/length": b"Content-Type: text/plain\r\nContent-Length: 100000\r\n\r\n",
    "/event-length": b"Content-Type: text/event-stream\r\nContent-Length: 100000\r\n\r\n",
}


class Script:
    go = None  # a semaphore for each request: one more byte


def serve(c):
    go = Script.go
    c.send(b"HTTP/1.1 200 OK\r\n" + KINDS[c.target])
    for byte in WORD:
        c.send(b"1\r\n%c\r\n" % byte if b"chunked" in KINDS[c.target] else b"%c" % byte)
        if not go.acquire(timeout=60):
            break
    return False


class Content:
    """The content as far as it has come: without chunks and coding."""

    def __init__(self, sock):
        self.sock = sock
        self.rest = b""
        self.content = b""
        while b"\r\n\r\n" not in self.rest:
            self._more()
        head, self.rest = self.rest.split(b"\r\n\r\n", 1)
        check(head.startswith(b"HTTP/1.1 200 "), head)
        self.chunked = b"transfer-encoding: chunked" in head.lower()
        self.coded = b"content-encoding: gzip" in head.lower()
        self.decoder = zlib.decompressobj(31)

    def _more(self):
        part = self.sock.recv(65536)
        check(part, "closed after", self.rest)
        self.rest += part

    def _piece(self):
        if not self.chunked:
            while not self.rest:
                self._more()
            piece, self.rest = self.rest, b""
            return piece
        while b"\r\n" not in self.rest:
            self._more()
        line, self.rest = self.rest.split(b"\r\n", 1)
        size = int(line, 16)
        while len(self.rest) < size + 2:
            self._more()
        piece, self.rest = self.rest[:size], self.rest[size + 2:]
        return piece

    def read(self, count):
        while len(self.content) < count:
            piece = self._piece()
            self.content += self.decoder.decompress(piece) if self.coded else piece
        return self.content


def byte_by_byte(s, kind, coded):
    Script.go = threading.Semaphore(0)
    s.sendall(b"GET %s HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip\r\n\r\n" % kind.encode())
    content = Content(s)
    check_eq(coded, content.coded, kind)
    for n in range(1, len(WORD) + 1):
        check_eq(WORD[:n], content.read(n), kind)
        Script.go.release()


def main():
    with lib.Test() as t:
        up = Upstream(serve)
        ports = t.free_ports(5)
        proxy = " reverse_proxy 127.0.0.1:%d" % up.port
        at_once = proxy + " {\n  flush_interval -1\n }"
        secure = " tls internal\n"
        sites = ["http", proxy], ["https", secure + proxy], ["http", " encode gzip\n" + proxy], \
            ["http", " encode gzip\n" + at_once], ["https", secure + " encode gzip\n" + at_once]
        t.lintel("{\n auto_https disable_redirects\n}\n" + "".join(
            "%s://localhost:%d {\n%s\n}\n" % (scheme, port, lines)
            for port, (scheme, lines) in zip(ports, sites)))
        for port, (scheme, lines) in zip(ports, sites):
            coded = "encode" in lines
            for kind in KINDS:
                if kind == "/length" and coded and "flush" not in lines:
                    continue  # is not meant to
                tls = scheme == "https"
                with connect_tls(port, "localhost", tls_context()) if tls else connect(port) as s:
                    byte_by_byte(s, kind, coded)
        up.stop()


each_client()
main()
