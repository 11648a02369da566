#!/usr/bin/env python3
"""Files that change: what the cache believes is corrected within seconds; a file that is replaced,
cut short or deleted while it is sent breaks neither the framing nor the server; descriptors that
run out are an error that passes."""

import os
import re
import resource
import shutil
import ssl
import time

import lib
from lib import Reader, check, check_eq, connect, connect_tls, request, wait_for

BIG = 16 << 20


def get(port, target, fields=()):
    with connect(port) as s:
        return request(s, target, fields=fields)


def put(test, name, content, age_s=100):
    """Replaces a file whole, as deployments do."""
    path = test.path("www", name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path + ".new", "wb") as f:
        f.write(content)
    then = time.time() - age_s
    os.utime(path + ".new", (then, then))
    os.rename(path + ".new", path)


def until(port, target, status, body=None):
    """Waits until the server tells of a change, which it must within the time an entry is kept."""
    def is_so():
        r = get(port, target)
        return r.status == status and body in (None, r.body)
    wait_for(10, is_so, "%s: %s %r" % (target, status, body))


def append(path, more):
    with open(path, "ab") as f:
        f.write(more)


def write_at_start(path, data):
    with open(path, "r+b") as f:
        f.write(data)


def believed(test, port):
    """Each change of a small and a large file, from a state that has been cached."""
    small, large = b"small", b"L" * 100_000
    files = {"s.txt": (small, large), "l.txt": (large, small)}
    tags = {}

    def step(change, expect, end="", status=200):
        for name, (first, other) in files.items():
            change("c/" + name, test.path("www/c", name), first, other)
        for name, (first, other) in files.items():
            until(port, "/c/%s%s" % (name, end), status, expect and expect(first, other))

    step(lambda name, path, first, other: put(test, name, first), lambda f, o: f)
    for name in files:
        tags[name] = get(port, "/c/" + name).field("ETag")
    step(lambda name, path, f, o: put(test, name, f[:-1] + b"!", 50), lambda f, o: f[:-1] + b"!")
    for name in files:
        check(tags[name] != get(port, "/c/" + name).field("ETag"), name, "has its old ETag")
    step(lambda name, path, f, o: write_at_start(path, b"?"), lambda f, o: b"?" + f[1:-1] + b"!")
    step(lambda name, path, f, o: append(path, b"m"), lambda f, o: b"?" + f[1:-1] + b"!m")
    step(lambda name, path, f, o: os.truncate(path, 3), lambda f, o: b"?" + f[1:3])
    step(lambda name, path, f, o: os.truncate(path, 0), lambda f, o: b"")
    step(lambda name, path, f, o: os.unlink(path), None, status=404)
    step(lambda name, path, f, o: put(test, name, o), lambda f, o: o)  # the other kind
    step(lambda name, path, f, o: os.unlink(path), None, status=404)
    step(lambda name, path, f, o: put(test, name + "/index.html", f), None, status=308)
    step(lambda name, path, f, o: None, lambda f, o: f, end="/")
    step(lambda name, path, f, o: (shutil.rmtree(path), put(test, name, f)), lambda f, o: f)
    step(lambda name, path, f, o: None, None, end="/", status=308)


def index_comes_and_goes(test, port):
    os.mkdir(test.path("www/i"))
    until(port, "/i/", 404)
    put(test, "i/index.txt", b"text")
    until(port, "/i/", 200, b"text")
    put(test, "i/index.html", b"html")  # goes before the other
    until(port, "/i/", 200, b"html")
    os.unlink(test.path("www/i/index.html"))
    until(port, "/i/", 200, b"text")
    os.unlink(test.path("www/i/index.txt"))
    until(port, "/i/", 404)


def root_is_switched(test, port):
    """A root that is a link to a release."""
    for release in ("one", "two"):
        test.write("releases/%s/index.html" % release, release)
    link = test.path("current")
    os.symlink("releases/one", link)
    until(port, "/", 200, b"one")
    os.symlink("releases/two", link + ".new")
    os.rename(link + ".new", link)
    until(port, "/", 200, b"two")
    os.unlink(link)
    until(port, "/", 404)


def start_reading(open_socket, target):
    """A client that has read the head and stopped; the server cannot have sent it all."""
    s = open_socket()
    s.sendall(("GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n" % target).encode())
    head = b""
    while b"\r\n\r\n" not in head:
        head += s.recv(1024)
    head, body = head.split(b"\r\n\r\n", 1)
    length = int(re.search(rb"Content-Length: (\d+)", head).group(1))
    return s, length, body


def all_of(s, body):
    body = bytearray(body)
    while len(body) < BIG:
        part = s.recv(1 << 20)
        check(part, "closed after", len(body))
        body += part
    return bytes(body)


