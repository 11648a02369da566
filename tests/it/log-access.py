#!/usr/bin/env python3
"""The lines of the access log: JSON with Caddy's field names, and the combined format; secrets are
left out, what a client sends cannot forge a line."""

import json
import re
import threading

import lib
from lib import check, check_eq, connect, raw, request, wait_for
from upstream import Upstream

COMBINED = re.compile(r'127\.0\.0\.1 - - \[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d \+0000\] '
                      r'"(.*)" (\d{3}) (\d+|-) "(.*)" "(.*)"$')


def lines_of(path, count):
    def look():
        try:
            with open(path) as f:
                lines = f.read().splitlines()
        except FileNotFoundError:
            return None
        return lines if len(lines) >= count else None

    return wait_for(30, look, "%d lines in %s" % (count, path))


with lib.Test() as t:
    a, b, c = t.free_ports(3)
    as_json, as_combined = t.path("json.log"), t.path("combined.log")
    as_left = t.path("left.log")
    asked, answer = threading.Event(), threading.Event()

    def wait(connection):
        asked.set()
        answer.wait(30)

    up = Upstream(wait)
    server = t.lintel("""
http://localhost:%d {
    log {
        output file %s
    }
    header X-Sent yes
    respond "hello"
}
http://localhost:%d {
    log {
        output file %s
        format combined
    }
    respond "hello" 404
}
http://localhost:%d {
    log {
        output file %s
    }
    abort /abort
    reverse_proxy 127.0.0.1:%d
}
""" % (a, as_json, b, as_combined, c, as_left, up.port))

    fields = [("Authorization", "Basic c2VjcmV0"), ("Cookie", "secret=1"), ("X-Odd", "a\"b\\c\xff"),
              ("X-Two", "1"), ("X-Two", "2")]
    with connect(a) as s:
        check_eq(200, request(s, "/p?q=1", fields=fields).status)
        check_eq(200, request(s, "/h", method="HEAD").status)
        check_eq(200, request(s, "/b", method="POST", body=b"12345").status)
    lines = [json.loads(line) for line in lines_of(as_json, 3)]
    get, head, post = lines[:3]
    check_eq("handled request", get["msg"])
    check_eq("http.log.access.log0", get["logger"])
    check_eq(("GET", "/p?q=1", "HTTP/1.1", "localhost", "127.0.0.1"),
             tuple(get["request"][k] for k in ("method", "uri", "proto", "host", "remote_ip")))
    check_eq((200, 5), (get["status"], get["size"]))
    check(0 <= get["duration"] < 60, get["duration"])
    headers = {k.lower(): v for k, v in get["request"]["headers"].items()}
    check_eq(["REDACTED"], headers["authorization"])
    check_eq(["REDACTED"], headers["cookie"])
    check_eq(["1", "2"], headers["x-two"])
    check_eq(["a\"b\\c\xff"], headers["x-odd"])
    check_eq(["yes"], get["resp_headers"]["X-Sent"])
    check_eq(("HEAD", 0), (head["request"]["method"], head["size"]))
    check_eq(("POST", 5), (post["request"]["method"], post["bytes_read"]))
    with open(as_json) as f:
        check("c2VjcmV0" not in f.read(), "a secret in the log")

    with connect(b) as s:
        check_eq(404, request(s, "/x", fields=[("Referer", "http://r/"), ("User-Agent", "u\"a")]).status)
    lines_of(as_combined, 1)  # the next request may be another worker's
    raw(b, b"HEAD /%0a HTTP/1.0\r\nHost: localhost\r\n\r\n")
    first, second = [COMBINED.match(line) for line in lines_of(as_combined, 2)[:2]]
    check_eq(("GET /x HTTP/1.1", "404", "5", "http://r/", "u\\\"a"), first.groups())
    check_eq(("HEAD /%0a HTTP/1.0", "404", "-", "-", "-"), second.groups())

    with connect(c) as s:  # does not wait for the answer
        s.sendall(b"GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n")
        check(asked.wait(30))
    check_eq(499, json.loads(lines_of(as_left, 1)[0])["status"])
    raw(c, b"GET /abort HTTP/1.1\r\nHost: localhost\r\n\r\n")
    check_eq(0, json.loads(lines_of(as_left, 2)[1])["status"])
    answer.set()
    check_eq(0, server.stop())
