#!/usr/bin/env python3
"""The directives that change a request: what an upstream and the files get, what the access log keeps,
and the limit of a body."""

import json

import lib
from lib import check, check_eq, connect, raw, request, wait_for
from upstream import Upstream

SITE = """
{
    admin off
    workers 1
}
http://a.example:%(port)d {
    log {
        output file %(log)s
    }
    root * %(www)s
    log_skip /quiet*
    log_append /said* said {path}
    log_append /said* <before {path}
    log_append /said* constant "a \\"b\\""
    request_body /limited* {
        max_size 10
    }
    request_body /limited/less* {
        max_size 4
    }
    request_body /limited/more* {
        max_size 20
    }
    request_header /up/host Host other.example
    request_header /up/fields X-In new
    request_header /up/fields -X-Gone
    request_header /up/evil X-In {header.X-Evil}
    method /up/method PUT
    rewrite /said* /up{uri}
    rewrite /up/odd* /up/a%%20b%%3Fc/%%E4?{query}&p={path}
    uri /up/strip* strip_prefix /up/strip
    handle_path /docs/* {
        file_server
    }
    handle /index* {
        rewrite /folder
        file_server
    }
    handle_errors {
        header X-Error yes
    }
    reverse_proxy localhost:%(up)d
}
"""


def echo(c):
    c.read_body()
    c.reply(200, c.head + c.body)


def ask(port, target, method="GET", fields=(), body=b""):
    with connect(port) as s:
        return request(s, target, "a.example", method, fields, body)


def upstream_gets(port):
    def head(target, **kw):
        return ask(port, target, **kw).body.decode("latin-1").split("\r\n")

    check_eq("GET /up/said/x?q HTTP/1.1", head("/said/x?q")[0])
    check_eq("GET /up/a%20b%3Fc/%E4?x=y&p=%2Fup%2Fodd%2F+%26 HTTP/1.1", head("/up/odd/%20%26?x=y")[0])
    check_eq("GET /a%2Fb?c HTTP/1.1", head("/up/strip/a%2Fb?c")[0])
    check_eq("GET / HTTP/1.1", head("/up/strip")[0])
    check_eq("PUT /up/method HTTP/1.1", head("/up/method")[0])
    check("Host: other.example" in head("/up/host"), "Host")
    lines = head("/up/fields", fields=[("X-In", "old"), ("X-Gone", "1"), ("x-in", "old2")])
    check_eq(["X-In: new"], [x for x in lines if x.lower().startswith("x-")
                             and not x.startswith("X-Forwarded")])
    check("X-In: a\tb" in head("/up/evil", fields=[("X-Evil", "a\tb")]), "a value of the client's")


def bodies(port):
    def chunked(target, *parts):
        data = b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in parts)
        return raw(port, b"POST " + target + b" HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n"
                   b"Transfer-Encoding: chunked\r\n\r\n" + data + b"0\r\n\r\n")

    for target, most in (("/limited", 10), ("/limited/less", 4), ("/limited/more", 10)):
        for n, status in ((0, 200), (most, 200), (most + 1, 413), (100000, 413)):
            r = ask(port, target, "POST", body=b"x" * n)
            check_eq(status, r.status, "%s, %d bytes" % (target, n))
            if status == 200:
                check(r.body.endswith(b"\r\n\r\n" + b"x" * n), r.body)
    check(b" 200 " in chunked(b"/limited", b"12345", b"67890")[:20], "a body that fits")
    for parts in ((b"12345", b"678901"), (b"x" * 5000,), (b"x",) * 11, (b"x" * 60000,) * 3):
        reply = chunked(b"/limited", *parts)
        check(reply.startswith(b"HTTP/1.1 413 "), reply[:100])
    check(b" 200 " in chunked(b"/free", b"x" * 60000, b"y" * 60000)[:20], "no limit")


def files(port):
    for target, status, location in (
            ("/docs/folder", 308, "/docs/folder/"), ("/docs/folder?q=1", 308, "/docs/folder/?q=1"),
            ("/docs/folder/", 200, None), ("/docs/a.txt/", 308, "/docs/a.txt"),
            ("/docs/a.txt", 200, None), ("/docs/../docs/a.txt", 200, None),
            ("/docs/none", 404, None),
            # Another name than the client's: no redirect that would lead elsewhere.
            ("/index", 200, None), ("/index/", 200, None)):
        r = ask(port, target)
        check_eq((status, location), (r.status, r.field("Location")), target)


def logged(path):
    with open(path) as f:
        return [json.loads(line) for line in f]


def log(path):
    wait_for(30, lambda: any(line["request"]["uri"] == "/last" for line in logged(path)), "the log")
    lines = {line["request"]["uri"]: line for line in logged(path)}
    check(not [uri for uri in lines if uri.startswith("/quiet")], "log_skip")
    said = lines["/said/x?q"]
    check_eq(("/up/said/x", "/said/x", 'a "b"'), (said["said"], said["before"], said["constant"]))
    check_eq(("GET", "a.example"), (lines["/up/method"]["request"]["method"],
                                    lines["/up/host"]["request"]["host"]))
    headers = {k.lower(): v for k, v in lines["/up/fields"]["request"]["headers"].items()}
    check_eq((["old", "old2"], ["1"]), (headers["x-in"], headers["x-gone"]))


with lib.Test() as t:
    t.write("www/folder/index.html", "folder")
    t.write("www/a.txt", "a")
    up = Upstream(echo)
    port, path = t.free_port(), t.path("access.log")
    server = t.lintel(SITE % {"port": port, "up": up.port, "www": t.path("www"), "log": path})
    upstream_gets(port)
    bodies(port)
    files(port)
    ask(port, "/quiet/x")
    ask(port, "/last")
    log(path)
    check_eq(0, server.stop())