def rest_of(s, limit):
    """All that comes until the server breaks off, which it does as soon as it sees that the rest
    is not to be had: long before the time for a body without progress is over."""
    s.settimeout(30)
    parts = bytearray()
    try:
        while len(parts) < limit:
            part = s.recv(1 << 20)
            if not part:
                break
            parts += part
    except (ConnectionResetError, ssl.SSLError):
        pass
    return bytes(parts)


def changed_while_sent(test, port, open_socket):
    content = os.urandom(BIG)
    path = test.path("www/big.bin")
    put(test, "big.bin", content)
    s, length, body = start_reading(open_socket, "/big.bin")
    check_eq(BIG, length, "length")
    put(test, "big.bin", b"x" * BIG)  # replaced: this client goes on with the old
    body = all_of(s, body)
    check(body == content, "a replaced file was mixed with the new")
    s.close()

    put(test, "big.bin", content)
    until(port, "/big.bin", 200, content)
    s, length, body = start_reading(open_socket, "/big.bin")
    os.unlink(path)
    body = all_of(s, body)
    check(body == content, "a deleted file was sent wrong")
    s.close()

    put(test, "big.bin", content)
    until(port, "/big.bin", 200, content)
    s, length, body = start_reading(open_socket, "/big.bin")
    os.truncate(path, 100)
    rest = rest_of(s, BIG * 2)
    check(len(body) + len(rest) < BIG, "more came than there was")
    check(content.startswith((body + rest)[:100]), "cut short: wrong bytes")
    check_eq(404, get(port, "/none").status, "another request meanwhile")
    s.close()

    put(test, "big.bin", content)
    until(port, "/big.bin", 200, content)
    s, length, body = start_reading(open_socket, "/big.bin")
    with open(path, "ab") as f:
        f.write(b"grown" * 100000)
    body = all_of(s, body)
    check(len(body) == BIG and body == content, "a grown file was sent wrong")
    s.sendall(b"GET /c/s.txt HTTP/1.1\r\nHost: localhost\r\n\r\n")
    check_eq(200, Reader(s).response().status, "the next request of that connection")
    s.close()


def memory_stays(test, server, port):
    """Big files pass through: forty clients that wait cost no forty files."""
    put(test, "big.bin", b"z" * BIG)
    until(port, "/big.bin", 200)
    before = server.rss_kb()
    waiting = [start_reading(lambda: connect(port), "/big.bin")[0] for _ in range(40)]
    check(server.rss_kb() - before < 60_000, "memory: %d kB more" % (server.rss_kb() - before))
    for s in waiting:
        s.close()


def out_of_descriptors(test):
    """503 with Retry-After, and all is well once there are some again. The limit is lowered while
    the server runs, to just what it has open."""
    port = test.free_port()
    for i in range(30):
        put(test, "fd/%d.bin" % i, b"f" * 100_000)
    server = test.lintel("""
{
    admin off
    auto_https off
    workers 1
}
http://:%d {
    root %s
    file_server
}
""" % (port, test.path("www/fd")))
    with connect(port) as s:
        reader = Reader(s)
        for i in range(10):
            check_eq(200, request(s, "/%d.bin" % i, reader=reader).status)
        wait_for(10, lambda: request(s, "/0.bin", reader=reader).status == 200)
        fds = {int(n) for n in os.listdir("/proc/%d/fd" % server.pid)}
        limits = resource.prlimit(server.pid, resource.RLIMIT_NOFILE)
        # Descriptors that the cache holds make room for what is asked for now.
        resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (max(fds) + 1, limits[1]))
        check_eq(200, request(s, "/20.bin", reader=reader).status, "with a full cache")
        resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (3, limits[1]))
        r = request(s, "/21.bin", reader=reader)
        check_eq(503, r.status, "without descriptors")
        check_eq("3", r.field("Retry-After"))
        resource.prlimit(server.pid, resource.RLIMIT_NOFILE, limits)
        check_eq(200, request(s, "/21.bin", reader=reader).status, "recovered")


def main(test):
    for name in ("www/c", "releases"):
        os.makedirs(test.path(name))
    port, tls, switched = test.free_ports(3)
    server = test.lintel("""
{
    admin off
    auto_https disable_redirects
    http_port %d
    workers 1
}
http://:%d, https://localhost:%d {
    tls internal
    root %s
    file_server
}
http://:%d {
    file_server {
        root %s
    }
}
""" % (port, port, tls, test.path("www"), switched, test.path("current")))
    believed(test, port)
    index_comes_and_goes(test, port)
    root_is_switched(test, switched)
    wait_for(30, lambda: os.path.exists(test.local_root), "the local CA")
    context = lib.tls_context(test.local_root)
    changed_while_sent(test, port, lambda: connect(port))
    changed_while_sent(test, port, lambda: connect_tls(tls, "localhost", context))
    memory_stays(test, server, port)
    out_of_descriptors(test)
    check(server.alive(), "the server is still there")


if __name__ == "__main__":
    with lib.Test() as t:
        main(t)
