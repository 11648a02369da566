#!/usr/bin/env python3
"""The PROXY protocol at listeners: who is believed, who is refused, and headers that come in pieces."""

import socket
import struct

import lib
from lib import Reader, check_eq, connect, request, tls_context, wait_for

V1 = b"PROXY TCP4 198.51.100.7 192.0.2.2 5678 443\r\n"
V2 = (b"\r\n\r\n\0\r\nQUIT\n" + b"\x21\x11\0\x0c" + socket.inet_aton("198.51.100.7")
      + socket.inet_aton("192.0.2.2") + struct.pack(">HH", 5678, 443))
V6 = b"PROXY TCP6 2001:db8::7 2001:db8::1 5678 443\r\n"
LOCAL = b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0"
UNKNOWN = b"PROXY UNKNOWN\r\n"
BAD = b"PROXY TCP4 nonsense\r\n"


def conf(policy, plain_port, tls_port):
    return """{
    admin off
    auto_https disable_redirects
    skip_install_trust
    default_bind 127.0.0.1
    servers {
        listener_wrappers {
            proxy_protocol {
%s
            }
            tls
        }
    }
}
http://:%d, https://localhost:%d {
    respond "{remote_host} {remote_port}"
}
""" % (policy, plain_port, tls_port)


def ask(port, header, pieces=1):
    """Who the server thinks is asking; None if it closes."""
    with connect(port) as s:
        for i in range(pieces):
            s.sendall(header[i * len(header) // pieces:(i + 1) * len(header) // pieces])
        own = "127.0.0.1 %d" % s.getsockname()[1]
        try:
            s.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            body = Reader(s).response().body.decode()
        except (OSError, EOFError, lib.Failure):
            return None
        return "own" if body == own else body


def ask_tls(port, header):
    with connect(port) as raw:
        raw.sendall(header)
        with tls_context().wrap_socket(raw, server_hostname="localhost") as s:
            return request(s).body.decode()


def policies(server, plain_port, tls_port):
    named, named6 = "198.51.100.7 5678", "2001:db8::7 5678"
    for policy, expected in (
            # none, version 1, version 2, IPv6, LOCAL, UNKNOWN, bad
            ("allow 127.0.0.0/8", ("own", named, named, named6, "own", "own", None)),
            ("allow 10.0.0.0/8", ("own", "own", "own", "own", "own", "own", None)),
            ("fallback_policy require", (None, named, named, named6, "own", "own", None)),
            ("fallback_policy USE\ndeny 127.0.0.1", ("own", None, None, None, None, None, None)),
            ("fallback_policy reject", ("own", None, None, None, None, None, None)),
            ("fallback_policy use\ndeny 10.0.0.0/8",
             ("own", named, named, named6, "own", "own", None))):
        server.reload(conf(policy, plain_port, tls_port))
        got = tuple(ask(plain_port, h) for h in (b"", V1, V2, V6, LOCAL, UNKNOWN, BAD))
        check_eq(expected, got, policy)
    server.reload(conf("fallback_policy skip", plain_port, tls_port))
    with connect(plain_port) as s:
        s.sendall(V1 + b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        check_eq(400, Reader(s).response().status)


with lib.Test() as t:
    plain_port, tls_port = t.free_ports(2)
    server = t.lintel(conf("allow private_ranges 127.0.0.1", plain_port, tls_port))
    for header in (V1, V2, V6):
        check_eq(ask(plain_port, header), ask(plain_port, header, pieces=len(header)))
        check_eq(ask(plain_port, header), ask_tls(tls_port, header))
    policies(server, plain_port, tls_port)
    # Whoever stays silent, or stops in the middle, is given up.
    server.reload(conf("allow 127.0.0.1\ntimeout 100ms", plain_port, tls_port))
    for begin in (b"", b"PROXY TC", V2[:14]):
        with connect(plain_port) as s:
            s.sendall(begin)
            try:
                check_eq(b"", s.recv(100))
            except ConnectionResetError:
                pass  # with what it had sent unread
    # And who closes leaves nothing behind.
    for begin in (b"", V1[:10]):
        with connect(plain_port) as s:
            s.sendall(begin)
    wait_for(20, lambda: ask(plain_port, V1) == "198.51.100.7 5678", "an answer")
