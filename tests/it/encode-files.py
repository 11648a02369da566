#!/usr/bin/env python3
"""encode before file_server and respond, over plain and TLS connections: each format, lengths,
HEAD, ranges, conditional requests, levels, HTTP/1.0, deferred fields."""

import subprocess

import codings
import lib
from lib import Reader, check, check_eq, connect, connect_tls, request

LINE = b"The quick brown fox jumps over the lazy dog, line %d of many.\n"
SMALL = b"".join(LINE % i for i in range(300))          # kept in memory
LARGE = b"".join(LINE % (i * 7919) for i in range(9000))  # kept open
TINY = b"x" * 511
LEAST = b"x" * 512

CONF = """
    root * %s
    header /late/* >X-Coding "{method}"
    header /late/* -Content-Encoding-Not-There
    header /vary/* Vary Origin
    header /keep/* Cache-Control no-transform
    header /hide/* -ETag
    encode
    handle /one/* {
        encode {
            %s 1
        }
        file_server
    }
    respond /page "%s"
    file_server
"""


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


def formats(c, names):
    for name in names:
        for target, content in (("/small.txt", SMALL), ("/large.txt", LARGE), ("/least.txt", LEAST)):
            plain = c.ask(target)
            liked = ", ".join(n + (";q=0.2" if n == name else ";q=0.1") for n in names)
            for accept in (name, liked):
                r = c.ask(target, accept)
                what = "%s %s" % (target, accept)
                check_eq(200, r.status, what)
                check_eq(name, r.field("Content-Encoding"), what)
                check_eq("Accept-Encoding", r.field("Vary"), what)
                check_eq(None, r.field("Accept-Ranges"), what)
                check_eq("W/" + plain.field("ETag")[:-1] + "-%s\"" % name, r.field("ETag"), what)
                check_eq(plain.field("Last-Modified"), r.field("Last-Modified"), what)
                check(len(r.body) < len(content), what, "has not become smaller")
                check_eq(content is LARGE, r.field("Content-Length") is None, what)
                if codings.readable(name):
                    check(codings.decode(name, r.body) == content, what, "cannot be decoded")
            check_eq(content, plain.body, target)
            check_eq("bytes", plain.field("Accept-Ranges"), target)
            check_eq("Accept-Encoding", plain.field("Vary"), target)


def as_it_is(c, names):
    for target, accept, vary in (("/tiny.txt", names[0], None), ("/empty.txt", names[0], None),
                                 ("/image.png", names[0], None), ("/keep/small.txt", names[0], None),
                                 ("/small.txt", None, "Accept-Encoding"),
                                 ("/small.txt", "identity", "Accept-Encoding"),
                                 ("/small.txt", "deflate", "Accept-Encoding"),
                                 ("/vary/small.txt", "", "Origin, Accept-Encoding"),
                                 ("/small.txt", names[0] + ";q=0", "Accept-Encoding")):
        r = c.ask(target, accept)
        what = "%s %s" % (target, accept)
        check_eq(200, r.status, what)
        check_eq(None, r.field("Content-Encoding"), what)
        check_eq(vary, r.field("Vary"), what)
        check_eq(str(len(r.body)), r.field("Content-Length"), what)


def head(c, names):
    for target in ("/small.txt", "/large.txt", "/tiny.txt"):
        for accept in (names[0], None):
            got, asked = c.ask(target, accept), c.ask(target, accept, "HEAD")
            check_eq(b"", asked.body)
            for name in ("Content-Encoding", "Vary", "ETag", "Content-Type", "Accept-Ranges"):
                check_eq(got.field(name), asked.field(name), "%s of HEAD %s" % (name, target))
            check_eq(got.field("Content-Length"), asked.field("Content-Length"), target)
            check_eq(target == "/large.txt" and accept is not None,
                     asked.field("Content-Length") is None, target)


def conditions(c, names):
    for target in ("/small.txt", "/large.txt"):
        plain = c.ask(target).field("ETag")
        for name in names:
            tag = c.ask(target, name).field("ETag")
            for fields, status, answer in (
                    ({"If_None_Match": tag}, 304, tag),
                    ({"If_None_Match": tag[2:]}, 304, tag),  # by weak comparison
                    ({"If_None_Match": '"x", %s' % tag}, 304, tag),
                    ({"If_None_Match": plain}, 304, plain),
                    ({"If_None_Match": "*"}, 304, plain),
                    ({"If_None_Match": '"x"'}, 200, tag),
                    ({"If_None_Match": plain[:-1] + '-other"'}, 200, tag),
                    ({"If_Match": plain}, 200, tag),
                    ({"If_Match": tag}, 412, None),  # weak, or not the file's
                    ({"If_Match": tag[2:]}, 412, None),
                    ({"If_Match": '"x"'}, 412, None)):
                for method in ("GET", "HEAD"):
                    r = c.ask(target, name, method, **fields)
                    what = "%s %s %r" % (method, target, fields)
                    check_eq(status, r.status, what)
                    check_eq(answer, r.field("ETag"), what)
                    if status == 304:
                        check_eq("Accept-Encoding", r.field("Vary"), what)
                        check_eq(None, r.field("Content-Encoding"), what)
            # The tag of a coding says nothing to who does not accept it any more.
            check_eq(200, c.ask(target, None, If_None_Match=tag).status)


