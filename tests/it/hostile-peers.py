#!/usr/bin/env python3
"""Clients and upstreams that mean harm: what they must not be able to bring about."""

import lib
from lib import check, check_eq, connect, raw, request, wait_for
from upstream import Upstream


def serve(c):
    c.read_body()
    if c.target.startswith("/head="):
        c.reply(200, b"ok", ["X-Big: " + "v" * int(c.target[6:])])
    else:
        c.reply(200, c.head)


def host_is_no_connection_option(port, up):
    """Else a client could choose another site of the upstream: the one that is its default."""
    with connect(port) as s:
        for option in ("Host", "close, hOST"):
            request(s, "/", fields=[("Connection", option)])
            check(b"\r\nHost: localhost\r\n" in up.requests[-1], option, up.requests[-1])


def no_body_swallows_what_follows(port, up):
    """A body that is chunked for everybody else must not be read to the connection's end."""
    body = b"5\r\nhello\r\n0\r\n\r\n"
    after = b"GET /after HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    for lines in (b"chunked", b"CHUNKED", b"chunked ", b"\tchunked\t", b", chunked", b"chunked,", b"chunked , ,",
                  b"\r\nTransfer-Encoding: chunked", b"chunked\r\nTransfer-Encoding: "):
        before = len(up.requests)
        reply = raw(port, b"POST /upload HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding:%s\r\n\r\n" % lines
                    + body + after)
        sent = [head.split(b" ")[1] for head in up.requests[before:]]
        check(sent == [b"/upload", b"/after"] or reply.startswith(b"HTTP/1.1 400 "), lines, sent, reply)
        check(lines.lower() != b"chunked" or sent == [b"/upload", b"/after"], lines, sent, reply)


def nobody_is_left_without_an_answer(port):
    """Two headers that are each allowed, but do not fit into one connection's memory."""
    for size, n_fields in ((100, 1), (8000, 1), (8000, 50), (15000, 1), (15500, 60)):
        filler = b"".join(b"X-%d: %s\r\n" % (i, b"r" * (size // n_fields - 8)) for i in range(n_fields))
        for answer in (10, 4000, 8000, 12000, 15000):
            reply = raw(port, b"GET /head=%d HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%s\r\n"
                        % (answer, filler))
            whole = reply.startswith(b"HTTP/1.1 200 ") and reply.endswith(b"\r\n\r\nok")
            check(whole or reply.startswith((b"HTTP/1.1 500 ", b"HTTP/1.1 431 ")), size, n_fields, answer,
                  reply[:100])
            if size + n_fields * 64 + answer < 19000:
                check(whole, size, n_fields, answer, reply[:100])


def nobody_keeps_out_of_the_log(port, log):
    """Escaped, these lines are six times as long as they came."""
    for name, data in (("field", b"GET /field HTTP/1.1\r\nHost: localhost\r\nX: %s\r\n" % (b"\xff" * 15000)),
                       ("target", b"GET /target?%s HTTP/1.1\r\nHost: localhost\r\n" % (b"\xff" * 15000))):
        raw(port, data + b"Connection: close\r\n\r\n")

        def is_there():
            with open(log, "rb") as f:
                return b'"uri":"/' + name.encode() in f.read()

        wait_for(30, is_there, "a line about the " + name)


with lib.Test() as t:
    port, https_port = t.free_ports(2)
    up = Upstream(serve)
    log = t.path("access.log")
    server = t.lintel("{\n http_port %d\n https_port %d\n}\n"
                      "http://localhost:%d {\n log {\n output file %s\n }\n reverse_proxy 127.0.0.1:%d\n}\n"
                      % (port, https_port, port, log, up.port))
    host_is_no_connection_option(port, up)
    no_body_swallows_what_follows(port, up)
    nobody_is_left_without_an_answer(port)
    nobody_keeps_out_of_the_log(port, log)
    check_eq(True, server.alive(), "alive")
