#!/usr/bin/env python3
"""basic_auth with the real binary: who gets in, what others get, bodies behind it, the access log; and
that a worker serves others while passwords are verified, also over a reload, disconnects and the end."""

import base64
import json
import select
import socket
import subprocess

import lib
from lib import Reader, check, check_eq, connect, request, wait_for
from upstream import Upstream

WAITING = 20  # wrong passwords at once

CONF = """{
    workers 1
}
http://localhost:%(port)d {
    log {
        output file %(json)s
    }
    basic_auth /quick/* {
        Bob %(cheap)s
        "Zoë" %(cheap)s
    }
    basic_auth /slow/* bcrypt "the \\"slow\\" one" {
        Bob %(dear)s
        Ann %(dear)s
    }
    handle /quick/proxied {
        reverse_proxy 127.0.0.1:%(upstream)d
    }
    handle_errors 503 {
        header X-Busy yes
        respond busy 503
    }
    respond hello
}
http://localhost:%(other)d {
    log {
        output file %(combined)s
        format combined
    }
    basic_auth * bcrypt {
        Bob %(cheap)s
    }
    handle_errors {
        respond "please log in" 401
    }
    respond %(word)s
}
"""


def hash_of(password, cost):
    return subprocess.run([lib.LINTEL, "hash-password", "--bcrypt-cost", str(cost)],
                          input=password.encode(), capture_output=True, check=True,
                          timeout=60).stdout.decode().strip()


def basic(user, password):
    text = base64.b64encode(("%s:%s" % (user, password)).encode()).decode()
    return ("Authorization", "Basic " + text)


def send(port, target, *fields, source="127.0.0.1"):
    """A request whose answer is read later."""
    sock = socket.create_connection(("127.0.0.1", port), 30, (source, 0))
    head = "".join("%s: %s\r\n" % field for field in fields)
    sock.sendall(("GET %s HTTP/1.1\r\nHost: localhost\r\n%s\r\n" % (target, head)).encode())
    return sock


def answered(socks):
    return select.select(socks, [], [], 0)[0]


def statuses(socks):
    found = [Reader(sock).response().status for sock in socks]
    for sock in socks:
        sock.close()
    return found


def lets_in(port):
    with connect(port) as s:
        check_eq(200, request(s, "/open").status)
        reply = request(s, "/quick/x")
        check_eq((401, 'Basic realm="restricted"'), (reply.status, reply.field("WWW-Authenticate")))
        reply = request(s, "/slow/x")
        check_eq('Basic realm="the \\"slow\\" one"', reply.field("WWW-Authenticate"))
        for _ in range(3):  # the later ones are remembered
            check_eq(200, request(s, "/quick/x", fields=[basic("Bob", "hiccup")]).status)
            check_eq(200, request(s, "/quick/x", fields=[basic("Zoë", "hiccup")]).status)
            for user, password in [("Bob", "hiccups"), ("bob", "hiccup"), ("Eve", "hiccup"),
                                   ("", ""), ("Bob", ""), ("Bob", "x" * 900)]:
                reply = request(s, "/quick/x", fields=[basic(user, password)])
                check_eq(401, reply.status, (user, password))
        both = [basic("Bob", "hiccup"), basic("Bob", "hiccup")]
        check_eq(401, request(s, "/quick/x", fields=both).status, "two fields")
        check_eq(401, request(s, "/quick/x", fields=[basic("Bob", "x" * 2000)]).status, "long")
        check_eq(200, request(s, "/quick/x", method="HEAD",
                              fields=[basic("Bob", "hiccup")]).status)


def bodies_pass(port, up):
    """What comes while the password is verified is not lost."""
    body = b"0123456789abcdef" * 16384
    with connect(port) as s:
        for password, expected in [("hiccup ", 401), ("hiccup", 200)]:
            up.requests.clear()
            reply = request(s, "/quick/proxied", method="POST", body=body,
                            fields=[basic("Bob", password)])
            check_eq(expected, reply.status, "with a body")
            if expected == 401:
                s.close()
                s = connect(port)
            else:
                check(reply.body == body, "the body", len(reply.body))
        s.close()


