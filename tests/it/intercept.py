#!/usr/bin/env python3
"""intercept: answers of every kind of handler, answered otherwise, with another status, or sent on
after all."""

import gzip
import os
import threading

import lib
from lib import Reader, check, check_eq, connect, request
from upstream import Upstream

BIG = os.urandom(3 << 20)
GO_ON = threading.Event()


def app(c):
    body = c.read_body()
    path = c.target.split("?")[0]
    if path == "/big":
        c.reply(500, BIG, ["X-From: app", 'ETag: "big"', "Content-Encoding: x"])
    elif path == "/slow":
        c.send(b"HTTP/1.1 500 No\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n2\r\nab\r\n")
        GO_ON.wait(30)
        c.send(b"2\r\ncd\r\n0\r\nX-Sum: 4\r\n\r\n")
    elif path == "/cut":
        c.send(b"HTTP/1.1 500 No\r\nContent-Length: 10\r\n\r\nhalf")
        GO_ON.wait(30)
        return False
    elif path == "/accel":
        c.reply(200, b"not this", ["X-Accel-Redirect: /in.txt", 'ETag: "app"', "X-More: yes",
                                   "Content-Encoding: br"])
    elif path == "/teapot":
        c.reply(418, b"tea", ["X-From: app"])
    elif path == "/empty":
        c.reply(500)
    elif path == "/post":
        c.reply(500, body)
    else:
        c.reply(200, c.method.encode() + b" " + c.target.encode() + b" " + body)
    return True


CONF = """{
    admin off
    default_bind 127.0.0.1
}
http://:%(port)d {
    root %(root)s
    encode gzip
    header >X-Outer "{resp.status_code}"
    intercept /other/* {
        @gone status 404 410
        @error {
            status 5xx
            header X-From app
        }
        replace_status @gone 200
        handle_response @error {
            respond "instead of {resp.status_code} from {resp.header.X-From}" 503
        }
    }
    intercept /after/* {
        handle_response {
            header X-Seen {http.intercept.status_code}
            vars seen yes
        }
    }
    intercept /status/* {
        handle_response {
            respond 201
        }
    }
    intercept /nothing/* {
        replace_status 204
    }
    intercept /odd/* {
        replace_status {query.s}
    }
    intercept /accel {
        @accel header X-Accel-Redirect *
        handle_response @accel {
            root %(private)s
            rewrite {resp.header.X-Accel-Redirect}
            method GET
            file_server
        }
    }
    intercept /fails/* {
        handle_response {
            error "broken" 500
        }
    }
    intercept /proxy/* {
        handle_response {
            reverse_proxy 127.0.0.1:%(app)d {
                rewrite /second
            }
        }
    }
    intercept /both/* {
        handle_response {
            respond "outer {resp.status_code}" 202
        }
    }
    intercept /both/* {
        handle_response {
            header X-Inner yes
        }
    }
    intercept /copy {
        handle_response {
            copy_response
        }
    }
    intercept /loop {
        handle_response {
            invoke again
        }
    }
    @files path_regexp file ^/\\w+/(\\w+\\.(?:txt|none))$
    handle @files {
        rewrite /{re.file.1}
        file_server
    }
    handle /other/respond {
        respond "here" 410
    }
    handle /other/default {
    }
    handle /loop {
        respond "first"
    }
    handle {
        @part path_regexp part ^/(?:other|after|status|nothing|odd|fails|proxy|both)(/.*)$
        rewrite @part {re.part.1}
        reverse_proxy 127.0.0.1:%(app)d
    }
    handle_errors {
        intercept {
            @lost status 404
            replace_status @lost 410
            handle_response {
                header X-Seen {resp.status_code}
            }
        }
        respond "handled {err.status_code}" {err.status_code}
    }
}
&(again) {
    intercept {
        handle_response {
            invoke again
        }
    }
    respond "again"
}
"""


class Site:
    def __init__(self, port):
        self.port = port

    def ask(self, target, method="GET", fields=(), body=b""):
        with connect(self.port) as s:
            return request(s, target, method=method, fields=list(fields), body=body)

    def check(self, status, expected, target, **how):
        r = self.ask(target, **how)
        check_eq((status, expected), (r.status, r.body), target)
        return r


def answers_otherwise(site):
    r = site.check(503, b"instead of 500 from app", "/other/big")
    check_eq("500", r.field("X-Outer"), "the outer handlers see the last answer")
    for name in ("ETag", "Content-Encoding"):
        check_eq(None, r.field(name), name + " is not true of another body")
    check_eq("app", r.field("X-From"), "other fields stay")
    r = site.check(418, b"tea", "/other/teapot")
    check_eq("", r.field("X-Outer") or "", "no rule is for it")


def other_statuses(site):
    site.check(200, b"here", "/other/respond")
    site.check(204, b"", "/nothing/big")
    site.check(201, b"tea", "/odd/teapot?s=201")
    for s in ("600", "x", "199", ""):
        site.check(500, b"tea", "/odd/teapot?s=" + s)
    check_eq(b"", site.ask("/nothing/page.txt").body)


