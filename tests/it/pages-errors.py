#!/usr/bin/env python3
"""The built-in pages for errors: the form by Accept, each field exact, over plain connections and TLS;
and what may be put in their place."""

import gzip
import json
import re

import lib
from lib import check, check_eq

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
TEXT = "text/plain; charset=utf-8"
HTML = "text/html; charset=utf-8"
JSON = "application/json"
PROBLEM = "application/problem+json"

SITES = """{
    http_port %(http)d
    https_port %(https)d
    auto_https disable_redirects
}
%(sites)s {
    root * %(root)s
    file_server
    respond /method 405
    error /gone 410
    error /odd "a message" 499
    basic_auth /secret {
        someone %(hash)s
    }
    header /typed Content-Type image/png
    header /vary Vary Origin
}
http://own.test, https://own.test {
    tls internal
    root * %(root)s
    file_server
    handle_errors 404 {
        respond "own {err.status_code}" 404
    }
}
http://encoded.test, https://encoded.test {
    tls internal
    root * %(root)s
    encode gzip
    file_server
}
"""

# Of a password that nobody asks for.
HASH = "$2a$04$CFK8..Yz9Y8fJVj0r9tNlO1aBPU2Ldn2ggO/v0z8s/0jR2C3Y2XmG"


class Client:
    """Requests on one connection, of either kind."""

    def __init__(self, port, tls):
        self.tls = tls
        self.sock = lib.connect_tls(port, "localhost", lib.tls_context()) if tls else lib.connect(port)
        self.reader = lib.Reader(self.sock)

    def ask(self, target, accept=None, method="GET", host="localhost", fields=()):
        fields = list(fields) + ([("Accept", accept)] if accept is not None else [])
        return lib.request(self.sock, target, host, method, fields, reader=self.reader)


def page_fields(kind, length, **more):
    fields = {"server": "Lintel", "content-type": kind, "vary": "Accept",
              "x-content-type-options": "nosniff", "content-length": str(length)}
    fields.update({name.replace("_", "-"): value for name, value in more.items()})
    return fields


def check_fields(answer, want, what):
    got = {name: answer.field(name) for name in answer.fields if name != "date"}
    if "content-security-policy" in got and want["content-type"] == HTML:
        check(re.fullmatch(r"default-src 'none'; img-src 'self'; base-uri 'none'; "
                           r"form-action 'none'; style-src 'sha256-[A-Za-z0-9+/]{43}='",
                           got.pop("content-security-policy")), "the policy of", what)
    else:
        check(want["content-type"] != HTML, what, "has no policy")
    check_eq(want, got, what)
    check("date" in answer.fields, what, "has no Date")


def forms(client):
    """Each form of a page, and HEAD like GET."""
    for accept, kind in ((None, TEXT), ("*/*", TEXT), (BROWSER, HTML), (JSON, JSON),
                         ("application/json, text/plain, */*", JSON), (PROBLEM, PROBLEM),
                         ("image/png", TEXT), ("text/html;q=0, application/*;q=0.1", JSON)):
        for status, target in ((404, "/nope"), (410, "/gone"), (404, "/typed")):
            what = "%s for %s" % (target, accept)
            get = client.ask(target, accept)
            check_eq(status, get.status, what)
            check_fields(get, page_fields(kind, len(get.body)), what)
            head = client.ask(target, accept, "HEAD")
            check_eq((status, b""), (head.status, head.body), "HEAD " + what)
            check_eq({n: v for n, v in get.fields.items() if n != "date"},
                     {n: v for n, v in head.fields.items() if n != "date"}, "HEAD " + what)
            phrase = {404: "Not Found", 410: "Gone"}[status]
            if kind == TEXT:
                check_eq(("%d %s\n" % (status, phrase)).encode(), get.body, what)
            elif kind == HTML:
                check(b"<title>%d %s</title>" % (status, phrase.encode()) in get.body, get.body)
                check(len(get.body) <= 2048, what, "is large")
            else:
                check_eq({"status": status, "title": phrase}, json.loads(get.body), what)


def other_fields(client):
    """What an error has of its own stays."""
    r = client.ask("/a.txt", method="POST")
    check_eq(405, r.status, "POST")
    check_fields(r, page_fields(TEXT, 23, allow="GET, HEAD, OPTIONS"), "POST")
    r = client.ask("/secret", PROBLEM)
    check_eq(401, r.status, "/secret")
    check_fields(r, page_fields(PROBLEM, len(r.body), www_authenticate='Basic realm="restricted"'),
                 "/secret")
    r = client.ask("/odd", "text/html")
    check_eq(499, r.status, "/odd")
    check(b"<title>499 Error</title>" in r.body and b"a message" not in r.body, r.body)
    r = client.ask("/vary")
    check_fields(r, page_fields(TEXT, 14, vary="Origin, Accept"), "/vary")
    r = client.ask("/method", "text/html")
    check_eq((405, b""), (r.status, r.body), "what a site answers is no error")


def tells_nothing_of_the_request(client):
    pages = {client.ask(target, BROWSER, fields=fields).body
             for target in ("/nope", "/%3Cscript%3E", "/nope?%3Cb%3E", "/a/%22b")
             for fields in ((), [("Referer", "<b>"), ("User-Agent", "<b>")])}
    check_eq(1, len(pages), "pages")


def overridden(client):
    for accept in (None, BROWSER, JSON):
        r = client.ask("/nope", accept, host="own.test")
        check_eq((404, b"own 404", None), (r.status, r.body, r.field("vary")), "handle_errors")
    r = client.ask("/a.txt", JSON, "POST", host="own.test")
    check_eq((405, JSON), (r.status, r.field("content-type")), "not one of handle_errors")


def encoded(client):
    plain = client.ask("/nope", BROWSER)
    r = client.ask("/nope", BROWSER, host="encoded.test", fields=[("Accept-Encoding", "gzip")])
    check_eq((404, "gzip", "Accept, Accept-Encoding"),
             (r.status, r.field("content-encoding"), r.field("vary")), "encoded")
    check_eq(plain.body, gzip.decompress(r.body), "the page, encoded")
    r = client.ask("/nope", BROWSER, host="encoded.test")
    check_eq((plain.body, "Accept, Accept-Encoding"), (r.body, r.field("vary")), "not encoded")


def refused(port):
    """What the engine refuses before there is a site."""
    for accept, kind in (("*/*", TEXT), ("text/html", HTML), (JSON, JSON)):
        got = lib.raw(port, b"GET / HTTP/1.1\r\nHost: a b\r\nAccept: %s\r\n\r\n" % accept.encode())
        r = lib.Reader(Bytes(got)).response()
        check_eq(400, r.status, "a bad Host")
        check_fields(r, page_fields(kind, len(r.body), connection="close"), "a bad Host")


class Bytes:
    """Bytes that were received, to be read again."""

    def __init__(self, got):
        self.got = got

    def recv(self, _):
        got, self.got = self.got, b""
        return got


def main():
    with lib.Test() as t:
        http, https = t.free_ports(2)
        t.write("root/a.txt", "a")
        t.lintel(SITES % {"http": http, "https": https, "root": t.path("root"), "hash": HASH,
                          "sites": "http://localhost, https://localhost"})
        for port, tls in ((http, False), (https, True)):
            client = Client(port, tls)
            forms(client)
            other_fields(client)
            tells_nothing_of_the_request(client)
            if not tls:  # a name of its own for each handshake
                overridden(client)
                encoded(client)
        refused(http)


main()