def ranges(c, names):
    for target, content in (("/small.txt", SMALL), ("/large.txt", LARGE)):
        for header, want in (("bytes=0-999", content[:1000]), ("bytes=-700", content[-700:])):
            r = c.ask(target, names[0], Range=header)
            check_eq(206, r.status)
            check_eq(None, r.field("Content-Encoding"))
            check_eq(want, r.body)
        check_eq(206, c.ask(target, names[0], Range="bytes=0-600,1000-1999").status)
        # A range of what is encoded cannot be had: the whole is.
        tag = c.ask(target, names[0]).field("ETag")
        r = c.ask(target, names[0], Range="bytes=0-9", If_Range=tag)
        check_eq((200, names[0]), (r.status, r.field("Content-Encoding")))


def directives(c, names):
    r = c.ask("/one/small.txt", ", ".join(names))  # the inner one acts first
    check_eq(names[-1], r.field("Content-Encoding"))
    if "gzip" in names:
        check_eq(SMALL, codings.decode("gzip", r.body))
        check_eq(b"\x04", r.body[8:9], "XFL of level 1")  # RFC 1952: the fastest
    r = c.ask("/late/small.txt", names[0])
    check_eq((names[0], "GET"), (r.field("Content-Encoding"), r.field("X-Coding")))
    check_eq(None, c.ask("/hide/small.txt", names[0]).field("ETag"))
    r = c.ask("/page", names[0])
    check_eq((names[0], None), (r.field("Content-Encoding"), r.field("ETag")))
    if codings.readable(names[0]):
        check_eq(b"y" * 2000, codings.decode(names[0], r.body))


def http_1_0(open_socket, names):
    """Neither chunks nor a length: the end of the connection is the end."""
    for target, content in (("/small.txt", SMALL), ("/large.txt", LARGE)):
        sock = open_socket()
        sock.sendall(b"GET %s HTTP/1.0\r\nHost: localhost\r\nAccept-Encoding: %s\r\n\r\n"
                     % (target.encode(), names[-1].encode()))
        head_, body = lib.read_all(sock).split(b"\r\n\r\n", 1)
        sock.close()
        check(b"chunked" not in head_.lower(), head_)
        check(b"Content-Encoding: " + names[-1].encode() in head_, head_)
        if codings.readable(names[-1]):
            check_eq(content, codings.decode(names[-1], body))


def by_curl(port, names):
    """curl decodes what the programs here do not."""
    for name in filter(codings.curl_reads, names):
        for target, content in (("small.txt", SMALL), ("large.txt", LARGE)):
            got = subprocess.run(
                ["curl", "-sf", "--noproxy", "*", "--compressed", "-H", "Accept-Encoding: " + name,
                 "-o", "-", "http://localhost:%d/%s" % (port, target)],
                stdout=subprocess.PIPE, check=True).stdout
            check(got == content, name, target, "by curl")


def main():
    with lib.Test() as t:
        lib.need("curl")
        names = codings.built_in(t)
        for folder in ("", "one/", "late/", "vary/", "keep/", "hide/"):
            t.write("www/" + folder + "small.txt", SMALL)
        for name, content in (("large.txt", LARGE), ("tiny.txt", TINY), ("least.txt", LEAST),
                              ("empty.txt", b""), ("image.png", SMALL)):
            t.write("www/" + name, content)
        plain, tls, http = t.free_ports(3)
        t.lintel("{\n http_port %d\n https_port %d\n local_certs\n}\n"
                 "http://localhost:%d, https://localhost:%d {%s}\n"
                 % (http, tls, plain, tls, CONF % (t.path("www"), names[-1], "y" * 2000)))
        context = lib.tls_context()
        for open_socket in (lambda: connect(plain), lambda: connect_tls(tls, "localhost", context)):
            c = Client(open_socket)
            for test in (formats, as_it_is, head, conditions, ranges, directives):
                test(c, names)
            http_1_0(open_socket, names)
        by_curl(plain, names)


main()
