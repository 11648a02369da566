#!/usr/bin/env python3
"""WebSocket and other upgrades: tunnels both ways, plain and over TLS in front and behind, over
reloads, and their ends."""

import os
import select
import socket
import ssl
import threading

import lib
from lib import Reader, check, check_eq, connect, connect_tls, tls_context
from pki import Pki
from upstream import Upstream, rss_peak_kb, sanitized

ASK = ("GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive, Upgrade\r\nUpgrade: %s\r\n"
       "Sec-WebSocket-Key: a\r\n\r\n")
SIZE = 24 * 1024 * 1024
GROWTH_KB = 8 * 1024


class Peer:
    """Speaks what the path says, once it has agreed."""

    def __init__(self, tls=None):
        self.go_on = threading.Event()
        self.ended = threading.Event()
        self.asked = threading.Event()
        self.up = Upstream(self.serve, tls=tls)
        self.port = self.up.port

    def serve(self, c):
        c.read_body()
        upgrade = c.fields("Upgrade")
        if not upgrade or c.target == "/no":
            c.reply(200, c.head)
            return True
        check_eq((["Upgrade"], ["a"]), (c.fields("Connection"), c.fields("Sec-WebSocket-Key")))
        if c.target.startswith("/switch/"):
            upgrade = [c.target[8:].replace("+", ", ")]
        if c.target == "/later":
            self.asked.set()
            self.go_on.wait(60)
        c.send(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: %s\r\n"
               b"Sec-WebSocket-Accept: b\r\n\r\n" % upgrade[0].encode())
        self.talk(c)
        return False

    def talk(self, c):
        if c.target == "/first":
            c.send(b"first words")
        elif c.target == "/many":
            for _ in range(SIZE // 65536):
                c.send(b"m" * 65536)
        elif c.target == "/slow":
            self.go_on.wait(60)
        elif c.target == "/close":
            return
        elif c.target == "/cut":
            c.send(b"last words")
            c.sock.close()
        elif c.target == "/reply":
            data = c.rest
            while part := c.sock.recv(65536):
                data += part
            c.send(b"to " + data)
            return
        while True:
            part = c.rest or c.sock.recv(65536)
            c.rest = b""
            if not part:
                break
            c.send(part)
        self.ended.set()


def upgrade(s, target="/echo", protocol="websocket", more=b""):
    """Asks, with more sent at once; returns the answer's head, and what has come beyond it."""
    s.sendall((ASK % (target, protocol)).encode() + more)
    data = b""
    while b"\r\n\r\n" not in data:
        part = s.recv(4096)
        check(part, "closed in the head: %r" % data)
        data += part
    head, rest = data.split(b"\r\n\r\n", 1)
    return head.decode() + "\r\n", rest


def read(s, n, data=b""):
    while len(data) < n:
        part = s.recv(65536)
        check(part, "closed after %d of %d bytes" % (len(data), n))
        data += part
    return data


def exact_head(connecting):
    with connecting() as s:
        head, _ = upgrade(s)
        check(head.startswith("HTTP/1.1 101 Switching Protocols\r\n"), head)
        for line in ("Connection: Upgrade\r\n", "Upgrade: websocket\r\n",
                     "Sec-WebSocket-Accept: b\r\n"):
            check_eq(1, head.count(line), head)
        for name in ("Content-Length", "Transfer-Encoding", "Keep-Alive"):
            check(name not in head, head)


def early_words(plain, tls):
    """What is said before the answer arrives; over TLS, in a record of its own."""
    with plain() as s:
        _, rest = upgrade(s, more=b"early ")
        check_eq(b"early ", read(s, 6, rest))
    for connecting in (plain, tls):
        with connecting() as s:
            s.sendall((ASK % ("/echo", "x")).encode())
            s.sendall(b"early ")
            data = b""
            while not data.endswith(b"early "):
                data += read(s, 1)
            check(data.startswith(b"HTTP/1.1 101 "), data)


def echoes(connecting):
    with connecting() as s:
        upgrade(s)
        for n in (1, 125, 70000, 3):
            data = os.urandom(n)
            s.sendall(data)
            check_eq(data, read(s, n))
    with connecting() as s:
        _, rest = upgrade(s, "/first", "other/1.0")
        check_eq(b"first words", read(s, 11, rest))


def both_ends(connecting, peer):
    with connecting() as s:
        _, rest = upgrade(s, "/close")
        check_eq(b"", rest + s.recv(10))
    with connecting() as s:
        _, rest = upgrade(s, "/cut")
        check_eq(b"last words", rest + lib.read_all(s))
    peer.ended.clear()
    with connecting() as s:
        upgrade(s)
    check(peer.ended.wait(30), "the upstream does not learn that the client has gone")


def one_end_first(plain):
    """A client that has no more to say still hears."""
    with plain() as s:
        upgrade(s, "/reply")
        s.sendall(b"the last words")
        s.shutdown(socket.SHUT_WR)
        check_eq(b"to the last words", lib.read_all(s))


def is_refused(connecting):
    """An upstream that does not want to answers as usual, and the connection goes on."""
    with connecting() as s:
        reader = Reader(s)
        for _ in range(2):
            s.sendall((ASK % ("/no", "websocket")).encode())
            r = reader.response()
            check_eq(200, r.status)
            check(b"\r\nUpgrade: websocket\r\n" in r.body, r.body)


def hands_on_no_h2c(connecting):
    with connecting() as s:
        reader = Reader(s)
        for protocol in ("h2c", "websocket, H2C"):
            s.sendall((ASK % ("/echo", protocol)).encode())
            r = reader.response()
            check_eq(200, r.status)
            check(b"pgrade" not in r.body, r.body)
        s.sendall(b"POST /echo HTTP/1.1\r\nHost: localhost\r\nConnection: upgrade\r\n"
                  b"Upgrade: websocket\r\nContent-Length: 1\r\n\r\nx")
        check(b"pgrade" not in reader.response().body)
        s.sendall(b"GET /echo HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n\r\n")
        check(b"pgrade" not in reader.response().body)


def switches_to_what_was_asked_for(connecting):
    for protocol, asked in (("WebSocket", "websocket"), ("a", "b, a/1"), ("b+a", "a, b, c"),
                            ("a/1", "a/1")):
        with connecting() as s:
            head, _ = upgrade(s, "/switch/" + protocol, asked)
            check(head.startswith("HTTP/1.1 101 "), protocol, head)
            check("\r\nUpgrade: %s\r\n" % protocol.replace("+", ", ") in head, head)
    with connecting() as s:
        reader = Reader(s)
        for protocol in ("h2c", "websocket+h2c", "web", "websocket/2"):
            s.sendall((ASK % ("/switch/" + protocol, "websocket, a/1")).encode())
            check_eq(502, reader.response().status, protocol)


def some(call, arg):
    """What the call does to a socket that does not block; None if that is nothing now."""
    try:
        return call(arg)
    except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
        return None


def send_and_read(s, to_send, to_read):
    """Both at a time, in one thread: a TLS socket is not for two."""
    while to_send or to_read:
        sent = some(s.send, b"s" * min(to_send, 65536)) if to_send else None
        part = some(s.recv, 65536) if to_read else None
        check(part != b"", "closed with %d bytes to come" % to_read)
        to_send -= sent or 0
        to_read -= len(part or b"")
        if not sent and not part:
            select.select([s], [s] if to_send else [], [], 30)


def pushes_back(connecting, server, peer):
    """Neither side can fill the server's memory."""
    if sanitized():
        return
    before = rss_peak_kb(server.pid)
    with connecting() as s:
        _, rest = upgrade(s, "/many")
        check_eq(SIZE, len(read(s, SIZE, rest)))
    peer.go_on.clear()
    with connecting() as s:
        upgrade(s, "/slow")
        s.setblocking(False)
        sent = 0
        while sent < SIZE and select.select([], [s], [], 0.5)[1]:
            sent += some(s.send, b"s" * 65536) or 0
        check(sent < SIZE, "the client sends although nobody reads")
        peer.go_on.set()
        send_and_read(s, SIZE - sent, SIZE)
    check(rss_peak_kb(server.pid) - before < GROWTH_KB, "memory grew")


def survives_reloads(plain, tls, server, conf):
    streams = [plain(), tls()]
    for s in streams:
        upgrade(s)
    for i in range(3):
        server.reload(conf + "http://other%d.test {\n}\n" % i)
        for s in streams:
            s.sendall(b"still %d" % i)
            check_eq(b"still %d" % i, read(s, 7))
    for s in streams:
        s.close()
    server.reload(conf)


def ends_in_time(timeout_port, delay_port, server, conf, peer):
    with connect(timeout_port) as s:
        upgrade(s)
        check_eq(b"", s.recv(10))
    with connect(delay_port) as s:
        upgrade(s)
        s.sendall(b"there")
        check_eq(b"there", read(s, 5))
        server.reload(conf)
        check_eq(b"", s.recv(10))
    peer.go_on.clear()
    with connect(delay_port) as s:  # a stream that begins after the reload
        s.sendall((ASK % ("/later", "websocket")).encode())
        check(peer.asked.wait(30), "nothing is asked")
        server.reload(conf)
        peer.go_on.set()
        check(lib.read_all(s).startswith(b"HTTP/1.1 101 "))


def stops(server, plain, tls):
    """The end of the server is the end of its tunnels, after the time for requests under way."""
    streams = [plain(), tls()]
    for s in streams:
        upgrade(s)
    check_eq(0, server.stop())
    for s in streams:
        check_eq(b"", s.recv(10))
        s.close()


CONF = """{
    admin off
    auto_https disable_redirects
    default_bind 127.0.0.1
    grace_period 200ms
    skip_install_trust
}
"""


def site(address, upstream, *lines):
    return "%s {\n reverse_proxy %s {\n  %s\n }\n}\n" % (address, upstream, "\n  ".join(lines))


def all_of_it(t, peer, upstream, *lines):
    plain_port, tls_port, timeout_port, delay_port = t.free_ports(4)
    conf = CONF + "".join(site(address, upstream, more, *lines) for address, more in (
        ("http://:%d" % plain_port, ""),
        ("https://localhost:%d" % tls_port, ""),
        ("http://:%d" % timeout_port, "stream_timeout 100ms"),
        ("http://:%d" % delay_port, "stream_close_delay 50ms")))
    server = t.lintel(conf)
    context = tls_context()

    def plain():
        return connect(plain_port)

    def tls():
        return connect_tls(tls_port, "localhost", context)
    for connecting in (plain, tls):
        exact_head(connecting)
        echoes(connecting)
        both_ends(connecting, peer)
        is_refused(connecting)
        hands_on_no_h2c(connecting)
        switches_to_what_was_asked_for(connecting)
        pushes_back(connecting, server, peer)
    early_words(plain, tls)
    one_end_first(plain)
    survives_reloads(plain, tls, server, conf)
    ends_in_time(timeout_port, delay_port, server, conf, peer)
    stops(server, plain, tls)


def whom_it_trusts(t, pki):
    """A tunnel is as safe as any request: what is refused is 502, with the reason in the log."""
    context = pki.context()
    context.load_verify_locations(pki.root)
    context.verify_mode = ssl.CERT_REQUIRED
    picky, peer, nobody = Peer(context), Peer(pki.context()), Upstream(lambda c: None)
    plain, gone = Upstream(lambda c: None), Upstream(lambda c: None)
    plain.greeting, gone.greeting = b"HTTP/1.1 400 Bad Request\r\n\r\n", b""
    trust = "tls_trust_pool file " + pki.root
    rows = [  # the peer, what "transport http" says, the answer, the reason
        (peer, (trust,), 101, None),
        (peer, (), 502, b"signed by nobody who is trusted here"),
        (peer, ("tls_trust_pool file " + pki.other,), 502, b"signed by nobody who is trusted here"),
        (peer, (trust, "tls_server_name up.test"), 101, None),
        (peer, (trust, "tls_server_name wrong.test"), 502, b"for another name"),
        (peer, ("tls_insecure_skip_verify",), 101, None),
        (peer, (trust, "versions 1.1 2"), 101, None),
        (peer, (trust, "http_client curl"), 101, None),
        (picky, (trust, "tls_client_auth %s %s" % pki.client), 101, None),
        (picky, (trust,), 502, b"ertificate is required"),
        (plain, (trust,), 502, b"TLS: "),
        (gone, (trust,), 502, b"closed during the handshake"),
        (nobody, (trust, "tls_timeout 200ms", "dial_timeout 200ms"), 504, b"no connection in time"),
    ]
    ports = t.free_ports(len(rows))
    server = t.lintel(CONF + "".join(
        site("http://:%d" % port, "https://127.0.0.1:%d" % row[0].port, "transport http {",
             *row[1], "}") for port, row in zip(ports, rows)))
    for port, (_, lines, status, reason) in zip(ports, rows):
        with connect(port) as s:
            head, _ = upgrade(s)
            check(head.startswith("HTTP/1.1 %d " % status), (lines, head))
            if status == 101:
                s.sendall(b"there")
                check_eq(b"there", read(s, 5))
        if reason:
            server.wait_log(b"upstream https://127.0.0.1:\\d+: .*" + reason)
    for up in (picky.up, peer.up, nobody, plain, gone):
        up.stop()
    check_eq(0, server.stop())


with lib.Test() as t:
    pki = Pki(t)
    peer = Peer()
    all_of_it(t, peer, "127.0.0.1:%d" % peer.port)
    peer = Peer(pki.context())
    all_of_it(t, peer, "https://127.0.0.1:%d" % peer.port, "transport http {",
              "tls_trust_pool file " + pki.root, "}")
    whom_it_trusts(t, pki)
