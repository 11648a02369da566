#!/usr/bin/env python3
"""FastCGI servers that misbehave: what the client gets, and that nothing is left of it."""

import os
import struct
import threading
import time

import lib
from fastcgi import END, STDERR, STDIN, STDOUT, Server, end, record
from lib import check, check_eq, connect, request, wait_for
from upstream import sanitized

HEADER = b"Content-Type: text/plain\r\n\r\n"
CUT = "cut"     # the client sees a response that is not complete, or 502 if it had not begun
GO_ON = threading.Event()


def says(*parts, more=True):
    """A server that reads the request and sends these bytes; then it closes, or reads on."""
    def serve(c):
        c.read_body()
        for part in parts:
            c.send(part)
        while more and c.sock.recv(4096):
            pass
        return False
    return serve


def out(data, **more):
    return record(STDOUT, data, **more)


def early(c):
    """Answers before it has read the body."""
    c.out(b"Status: 413\r\n\r\nno")
    c.end()
    c.read_body()
    return False


def flood(c):
    c.read_body()
    for _ in range(100):
        c.send(record(STDERR, b"x" * 60000) + record(STDERR, b"\n\x1b[31m\0\n"))
    c.send(out(HEADER + b"ok") + end())
    return False


def slowly(c):
    c.read_body()
    for byte in out(HEADER + b"ok") + end():
        c.send(bytes([byte]))
    return False


def never(c):
    c.read_body()
    GO_ON.wait(20)
    return False


def stops(c):
    c.read_body()
    c.out(HEADER + b"some")
    GO_ON.wait(20)
    return False


def unread(c):
    """Takes nothing of the body."""
    GO_ON.wait(20)
    return False


