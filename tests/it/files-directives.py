#!/usr/bin/env python3
"""respond, redir, header and root: what they answer, and that nothing a client sends gets out of
the place it was meant for."""

import os

import lib
from lib import Reader, check, check_eq, connect, raw, request

SITE = r"""
{
    admin off
    auto_https off
    workers 1
}
http://a.example:%(port)d {
    root %(www)s
    file_server

    respond /r/status 404
    respond /r/body "Hello, {host}{path}"
    respond /r/both "gone" 410
    respond /r/json `{"a": 1}`
    respond /r/none 204
    respond /r/nothing 200
    respond /r/close "bye" {
        close
    }
    respond /r/block 201 {
        body "made by {method}"
    }
    respond /r/typed "x{query}"
    header /r/typed Content-Type text/html

    redir /d/plain https://b.example/x
    redir /d/perm https://b.example/x permanent
    redir /d/temp https://b.example/x temporary
    redir /d/308 https://b.example{uri} 308
    redir /d/401 /login 401
    redir /d/html https://b.example/?a='b'&c html
    redir /d/path/* https://b.example{path}
    redir /d/header https://b.example/{header.X-To}
    redir /d/bare* {path}
    redir /d/code* /x {header.X-Code}
    redir //d/slashes* {uri}
    redir /q/* /{header.X-To}

    header /h/* {
        X-Set one
        +X-Add a
        +X-Add b
        X-Host {host}
    }
    header /h/default ?X-Set two
    header /h/del* -X-Set
    header /h/server -Server
    header /h/glob {
        -X-*
    }
    header /h/type.txt Content-Type application/x-mine
    header /h/etag.txt -ETag
    header /h/cache.txt >Cache-Control max-age=60
    header /h/cache.txt ?Accept-Ranges none
    header /h/replace.txt Content-Type "([a-z]+)/([a-z]+)" "$2/$1"
    header /h/path/* X-Path "{path}|{header.X-In}"
    header /h/late X-Late "{header.X-In}" {
        defer
    }
}
http://*.v.example:%(port)d, http://:%(port)d {
    root %(vhosts)s/{host}
    file_server
}
http://b.example:%(port)d {
    root /sub/* %(www)s/h
    root /h/* %(vhosts)s
    root * %(www)s
    file_server /h/*
    file_server /sub/* {
        root %(www)s
        index type.txt
    }
}
"""


def ask(port, target, host="a.example", method="GET", fields=()):
    with connect(port) as s:
        return request(s, target, host, method, fields)


def responds(port):
    def expect(target, status, body, kind, **kw):
        r = ask(port, target, **kw)
        check_eq((status, body, kind), (r.status, r.body, r.field("Content-Type")), target)
        return r

    text = "text/plain; charset=utf-8"
    expect("/r/status", 404, b"", None)
    expect("/r/body", 200, b"Hello, a.example/r/body", text)
    expect("/r/both", 410, b"gone", text)
    expect("/r/json", 200, b'{"a": 1}', "application/json")
    expect("/r/none", 204, b"", None)
    expect("/r/nothing", 200, b"", None)
    expect("/r/block", 201, b"made by POST", text, method="POST")
    expect("/r/typed?b", 200, b"xb", "text/html")
    check_eq("close", expect("/r/close", 200, b"bye", text).field("Connection"))
    r = ask(port, "/r/both", method="HEAD")
    check_eq((410, "4", b""), (r.status, r.field("Content-Length"), r.body), "HEAD")


def redirects(port):
    for target, status, location in (
            ("/d/plain", 302, "https://b.example/x"), ("/d/perm", 301, "https://b.example/x"),
            ("/d/temp", 302, "https://b.example/x"), ("/d/401", 401, "/login"),
            ("/d/308?a=b%20c", 308, "https://b.example/d/308?a=b%20c"),
            ("/d/path/a%20b", 302, "https://b.example/d/path/a%20b"),
            ("/d/path/%0d%0aSet-Cookie:x=y", 302, "https://b.example/d/path/%0D%0ASet-Cookie:x=y"),
            ("/d/path/%e4%00", 400, None), ("/d/path/%e4", 302, "https://b.example/d/path/%E4"),
            # Never to another host.
            ("/d/bare%5c%5cevil", 302, "/d/bare%5C%5Cevil"),
            ("//d/slashes//evil.example", 302, "/d/slashes//evil.example")):
        r = ask(port, target)
        check_eq((status, location), (r.status, r.field("Location")), target)
        check_eq([location] if location else [], r.fields.get("location", []), target)
        check_eq(None, r.field("Set-Cookie"), target)
    for code, status in (("301", 301), ("401", 401), ("304", 500), ("200", 500), ("", 500)):
        r = ask(port, "/d/code", fields=[("X-Code", code)])
        check_eq((status, "/x" if status != 500 else None), (r.status, r.field("Location")), code)
    r = ask(port, "/d/html")
    check_eq((200, None), (r.status, r.field("Location")))
    check_eq("text/html; charset=utf-8", r.field("Content-Type"))
    check(b"""content="0; URL='https://b.example/?a=%27b%27&amp;c'">""" in r.body, r.body)
    for value, location in (("x y", "https://b.example/x%20y"), ("<\">", "https://b.example/%3C%22%3E"),
                            ("\xe4", "https://b.example/%E4"), ("", "https://b.example/")):
        r = ask(port, "/d/header", fields=[("X-To", value)])
        check_eq(location, r.field("Location"), repr(value))
    for value in ("/evil.example", "//evil.example", "\\evil.example"):
        location = ask(port, "/q/x", fields=[("X-To", value)]).field("Location")
        check(location.startswith("/") and location[1] not in "/\\", value, location)


