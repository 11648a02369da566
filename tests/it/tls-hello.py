#!/usr/bin/env python3
"""The front door for TLS: hellos in pieces, hellos that cannot succeed (which alert, which line in
the log), hostile ones, and floods of connections that never say anything."""

import os
import random
import resource
import socket
import ssl
import time

import lib
from lib import check, check_eq, connect, connect_tls, read_all, request, tls_context, wait_for

HANDSHAKE, ALERT = 22, 21
DECODE_ERROR, PROTOCOL_VERSION, INTERNAL_ERROR = 50, 70, 80
UNRECOGNIZED_NAME, NO_APPLICATION_PROTOCOL = 112, 120

CONF = """{
	http_port %(http)d
	https_port %(https)d
	acme_ca https://127.0.0.1:1/directory
}
first.localhost {
	respond first
}
second.localhost {
	respond second
	tls {
		protocols tls1.3
	}
}
127.0.0.2 {
	respond address
}
*.wild.localhost {
	tls internal
	respond wild
}
waiting.example {
	respond never
}
http://localhost:%(plain)d {
	respond plain
}
"""


def hello(name, **knobs):
    """The bytes that a client of OpenSSL begins with."""
    out = ssl.MemoryBIO()
    client = tls_context(**knobs).wrap_bio(ssl.MemoryBIO(), out, server_hostname=name)
    try:
        client.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return out.read()


def captured(name):
    with open(os.path.join(lib.TOP_SRCDIR, "tests/fuzz/corpus/client_hello", name), "rb") as f:
        return f.read()


def records(data, size):
    """The same hello in records of at most size bytes."""
    message = b""
    while data:
        length = int.from_bytes(data[3:5], "big")
        message += data[5:5 + length]
        data = data[5 + length:]
    pieces = [message[i:i + size] for i in range(0, len(message), size)]
    return b"".join(b"\x16\x03\x01" + len(p).to_bytes(2, "big") + p for p in pieces)


def answer(port, data, end=False):
    """What comes back until the server closes, or the first record if it goes on."""
    with connect(port) as s:
        try:
            s.sendall(data)
            if end:
                s.shutdown(socket.SHUT_WR)
            first = s.recv(5)
        except (ConnectionResetError, BrokenPipeError):
            return b""
        if first[:1] == bytes([HANDSHAKE]):
            return first
        return first + read_all(s)


def alert(number):
    return bytes([ALERT, 3, 3, 0, 2, 2, number])


