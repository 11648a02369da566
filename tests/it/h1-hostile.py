#!/usr/bin/env python3
"""Clients that mean no good, over plain TCP and TLS: floods of headers, slow ones, broken chunks,
requests cut at every byte, noise, thousands of half-open connections. Each ends with the right
status or a closed connection within its time limit, memory stays bounded, others are served."""

import concurrent.futures
import os
import random
import resource
import socket
import ssl
import threading
import time

import lib

H = b"Host: localhost\r\n"
ALIVE = b"GET /probe HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
TIMEOUT_S = 1
SLACK_S = 15  # for a busy machine; what hangs is told from what is slow
GROWTH_KB = 40 * 1024


class Upstream(threading.Thread):
    """Reads each request whole, with a body in chunks, and answers how long its body was. A body
    that breaks off is noted and not answered."""

    def __init__(self):
        super().__init__(daemon=True)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.whole = 0

    def run(self):
        while True:
            sock, _ = self.listener.accept()
            threading.Thread(target=self.serve, args=(sock,), daemon=True).start()

    def serve(self, sock):
        with sock, sock.makefile("rb") as f:
            try:
                while self.one(sock, f):
                    pass
            except (OSError, ValueError):
                pass

    def one(self, sock, f):
        chunked, length = False, 0
        line = f.readline()
        if not line:
            return False
        while True:
            line = f.readline().lower()
            if line in (b"\r\n", b""):
                break
            chunked |= line.startswith(b"transfer-encoding:")
            if line.startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        total = self.chunks(f) if chunked else len(f.read(length))
        if not chunked and total < length:
            return False
        self.whole += 1
        body = b"%d bytes" % total
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        return True

    @staticmethod
    def chunks(f):
        total = 0
        while True:
            size = int(f.readline(), 16)
            if size == 0:
                f.readline()
                return total
            total += len(f.read(size))
            f.readline()


def held(ports):
    """Whether some process still holds the server's end of a connection to one of these ports: in
    the kernel's table it then has an inode."""
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with open(table) as f:
            for row in f.readlines()[1:]:
                column = row.split()
                if int(column[2].split(":")[1], 16) in ports and column[9] != "0":
                    return True
    return False


