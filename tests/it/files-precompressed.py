#!/usr/bin/env python3
"""precompressed and etag_file_extensions, over plain and TLS connections: which file is sent, each
field of the answer exact, and what becomes of it when files change."""

import os

import codings
import lib
from lib import Reader, check, check_eq, connect, connect_tls, request, wait_for

TIME_S = 1700000000
DATE = "Tue, 14 Nov 2023 22:13:20 GMT"
LATER = "Tue, 14 Nov 2023 22:14:20 GMT"
CSS = "text/css; charset=utf-8"
LARGE = os.urandom(100_000)

CONF = """
    root * %s
    header /vary/* Vary Origin
    handle /encode/* {
        encode
        file_server {
            precompressed gzip
        }
    }
    handle /plain/* {
        file_server
    }
    handle /status/* {
        file_server {
            precompressed gzip
            status 203
        }
    }
    handle {
        file_server {
            precompressed zstd br gzip
            hide *.zst
            etag_file_extensions .sha256 .md5
        }
    }
    handle_errors {
        rewrite * /error.html
        file_server {
            precompressed
        }
    }
"""


def base36(n):
    digits = ""
    while n or not digits:
        n, rest = divmod(n, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[rest] + digits
    return digits


def etag(content, extension="", later_s=0):
    return '"%s-%s%s"' % (base36((TIME_S + later_s) * 10**9), base36(len(content)), extension)


def put(t, name, content, later_s=0):
    path = t.write("www/" + name, content)
    os.utime(path, (TIME_S + later_s, TIME_S + later_s))
    return path


class Client:
    def __init__(self, open_socket):
        self.open_socket = open_socket
        self.sock = None

    def ask(self, target, accept=None, method="GET", **fields):
        if self.sock is None:
            self.sock = self.open_socket()
            self.reader = Reader(self.sock)
        lines = [(k.replace("_", "-"), v) for k, v in fields.items()]
        if accept is not None:
            lines.append(("Accept-Encoding", accept))
        r = request(self.sock, target, "localhost", method, lines, reader=self.reader)
        if r.field("Connection") == "close":
            self.sock.close()
            self.sock = None
        return r


def check_fields(r, expected, what):
    """All fields but Date and Server."""
    got = {k: ", ".join(v) for k, v in r.fields.items()
           if k not in ("date", "server", "connection")}
    check_eq(expected, got, what)


def fields_of(content, coding=None, kind=CSS, **more):
    extension = {None: "", "gzip": ".gz", "br": ".br", "zstd": ".zst"}[coding]
    fields = {"content-type": kind, "content-length": str(len(content)), "accept-ranges": "bytes",
              "etag": etag(content, extension), "last-modified": DATE, "vary": "Accept-Encoding",
              "x-content-type-options": "nosniff"}
    if coding:
        fields["content-encoding"] = coding
    fields.update({k.replace("_", "-"): v for k, v in more.items()})
    return fields


# What is accepted, and what is sent of /all.css.
CHOICES = [
    (None, None), ("", None), ("identity", None), ("deflate", None), ("-", None),
    ("gzip", "gzip"), ("br", "br"), ("zstd", "zstd"), ("x-gzip", "gzip"), ("*", "zstd"),
    ("gzip, deflate, br, zstd", "zstd"), ("gzip, deflate, br", "br"),
    ("gzip, br;q=0.5", "gzip"), ("zstd;q=0, *", "br"), ("gzip;q=0", None),
    ("gzip;q=0.5, identity", None), ("gzip;q=0.5, identity;q=0", "gzip"),
    ("*;q=0", None),  # nothing is acceptable: the file is better than an error
]


def choices(c):
    for accept, coding in CHOICES:
        for method in ("GET", "HEAD"):
            r = c.ask("/all.css", accept, method)
            what = "%s, %r" % (method, accept)
            content = ("all " + (coding or "plain")).encode()
            check_eq(200, r.status, what)
            check_fields(r, fields_of(content, coding), what)
            check_eq(content if method == "GET" else b"", r.body, what)
    for target, accept, coding, content in (
            ("/one.css", "zstd, br, gzip", "gzip", b"one gzip"),  # the others are not there
            ("/one.css", "br", None, b"one plain"),
            ("/none.css", "br, gzip", None, b"none"),
            ("/large.css", "gzip", "gzip", LARGE),                # sent from a descriptor
            ("/large.css", None, None, LARGE + b"!"),
            ("/", "br", "br", b"index br"),
            ("/link.css", "gzip", None, b"link"),                 # leads out of the root
            ("/folder.css", "gzip", None, b"folder"),             # the sidecar is a folder
            ("/spoilt.css", "gzip", None, b"spoilt"),             # no coding makes nothing of it
            ("/spoilt.css", "gzip, br;q=0.1", "br", b"spoilt br"),
            ("/empty.css", "gzip, br;q=0.1", "br", b"empty br")):
        for method in ("GET", "HEAD"):
            r = c.ask(target, accept, method)
            kind = CSS if target != "/" else "text/html; charset=utf-8"
            check_fields(r, fields_of(content, coding, kind), "%s %s" % (target, accept))
            check_eq(content if method == "GET" else b"", r.body, target)


def others(c):
    check_eq(404, c.ask("/only.css", "gzip").status, "no original")
    check_eq(404, c.ask("/all.css.zst", None).status, "hidden")
    r = c.ask("/all.css.gz", "gzip")  # by its own name it is a file like others
    check_fields(r, fields_of(b"all gzip", kind="application/gzip"), "by its own name")
    r = c.ask("/plain/all.css", "gzip")
    check_eq((None, None), (r.field("Content-Encoding"), r.field("Vary")))
    r = c.ask("/vary/all.css", "gzip")
    check_eq("Origin, Accept-Encoding", r.field("Vary"))
    r = c.ask("/status/all.css", "gzip")
    check_eq((203, b"all gzip"), (r.status, r.body))
    check_fields(r, {"content-type": CSS, "content-length": "8", "content-encoding": "gzip",
                     "vary": "Accept-Encoding", "x-content-type-options": "nosniff"}, "status")
    r = c.ask("/error/nothing", "br")
    check_eq((404, b"error br"), (r.status, r.body))
    check_eq("br", r.field("Content-Encoding"))
    r = c.ask("/all.css", "gzip", "POST")
    check_eq(405, r.status)


def conditions(c):
    plain, gzip = etag(b"all plain"), etag(b"all gzip", ".gz")
    for fields, status in (({"If_None_Match": gzip}, 304), ({"If_None_Match": "W/" + gzip}, 304),
                           ({"If_None_Match": plain}, 200), ({"If_Match": gzip}, 200),
                           ({"If_Match": plain}, 412), ({"If_Modified_Since": DATE}, 304)):
        for method in ("GET", "HEAD"):
            r = c.ask("/all.css", "gzip", method, **fields)
            check_eq(status, r.status, fields)
            check_eq("Accept-Encoding", r.field("Vary"), fields)
            if status == 304:
                check_eq(gzip, r.field("ETag"), fields)
                check_eq(None, r.field("Content-Encoding"), fields)


def ranges(c):
    """Of what is sent without them (RFC 9110 14.2)."""
    for target, content in (("/all.css", b"all gzip"), ("/large.css", LARGE)):
        tag = etag(content, ".gz")
        more = {"content-range": "bytes 1-3/%d" % len(content), "content-length": "3"}
        for fields in ({}, {"If_Range": tag}):
            r = c.ask(target, "gzip", Range="bytes=1-3", **fields)
            check_eq((206, content[1:4]), (r.status, r.body), target)
            check_fields(r, dict(fields_of(content, "gzip"), **more), target)
        for fields in ({"Range": "bytes=0-1,4-5"},
                       {"Range": "bytes=1-3", "If_Range": etag(content)}):
            r = c.ask(target, "gzip", **fields)
            check_eq((200, content), (r.status, r.body), target)
            check_fields(r, fields_of(content, "gzip"), target)
        r = c.ask(target, "gzip", Range="bytes=100000-")
        check_eq((416, "bytes */%d" % len(content)), (r.status, r.field("Content-Range")))
    check_eq(206, c.ask("/large.css", None, Range="bytes=0-1,4-5").status)


def encode(c, names):
    """encode leaves alone what is encoded, and takes what is not."""
    r = c.ask("/encode/all.css", "gzip")
    check_fields(r, fields_of(b"all gzip", "gzip"), "encoded already")
    check_eq(304, c.ask("/encode/all.css", "gzip", If_None_Match=r.field("ETag")).status)
    for accept in names:
        r = c.ask("/encode/bare.css", accept)
        check_eq((200, accept), (r.status, r.field("Content-Encoding")))
        check_eq(["Accept-Encoding"], r.fields["vary"])


def own_etags(c):
    for target, accept, tag in (("/tag.css", None, '"of-sha256"'),
                                ("/tag.css", "gzip", '"of-gzip"'),
                                ("/tag.css", "br", etag(b"tag br", ".br")),
                                ("/weak.css", None, 'W/"of-md5"'),
                                ("/old.css", None, '"old"'),
                                ("/bad.css", None, '"of-md5"'),
                                ("/long.css", None, etag(b"long"))):
        r = c.ask(target, accept)
        check_eq((200, tag), (r.status, r.field("ETag")), target)
        r = c.ask(target, accept, If_None_Match=tag)
        check_eq((304, tag), (r.status, r.field("ETag")), target)


def change(t, c):
    """What has changed is seen within about a second."""
    def sees(content, coding, later_s, what):
        def attempt():
            r = c.ask("/change.css", "gzip")
            return r.body == content and r

        r = wait_for(10, attempt, what)
        extension = ".gz" if coding else ""
        check_eq((coding, etag(content, extension, later_s)),
                 (r.field("Content-Encoding"), r.field("ETag")), what)

    put(t, "change.css", b"plain")
    sees(b"plain", None, 0, "no sidecar")
    side = put(t, "change.css.gz", b"gzip 1")
    sees(b"gzip 1", "gzip", 0, "a sidecar")
    put(t, "change.css.gz", b"gzip two", 60)
    sees(b"gzip two", "gzip", 60, "another sidecar")
    check_eq(LATER, c.ask("/change.css", "gzip").field("Last-Modified"))
    put(t, "change.css", b"plain again", 61)
    sees(b"plain again", None, 61, "a sidecar that has become too old")
    put(t, "change.css.gz", b"gzip 3", 61)
    sees(b"gzip 3", "gzip", 61, "a new sidecar")
    os.unlink(side)
    sees(b"plain again", None, 61, "the sidecar is gone")
    put(t, "change.css.gz", b"gzip 4", 62)
    sees(b"gzip 4", "gzip", 62, "it is back")
    os.unlink(t.path("www/change.css"))
    wait_for(10, lambda: c.ask("/change.css", "gzip").status == 404, "the original is gone")
    os.unlink(side)


def change_etag(t, c):
    """Of a file that has not changed for some seconds, and is not read again."""
    def sees(tag, what):
        wait_for(10, lambda: c.ask("/late.css").field("ETag") == tag, what)

    path = t.path("www/late.css.md5")
    sees(etag(b"late"), "its own ETag")
    put(t, "late.css.md5", '"first"\n')
    sees('"first"', "the ETag of the file beside it")
    put(t, "late.css.md5", '"other"\n')
    sees('"other"', "another one")
    os.unlink(path)
    sees(etag(b"late"), "its own ETag again")


def fill(t):
    for folder in ("", "encode/", "plain/", "vary/", "status/"):
        for extension, name in (("", "plain"), (".gz", "gzip"), (".br", "br"), (".zst", "zstd")):
            put(t, folder + "all.css" + extension, "all " + name)
    put(t, "one.css", b"one plain")
    put(t, "one.css.gz", b"one gzip")
    put(t, "none.css", b"none")
    put(t, "large.css", LARGE + b"!")
    put(t, "large.css.gz", LARGE)
    put(t, "index.html", "index plain")
    put(t, "index.html.br", "index br")
    put(t, "only.css.gz", "only gzip")
    put(t, "link.css", "link")
    os.symlink(t.write("outside.gz", "outside"), t.path("www/link.css.gz"))
    put(t, "folder.css", "folder")
    os.mkdir(t.path("www/folder.css.gz"))
    put(t, "spoilt.css", "spoilt")
    put(t, "spoilt.css.gz", "")
    put(t, "spoilt.css.br", "spoilt br")
    put(t, "empty.css", "")
    put(t, "empty.css.gz", "")
    put(t, "empty.css.br", "empty br")
    put(t, "late.css", "late")
    put(t, "error.html", "error plain")
    put(t, "error.html.br", "error br")
    put(t, "encode/bare.css", b"x" * 1000)
    for name, content in (("tag.css", "tag"), ("tag.css.gz", "tag gzip"), ("tag.css.br", "tag br"),
                          ("tag.css.sha256", '"of-sha256"\n'), ("tag.css.gz.md5", '"of-gzip"'),
                          ("tag.css.md5", '"of-md5"'), ("weak.css", "weak"),
                          ("weak.css.md5", 'W/"of-md5" \r\n'), ("bad.css", "bad"),
                          ("bad.css.sha256", "0123abcd  bad.css\n"), ("bad.css.md5", '"of-md5"'),
                          ("long.css", "long"), ("long.css.md5", '"%s"' % ("x" * 159))):
        put(t, name, content)
    put(t, "old.css", "old", -TIME_S)  # a time that tells nothing
    put(t, "old.css.md5", '"old"')


def logged(server):
    for text in (rb"bad.css.sha256: holds no ETag", rb"long.css.md5: holds no ETag",
                 rb"change.css.gz: older than the file it was made of, and not sent",
                 rb"spoilt.css.gz: empty, and not sent"):
        server.wait_log(text, 10)


def main():
    with lib.Test() as t:
        names = codings.built_in(t)
        fill(t)
        plain, tls, http = t.free_ports(3)
        server = t.lintel("{\n http_port %d\n https_port %d\n local_certs\n}\n"
                          "http://localhost:%d, https://localhost:%d {%s}\n"
                          % (http, tls, plain, tls, CONF % t.path("www")))
        context = lib.tls_context()
        for open_socket in (lambda: connect(plain), lambda: connect_tls(tls, "localhost", context)):
            c = Client(open_socket)
            for test in (choices, others, conditions, ranges, own_etags, choices):
                test(c)
            encode(c, names)
            change(t, c)
            change_etag(t, c)
        logged(server)


main()