def in_pieces(port):
    """A hello cut anywhere, in TCP segments and in TLS records, is a hello."""
    data = hello("first.localhost")
    for cut in [1, 2, 4, 5, 6, 9, 10, 43, 44, len(data) // 2, len(data) - 1]:
        with connect(port) as s:
            s.sendall(data[:cut])
            time.sleep(0.01)  # so that it arrives alone, mostly; the result is the same
            s.sendall(data[cut:])
            check_eq(bytes([HANDSHAKE]), s.recv(1), "cut at %d" % cut)
    with connect(port) as s:
        for i in range(len(data)):
            s.sendall(data[i:i + 1])
        check_eq(bytes([HANDSHAKE]), s.recv(1), "byte by byte")
    for size in (1000, 100, 40):
        check_eq(HANDSHAKE, answer(port, records(data, size))[0], "records of %d" % size)


def that_cannot_succeed(t, server, port):
    def refused(data, number, line):
        before = len(server.log())
        check_eq(alert(number), answer(port, data), line)
        wait_for(30, lambda: lib.re.search(line, server.log()[before:]), line)

    refused(hello("frist.localhost"), UNRECOGNIZED_NAME,
            rb'handshake for "frist.localhost" refused: there is no site of that name here '
            rb"\(nearest: first.localhost\) \(offered TLS 1.\d to 1.3, ALPN http/1.1\)")
    refused(hello("a.b.wild.localhost"), UNRECOGNIZED_NAME, rb'"a.b.wild.localhost" refused')
    refused(hello("first.localhost", alpn=["h2"]), NO_APPLICATION_PROTOCOL,
            rb"no common protocol, the site speaks http/1.1 \(offered .*, ALPN h2\)")
    refused(hello("first.localhost", alpn=["imap"]), NO_APPLICATION_PROTOCOL, rb"ALPN other")
    refused(hello("first.localhost", alpn=["acme-tls/1"]), UNRECOGNIZED_NAME,
            rb"no tls-alpn-01 challenge is open for that name")
    refused(captured("openssl-tls11"), PROTOCOL_VERSION,
            rb"no common version, the site speaks TLS 1.2 and TLS 1.3 \(offered TLS 1.1\)")
    refused(hello("second.localhost", version=ssl.TLSVersion.TLSv1_2), PROTOCOL_VERSION,
            rb"no common version, the site speaks TLS 1.3 \(offered TLS 1.2")
    refused(hello("waiting.example"), INTERNAL_ERROR,
            rb'warn  tls: .*"waiting.example" refused: there is no certificate for '
            rb"waiting.example yet: .*Connection refused")
    check_eq(HANDSHAKE, answer(port, hello("first.localhost", alpn=["h2", "http/1.1"]))[0], "h2")
    for name, site in (("FIRST.localhost", b"first"), ("second.localhost", b"second"),
                       ("x.wild.localhost", b"wild")):
        with connect_tls(port, name, tls_context(t.local_root)) as s:
            check_eq(site, request(s, host=name).body)


def without_a_name(t, port):
    """By the address it came to; else the first site."""
    def names(address):
        context = tls_context(t.local_root)
        context.check_hostname = False
        with connect(port, host=address) as sock, context.wrap_socket(sock) as s:
            return [value for _, value in s.getpeercert()["subjectAltName"]]

    check_eq(["127.0.0.2"], names("127.0.0.2"))
    check_eq(["first.localhost"], names("127.0.0.1"))


def hostile(server, port):
    data = hello("first.localhost")
    spin = random.Random(1)

    def alive():
        check(server.alive(), "the server has ended")
        check_eq(HANDSHAKE, answer(port, data)[0])

    reply = answer(port, b"GET / HTTP/1.1\r\nHost: first.localhost\r\n\r\n")
    check(reply.startswith(b"HTTP/1.1 400 "), reply)
    check(b"\r\nConnection: close\r\n" in reply and b"https://" in reply, reply)
    head, body = reply.split(b"\r\n\r\n", 1)
    check(b"Content-Length: %d" % len(body) in head, reply)
    check_eq(b"", answer(port, b"\x00\x01\x02"))
    check_eq(alert(DECODE_ERROR), answer(port, b"\x16\x03\x01\x00\x05\x02\x00\x00\x01\x00"))
    check_eq(alert(DECODE_ERROR), answer(port, b"\x16\x03\x01\x00\x04\x01\xff\xff\xff"))
    check_eq(alert(DECODE_ERROR), answer(port, b"\x16\x03\x01\xff\xff" + b"\x01" * 100))
    # More than is worth looking at, without an end: one byte a record.
    check_eq(alert(DECODE_ERROR), answer(
        port, b"\x16\x03\x01\x00\x04\x01\x00\x20\x00" + b"\x16\x03\x01\x00\x01\x00" * 3000))
    for cut in range(0, len(data), 7):
        check_eq(b"", answer(port, data[:cut], end=True), "broken off at %d" % cut)
    alive()
    for _ in range(300):
        broken = bytearray(data)
        for _ in range(spin.randint(1, 8)):
            broken[spin.randrange(5, len(broken))] = spin.randrange(256)
        answer(port, bytes(broken), end=True)
        answer(port, b"\x16\x03\x01" + spin.randbytes(spin.randint(0, 2000)), end=True)
    alive()
    lines = server.log().count(b"\n")
    for _ in range(500):
        answer(port, hello("unknown.localhost"))
    check(server.log().count(b"\n") - lines < 200, "the log is flooded")
    alive()


def floods(server, port, plain):
    """Connections that say nothing, or half a hello, or stay idle, keep nobody out."""
    data = hello("first.localhost")
    for start in (b"", data[:20], data[:-1]):
        socks = []
        for _ in range(360):
            socks.append(connect(port))
            socks[-1].sendall(start)
        for _ in range(5):
            check_eq(HANDSHAKE, answer(port, data)[0], "beside %r" % start[:5])
        for s in socks:
            s.close()
    for where, what in ((plain, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"), (plain, b"GET /")):
        socks = []
        for _ in range(360):
            socks.append(connect(where))
            socks[-1].sendall(what)
        for _ in range(5):
            with connect(plain) as s:
                check_eq(b"plain", request(s).body)
        for s in socks:
            s.close()
    check(server.alive())


with lib.Test() as test:
    resource.setrlimit(resource.RLIMIT_NOFILE, (400, 400))  # Lintel's as well
    ports = dict(zip(("http", "https", "plain"), test.free_ports(3)))
    lintel = test.lintel(CONF % ports)
    lintel.wait_log(rb"first.localhost: certificate obtained")
    lintel.wait_log(rb"waiting.example: no certificate; next attempt")
    in_pieces(ports["https"])
    that_cannot_succeed(test, lintel, ports["https"])
    without_a_name(test, ports["https"])
    hostile(lintel, ports["https"])
    floods(lintel, ports["https"], ports["plain"])
