#!/usr/bin/env python3
"""Paths that mean harm, byte for byte, over plain and TLS connections: each has its exact answer,
twice (looked up, and from the cache), and no answer holds what lies beside the root."""

import os
import socket

import lib
from lib import Reader, check, check_eq, connect, connect_tls, wait_for

SECRET = b"TOP-SECRET"
NAME_MAX = 255


def odd(name):
    """A name on the disk that only its exact escapes lead to."""
    return b"/" + b"".join(b"%%%02x" % c for c in name)


# Names that are legal on the disk, however odd: each is served by its escapes.
ODD = [b"new\nline", b"cr\rlf\n", b"\xff\xfe", b"\xc0\xae\xc0\xae", b"\xed\xa0\x80", b"back\\slash",
       b"..\\..\\odd", b"%2e%2e", b"%2f", b"%00", b"a;b", b"a?b", b"a#b", b"a b", b" lead", b"trail ",
       b"dot.", b"...", b".. ", b"\x7f", b"\x01", b'q"<>', b"*", b"[a]", b"{path}", b"$(id)", b"&",
       "\u00fc".encode(), "u\u0308".encode(), "\uff0e\uff0e".encode(), b"n" * NAME_MAX]

# Above the root, or with a NUL, or with an escape that is none: a bad request (400).
BAD = [
    b"/..", b"/../", b"/../secret", b"/%2e%2e/secret", b"/%2E%2e/secret", b"/.%2e/secret",
    b"/%2e./secret", b"/..%2fsecret", b"/..%2Fsecret", b"/%2e%2e%2fsecret", b"/%2f../secret",
    b"/%2f%2e%2e%2fsecret", b"//../secret", b"/./../secret", b"/in/../../secret",
    b"/in%2f..%2f..%2fsecret", b"/in/%2e%2e/%2e%2e/secret", b"/in//..//..//secret",
    b"/" + b"../" * 500 + b"etc/passwd", b"/" + b"%2e%2e%2f" * 500 + b"etc/passwd",
    b"/file%00", b"/file%00.html", b"/%00", b"/in%00/file", b"/..%00/secret", b"/%00../secret",
    b"/%", b"/%2", b"/%2g", b"/%u002e%u002e/secret", b"/%%32%65%%32%65/secret", b"/file%0",
    b"/%-1", b"/%2e%2", b"/%c0%a", b"/\xff\x00",
]

# Names of which there is none, and what is no file or folder: not found (404).
ABSENT = [
    b"/%252e%252e/secret", b"/%252e%252e%252fsecret", b"/..%252fsecret", b"/%25252e%25252e/secret",
    b"/..%5csecret", b"/..%5C..%5Csecret", b"/in%5c..%5c..%5csecret", b"/%5c..%5csecret",
    b"/..%255csecret", b"/%5csecret", b"/c:%5csecret", b"/file:%5c%5c",
    b"/%c0%ae%c0%ae/secret", b"/%c0%ae%c0%ae%c0%afsecret", b"/..%c0%afsecret", b"/..%c1%9csecret",
    b"/%e0%80%ae%e0%80%ae/secret", b"/%f0%80%80%ae%f0%80%80%ae/secret", b"/%fc%80%80%80%80%ae/",
    b"/%ef%bc%8e%ef%bc%8e%ef%bc%8fsecret", b"/%e2%80%a5/secret", b"/..;/secret", b"/..;x/secret",
    b"/file;jsessionid=1", b"/file;/", b"/;file", b"/in;/file", b"/.../secret", b"/..../secret",
    b"/..%20/secret", b"/..%09/secret", b"/%20../secret", b"/file.", b"/file..", b"/file%20",
    b"/file%20.", b"/FILE", b"/File", b"/IN/file", b"/file/x", b"/file%2fx",
    b"/file::$DATA", b"/file%3a%3a$DATA", b"/con", b"/in~1/file", b"/file%0a", b"/file%0d%0aX-Y:z",
    b"/etc/passwd", b"//etc/passwd", b"/%2fetc%2fpasswd", b"/%2f%2fetc/passwd",
    b"/proc/self/environ", b"/dev/zero", b"/www/file", b"/secret", b"/~root/", b"/$HOME",
    b"/{env.HOME}", b"/%7benv.HOME%7d", b"/f*", b"/fil?", b"/fil%3f", b"/[f]ile", b"/f%2a",
    b"/" + b"n" * (NAME_MAX + 1), b"/" + b"%6e" * (NAME_MAX + 1), b"/in/" + b"x" * 4000,
    b"/" + b"d/" * 2500, b"/" + b"d%2f" * 2000, b"/" + b"a/../" * 1500 + b"nothing",
    b"/" + b"n" * 255 + b"/" + b"n" * 255 + b"/file",
    b"/fifo", b"/fifo/", b"/fifo/x", b"/socket", b"/socket/", b"/link-fifo", b"/link-dev",
    b"/link-out", b"/link-folder/secret", b"/link-folder/", b"/folder-of-fifo/",
]