def headers(port):
    def fields(target, **kw):
        return ask(port, target, **kw).fields

    f = fields("/h/x.txt")
    check_eq((["one"], ["a", "b"], ["a.example"]), (f["x-set"], f["x-add"], f["x-host"]))
    check_eq(["one"], fields("/h/default")["x-set"], "? keeps what is there")
    for target in ("/h/del", "/h/del.txt"):
        f = fields(target)
        check("x-set" not in f and f["x-add"] == ["a", "b"], target, f)
    check("server" in fields("/h/x.txt"), "Server")
    check("server" not in fields("/h/server"), "-Server")
    f = fields("/h/glob")
    check(not [n for n in f if n.startswith("x-")], "-X-*", f)
    for _ in range(3):  # prepared responses must not keep another's fields
        check_eq(["application/x-mine"], fields("/h/type.txt")["content-type"])
        check("etag" not in fields("/h/etag.txt"), "-ETag")
        f = fields("/h/cache.txt")
        check_eq((["max-age=60"], ["bytes"]), (f["cache-control"], f["accept-ranges"]))
        check_eq(["plain/text; charset=utf-8"], fields("/h/replace.txt")["content-type"])
        f = fields("/h/x.txt")
        check_eq(["text/plain; charset=utf-8"], f["content-type"])
        check("etag" in f and "cache-control" not in f, f)
        f = fields("/h/type.txt", fields=[("Range", "bytes=0-0")])
        check_eq((["application/x-mine"], ["bytes 0-0/4"]), (f["content-type"], f["content-range"]))
    # Errors and redirects get them, too.
    r = ask(port, "/h/none")
    check_eq((404, "one"), (r.status, r.field("X-Set")))
    # What a client sends cannot make a field of its own.
    r = ask(port, "/h/path/a%0d%0aX-Evil:%20b", fields=[("X-In", "v")])
    check_eq("/h/path/a  X-Evil: b|v", r.field("X-Path"))
    check_eq(None, r.field("X-Evil"))
    check_eq("tab\there", ask(port, "/h/late", fields=[("X-In", "tab\there")]).field("X-Late"))


def roots(port):
    for host, status, body in (("one.v.example", 200, b"one"), ("two.v.example", 200, b"two"),
                               ("ONE.v.example", 200, b"one"), ("three.v.example", 404, None),
                               ("one.v.example:80", 200, b"one"), ("other", 200, b"other")):
        r = ask(port, "/", host)
        check_eq(status, r.status, host)
        check(body in (None, r.body), host, r.body)
    # Names that lead out of the folder of hosts, or to the whole of it.
    for host in (b"", b".", b"..", b"...", b"%2e%2e", b"../www", b"www/..", b"/", b"one.v.example/"):
        reply = raw(port, b"GET /index.html HTTP/1.1\r\nHost: " + host +
                    b"\r\nConnection: close\r\n\r\n")
        check(reply[9:12] in (b"400", b"404"), host, reply[:200])
        check(b"secret" not in reply, host)
    # The most specific root wins; file_server's own goes before it.
    check_eq(b"type", ask(port, "/sub/", "b.example").body)
    check_eq(404, ask(port, "/h/type.txt", "b.example").status)


def main(test):
    for name in ("type", "etag", "cache", "replace", "x", "del"):
        test.write("www/h/%s.txt" % name, name.ljust(4)[:4] if name == "type" else name)
    test.write("www/sub/type.txt", "type")
    for host in ("one.v.example", "two.v.example", "other"):
        test.write("vhosts/%s/index.html" % host, host.split(".")[0])
    test.write("vhosts/index.html", "secret")
    test.write("index.html", "secret")
    os.makedirs(test.path("www"), exist_ok=True)
    port = test.free_port()
    server = test.lintel(SITE % {"port": port, "www": test.path("www"),
                                 "vhosts": test.path("vhosts")})
    responds(port)
    redirects(port)
    headers(port)
    roots(port)
    check(server.alive(), "the server is still there")


if __name__ == "__main__":
    with lib.Test() as t:
        main(t)
