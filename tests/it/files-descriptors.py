#!/usr/bin/env python3
"""A server that has no descriptor left, with downloads held by slow clients: files that are in
memory or open are still served, others are 503 with Retry-After and never something else; connections that
cannot be taken are closed and do not keep the CPU busy; downloads under way are not touched; and
when there are descriptors again, all is as before."""

import os
import resource
import socket
import time

import lib
from lib import Reader, check, check_eq, connect, connect_tls, request, wait_for

BIG = os.urandom(8 << 20)
HELD = 12


def cpu_s(server):
    """The CPU time of the server so far."""
    with open("/proc/%d/stat" % server.pid) as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def descriptors(server):
    return {int(n) for n in os.listdir("/proc/%d/fd" % server.pid)}


class Download:
    """A client that has read a little and waits."""

    def __init__(self, port, target):
        self.sock = socket.socket()
        self.sock.settimeout(60)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        self.sock.connect(("127.0.0.1", port))
        self.sock.sendall(("GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n" % target).encode())
        self.reader = Reader(self.sock)
        while len(self.reader.buffer) < 1000:
            self.reader.buffer += self.sock.recv(1000)

    def finish(self):
        r = self.reader.response()
        check(r.status == 200 and r.body == BIG, "a download under way was disturbed")
        self.sock.close()


def is_refused(port):
    """A connection is taken and closed, or not even that."""
    try:
        with connect(port, 10) as s:
            s.sendall(b"GET /cached.txt HTTP/1.1\r\nHost: localhost\r\n\r\n")
            return s.recv(100) == b""
    except (ConnectionResetError, BrokenPipeError):
        return True


def expect_503(client, target):
    sock, reader = client
    r = request(sock, target, reader=reader)
    check_eq(503, r.status, target)
    check_eq("3", r.field("Retry-After"), target)
    check_eq(b"503 Service Unavailable\n", r.body, target)


def take_all(server, port, most):
    """Idle connections, until there is no descriptor left."""
    idle = []

    def is_full():
        if len(descriptors(server)) == most:
            return True
        idle.append(connect(port))
        return False

    wait_for(30, is_full, "all descriptors to be taken")
    return idle


def main(test):
    for name in ("cached.txt", "new.txt", "spa/app.txt", "in/file.txt"):
        test.write("www/" + name, b"inside")
    test.write("www/spa/index.html", b"index")
    test.write("www/big.bin", BIG)
    plain, tls = test.free_ports(2)
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
    handle /spa/* {
        try_files {path} /spa/index.html
    }
    handle /in/* {
        @there file {path}.txt
        respond @there found
        respond "nothing there"
    }
    file_server
}
""" % (plain, plain, tls, test.path("www")))
    wait_for(30, lambda: os.path.exists(test.local_root), "the local CA")
    context = lib.tls_context(test.local_root)
    # What has just changed is looked up again, which takes a descriptor.
    settled = os.stat(test.path("www/big.bin")).st_ctime + 4
    wait_for(30, lambda: time.time() > settled, "the files to be old enough")
    clients = []
    for sock in (connect(plain), connect_tls(tls, "localhost", context)):
        clients.append((sock, Reader(sock)))
        for target in ("/cached.txt", "/spa/index.html"):
            check_eq(200, request(sock, target, reader=clients[-1][1]).status, target)
    downloads = [Download(plain, "/big.bin") for _ in range(HELD)]
    limits = resource.prlimit(server.pid, resource.RLIMIT_NOFILE)
    most = max(descriptors(server)) + 3
    resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (most, limits[1]))
    idle = take_all(server, plain, most)

    # One that is open already needs no other.
    r = request(clients[0][0], "/big.bin", reader=clients[0][1])
    check(r.status == 200 and r.body == BIG, "a large file whose descriptor is kept")
    for client in clients:
        check_eq(b"inside", request(client[0], "/cached.txt", reader=client[1]).body, "in memory")
        # That a file cannot be looked for does not mean that it is not there.
        for target in ("/new.txt", "/spa/app.txt", "/in/file"):
            expect_503(client, target)
    before, then = cpu_s(server), time.monotonic()
    waiting = []
    for _ in range(50):
        waiting.append(socket.create_connection(("127.0.0.1", plain), 10))
        waiting.append(socket.create_connection(("127.0.0.1", tls), 10))
    time.sleep(1.5)
    used = (cpu_s(server) - before) / (time.monotonic() - then)
    check(used < 0.5, "the server is busy: %.0f%% of a CPU" % (used * 100))
    for port in (plain, tls):
        check(is_refused(port), "a connection without a descriptor")
    for s in waiting + idle:
        s.close()

    resource.prlimit(server.pid, resource.RLIMIT_NOFILE, limits)
    for client in clients:
        for target, body in (("/new.txt", b"inside"), ("/spa/app.txt", b"inside"),
                             ("/in/file", b"found")):
            check_eq(body, request(client[0], target, reader=client[1]).body, target)
        client[0].close()
    for d in downloads:
        d.finish()
    with connect(plain) as s:
        check_eq(200, request(s, "/new.txt").status, "a new connection")
    with connect_tls(tls, "localhost", context) as s:
        check_eq(200, request(s, "/new.txt").status, "a new TLS connection")
    wait_for(30, lambda: len(descriptors(server)) < 40, "descriptors to be closed")


if __name__ == "__main__":
    with lib.Test() as t:
        main(t)