def errors_have_the_field(other):
    with connect(other) as s:
        reply = request(s, "/")
        check_eq((401, b"please log in"), (reply.status, reply.body))
        check_eq('Basic realm="restricted"', reply.field("WWW-Authenticate"))
        check_eq(200, request(s, "/", fields=[basic("Bob", "hiccup")]).status)


def serves_others_meanwhile(port):
    waiting = [send(port, "/slow/x", basic("Bob", "wrong %d" % i), source="127.0.0.%d" % (2 + i % 2))
               for i in range(WAITING)]
    with connect(port) as s:
        reader = Reader(s)
        for _ in range(50):
            check_eq(200, request(s, "/open", reader=reader).status)
            check_eq(401, request(s, "/quick/x", reader=reader).status)
            check_eq(200, request(s, "/quick/x", reader=reader,
                                  fields=[basic("Bob", "hiccup")]).status)
    done = len(answered(waiting))
    check(done < WAITING // 2, "others waited until", done, "were verified")
    check_eq([401] * WAITING, statuses(waiting))


def says_when_there_are_too_many(port):
    socks = [send(port, "/slow/x", basic("Bob", "more %d" % i)) for i in range(80)]
    refused = wait_for(30, lambda: len(answered(socks)) >= 10 and answered(socks), "refusals")
    replies = [Reader(sock).response() for sock in refused]
    replies = [r for r in replies if r.status == 503]
    check(replies, "none was refused")
    for reply in replies:
        check_eq(("1", "yes", b"busy"), (reply.field("Retry-After"), reply.field("X-Busy"),
                                         reply.body))
    # Others are not kept out.
    other = send(port, "/slow/x", basic("Ann", "guess"), source="127.0.0.9")
    check_eq([401], statuses([other]))
    for sock in socks:
        sock.close()


def outlives_disconnects(port):
    for i in range(WAITING):
        sock = send(port, "/slow/x", basic("Bob", "gone %d" % i))
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        sock.close()
    with connect(port) as s:
        check_eq(200, request(s, "/open").status)
        # What nobody waits for makes room.
        wait_for(30, lambda: request(s, "/slow/x", fields=[basic("Bob", "slow")]).status == 200,
                 "a verification")


def outlives_a_reload(server, names):
    port = names["port"]
    wrong = [send(port, "/slow/x", basic("Bob", "reload %d" % i)) for i in range(4)]
    right = [send(port, "/slow/x", basic("Ann", "slow")) for _ in range(8)]
    names["word"] = "reloaded"
    server.reload(CONF % names)
    with connect(names["other"]) as s:
        check_eq(b"reloaded", request(s, "/", fields=[basic("Bob", "hiccup")]).body)
    check_eq([401] * 4, statuses(wrong))
    check_eq([200] * 8, statuses(right))


def logs_the_user(names):
    wait_for(30, lambda: " - Bob [" in open(names["combined"]).read(), "a line")
    with open(names["json"]) as f:
        lines = [json.loads(line) for line in f]
    users = {(line["user_id"], line["status"]) for line in lines
             if line["request"]["uri"].startswith("/quick/")}
    check(("Bob", 200) in users and ("", 401) in users, users)
    check(not any(user and status == 401 for user, status in users), users)
    with open(names["combined"]) as f:
        lines = f.read().splitlines()
    check(any(' - Bob [' in line and '" 200 ' in line for line in lines), lines)
    check(any(' - - [' in line and '" 401 ' in line for line in lines), lines)


def echo(c):
    c.read_body()
    c.reply(200, c.body)


def main():
    with lib.Test() as t:
        up = Upstream(echo)
        port, other = t.free_ports(2)
        names = {"port": port, "other": other, "upstream": up.port, "word": "hello",
                 "json": t.path("json.log"), "combined": t.path("combined.log"),
                 "cheap": hash_of("hiccup", 4), "dear": hash_of("slow", 12)}
        server = t.lintel(CONF % names)
        lets_in(port)
        bodies_pass(port, up)
        errors_have_the_field(other)
        serves_others_meanwhile(port)
        says_when_there_are_too_many(port)
        outlives_disconnects(port)
        outlives_a_reload(server, names)
        logs_the_user(names)
        pending = [send(port, "/slow/x", basic("Bob", "end %d" % i)) for i in range(4)]
        check_eq(0, server.stop(), "the end with passwords to verify")
        check_eq([401] * 4, statuses(pending))
        up.stop()


main()
