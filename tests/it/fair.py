#!/usr/bin/env python3
"""No peer, however fast or hostile, keeps the others of its worker waiting: with one worker, while one
client or upstream does its worst without an end, another client's small requests are answered.

  tests/it/fair.py -v [WORD]...    shows figures; the attacks that have one of the words, each both
                                   over plain and over TLS
"""

import os
import select
import signal
import socket
import ssl
import sys
import threading
import time
from multiprocessing.sharedctypes import RawValue

import lib
from fastcgi import STDERR, STDOUT, Server, record
from lib import Reader, check, connect, connect_tls, request, tls_context, wait_for
from pki import Pki
from upstream import Upstream, each_client

BOUND_S = 2.0     # for the slowest of the answers: who starves waits for ever
ANSWERS = 10      # at least, each over plain and over TLS, and for as long as...
MEASURE_S = 0.25
LIFE_S = 300      # of what is forked, should nobody end it
ENDLESS = 1 << 50
MB = bytes(1 << 20)
TINY = b"1\r\nx\r\n" * (1 << 17)
UPGRADE = "Connection: Upgrade\r\nUpgrade: flood\r\n"


class Peer:
    """A process of its own, so that it is fast and nobody here waits for it. fn(peer) counts what it
    does in peer.n."""

    def __init__(self, t, fn, *args):
        self.count = RawValue("Q", 0)
        self.value = RawValue("Q", 0)
        self.pid = os.fork()
        if self.pid == 0:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.alarm(LIFE_S)
            try:
                fn(self, *args)
            finally:
                os._exit(0)

    def did(self, n=1):
        self.count.value += n

    def stop(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)


# ---- upstreams ----


def send_endlessly(c, data):
    while True:
        c.sock.sendall(data)


