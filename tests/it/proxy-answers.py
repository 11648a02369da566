#!/usr/bin/env python3
"""handle_response: rows of directives for what an upstream answers, and what clients cannot do with
them."""

import os
import socket
import threading

import lib
from lib import Reader, check, check_eq, connect, request
from upstream import Upstream, each_client

BIG = os.urandom(300000)
GO_ON = threading.Event()


def gate(c):
    """What it says depends on the X-Test field of the request."""
    c.read_body()
    action = (c.fields("X-Test") or ["grant"])[0]
    if action == "grant":
        c.reply(200, b"granted", ["Remote-User: ann"])
    elif action == "accel":
        c.reply(200, b"not this", ["X-Accel-Redirect: /in.bin", "Content-Type: text/x-secret"])
    elif action == "climb":
        c.reply(200, b"not this", ["X-Accel-Redirect: /../secret"])
    elif action == "endless":
        c.send(b"HTTP/1.1 500 No\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(4000):
            c.send(b"4000\r\n" + b"x" * 0x4000 + b"\r\n")
    elif action == "big":
        c.reply(404, BIG)
    elif action == "slow":
        c.send(b"HTTP/1.1 404 No\r\nContent-Length: 4\r\n\r\nab")
        GO_ON.wait(10)
        c.send(b"cd")
    else:
        c.reply(403, b"no")


def app(c):
    c.read_body()
    c.reply(200, c.head + c.body)


def ask(port, action, target="/", method="GET", fields=(), body=b""):
    with connect(port) as s:
        return request(s, target, method=method, body=body,
                       fields=[("X-Test", action)] + list(fields))


def serves_files_that_the_upstream_names(port):
    r = ask(port, "accel", "/files")
    check_eq((200, b"inside"), (r.status, r.body))
    check_eq(None, r.field("X-Accel-Redirect"))
    check_eq("application/octet-stream", r.field("Content-Type"))
    r = ask(port, "climb", "/files")
    check(r.status in (400, 404), r.status, r.body)
    check(b"outside" not in r.body, r.body)


def forged_fields_go(port, served):
    r = ask(port, "grant", "/app?q", "POST", [("remote-user", "root"), ("Remote_User", "root")], BIG)
    check_eq(200, r.status)
    check(r.body.endswith(b"\r\n\r\n" + BIG), "the body did not reach the application")
    head = r.body[:-len(BIG)].decode()
    check(head.startswith("POST /app?q HTTP/1.1\r\n"), head)
    check("root" not in head, head)
    check_eq(1, head.count("Remote-User: ann\r\n"), head)
    before = len(served.requests)
    check_eq(403, ask(port, "deny", "/app", "POST", body=BIG).status)
    check_eq(before, len(served.requests), "requests that reached the application")


def does_not_wait(port):
    with connect(port) as s:
        reader = Reader(s)
        for _ in range(5):
            r = request(s, "/page", fields=[("X-Test", "endless")], reader=reader)
            check_eq((503, b"sorry: 500"), (r.status, r.body))


def copies(port):
    r = ask(port, "big", "/page")
    check_eq((200, True), (r.status, r.body == BIG))
    with connect(port) as s:  # a client that goes in the middle of a copy
        s.sendall(b"GET /page HTTP/1.1\r\nHost: localhost\r\nX-Test: slow\r\n\r\n")
        s.recv(1000)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    check_eq(200, ask(port, "big", "/page").status)
    GO_ON.set()


def nothing_to_copy(port):
    r = ask(port, "grant", "/copy")
    check_eq(500, r.status)
    check_eq(500, ask(port, "grant", "/copy-headers").status)


def splits_nothing(port, asked):
    """What a client sends in placeholders stays one value, one target, one method."""
    with connect(port) as s:
        r = request(s, "/holders/%0d%0aX-Evil:%201?a=%0d%0ab", fields=[("X-Test", "deny")])
    check_eq(403, r.status)
    question = asked.requests[-1].decode()
    check(question.startswith("GET /new/holders/%0d%0aX-Evil:%201?p=%0D%0Ab HTTP"), question)
    check("\r\nX-Evil" not in question and "\r\nb" not in question, question)
    check("\r\nX-Path: /holders/  X-Evil: 1\r\n" in question, question)
    check_eq(1, question.count("\r\nHost: "), question)


def main():
    with lib.Test() as t:
        asked, served = Upstream(gate), Upstream(app)
        port, = t.free_ports(1)
        root = t.path("root")
        os.mkdir(root)
        for name, text in ((os.path.join(root, "in.bin"), "inside"), (t.path("secret"), "outside")):
            with open(name, "w") as f:
                f.write(text)
        t.lintel("""http://localhost:%(port)d {
            reverse_proxy /files 127.0.0.1:%(asked)d {
                @accel header X-Accel-Redirect *
                handle_response @accel {
                    root %(root)s
                    rewrite {rp.header.X-Accel-Redirect}
                    method GET
                    file_server
                }
            }
            reverse_proxy /app 127.0.0.1:%(asked)d {
                method GET
                rewrite /verify
                @good status 2xx
                handle_response @good {
                    request_header Remote-User {rp.header.Remote-User}
                }
            }
            reverse_proxy /page 127.0.0.1:%(asked)d {
                @error status 5xx
                handle_response @error {
                    respond "sorry: {rp.status_code}" 503
                }
                @gone status 404
                handle_response @gone {
                    copy_response 200
                }
            }
            reverse_proxy /holders/* 127.0.0.1:%(asked)d {
                rewrite /new{uri}?p={query.a}
                header_up X-Path {path}
                header_up +Host {query.a}
            }
            copy_response /copy
            route /copy-headers {
                copy_response_headers
            }
            reverse_proxy 127.0.0.1:%(served)d
        }""" % {"port": port, "asked": asked.port, "served": served.port, "root": root})
        serves_files_that_the_upstream_names(port)
        forged_fields_go(port, served)
        does_not_wait(port)
        copies(port)
        nothing_to_copy(port)
        splits_nothing(port, asked)
        asked.stop()
        served.stop()


each_client()
main()