# name, what the server does, the status or CUT, the body or None
ROWS = [
    ("well", says(out(HEADER + b"ok"), end()), 200, b"ok"),
    ("byte for byte", slowly, 200, b"ok"),
    ("a byte a record", says(*(out(bytes([b])) for b in HEADER + b"ok"), end()), 200, b"ok"),
    ("padding", says(out(HEADER, padding=255), out(b"ok", padding=7), out(b"", padding=1), end(padding=255)),
     200, b"ok"),
    ("all at once", says(out(HEADER) + out(b"o") + out(b"k") + out(b"") + record(STDERR) + end()), 200, b"ok"),
    ("much on stderr", flood, 200, b"ok"),
    ("LF", says(out(b"A: b\nStatus: 201\n\nok"), end()), 201, b"ok"),
    ("exit status", says(out(HEADER + b"ok"), end(app=255)), 200, b"ok"),
    ("no content", says(out(b"Status: 204\r\n\r\nbody"), end()), 204, b""),
    ("not modified", says(out(b"Status: 304\r\nETag: \"x\"\r\n\r\nbody"), end()), 304, b""),
    ("more than the length", says(out(b"Content-Length: 2\r\n\r\nokay"), end()), 200, b"ok"),
    ("smuggles", says(out(b"Transfer-Encoding: chunked\r\nConnection: close, A\r\nA: b\r\n\r\nok"), end()),
     200, b"ok"),
    ("a redirect", says(out(b"Location: /x\r\n\r\n"), end()), 302, b""),
    ("early", early, 413, b"no"),
    ("closes at once", lambda c: False, 502, None),
    ("closes after the request", says(more=False), 502, None),
    ("ends without an answer", says(end()), 502, None),
    ("only stderr", says(record(STDERR, b"PHP is ill"), end(app=1)), 502, None),
    ("speaks HTTP", says(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), 502, None),
    ("zeros", says(b"\0" * 64), 502, None),
    ("another version", says(record(STDOUT, HEADER, version=2)), 502, None),
    ("another request", says(record(STDOUT, HEADER, request=2)), 502, None),
    ("no request", says(record(STDOUT, HEADER, request=0)), 502, None),
    ("unknown record", says(record(11, b"12345678")), 502, None),
    ("a request's record", says(record(STDIN, b"x")), 502, None),
    ("stdout after its end", says(out(b""), out(HEADER), end()), 502, None),
    ("end of 4 bytes", says(record(END, b"1234")), 502, None),
    ("end with an unknown status", says(end(protocol=9)), 502, None),
    ("cannot multiplex", says(end(protocol=1)), 502, None),
    ("unknown role", says(end(protocol=3)), 502, None),
    ("overloaded", says(end(protocol=2)), 503, None),
    ("cut in a record's header", says(b"\1\6\0", more=False), 502, None),
    ("cut in the header", says(out(b"Content-Ty"), more=False), 502, None),
    ("no end of the header", says(out(b"A: b\r\n"), end()), 502, None),
    ("empty header", says(out(b"\r\nx"), end()), 502, None),
    ("no field", says(out(b"<html>\r\n\r\n"), end()), 502, None),
    ("control byte", says(out(b"A: b\x01c\r\n\r\n"), end()), 502, None),
    ("a NUL", says(out(b"A: b\0c\r\n\r\n"), end()), 502, None),
    ("CR alone", says(out(b"A: b\rSet-Cookie: c\r\n\r\n"), end()), 502, None),
    ("bad status", says(out(b"Status: 1000 no\r\n\r\n"), end()), 502, None),
    ("interim status", says(out(b"Status: 100 Continue\r\n\r\n"), end()), 502, None),
    ("two statuses", says(out(b"Status: 200\r\nStatus: 404\r\n\r\n"), end()), 502, None),
    ("two lengths", says(out(b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nokk"), end()), 502, None),
    ("bad length", says(out(b"Content-Length: -2\r\n\r\nok"), end()), 502, None),
    ("endless line", says(*[out(b"A" * 60000)] * 10), 502, None),
    ("endless header", says(*[out(b"A: b\r\n" * 1000)] * 100), 502, None),
    ("many fields", says(out(b"A:b\n" * 600 + b"\n"), end()), 502, None),
    ("cut in the body", says(out(HEADER + b"o" * 50000), more=False), CUT, None),
    ("garbage in the body", says(out(HEADER + b"o" * 50000), b"garbage!"), CUT, None),
    ("less than the length", says(out(b"Content-Length: 90000\r\n\r\n" + b"o" * 50000), end()), CUT, None),
    ("no answer in time", never, 504, None),
    ("no more of it in time", stops, CUT, None),
]


def conf(port, rows, more=""):
    parts = "".join("""
    handle /%d {
        reverse_proxy 127.0.0.1:%d {
            transport fastcgi {
                read_timeout 1s
                write_timeout 1s
                %s
            }
        }
    }""" % (i, up.port, more) for i, up in enumerate(rows))
    return "{\n    workers 1\n}\nhttp://localhost:%d {%s\n}\n" % (port, parts)


def ask(port, target, method="GET", body=b"", fields=()):
    """The response, or None if it is not complete."""
    with connect(port) as s:
        try:
            return request(s, target, method=method, body=body, fields=fields)
        except (EOFError, ConnectionError, ValueError):
            return None


def descriptors(server):
    return len(os.listdir("/proc/%d/fd" % server.pid))


def answers(port, ups):
    for (name, _, status, body), i in zip(ROWS, range(len(ROWS))):
        r = ask(port, "/%d" % i, *(("POST", b"x" * 5000) if name == "early" else ()))
        if status == CUT:
            check(r is None or r.status == 502, name, r and r.status)
            continue
        check(r is not None, name, "no complete response")
        check_eq(status, r.status, name)
        if body is not None:
            check_eq(body, r.body, name)
        for field in ("Status", "Transfer-Encoding", "A"):
            check(r.field(field) in (None, "chunked", "b"), name, field, r.field(field))
        if status == 503:
            check_eq("1", r.field("Retry-After"), name)
        if name == "smuggles":
            check_eq(None, r.field("A"), "a field that Connection names")
    for up, row in zip(ups, ROWS):
        if row[1] not in (never, stops):
            wait_for(10, lambda up=up: up.closed == up.accepts, "the end of " + row[0])


def hides_what_would_pass_for_another(port, up):
    """PHP itself drops HTTP_PROXY; others need not."""
    names = ["Proxy", "X_Forwarded_For", "X.Forwarded.For", "X'A"]
    r = ask(port, "/0", fields=[(name, "forged") for name in names] + [("X-B", "1"), ("x-b", "2")])
    check_eq(200, r.status)
    params = up.requests[-1]
    check("forged" not in params.values(), params)
    check_eq("1, 2", params["HTTP_X_B"])


def heads(port):
    r = request_head(port, "/0")
    check_eq((200, b""), (r.status, r.body))


def request_head(port, target):
    with connect(port) as s:
        return request(s, target, method="HEAD")


def limits_writing(t, port, server):
    up = Server(unread)
    server.reload(conf(port, [up]))
    with connect(port) as s:
        s.sendall(b"POST /0 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000000\r\n\r\n")
        s.settimeout(20)
        try:
            while True:
                s.sendall(b"x" * 65536)
        except (ConnectionError, TimeoutError):
            pass
        server.wait_log(rb"nothing more was taken in time \(POST localhost/0\)")
    up.close()


def echo(c):
    body = c.read_body()
    c.out(b"Status: 200\r\nX-Connection: %d\r\nX-Keep: %d\r\n\r\n" % (c.index, c.keep) + body)
    c.end()
    return c.keep


def keeps(t, port, server):
    """A connection that was kept and is closed meanwhile costs nobody a request."""
    once = {"n": 0}

    def fickle(c):
        once["n"] += 1
        echo(c)
        return once["n"] % 3 != 0

    def chatty(c):
        """Says more than its answer: the connection is of no use any more."""
        c.read_body()
        c.send(record(STDOUT, HEADER + b"ok") + end() + record(STDOUT, b"more"))
        return True

    ups = [Server(echo), Server(fickle), Server(chatty)]
    server.reload(conf(port, ups, "keepalive"))
    for i in range(30):
        r = ask(port, "/0", "POST", b"x" * (i * 1000))
        check_eq((200, b"x" * (i * 1000), "1", "1"),
                 (r.status, r.body, r.field("X-Connection"), r.field("X-Keep")))
        check_eq(200, ask(port, "/1").status)
        check_eq(200, ask(port, "/1", "POST", b"x").status)
        check_eq(b"ok", ask(port, "/2").body)
    check_eq(30, ups[2].accepts)
    check_eq((1, 0), (ups[0].accepts, ups[0].closed))
    for _ in range(100):  # one connection is for 100 requests: processes of the server go round
        check_eq(200, ask(port, "/0").status)
    check_eq((2, 130), (ups[0].accepts, len(ups[0].requests)))
    wait_for(30, lambda: ups[0].closed == 2, "the end of the idle connection")
    for up in ups:
        up.close()


def passes_over_the_overloaded(t, port, server):
    full, good = Server(says(end(protocol=2))), Server(echo)
    server.reload("""http://localhost:%d {
    reverse_proxy 127.0.0.1:%d 127.0.0.1:%d {
        lb_policy first
        transport fastcgi
    }
}
""" % (port, full.port, good.port))
    for _ in range(3):
        r = ask(port, "/x", "POST", b"body")
        check_eq((200, b"body"), (r.status, r.body))
    check_eq(3, full.accepts)
    full.close()
    good.close()


def aborts(t, port, server):
    """The client goes: so does the connection."""
    up = Server(never)
    server.reload(conf(port, [up]).replace("1s", "30s"))
    with connect(port) as s:
        s.sendall(b"GET /0 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        wait_for(10, lambda: up.requests, "the request")

    def is_closed():
        return "127.0.0.1:%d" % up.port not in peers(server)

    wait_for(10, is_closed, "the end of the connection")
    GO_ON.set()
    up.close()


def peers(server):
    """Whom the server's established TCP connections lead to."""
    inodes = set()
    for fd in os.listdir("/proc/%d/fd" % server.pid):
        try:
            inodes.add(os.readlink("/proc/%d/fd/%s" % (server.pid, fd)))
        except OSError:
            pass
    found = set()
    for line in open("/proc/net/tcp").read().splitlines()[1:]:
        words = line.split()
        if "socket:[%s]" % words[9] in inodes and words[3] == "01":
            address, port = words[2].split(":")
            found.add("%s:%d" % (".".join(map(str, struct.pack("<I", int(address, 16)))), int(port, 16)))
    return found


def leaves_nothing(port, server):
    """Round after round of what goes wrong at once."""
    quick = [i for i, row in enumerate(ROWS) if row[1] not in (never, stops, slowly, flood)]
    for _ in range(2):
        for i in quick:
            ask(port, "/%d" % i)
    before = descriptors(server), server.rss_kb()
    started = time.monotonic()
    rounds = 0
    while rounds < 20 and time.monotonic() - started < 20:
        for i in quick:
            ask(port, "/%d" % i)
        rounds += 1
    wait_for(30, lambda: descriptors(server) <= before[0] + 1, "descriptors: %d" % before[0])
    check(sanitized() or server.rss_kb() - before[1] < 2048, "memory", before[1], server.rss_kb())


def main():
    with lib.Test() as t:
        port = t.free_port()
        ups = [Server(row[1]) for row in ROWS]
        server = t.lintel(conf(port, ups))
        answers(port, ups)
        hides_what_would_pass_for_another(port, ups[0])
        heads(port)
        leaves_nothing(port, server)
        limits_writing(t, port, server)
        keeps(t, port, server)
        passes_over_the_overloaded(t, port, server)
        aborts(t, port, server)
        for up in ups:
            up.close()


main()
