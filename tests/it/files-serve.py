#!/usr/bin/env python3
"""file_server, one exchange at a time, over plain and TLS connections: types, validators, HEAD, the
canonical slash, methods; each field of the answers exact. Conditions and ranges have tests of their own."""

import os

import lib
from folder import LARGE, SMALL, Client, check_fields, file_fields, put, serve
from lib import check, check_eq

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
    server, open_sockets = serve(test)
    for open_socket in open_sockets:
        c = Client(open_socket)
        for part in (whole_files, contents, epoch, redirects, not_found, methods):
            part(c)
    check(server.alive(), "the server is still there")


if __name__ == "__main__":
    with lib.Test() as t:
        main(t)
