#!/usr/bin/env python3
"""Connections to names with several addresses: one that says nothing does not hold up the other."""

import contextlib
import socket
import threading
import time

import lib
from lib import check, check_eq, connect, request

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\n"
FAMILIES = {b"six\n": (socket.AF_INET6, "::1"), b"four": (socket.AF_INET, "127.0.0.1")}


class Silent:
    """A listener whose queue is full: whoever connects hears nothing, until it serves."""

    def __init__(self, name, port):
        family, address = FAMILIES[name]
        self.name = name
        self.sock = socket.socket(family)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.sock.bind((address, port))
        self.sock.listen(0)
        self.waiting = []
        while True:  # until one is not accepted
            s = socket.socket(family)
            s.settimeout(0.5)
            self.waiting.append(s)
            try:
                s.connect((address, port))
            except TimeoutError:
                break

    def serve(self):
        """Empties the queue, and answers from now on."""
        for s in self.waiting:
            s.close()

        def run():
            with contextlib.suppress(OSError):
                while True:
                    s, _ = self.sock.accept()
                    with s, contextlib.suppress(OSError):
                        if s.recv(65536):
                            s.sendall(ANSWER + self.name)

        threading.Thread(target=run, daemon=True).start()

    def stop(self):
        for s in self.waiting:
            s.close()
        self.sock.close()


def listening(name, port):
    up = Silent(name, port)
    up.serve()
    return up


def ask(port):
    """The body, and how long it took."""
    began = time.monotonic()
    with connect(port, timeout=120) as s:
        reply = request(s, "/")
    return reply.status, reply.body, time.monotonic() - began


def site(port, up, client, *lines):
    return ("http://localhost:%d {\n reverse_proxy localhost:%d {\n transport http {\n"
            " http_client %s\n keepalive off\n %s\n }\n }\n}\n"
            % (port, up, client, "\n ".join(lines)))


def dialling(port):
    """How many attempts to connect there are under way (SYN_SENT), of IPv4 and of IPv6."""
    counts = []
    for name in ("tcp", "tcp6"):
        with open("/proc/net/" + name) as f:
            counts.append(f.read().count(":%04X 02 " % port))
    return counts


def nobody_answers(ports, up):
    """Neither a limit of time nor a client that goes away leaves an attempt behind."""
    check_eq(504, ask(ports[0])[0])
    lib.wait_for(30, lambda: dialling(up) == [0, 0], "the end of both attempts")
    with connect(ports[1]) as gone:
        gone.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        lib.wait_for(30, lambda: dialling(up) == [1, 1], "two attempts")
    lib.wait_for(30, lambda: dialling(up) == [0, 0], "the end of both attempts")


def main():
    with lib.Test() as t:
        if not socket.has_ipv6:
            raise lib.Skip("there is no IPv6")
        try:
            socket.socket(socket.AF_INET6).bind(("::1", 0))
        except OSError:
            raise lib.Skip("there is no IPv6") from None
        ups, ports = t.free_ports(3), t.free_ports(5)
        silent = [Silent(b"six\n", ups[0]), Silent(b"six\n", ups[1]), Silent(b"four", ups[1])]
        other = listening(b"four", ups[0])
        t.lintel(site(ports[0], ups[0], "direct", "dial_timeout 60s")
                 + site(ports[1], ups[0], "curl", "dial_timeout 60s", "dial_fallback_delay 100ms")
                 + site(ports[2], ups[0], "direct", "dial_timeout 4s", "dial_fallback_delay -1s")
                 + site(ports[3], ups[1], "direct", "dial_timeout 60s", "dial_fallback_delay 10ms")
                 + site(ports[4], ups[1], "direct", "dial_timeout 1s", "dial_fallback_delay 10ms"))
        status, body, took = ask(ports[2])
        check_eq((200, b"four"), (status, body))
        check(took > 1.9, "half of the time for one after the other:", took)
        for port in ports[:2]:
            status, body, took = ask(port)
            check_eq((200, b"four"), (status, body))
            check(took < 25, "no half of the time:", took)
        for s in silent[1].waiting + silent[2].waiting:
            s.close()  # the attempts of this test
        nobody_answers((ports[4], ports[3]), ups[1])
        # The first may still win, although there is a second by now.
        results = []
        one = threading.Thread(target=lambda: results.append(ask(ports[3])))
        one.start()

        lib.wait_for(30, lambda: dialling(ups[1]) == [1, 1], "two attempts")
        silent[1].serve()
        one.join(100)
        check_eq((200, b"six\n"), results[0][:2])
        for up in silent + [other]:
            up.stop()


main()