class Hostile:
    def __init__(self, server, upstream, connect, name):
        self.server, self.upstream, self.connect, self.name = server, upstream, connect, name

    def alive(self):
        with self.connect() as s:
            s.sendall(ALIVE)
            answer = lib.read_all(s)
        lib.check(answer.endswith(b"probe"), self.name, "not served any more:", answer[:200])

    def ask(self, data):
        with self.connect() as s:
            try:
                s.sendall(data)
            except OSError:
                pass
            return lib.read_all(s)

    def status(self, data, wanted, what):
        answer = self.ask(data)
        got = int(answer[9:12]) if answer else 0
        lib.check(got in wanted, self.name, what, "gave", got, answer[:300])
        return answer

    # ---- floods ----

    def floods(self):
        self.status(b"GET /" + b"a" * 200000, (414, 431), "an endless request line")
        self.status(b"GET / HTTP/1.1\r\n" + H + b"X: " + b"a" * 200000, (431,), "an endless value")
        self.status(b"GET / HTTP/1.1\r\n" + H + b"a" * 200000, (431,), "an endless name")
        self.status(b"GET / HTTP/1.1\r\n" + H + b"X-A: b\r\n" * 100000, (431,), "endless fields")
        self.status(b"GET / HTTP/1.1\r\n" + H + b"X-A: b\r\n c\r\n" * 20000, (400, 431),
                    "endless folded lines")
        end = b" HTTP/1.1\r\n" + H + b"Connection: close\r\n"
        self.status(b"GET /probe?" + b"a&" * 4000 + end + b"\r\n", (200,), "many arguments")
        self.status(b"GET /probe" + end + b"Cookie: " + b"a=b;" * 3000 + b"\r\n\r\n", (200,),
                    "many cookies")
        self.status(b"GET /?" + b"a&" * 20000 + end + b"\r\n", (414, 431), "too many arguments")
        self.status(b"POST /up HTTP/1.1\r\n" + H + b"Transfer-Encoding: chunked\r\n\r\n"
                    b"1;" + b"x" * 200000, (0, 400, 413, 431, 500, 502), "an endless chunk extension")
        self.status(b"POST /up HTTP/1.1\r\n" + H + b"Transfer-Encoding: chunked\r\n\r\n0\r\n"
                    + b"X-T: a\r\n" * 100000, (0, 400, 413, 431, 500, 502), "endless trailers")
        self.status(b"POST /up HTTP/1.1\r\n" + H + b"Transfer-Encoding: chunked\r\n\r\n"
                    + b"0" * 200000, (0, 400, 413, 431, 500, 502), "an endless chunk size")

    def pipelines(self):
        """Many requests at once by a client that never reads."""
        before = self.server.rss_kb()
        one = b"GET /big HTTP/1.1\r\n" + H + b"\r\n"
        socks = [self.connect() for _ in range(20)]
        for s in socks:
            s.settimeout(0.2)
            try:
                s.sendall(one * 5000)
            except (OSError, ssl.SSLError):
                pass
        grown = self.server.rss_kb() - before
        for s in socks:
            s.close()
        lib.check(grown < GROWTH_KB, self.name, "pipelines cost", grown, "KB")

    # ---- slowness ----

    def cut_in_time(self, start, what, dribble):
        """The server closes although we go on sending a byte now and then."""
        with self.connect() as s:
            began = time.monotonic()
            s.sendall(start)
            s.settimeout(0.25)
            while True:
                lib.check(time.monotonic() - began < TIMEOUT_S * 4 + SLACK_S, self.name, what,
                          "was not cut")
                try:
                    if not s.recv(65536):
                        return
                except TimeoutError:
                    pass
                except OSError:
                    return
                try:
                    s.sendall(dribble)
                except OSError:
                    return

    SLOW = [
        (b"", "a client that says nothing", b""),
        (b"GET /", "a slow request line", b"a"),
        (b"", "endless empty lines", b"\r\n"),
        (b"GET / HTTP/1.1\r\n" + H, "a slow header", b"X-A: b\r\n"),
        (b"GET / HTTP/1.1\r\n" + H + b"\r\n", "an idle connection", b""),
        (b"POST /up HTTP/1.1\r\n" + H + b"Content-Length: 9\r\n\r\n1", "a body that stops", b""),
        (b"POST /up HTTP/1.1\r\n" + H + b"Transfer-Encoding: chunked\r\n\r\n5\r\n12",
         "a chunk that stops", b""),
    ]

    def slowness(self):
        with concurrent.futures.ThreadPoolExecutor(len(self.SLOW)) as pool:
            list(pool.map(lambda row: self.cut_in_time(*row), self.SLOW))

    def no_reader(self):
        """A client that asks for much and reads nothing is cut; its descriptor is given back."""
        socks = [self.connect() for _ in range(5)]
        ports = {s.getsockname()[1] for s in socks}
        for s in socks:
            s.sendall(b"GET /huge.bin HTTP/1.1\r\n" + H + b"\r\n")
        lib.wait_for(TIMEOUT_S * 4 + SLACK_S, lambda: not held(ports),
                     "clients that do not read to be cut")
        for s in socks:
            s.close()

    # ---- broken bodies ----

    BROKEN_CHUNKS = [
        b"x\r\n", b"-1\r\n", b"+1\r\na\r\n0\r\n\r\n", b"0x1\r\na\r\n0\r\n\r\n", b" 1\r\na\r\n0\r\n\r\n",
        b"1 \r\na\r\n0\r\n\r\n", b"\r\n", b"g\r\n", b"1\r\nab\r\n0\r\n\r\n", b"1\r\naXX0\r\n\r\n",
        b"ffffffffffffffffff\r\na", b"10000000000000000\r\na\r\n0\r\n\r\n", b";\r\n", b"1,1\r\na\r\n0\r\n\r\n",
        b"1\r\na\r\n0\r\nbad trailer\r\n\r\n", b"\0\r\n", b"1\0\r\na\r\n0\r\n\r\n",
    ]

    def broken_chunks(self):
        head = b"POST /up HTTP/1.1\r\n" + H + b"Transfer-Encoding: chunked\r\n\r\n"
        for chunks in self.BROKEN_CHUNKS:
            whole = self.upstream.whole
            answer = self.ask(head + b"3\r\nabc\r\n" + chunks + ALIVE)
            lib.check(not answer.endswith(b"probe"), self.name, chunks, "kept the connection:",
                      answer)
            lib.check(not answer or answer[9:10] in b"45", self.name, chunks, "was taken:", answer)
            lib.check_eq(whole, self.upstream.whole, "whole requests upstream after %r" % chunks)
        for size in (b"2", b"2;ext=1"):  # libmicrohttpd 1.0.1 does not take an extension
            answer = self.ask(head + b"3\r\nabc\r\n" + size + b"\r\nde\r\n0\r\nX-T: a\r\n\r\n" + ALIVE)
            taken = b"5 bytes" in answer and answer.endswith(b"probe")
            lib.check(taken or (size != b"2" and answer.startswith(b"HTTP/1.1 400 ")), self.name,
                      size, answer)

    def cut_requests(self):
        """A request that ends at any byte leaves nothing behind."""
        request = (b"POST /up HTTP/1.1\r\n" + H + b"Transfer-Encoding: chunked\r\nX-A: b\r\n\r\n"
                   b"3\r\nabc\r\n0\r\n\r\n")
        for end in range(len(request)):
            with self.connect() as s:
                s.sendall(request[:end])
                if end % 2:
                    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.alive()

    # ---- noise and numbers ----

    def noise(self):
        dice = random.Random(4711)
        words = [b"GET ", b"POST ", b"/", b" HTTP/1.1", b"\r\n", b"\n", b"\r", b"\0", b":", b" ", H,
                 b"Content-Length: 5", b"Transfer-Encoding: chunked", b"Expect: 100-continue",
                 b"5\r\n", b"0\r\n\r\n", b"\x80\xff", b"?a=b&c", b"%41%", b"Cookie: a=b;c"]
        lines = [b"".join(dice.choice(words) for _ in range(dice.randrange(1, 30)))
                 for _ in range(300)]

        def say(data):
            with self.connect() as s:
                try:
                    s.sendall(data)
                    s.shutdown(socket.SHUT_WR)
                except OSError:
                    pass
                lib.read_all(s)

        with concurrent.futures.ThreadPoolExecutor(20) as pool:
            list(pool.map(say, lines))

    def crowd(self):
        """Half a header on each of many connections: memory is bounded and others are served."""
        before = self.server.rss_kb()
        socks = []
        for _ in range(600):
            s = self.connect()
            s.sendall(b"GET / HTTP/1.1\r\nX-Slow: ")
            socks.append(s)
        grown = self.server.rss_kb() - before
        self.alive()
        for s in socks:
            s.close()
        lib.check(grown < 600 * 80 + GROWTH_KB, self.name, "a crowd cost", grown, "KB")

    def all(self):
        for step in (self.floods, self.pipelines, self.slowness, self.no_reader,
                     self.broken_chunks, self.cut_requests, self.noise, self.crowd):
            began = time.monotonic()
            step()
            self.alive()
            print("%s %s: %.1f s" % (self.name, step.__name__, time.monotonic() - began))


