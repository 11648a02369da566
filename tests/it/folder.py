"""Files of known content and time, and what answers with them have to be: for the files-* tests."""

import os

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


def serve(test, directives="file_server"):
    """Starts a server of the folder; returns it and what opens connections to it, plain and with TLS."""
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
    %s
}
""" % (plain, plain, tls, test.path("www"), directives))
    lib.wait_for(30, lambda: os.path.exists(test.local_root), "the local CA")
    context = lib.tls_context(test.local_root)
    return server, (lambda: connect(plain), lambda: connect_tls(tls, "localhost", context))


class Client:
    """A connection that is opened anew whenever the server has closed it. What every request has is in
    fields."""

    def __init__(self, open_socket, fields=()):
        self.open_socket = open_socket
        self.fields = list(fields)
        self.sock = None

    def ask(self, target, method="GET", fields=()):
        if self.sock is None:
            self.sock = self.open_socket()
            self.reader = Reader(self.sock)
        r = request(self.sock, target, "localhost", method, self.fields + list(fields),
                    reader=self.reader)
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
