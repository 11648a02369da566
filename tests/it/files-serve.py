#!/usr/bin/env python3
"""file_server, one exchange at a time, over plain and TLS connections: types, validators,
conditions, ranges, HEAD, the canonical slash, methods; each field of the answers exact."""

import os
import re
import time

import lib
from lib import Reader, check, check_eq, connect, connect_tls, request

MTIME_NS = 1700000000_123456789
DATE = "Tue, 14 Nov 2023 22:13:20 GMT"
BEFORE = "Tue, 14 Nov 2023 22:13:19 GMT"
AFTER = "Tue, 14 Nov 2023 22:13:21 GMT"
SMALL = bytes(range(256)) * 4
LARGE = os.urandom(200_000)


def base36(n):
    digits = ""
    while n or not digits:
        n, rest = divmod(n, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[rest] + digits
    return digits


def etag(content):
    return '"%s-%s"' % (base36(MTIME_NS), base36(len(content)))


def put(test, name, content):
    path = test.write("www/" + name, content)
    os.utime(path, ns=(MTIME_NS, MTIME_NS))
    return path


class Client:
    """A connection that is opened anew whenever the server has closed it."""

    def __init__(self, open_socket):
        self.open_socket = open_socket
        self.sock = None

    def ask(self, target, method="GET", fields=()):
        if self.sock is None:
            self.sock = self.open_socket()
            self.reader = Reader(self.sock)
        r = request(self.sock, target, "localhost", method, fields, reader=self.reader)
        if r.field("Connection") == "close":
            self.sock.close()
            self.sock = None
        return r


def check_fields(r, expected, what):
    """All fields but Date, which is only there, and Server."""
    got = {k: ", ".join(v) for k, v in r.fields.items() if k not in ("date", "server", "connection")}
    check(r.field("Date"), what, "no Date")
    check_eq(expected, got, what)


def file_fields(content, kind, **more):
    fields = {"content-type": kind, "etag": etag(content), "last-modified": DATE,
              "accept-ranges": "bytes", "content-length": str(len(content)),
              "x-content-type-options": "nosniff"}
    fields.update({k.replace("_", "-"): v for k, v in more.items()})
    return fields


TEXT = "text/plain; charset=utf-8"
BINARY = "application/octet-stream"
# By their names.
TYPES = {
    "a.html": "text/html; charset=utf-8", "a.css": "text/css; charset=utf-8",
    "a.js": "text/javascript; charset=utf-8", "a.txt": "text/plain; charset=utf-8",
    "a.json": "application/json", "a.png": "image/png", "a.svg": "image/svg+xml",
    "a.woff2": "font/woff2", "a.wasm": "application/wasm", "A.HTM": "text/html; charset=utf-8",
    "noext": TEXT, "a.unknown": TEXT, ".hidden": TEXT, "a b%c.txt": TEXT, "a.mjs":
    "text/javascript; charset=utf-8", "a.js.map": "application/json", "a.yaml": "application/yaml",
    "a.md": "text/markdown; charset=utf-8", "a.jsonld": "application/ld+json", "a.ts": "video/mp2t",
    "a.webmanifest": "application/manifest+json", "a.xml": "text/xml; charset=utf-8",
    "a.odt": "application/vnd.oasis.opendocument.text",
}
# By their content, since their names tell nothing: text or not, and never a page.
CONTENTS = {
    "README": (b"Read me: \xe2\x82\xac 5\n\ttab\r\n\x1b[1mbold\x1b[0m\n", TEXT),
    "page": (b"<!doctype html><script>alert(1)</script>", TEXT),
    "nothing": (b"", TEXT),
    "nul": (b"text\0", BINARY),
    "latin1": (b"caf\xe9\n", BINARY),
    "utf16": ("text".encode("utf-16"), BINARY),
    "cut": (b"caf\xc3", BINARY),
    "long.log4": (b"x" * 511 + b"\xc3\xa4" * 40000, TEXT),
    "long.bad": (b"x" * 511 + b"\0" + b"x" * 80000, BINARY),
    "late": (b"x" * 512 + b"\0" * 80000, TEXT),
}


def whole_files(c):
    for method in ("GET", "HEAD", "GET"):
        for name, kind in TYPES.items():
            target = "/types/" + name.replace("%", "%25").replace(" ", "%20")
            r = c.ask(target, method)
            check_eq(200, r.status, target)
            check_fields(r, file_fields(name.encode(), kind), method + " " + target)
            check_eq(b"" if method == "HEAD" else name.encode(), r.body, target)
        for target, content, kind in (("/", b"index", "text/html; charset=utf-8"),
                                      ("/text/", b"index.txt", "text/plain; charset=utf-8"),
                                      ("/both/", b"html", "text/html; charset=utf-8"),
                                      ("/small.bin", SMALL, "application/octet-stream"),
                                      ("/large.bin", LARGE, "application/octet-stream"),
                                      ("/large.bin?query", LARGE, "application/octet-stream"),
                                      ("/empty.txt", b"", "text/plain; charset=utf-8")):
            r = c.ask(target, method)
            check_eq(200, r.status, target)
            check_fields(r, file_fields(content, kind), method + " " + target)
            check_eq(b"" if method == "HEAD" else content, r.body, target)


def contents(c):
    for method in ("GET", "HEAD"):
        for name, (content, kind) in CONTENTS.items():
            r = c.ask("/contents/" + name, method)
            check_eq(200, r.status, name)
            check_fields(r, file_fields(content, kind), method + " " + name)
            check_eq(b"" if method == "HEAD" else content, r.body, name)


def epoch(c):
    r = c.ask("/epoch.txt")
    check_fields(r, {"content-type": TEXT, "accept-ranges": "bytes", "content-length": "5",
                     "x-content-type-options": "nosniff"}, "a file of 1970")


def conditions(c):
    for target, content in (("/small.bin", SMALL), ("/large.bin", LARGE), ("/empty.txt", b"")):
        tag = etag(content)
        table = [
            (200, {}),
            (304, {"If-None-Match": tag}),
            (304, {"If-None-Match": "W/" + tag}),
            (304, {"If-None-Match": '"x", ' + tag}),
            (304, {"If-None-Match": "*"}),
            (200, {"If-None-Match": '"x"'}),
            (200, {"If-None-Match": tag.strip('"')}),
            (200, {"If-None-Match": '"x"', "If-Modified-Since": DATE}),
            (304, {"If-None-Match": tag, "If-Modified-Since": BEFORE}),
            (304, {"If-Modified-Since": DATE}),
            (304, {"If-Modified-Since": AFTER}),
            (200, {"If-Modified-Since": BEFORE}),
            (200, {"If-Modified-Since": "yesterday"}),
            (200, {"If-Match": tag}),
            (200, {"If-Match": "*"}),
            (412, {"If-Match": "W/" + tag}),
            (412, {"If-Match": '"x"'}),
            (200, {"If-Unmodified-Since": DATE}),
            (412, {"If-Unmodified-Since": BEFORE}),
            (200, {"If-Match": tag, "If-Unmodified-Since": BEFORE}),
            (304, {"If-Match": tag, "If-None-Match": tag}),
            (412, {"If-Match": '"x"', "If-None-Match": tag}),
            (412, {"If-Unmodified-Since": BEFORE, "If-None-Match": tag}),
            (304, {"If-None-Match": tag, "Range": "bytes=0-1"}),
        ]
        for method in ("GET", "HEAD"):
            for status, fields in table:
                what = "%s %s %r" % (method, target, fields)
                r = c.ask(target, method, fields.items())
                check_eq(status, r.status, what)
                if status == 304:
                    got = set(r.fields) - {"date", "server"}
                    check_eq({"etag", "x-content-type-options"}, got - {"content-length"}, what)
                    check_eq(tag, r.field("ETag"), what)
                elif status == 200:
                    check_eq(b"" if method == "HEAD" else content, r.body, what)
                    check_eq(str(len(content)), r.field("Content-Length"), what)
                else:
                    check_eq(None, r.field("ETag"), what)
                check_eq("nosniff", r.field("X-Content-Type-Options"), what)


def parts_of(r, what):
    """The parts of a multipart/byteranges, with their fields."""
    kind = r.field("Content-Type")
    found = re.fullmatch(r"multipart/byteranges; boundary=([0-9a-zA-Z]{20,70})", kind or "")
    check(found, what, "type", kind)
    boundary = b"--" + found.group(1).encode()
    check(r.body.startswith(boundary + b"\r\n"), what, "first boundary")
    check(r.body.endswith(b"\r\n" + boundary + b"--\r\n"), what, "last boundary")
    inner = r.body[len(boundary) + 2:-len(boundary) - 6]
    parts = []
    for part in inner.split(b"\r\n" + boundary + b"\r\n"):
        head, body = part.split(b"\r\n\r\n", 1)
        parts.append((dict(line.split(": ", 1) for line in head.decode().split("\r\n")), body))
    return parts


def ranges(c):
    kind = "application/octet-stream"
    for target, content in (("/small.bin", SMALL), ("/large.bin", LARGE)):
        n = len(content)
        single = [("bytes=0-0", 0, 1), ("bytes=0-", 0, n), ("bytes=10-19", 10, 20),
                  ("bytes=-1", n - 1, n), ("bytes=-%d" % (n + 5), 0, n),
                  ("bytes=%d-" % (n - 1), n - 1, n), ("bytes=5-%d" % (n * 2), 5, n),
                  ("bytes=%d-,3-4" % n, 3, 5), ("bytes=700-999", 700, 1000)]
        for value, first, end in single:
            what = "%s %s" % (target, value)
            r = c.ask(target, fields=[("Range", value)])
            check_eq(206, r.status, what)
            part = content[first:end]
            expected = file_fields(content, kind,
                                   content_range="bytes %d-%d/%d" % (first, end - 1, n))
            expected["content-length"] = str(len(part))
            check_fields(r, expected, what)
            check_eq(part, r.body, what)
        for value, wanted in (("bytes=0-0,-1", [(0, 1), (n - 1, n)]),
                              ("bytes=20-29, 0-9", [(20, 30), (0, 10)]),
                              ("bytes=0-400,500-999,-5", [(0, 401), (500, 1000), (n - 5, n)])):
            what = "%s %s" % (target, value)
            r = c.ask(target, fields=[("Range", value)])
            check_eq(206, r.status, what)
            check_eq(None, r.field("Content-Range"), what)
            check_eq(etag(content), r.field("ETag"), what)
            check_eq([({"Content-Type": kind, "Content-Range": "bytes %d-%d/%d" % (a, b - 1, n)},
                       content[a:b]) for a, b in wanted], parts_of(r, what), what)
        for value in ("bytes=%d-" % n, "bytes=-0", "bytes=99999999999999999999-"):
            r = c.ask(target, fields=[("Range", value)])
            check_eq(416, r.status, value)
            check_eq("bytes */%d" % n, r.field("Content-Range"), value)
            check_eq(None, r.field("ETag"), value)
        for value in ("bytes=5-1", "lines=0-1", "bytes=a-b", "bytes=", "bytes=0-1;2-3",
                      "bytes=0-5,5-9", "bytes=0-,0-", ",".join(["bytes=0-0"] + [
                          "%d-%d" % (i, i) for i in range(2, 40, 2)])):
            r = c.ask(target, fields=[("Range", value)])
            check_eq(200, r.status, value)
            check_fields(r, file_fields(content, kind), value)
            check_eq(content, r.body, value)
        for value, status in ((etag(content), 206), ('"x"', 200), ("W/" + etag(content), 200),
                              (DATE, 206), (BEFORE, 200), (AFTER, 200), ("", 200)):
            r = c.ask(target, fields=[("Range", "bytes=1-3"), ("If-Range", value)])
            check_eq(status, r.status, "%s If-Range %s" % (target, value))
            check_eq(content[1:4] if status == 206 else content, r.body, value)
        # Ranges are defined for GET alone (RFC 9110 14.2).
        r = c.ask(target, "HEAD", [("Range", "bytes=0-0")])
        check_eq(200, r.status, "HEAD with Range")
        check_fields(r, file_fields(content, kind), "HEAD with Range")
    r = c.ask("/empty.txt", fields=[("Range", "bytes=0-")])
    check_eq(416, r.status, "a range of nothing")
    check_eq("bytes */0", r.field("Content-Range"))
    r = c.ask("/empty.txt", fields=[("Range", "bytes=-5")])
    check_eq(200, r.status, "the last bytes of nothing")


def redirects(c):
    for target, location in (("/text", "/text/"), ("/text?a=b&c", "/text/?a=b&c"),
                             ("/text?", "/text/?"), ("/a%20folder", "/a%20folder/"),
                             ("//text", "/text/"), ("/./both/../text", "/text/"),
                             ("/small.bin/", "/small.bin"), ("/small.bin/?x", "/small.bin?x"),
                             ("/text/index.txt/", "/text/index.txt"),
                             ("//localhost/%2e%2e/text", "/text/"),
                             ("/%5Cevil.example", "/%5Cevil.example/"),
                             ("/%0d%0aX:y", "/%0D%0AX:y/"), ("/evil.example%2f..%2ftext", "/text/")):
        for method in ("GET", "HEAD"):
            r = c.ask(target, method)
            check_eq(308, r.status, target)
            check_fields(r, {"location": location, "content-length": "0"}, target)


def not_found(c):
    for target in ("/none", "/none/", "/small.bin/x", "/noindex", "/noindex/", "/%ff", "/" + "x" * 300,
                   "/" + "x/" * 2500, "/text/index.txt/x"):
        for method in ("GET", "POST", "OPTIONS"):
            r = c.ask(target, method)
            check_eq(404, r.status, method + " " + target[:40])
            check_eq("nosniff", r.field("X-Content-Type-Options"), method + " " + target[:40])


def methods(c):
    for method in ("POST", "PUT", "DELETE", "PATCH", "PROPFIND", "FOO", "get"):
        r = c.ask("/small.bin", method)
        check_eq(405, r.status, method)
        check_eq("GET, HEAD, OPTIONS", r.field("Allow"), method)
    r = c.ask("/small.bin", "OPTIONS")
    check_eq(204, r.status, "OPTIONS")
    check_eq("GET, HEAD, OPTIONS", r.field("Allow"), "OPTIONS")


def main(test):
    for name in TYPES:
        put(test, "types/" + name, name)
    for name, (content, _) in CONTENTS.items():
        put(test, "contents/" + name, content)
    for name, content in (("index.html", b"index"), ("text/index.txt", b"index.txt"),
                          ("both/index.txt", b"text"), ("both/index.html", b"html"),
                          ("small.bin", SMALL), ("large.bin", LARGE), ("empty.txt", b""),
                          ("a folder/index.html", b"x"), ("noindex/x", b"x"),
                          ("\\evil.example/index.html", b"x"), ("\r\nX:y/index.html", b"x")):
        put(test, name, content)
    os.utime(put(test, "epoch.txt", b"epoch"), (1, 1))
    plain, tls = test.free_ports(2)
    server = test.lintel("""
{
    admin off
    auto_https disable_redirects
    http_port %d
}
http://localhost:%d, https://localhost:%d {
    tls internal
    root %s
    file_server
}
""" % (plain, plain, tls, test.path("www")), wait=True)
    lib.wait_for(30, lambda: os.path.exists(test.local_root), "the local CA")
    context = lib.tls_context(test.local_root)
    for open_socket in (lambda: connect(plain), lambda: connect_tls(tls, "localhost", context)):
        c = Client(open_socket)
        for part in (whole_files, contents, epoch, conditions, ranges, redirects, not_found, methods):
            part(c)
    check(server.alive(), "the server is still there")


if __name__ == "__main__":
    with lib.Test() as t:
        main(t)
