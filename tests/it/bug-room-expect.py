#!/usr/bin/env python3
"""Two requests that once ended without an answer, or with the wrong one: an expectation without
content in front of another request, and a response that repeats a long request in its header."""

import lib
from lib import check, check_eq, raw

CONF = """http://localhost:%(port)d {
    redir /again/* {uri}
    redir /longer/* {uri}&{uri}&{uri}
    respond {path}
}
"""
H = b"Host: localhost\r\n"


def expectation_without_content(port):
    """libmicrohttpd calls once more, with no bytes, when the next request is there already."""
    answer = raw(port, b"GET /a HTTP/1.1\r\n" + H + b"Expect: 100-continue\r\n\r\n"
                 b"GET /b HTTP/1.1\r\n" + H + b"Connection: close\r\n\r\n")
    answer = answer.replace(b"HTTP/1.1 100 Continue\r\n\r\n", b"")
    check_eq(2, answer.count(b"HTTP/1.1 200 OK\r\n"), answer)
    check(b"\r\n\r\n/a" in answer and answer.endswith(b"\r\n\r\n/b"), answer)


def status_of(port, target):
    return raw(port, b"GET " + target + b" HTTP/1.1\r\n" + H + b"Connection: close\r\n\r\n")[:13]


def repeats_the_request(port, server):
    check_eq(b"HTTP/1.1 302 ", status_of(port, b"/again/" + b"x" * 7000))
    check_eq(b"HTTP/1.1 431 ", status_of(port, b"/again/" + b"x" * 12000), "the request's fault")
    check(b"no room" not in server.log(), "a client fills the log")
    check_eq(b"HTTP/1.1 500 ", status_of(port, b"/longer/" + b"x" * 7000), "ours")
    check(b"no room" in server.log(), "nobody learns of it")


with lib.Test() as t:
    port = t.free_port()
    server = t.lintel(CONF % {"port": port})
    expectation_without_content(port)
    repeats_the_request(port, server)
