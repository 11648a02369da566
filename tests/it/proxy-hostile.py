#!/usr/bin/env python3
"""Upstreams that misbehave: for each way the exact status, or that the client sees the answer break
off; and nothing of it stays, neither in the next answer nor in the server.

    ROUNDS=10000 tests/it/proxy-hostile.py     so many further requests of all kinds; 400 by default
"""

import os
import random
import re
import socket
import struct
import threading

import lib
from lib import Reader, check, check_eq, connect, wait_for
from upstream import Upstream, sanitized

ROUNDS = int(os.environ.get("ROUNDS", "400"))
GROWTH_KB = 12 * 1024  # of the resident set, over all rounds
CUT = "cut"  # the head arrives, and the answer breaks off
OK = b"HTTP/1.1 200 OK\r\n"
LEN5 = OK + b"Content-Length: 5\r\n\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
BROKEN = (502, CUT)  # whether the head was sent on by then is a matter of time
CLOSE, RESET, HANG = "close", "reset", "hang"

# name: (what the upstream does, what the client sees: a status, some, or one for each client)
CASES = {
    "closes at once": ((CLOSE,), 502),
    "resets at once": ((RESET,), 502),
    "closes in the status line": ((b"HTTP/1.1 20", CLOSE), 502),
    "resets in the status line": ((b"HTTP/1.1 20", RESET), 502),
    "closes in a field": ((OK + b"Content-Le", CLOSE), 502),
    "closes before the empty line": ((OK + b"Content-Length: 5\r\n", CLOSE), 502),
    "closes after the head": ((LEN5, CLOSE), BROKEN),
    "closes in the body": ((LEN5 + b"abc", CLOSE), BROKEN),
    "resets in the body": ((LEN5 + b"abc", RESET), BROKEN),
    "closes in a chunk's size": ((CHUNKED + b"1", CLOSE), BROKEN),
    "closes in a chunk": ((CHUNKED + b"5\r\nabc", CLOSE), BROKEN),
    "closes after a chunk": ((CHUNKED + b"5\r\nabcde\r\n", CLOSE), BROKEN),
    "closes in the last chunk": ((CHUNKED + b"5\r\nabcde\r\n0\r\n", CLOSE), BROKEN),
    "speaks garbage": ((b"\x00\xff\x01garbage\r\n\r\n", CLOSE), 502),
    "speaks HTTP/0.9": ((b"<html>hello</html>", CLOSE), 502),
    "speaks TLS": ((b"\x15\x03\x01\x00\x02\x02\x28", CLOSE), 502),
    "speaks SMTP": ((b"220 mail.test ESMTP\r\n", CLOSE), 502),
    "speaks HTTP/2": ((b"\x00\x00\x00\x04\x00\x00\x00\x00\x00", CLOSE), 502),
    "of version 3": ((b"HTTP/3.0 200 OK\r\nContent-Length: 0\r\n\r\n", CLOSE), 502),
    "status 99": ((b"HTTP/1.1 99 No\r\nContent-Length: 0\r\n\r\n", CLOSE), 502),
    "status 000": ((b"HTTP/1.1 000 No\r\nContent-Length: 0\r\n\r\n", CLOSE), 502),
    "status in words": ((b"HTTP/1.1 OK 200\r\nContent-Length: 0\r\n\r\n", CLOSE), 502),
    "status with a sign": ((b"HTTP/1.1 +20 No\r\nContent-Length: 0\r\n\r\n", CLOSE), 502),
    "no reason": ((b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok",), 200),
    "space before a colon": ((OK + b"X : y\r\nContent-Length: 2\r\n\r\nok",), 200),
    "a folded field": ((OK + b"X: y\r\n z\r\nContent-Length: 2\r\n\r\nok", CLOSE), 502),
    "a folded line first": ((OK + b" X: y\r\nContent-Length: 2\r\n\r\nok", CLOSE), 502),
    "a field without a name": ((OK + b": y\r\nContent-Length: 2\r\n\r\nok",), 502),
    "a field without a colon": ((OK + b"nonsense\r\nContent-Length: 2\r\n\r\nok",), 502),
    "a NUL in a field": ((OK + b"X: a\0b\r\nContent-Length: 2\r\n\r\nok",), 502),
    "a CR in a field": ((OK + b"X: a\rb: c\r\nContent-Length: 2\r\n\r\nok",), 502),
    "an endless field": ((OK + b"X: " + b"a" * 200000,), 502),
    "endless fields": ((OK + b"X: y\r\n" * 20000,), 502),
    "lengths that differ": ((OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nokk",), 502),
    "a negative length": ((OK + b"Content-Length: -1\r\n\r\nok", CLOSE), 502),
    "a length in hexadecimal": ((OK + b"Content-Length: 0x2\r\n\r\nok", CLOSE), 502),
    "a length beyond all": ((OK + b"Content-Length: 99999999999999999999\r\n\r\nok", CLOSE), 502),
    "chunked and a length": (
        (OK + b"Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n0\r\n\r\n",), 502),
    "a length and chunked": (
        (OK + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",), 502),
    "chunked twice": ((OK + b"Transfer-Encoding: chunked\r\n" * 2 + b"\r\n0\r\n\r\n",), 502),
    "chunked by version 1.0": (
        (b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", CLOSE), 502),
    "the coding identity": (
        (OK + b"Transfer-Encoding: identity\r\nContent-Length: 2\r\n\r\nok", CLOSE), 502),
    "a space behind Transfer-Encoding": (  # libcurl does not heed it
        (OK + b"Transfer-Encoding : chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", CLOSE),
        {"direct": 200, "curl": 502}),
    "a space behind Content-Length": (
        (OK + b"Content-Length : 2\r\n\r\nokevil", CLOSE), {"direct": 200, "curl": 502}),
    "an unknown coding": ((OK + b"Transfer-Encoding: rot13\r\n\r\nbx", CLOSE), 502),
    "a chunk's size is no number": ((CHUNKED + b"xyz\r\n", CLOSE), BROKEN),
    "a chunk's size is too large": ((CHUNKED + b"fffffffffffffffff\r\n", CLOSE), BROKEN),
    "a chunk's size is negative": ((CHUNKED + b"-5\r\nabcde\r\n0\r\n\r\n", CLOSE), BROKEN),
    "a chunk is longer than said": ((CHUNKED + b"2\r\nabcde\r\n0\r\n\r\n", CLOSE), BROKEN),
    "a flood of 100": ((b"HTTP/1.1 100 Continue\r\n\r\n" * 5000, CLOSE), 502),
    "a flood of 103": ((b"HTTP/1.1 103 Early Hints\r\nX: y\r\n\r\n" * 5000, CLOSE), 502),
    "103, then the answer": (
        (b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + LEN5 + b"abcde",), 200),
    "101 that nobody asked for": (
        (b"HTTP/1.1 101 Go\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nhello", CLOSE), 502),
    "a 204 with a body": ((b"HTTP/1.1 204 No\r\nContent-Length: 5\r\n\r\nabcde", CLOSE), 204),
    "a 304 with a body": ((b"HTTP/1.1 304 Same\r\nContent-Length: 5\r\n\r\nabcde", CLOSE), 304),
    "more than its length": ((LEN5 + b"abcde" + LEN5 + b"evil!",), 200),
    "never answers": ((HANG,), 504),
    "stops in the head": ((OK + b"X: ", HANG), 504),
    "a body until the end": ((OK + b"\r\nabcde", CLOSE), 200),
    "half-closes after the answer": ((LEN5 + b"abcde", "half"), 200),
    "a byte at a time": (tuple(bytes([b]) for b in LEN5 + b"abcde"), 200),
    "bad fields for the client": (
        (OK + b"Connection: close, x-gone\r\nX-Gone: 1\r\nKeep-Alive: 5\r\nUpgrade: h9\r\n"
         b"Content-Length: 2\r\n\r\nok",), 200),
    "many cookies": ((OK + b"Set-Cookie: a=b\r\n" * 100 + b"Content-Length: 2\r\n\r\nok",), 200),
}
NAMES = list(CASES)


class Hostile:
    """The upstream: /N runs the case N, anything else is answered well."""

    def __init__(self):
        self.go, self.gone = threading.Event(), threading.Event()
        self.sock = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = self.sock.getsockname()[1]
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        while True:
            sock, _ = self.sock.accept()
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        try:
            while self._answer(sock):
                pass
        except OSError:
            pass
        finally:
            sock.close()

    @staticmethod
    def _head(sock):
        head = b""
        while b"\r\n\r\n" not in head:
            part = sock.recv(65536)
            if not part:
                return None
            head += part
        return head

    def _answer(self, sock):
        """False: the connection is over."""
        head = self._head(sock)
        if head and b" /late" in head.split(b"\r\n")[0]:
            sock.sendall(LEN5 + b"abcde")
            self.go.wait(60)
            sock.sendall(LEN5 + b"evil!")
            try:
                ended = not sock.recv(65536)
            except ConnectionResetError:
                ended = True
            if ended:
                self.gone.set()
            return False
        found = head and re.match(rb"\w+ /(\d+)", head)
        if not found:
            if head:
                sock.sendall(OK + b"Content-Length: 4\r\n\r\nfine")
            return bool(head)
        for what in CASES[NAMES[int(found.group(1))]][0]:
            if what == CLOSE:
                return False
            if what == RESET:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return False
            if what == HANG:
                while sock.recv(65536):
                    pass
                return False
            if what == "half":
                sock.shutdown(socket.SHUT_WR)
            else:
                sock.sendall(what)
        return True


def ask(port, target):
    """The status; CUT if the answer broke off after its head, None if there was none."""
    with connect(port) as s:
        s.sendall(b"GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n" % target.encode())
        reader = Counting(s)
        try:
            r = reader.response()
            while r.status < 200:
                r = reader.response()
        except (EOFError, OSError):
            return (CUT if reader.seen else None), None
        return r.status, r


class Counting(Reader):
    """Knows whether anything has come."""

    seen = False

    def _more(self):
        super()._more()
        self.seen = True


def is_fine(port):
    status, r = ask(port, "/fine")
    check_eq((200, b"fine"), (status, r and r.body))


def each(port, which):
    for number, name in enumerate(NAMES):
        expected = CASES[name][1]
        if isinstance(expected, dict):
            expected = expected[which]
        allowed = expected if isinstance(expected, tuple) else (expected,)
        status, r = ask(port, "/%d" % number)
        check(status in allowed, which, name, "expected", allowed, "got", status)
        if r is not None:
            for field in ("x-gone", "keep-alive", "upgrade"):
                check_eq(None, r.field(field), "%s: %s" % (name, field))
            check(b"evil" not in r.body, name, r.body)
        is_fine(port)


def unasked(port, up):
    """An answer that comes without a request is nobody's, and the connection is left."""
    up.go.clear()
    up.gone.clear()
    with connect(port) as s:
        reader = Reader(s)
        check_eq(b"abcde", lib.request(s, "/late", reader=reader).body)
        up.go.set()
        check(up.gone.wait(30), "the connection goes on")
        for _ in range(3):
            r = lib.request(s, "/fine", reader=reader)
            check_eq((200, b"fine"), (r.status, r.body))


def refuse(c):
    c.read_body()
    c.reply(403 if c.target == "/first" else 200)


def no_upstream_is_blamed(port):
    """A body that another upstream was given is gone: that is no failure of the second one."""
    with connect(port) as s:
        reader = Reader(s)
        for method, body, status in (("GET", b"", 200), ("POST", b"body", 502), ("GET", b"", 200)):
            r = lib.request(s, "/first", method=method, body=body, reader=reader)
            check_eq(status, r.status, method)


def descriptors(pid):
    return len(os.listdir("/proc/%d/fd" % pid))


def rounds(server, ports):
    """No connection and no memory is left behind."""
    names = [n for n in range(len(NAMES)) if HANG not in CASES[NAMES[n]][0]]
    dice = random.Random(7)
    for port in ports:
        is_fine(port)
    before, rss = descriptors(server.pid), server.rss_kb()

    def some(count, seed):
        mine = random.Random(seed)
        for _ in range(count):
            ask(mine.choice(ports), "/%d" % mine.choice(names))

    threads = [threading.Thread(target=some, args=(ROUNDS // 8, dice.random())) for _ in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for port in ports:
        is_fine(port)
    wait_for(60, lambda: descriptors(server.pid) <= before + 8, "connections to be closed")
    if not sanitized():
        check(server.rss_kb() - rss < GROWTH_KB, "memory grew by", server.rss_kb() - rss, "KB")


with lib.Test() as t:
    up = Hostile()
    *ports, two_port = t.free_ports(3)
    refusing = Upstream(refuse)
    conf = "{\n admin off\n auto_https off\n default_bind 127.0.0.1\n}\n"
    for port, client in zip(ports, ("direct", "curl")):
        conf += """http://:%d {
    reverse_proxy 127.0.0.1:%d {
        transport http {
            http_client %s
            response_header_timeout 1s
        }
    }
    handle_errors {
        header X-Why "{err.message}"
        respond "{err.status_code}"
    }
}
""" % (port, up.port, client)
    conf += """http://:%d {
    reverse_proxy 127.0.0.1:%d {
        @no status 403
        handle_response @no {
            rewrite * /second
            reverse_proxy 127.0.0.1:%d {
                fail_duration 1m
            }
        }
    }
}
""" % (two_port, refusing.port, refusing.port)
    server = t.lintel(conf)
    no_upstream_is_blamed(two_port)
    for port, client in zip(ports, ("direct", "curl")):
        each(port, client)
        unasked(port, up)
        status, r = ask(port, "/%d" % NAMES.index("speaks garbage"))
        check_eq(b"502", r.body)
        check(r.field("X-Why"), "no reason")
    check(b"upstream 127.0.0.1:%d: " % up.port in server.log(), "nothing in the log")
    rounds(server, ports)
    print("%d ways, %d rounds" % (len(CASES), ROUNDS))