def broken_handshakes(port):
    """What comes to the TLS port instead of a whole ClientHello."""
    dice = random.Random(815)
    hello = bytearray(b"\x16\x03\x01\x00\xc8\x01\x00\x00\xc4\x03\x03" + bytes(197))
    for i in range(150):
        data = bytearray(hello[:dice.randrange(len(hello))])
        for _ in range(i % 7):
            if data:
                data[dice.randrange(len(data))] = dice.randrange(256)
        with lib.connect(port) as s:
            try:
                s.sendall(bytes(data))
                if i % 3:
                    s.shutdown(socket.SHUT_WR)
                    lib.read_all(s)
            except OSError:
                pass
    for data in (b"GET / HTTP/1.1\r\n" + H + b"\r\n", b"\x16\x03\x01\xff\xff" + b"\xff" * 70000,
                 b"\x15\x03\x01\x00\x02\x02\x28", b"\0" * 100000):
        lib.raw(port, data)


def main():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
    with lib.Test() as t:
        plain, tls = t.free_ports(2)
        upstream = Upstream()
        upstream.start()
        root = os.path.dirname(t.write("www/huge.bin", b""))
        os.truncate(os.path.join(root, "huge.bin"), 1 << 30)
        t.write("www/big", b"b" * 50000)
        server = t.lintel("{\n http_port %d\n https_port %d\n auto_https disable_redirects\n"
                          " servers {\n  timeouts {\n   read_header %ds\n   read_body %ds\n"
                          "   idle %ds\n  }\n }\n}\n"
                          "http://localhost:%d, https://localhost:%d {\n"
                          " respond /probe probe\n reverse_proxy /up 127.0.0.1:%d\n"
                          " root %s\n file_server\n}\n"
                          % (plain, tls, TIMEOUT_S, TIMEOUT_S, TIMEOUT_S, plain, tls,
                             upstream.port, root))
        server.wait_log(rb"localhost: certificate obtained")
        context = lib.tls_context()
        Hostile(server, upstream, lambda: lib.connect(plain), "http").all()
        Hostile(server, upstream, lambda: lib.connect_tls(tls, "localhost", context),
                "https").all()
        broken_handshakes(tls)
        Hostile(server, upstream, lambda: lib.connect_tls(tls, "localhost", context),
                "https").alive()


main()