def answer(c):
    if "chunked" in c.target:
        c.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n")
        send_endlessly(c, TINY)
    if "interim" in c.target:
        c.send(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 1000)
        return False
    if "header" in c.target:
        c.send(b"HTTP/1.1 200 OK\r\n")
        send_endlessly(c, b"x: y\r\n" * 100000)
    if "line" in c.target:
        c.send(b"HTTP/1.1 200 OK\r\nX: ")
        send_endlessly(c, MB.replace(b"\0", b"x"))
    if "down" in c.target:
        c.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n" % ENDLESS)
        send_endlessly(c, MB)
    if "tunnel" in c.target:
        c.send(b"HTTP/1.1 101 Switching Protocols\r\n%s\r\n" % UPGRADE.encode())
        both_ways(c.sock, MB)
    if "early" in c.target:
        c.send(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno")
        return False
    if "up" in c.target:
        sink = bytearray(1 << 20)
        while c.sock.recv_into(sink, 0, 0 if c.upstream.tls else socket.MSG_TRUNC):
            pass
    return c.reply(200, b"ok")


def both_ways(sock, data, did=lambda n: None):
    """Sends the same over and over, and reads what comes."""
    sock.setblocking(False)
    rest = memoryview(data)
    sink = bytearray(1 << 20)
    while True:
        moved = 0
        try:
            n = sock.recv_into(sink)
            if n == 0:
                return
            moved += n
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            pass
        try:
            n = sock.send(rest)
            moved += n
            rest = rest[n:] or memoryview(data)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            pass
        if moved == 0:
            select.select([sock], [sock] if rest else [], [], 0.1)
        did(moved)


def http_upstream(peer, tls):
    up = Upstream(answer, tls=tls)
    peer.value.value = up.port
    while True:
        time.sleep(60)


def fastcgi_answer(c):
    floods = {"stderr": record(STDERR, b"x" * 60000), "bytes": record(STDERR, b"\n") * 10000,
              "padding": record(STDERR, b"x", padding=255) * 1000,
              "stdout": record(STDOUT, b"x") * 10000}
    for word, data in floods.items():
        if word in c.params["REQUEST_URI"]:
            if word == "stdout":
                c.send(record(STDOUT, b"Content-Type: text/plain\r\n\r\n"))
            while True:
                c.sock.sendall(data)


def fastcgi_upstream(peer):
    peer.value.value = Server(fastcgi_answer).port
    while True:
        time.sleep(60)


# ---- clients ----


def again(attack):
    """Over new connections, when one has come to its end."""
    def run(peer, opened):
        while True:
            try:
                with opened() as s:
                    attack(peer, s)
            except (OSError, EOFError):
                pass
            peer.did()
    return run


def upload(path, data=MB, framing="Content-Length: %d" % ENDLESS):
    @again
    def run(peer, s):
        s.sendall(("POST %s HTTP/1.1\r\nHost: localhost\r\n%s\r\n\r\n" % (path, framing)).encode())
        while True:
            s.sendall(data)
            peer.did()
    return run


def upload_tiny(path):
    return upload(path, TINY, "Transfer-Encoding: chunked")


def get(path, fields="", host="localhost"):
    return ("GET %s HTTP/1.1\r\nHost: %s\r\n%s\r\n" % (path, host, fields)).encode()


def download(path, fields=""):
    @again
    def run(peer, s):
        s.sendall(get(path, fields))
        sink = bytearray(1 << 20)
        while n := s.recv_into(sink):
            peer.did(n)
    return run


def pipeline(path, fields="", n=1000):
    @again
    def run(peer, s):
        both_ways(s, get(path, fields) * n, peer.did)
    return run


def endless_header():
    @again
    def run(peer, s):
        s.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n")
        both_ways(s, b"x: y\r\n" * 100000, peer.did)
    return run


def tunnel(path):
    @again
    def run(peer, s):
        s.sendall(get(path, UPGRADE))
        both_ways(s, MB, peer.did)
    return run


def small_records(peer, opened):
    @again
    def run(peer, s):
        s.sendall(b"POST /up HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % ENDLESS)
        while True:
            s.send(b"x")
            peer.did()
    run(peer, opened)


def many(n, attack):
    """The same over several connections at a time."""
    def run(peer, opened):
        for _ in range(n - 1):
            threading.Thread(target=attack, args=(peer, opened), daemon=True).start()
        attack(peer, opened)
    return run


@again
def come_and_go(peer, s):
    pass


@again
def ask_and_go(peer, s):
    s.sendall(get("/"))
    s.recv(1000)


# ---- the victim ----


class Victim:
    """Two connections, one to each engine, opened before anything happens."""

    def __init__(self, port, tls_port):
        self.socks = [connect(port, 60), connect_tls(tls_port, "localhost", tls_context(), 60)]
        self.readers = [Reader(s) for s in self.socks]

    def slowest(self):
        worst = n = 0
        until = time.monotonic() + MEASURE_S
        while n < ANSWERS or time.monotonic() < until:
            for s, reader in zip(self.socks, self.readers):
                began = time.monotonic()
                r = request(s, "/hello", reader=reader)
                worst = max(worst, time.monotonic() - began)
                check(r.status == 200 and r.body == b"hello", r.status, r.body)
                check(worst < BOUND_S, "%.1f s for an answer" % worst)
            n += 1
        return worst, n


# ---- the attacks ----

PROXIED = "reverse_proxy 127.0.0.1:%(up)d"
TLS_PROXIED = ("reverse_proxy https://127.0.0.1:%(tls_up)d {\n   transport http {\n"
               "    tls_insecure_skip_verify\n   }\n  }")
RANGES = "Range: bytes=%s\r\n" % ",".join("%d-%d" % (i * 4, i * 4) for i in range(60))
SLOW_VALUE = "X: %s!\r\n" % ("a" * 28)

SITE = """
 respond /hello hello
 handle /plain/* {
  %(proxied)s
 }
 handle /tls/* {
  %(tls_proxied)s
 }
 handle /gzip/* {
  encode gzip
  %(proxied)s
 }
 handle /zstd/* {
  encode zstd
  %(proxied)s
 }
 handle /br/* {
  encode br
  %(proxied)s
 }
 handle /held/* {
  reverse_proxy 127.0.0.1:%(up)d {
   response_buffers 1MiB
   request_buffers 64KiB
  }
 }
 handle /answers/* {
  reverse_proxy 127.0.0.1:%(up)d {
   handle_response {
    respond handled 418
   }
  }
 }
 handle /retry/* {
  reverse_proxy 127.0.0.1:1 127.0.0.1:2 {
   lb_try_duration 60s
   lb_try_interval 1ms
  }
 }
 handle /checked/* {
  reverse_proxy 127.0.0.1:%(up)d {
   health_uri /down
   health_interval 10ms
  }
 }
 handle /limited/* {
  rate_limit {
   zone all {
    key static
    events 1
    window 1h
   }
  }
  respond ok
 }
 handle /fcgi/* {
  reverse_proxy 127.0.0.1:%(fastcgi)d {
   transport fastcgi {
    root %(www)s
    capture_stderr
   }
  }
 }
 handle /files/* {
  root * %(www)s
  file_server browse
 }
 handle /regex/* {
  @slow header_regexp X ^(a+)+$
  respond @slow found
  respond ok
 }
 handle /no {
  respond no 403
 }
"""


def attacks(curl):
    """Name, how the client comes, attack. libcurl has to do with some of them only."""
    proxied = [
        ("upload", "tls", many(6, upload("/plain/up"))),
        ("upload-to-tls", "plain", upload("/tls/up")),
        ("upload-tiny", "tls", upload_tiny("/plain/up")),
        ("upload-held", "tls", upload("/held/up")),
        ("upload-early", "plain", upload("/plain/early")),
        ("download", "plain", download("/plain/down")),
        ("download-from-tls", "tls", download("/tls/down")),
        ("download-held", "plain", download("/held/down")),
        ("download-gzip", "tls", download("/gzip/down", "Accept-Encoding: gzip\r\n")),
        ("download-zstd", "plain", download("/zstd/down", "Accept-Encoding: zstd\r\n")),
        ("download-br", "tls", download("/br/down", "Accept-Encoding: br\r\n")),
        ("download-chunked", "tls", download("/plain/chunked")),
        ("download-chunked-tls", "plain", download("/tls/chunked")),
        ("download-chunked-held", "plain", download("/held/chunked")),
        ("download-chunked-gzip", "plain", download("/gzip/chunked", "Accept-Encoding: gzip\r\n")),
        ("download-chunked-zstd", "plain", download("/zstd/chunked", "Accept-Encoding: zstd\r\n")),
        ("download-chunked-br", "plain", download("/br/chunked", "Accept-Encoding: br\r\n")),
        ("interim", "tls", pipeline("/plain/interim")),
        ("upstream-header", "plain", pipeline("/plain/header")),
        ("upstream-line", "plain", pipeline("/plain/line")),
        ("handled", "tls", pipeline("/answers/down")),
        ("pipeline-proxied", "plain", pipeline("/plain/ok")),
        ("pipeline-proxied-tls", "plain", pipeline("/tls/ok")),
        ("retry", "plain", many(20, pipeline("/retry/"))),
        ("checked", "plain", pipeline("/checked/ok")),
    ]
    others = [
        ("tunnel", "plain", tunnel("/plain/tunnel")),
        ("tunnel-tls", "tls", tunnel("/tls/tunnel")),
        ("pipeline-respond", "plain", pipeline("/hello")),
        ("pipeline-404", "tls", pipeline("/none")),
        ("pipeline-400", "plain", pipeline("/hello", "X Y: z\r\n", 1)),
        ("pipeline-file", "tls", pipeline("/files/small")),
        ("pipeline-limited", "plain", pipeline("/limited/")),
        ("sparse", "plain", download("/files/sparse")),
        ("ranges", "tls", pipeline("/files/sparse", RANGES)),
        ("browse", "plain", pipeline("/files/many/")),
        ("browse-filter", "tls", pipeline("/files/many/?filter=1")),
        ("no", "tls", upload("/no")),
        ("no-tiny", "plain", upload_tiny("/no")),
        ("endless-header", "tls", endless_header()),
        ("regex", "plain", pipeline("/regex/", SLOW_VALUE * 100, 10)),
        ("fcgi-stderr", "plain", pipeline("/fcgi/stderr")),
        ("fcgi-bytes", "plain", pipeline("/fcgi/bytes")),
        ("fcgi-padding", "tls", pipeline("/fcgi/padding")),
        ("fcgi-stdout", "plain", download("/fcgi/stdout")),
        ("small-records", "tls", small_records),
        ("connect", "plain", many(4, come_and_go)),
        ("connect-ask", "plain", many(4, ask_and_go)),
    ]
    return proxied if curl else proxied + others


def opener(kind, port, tls_port):
    if kind == "plain":
        return lambda: connect(port, 60)
    return lambda: connect_tls(tls_port, "localhost", tls_context(), 60)


def run_attack(t, victim, name, attack, opened, verbose):
    peer = Peer(t, attack, opened)
    try:
        wait_for(30, lambda: peer.count.value > 0, "the attack " + name)
        worst, n = victim.slowest()
    except lib.Failure as e:
        raise lib.Failure("%s: %s" % (name, e)) from None
    finally:
        peer.stop()
    if verbose:
        print("%-28s slowest %7.1f ms of %d" % (name, worst * 1000, 2 * n), flush=True)


def nobody_keeps_it_from_its_end(t, server, opened):
    """What is under way after the grace period is cut, however busy it is."""
    peers = [Peer(t, attack, opened) for attack in (upload("/plain/up"), download("/plain/down"))]
    try:
        wait_for(30, lambda: all(p.count.value > 0 for p in peers), "peers")
        check(server.stop() == 0, "exit status")
    finally:
        for p in peers:
            p.stop()


def prepare_files(t):
    www = t.path("www")
    t.write("www/files/small", "small")
    t.write("www/fcgi/stderr", "")
    with open(os.path.join(www, "files", "sparse"), "wb") as f:
        f.truncate(10 * 1000 ** 3)
    os.mkdir(os.path.join(www, "files", "many"))
    for i in range(10000):
        os.close(os.open(os.path.join(www, "files", "many", "file-%05d" % i), os.O_CREAT))
    return www


def main():
    verbose = "-v" in sys.argv[1:]
    words = [w for w in sys.argv[1:] if not w.startswith("-")]
    with lib.Test() as t:
        port, tls_port = t.free_ports(2)
        pki = Pki(t)
        ups = [Peer(t, http_upstream, None), Peer(t, http_upstream, pki.context()),
               Peer(t, fastcgi_upstream)]
        try:
            facts = {"www": prepare_files(t)}
            for name, up in zip(("up", "tls_up", "fastcgi"), ups):
                facts[name] = wait_for(30, lambda: up.value.value, "an upstream")
            site = SITE % dict(facts, proxied=PROXIED % facts, tls_proxied=TLS_PROXIED % facts)
            server = t.lintel("{\n admin off\n workers 1\n grace_period 1s\n}\n(site) {%s}\n"
                              "http://localhost:%d {\n import site\n}\n"
                              "https://localhost:%d {\n tls internal\n import site\n}\n"
                              % (site, port, tls_port))
            victim = Victim(port, tls_port)
            for name, usual, attack in attacks(os.environ.get("HTTP_CLIENT") == "curl"):
                for kind in ("plain", "tls") if words else (usual,):
                    whole = name + " over " + kind
                    if not words or any(w in whole for w in words):
                        run_attack(t, victim, whole, attack, opener(kind, port, tls_port), verbose)
            nobody_keeps_it_from_its_end(t, server, opener("tls", port, tls_port))
        finally:
            for up in ups:
                up.stop()


each_client()
main()