# Other spellings of a name that is there (200).
SAME = [
    b"/file", b"//file", b"///file", b"/./file", b"/.//./file", b"/%2ffile", b"/%2e/file",
    b"/in/../file", b"/in%2f..%2ffile", b"/in/%2e%2e/file", b"/nothing/../file", b"/file/../file",
    b"/%66ile", b"/%66%69%6c%65", b"/" + b"a/../" * 1000 + b"file", b"/" + b"/" * 4000 + b"file",
    b"/file?../../secret", b"/file?%00", b"/file?%2e%2e%2fsecret", b"/in/.%2e/%66ile",
]

# Where links may lead out, these do not matter: what would block, never end or act is no file.
NEVER = [b"/link-dev", b"/link-fifo", b"/link-tty", b"/link-socket", b"/fifo", b"/socket",
         b"/link-proc", b"/folder-of-fifo/", b"/link-dev/", b"/link-folder/fifo"]


def make(test):
    test.write("www/file", b"inside")
    test.write("www/in/file", b"inside")
    test.write("secret", SECRET)
    www = test.path("www")
    for name in ODD:
        with open(os.path.join(www.encode(), name), "wb") as f:
            f.write(b"odd " + name)
    os.mkfifo(os.path.join(www, "fifo"))
    os.mkfifo(test.path("fifo"))
    os.mkdir(os.path.join(www, "folder-of-fifo"))
    os.mkfifo(os.path.join(www, "folder-of-fifo/index.html"))
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(os.path.join(www, "socket"))
    for name, target in (("link-fifo", "fifo"), ("link-dev", "/dev/zero"), ("link-tty", "/dev/tty"),
                         ("link-socket", "socket"), ("link-out", "../secret"),
                         ("link-folder", ".."), ("link-proc", "/proc/self/exe")):
        os.symlink(target, os.path.join(www, name))


class Client:
    """Asks on one connection for as long as the server keeps it."""

    def __init__(self, name, open_socket):
        self.name = name
        self.open_socket = open_socket
        self.sock = None

    def get(self, target):
        if self.sock is None:
            self.sock = self.open_socket()
            self.reader = Reader(self.sock)
        self.sock.sendall(b"GET " + target + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")
        r = self.reader.response()
        if r.field("Connection") == "close":
            self.sock.close()
            self.sock = None
        what = "%s %r" % (self.name, target[:70])
        check(SECRET not in r.body, what, "told the secret")
        for name, values in r.fields.items():
            check(SECRET.decode() not in "".join(values), what, "told the secret in", name)
        check(b"root:" not in r.body and b"\x7fELF" not in r.body, what, "told a file of the system")
        return r


def expect(client, targets, status, body=None):
    for target in targets:
        r = client.get(target)
        what = "%s %r" % (client.name, target[:70])
        check_eq(status, r.status, what)
        check(body is None or r.body == body, what, "body", r.body[:60])


def other_methods(client):
    """A name that is refused is so by whatever method it is asked for."""
    for method in (b"HEAD", b"POST", b"PUT", b"DELETE", b"OPTIONS", b"PROPFIND"):
        for target, status in ((b"/../secret", b"400"), (b"/..%5csecret", b"404"),
                               (b"/file%00", b"400"), (b"/fifo", b"404")):
            with client.open_socket() as s:
                s.sendall(method + b" " + target + b" HTTP/1.1\r\nHost: localhost\r\n"
                          b"Connection: close\r\n\r\n")
                reply = lib.read_all(s)
                check_eq(status, reply[9:12], "%r %r" % (method, target))
                check(SECRET not in reply, method, target)


def absolute_forms(client):
    scheme = b"https" if client.name == "TLS" else b"http"
    for target, status in ((b"/../secret", 400), (b"/%2e%2e/secret", 400), (b"/..%5csecret", 404),
                           (b"/file", 200)):
        check_eq(status, client.get(scheme + b"://localhost" + target).status, target)


def main(test):
    make(test)
    plain, tls, following = test.free_ports(3)
    server = test.lintel("""
{
    admin off
    http_port %d
    auto_https disable_redirects
    workers 1
}
http://:%d, https://localhost:%d {
    tls internal
    root %s
    file_server
}
http://:%d {
    root %s {
        follow_symlinks
    }
    file_server
}
""" % (plain, plain, tls, test.path("www"), following, test.path("www")))
    wait_for(30, lambda: os.path.exists(test.local_root), "the local CA")
    context = lib.tls_context(test.local_root)
    for client in (Client("plain", lambda: connect(plain)),
                   Client("TLS", lambda: connect_tls(tls, "localhost", context))):
        for _ in range(2):
            expect(client, BAD, 400)
            expect(client, ABSENT, 404)
            expect(client, SAME, 200, b"inside")
            for name in ODD:
                expect(client, [odd(name)], 200, b"odd " + name)
        other_methods(client)
        absolute_forms(client)
    client = Client("following", lambda: connect(following))
    for _ in range(2):
        expect(client, NEVER, 404)
        expect(client, BAD, 400)
    # Nobody has opened a FIFO: to write to one without a reader fails.
    for name in ("fifo", "www/fifo", "www/folder-of-fifo/index.html"):
        try:
            os.close(os.open(test.path(name), os.O_WRONLY | os.O_NONBLOCK))
            check(False, name, "was opened")
        except OSError:
            pass
    check(server.alive(), "the server is still there")


if __name__ == "__main__":
    with lib.Test() as t:
        main(t)