def sends_it_on_after_all(site):
    r = site.check(500, BIG, "/after/big")
    check_eq(("500", '"big"', "x"), (r.field("X-Seen"), r.field("ETag"),
                                     r.field("Content-Encoding")))
    check_eq(str(len(BIG)), r.field("Content-Length"))
    r = site.check(200, b"page", "/after/page.txt")
    check_eq("200", r.field("X-Seen"))
    check(r.field("ETag") and r.field("Last-Modified"), "they are about the body")
    r = site.ask("/after/page.txt", fields=[("If-None-Match", r.field("ETag"))])
    check_eq((304, "304"), (r.status, r.field("X-Seen")))
    r = site.check(201, b"page", "/status/page.txt")
    r = site.check(500, b"0123456789" * 1000, "/after/post", method="POST",
                   body=b"0123456789" * 1000)
    r = site.ask("/after/big", method="HEAD")
    check_eq((500, str(len(BIG))), (r.status, r.field("Content-Length")))
    r = site.check(500, b"", "/after/empty")


def streams(site):
    """What is held back is not waited for, and not kept whole."""
    GO_ON.clear()
    with connect(site.port) as s:
        s.sendall(b"GET /after/slow HTTP/1.1\r\nHost: x\r\n\r\n")
        data = b""
        while b"ab" not in data:
            data += s.recv(4096)
        check(b"HTTP/1.1 500 " in data and b"Trailer: X-Sum" in data, data)
        GO_ON.set()
        while not data.endswith(b"\r\n\r\n") or b"cd" not in data:
            part = s.recv(4096)
            check(part, data)
            data += part
        check(b"X-Sum: 4" in data, data)
    GO_ON.clear()
    r = site.check(503, b"instead of 500 from app", "/other/big")  # its body is not read
    with connect(site.port) as s:
        s.sendall(b"GET /after/cut HTTP/1.1\r\nHost: x\r\n\r\n")
        data = b""
        while not data.endswith(b"half"):
            data += s.recv(4096)
        GO_ON.set()
        check_eq(b"", lib.read_all(s), "what was cut stays cut")


def takes_files_for_answers(site):
    r = site.check(200, b"inside", "/accel")
    check(r.field("ETag") not in (None, '"app"'), r.field("ETag"))
    check_eq((None, "yes"), (r.field("Content-Encoding"), r.field("X-More")))
    r = site.ask("/accel", method="POST", body=b"x" * 100)
    check_eq((200, b"inside"), (r.status, r.body))


def errors_are_no_answers(site):
    site.check(410, b"handled 404", "/after/missing.none")
    r = site.check(500, b"handled 500", "/fails/big")
    check_eq("500", r.field("X-Seen"), "those that handle it answer")
    for name in ("ETag", "Content-Encoding"):
        check_eq(None, r.field(name), name)
    site.check(500, b"handled 500", "/copy")
    r = site.check(200, b"", "/other/default")  # nobody has answered


def one_in_another(site):
    site.check(200, b"GET /second ", "/proxy/big")
    site.check(200, b"GET /second ", "/proxy/slow")
    GO_ON.set()
    r = site.check(202, b"outer 500", "/both/big")
    check_eq("yes", r.field("X-Inner"))
    site.check(500, b"handled 500", "/loop")


def encodes_what_is_sent(site):
    r = site.ask("/after/page.txt", fields=[("Accept-Encoding", "gzip")])
    check_eq(b"page", r.body)
    r = site.ask("/after/long.txt", fields=[("Accept-Encoding", "gzip")])
    check_eq("gzip", r.field("Content-Encoding"))
    check_eq(b"long " * 2000, gzip.decompress(r.body))


def outlives_clients(site, up, server):
    """Those that go while an answer is held back leave nothing behind."""
    GO_ON.clear()
    for target in (b"/proxy/slow", b"/after/slow", b"/other/slow"):
        for _ in range(20):
            with connect(site.port) as s:
                s.sendall(b"GET %s HTTP/1.1\r\nHost: x\r\n\r\n" % target)
    GO_ON.set()
    with connect(site.port) as s:
        reader = Reader(s)
        for _ in range(10):
            s.sendall(b"GET /both/big HTTP/1.1\r\nHost: x\r\n\r\n")
            check_eq(202, reader.response().status)
    check(server.pid, "it is there")
    up.stop()


with lib.Test() as t:
    for folder in ("root", "private"):
        os.mkdir(t.path(folder))
    t.write("root/page.txt", "page")
    t.write("root/long.txt", "long " * 2000)
    t.write("private/in.txt", "inside")
    up = Upstream(app)
    port, = t.free_ports(1)
    server = t.lintel(CONF % {"port": port, "app": up.port, "root": t.path("root"),
                              "private": t.path("private")})
    site = Site(port)
    answers_otherwise(site)
    other_statuses(site)
    sends_it_on_after_all(site)
    streams(site)
    takes_files_for_answers(site)
    errors_are_no_answers(site)
    one_in_another(site)
    encodes_what_is_sent(site)
    outlives_clients(site, up, server)
    check_eq(0, server.stop())
