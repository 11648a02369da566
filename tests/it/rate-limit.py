#!/usr/bin/env python3
"""rate_limit with the real binary: all workers count together, Retry-After, handle_errors, and that
the counts outlive a reload but not a change of the directive."""

import threading
import time

import lib
from lib import Reader, check, check_eq, connect, request

EVENTS = 150

CONF = """{
    workers 4
}
http://localhost:%(port)d {
    rate_limit /many %(events)d 1h
    @api path /key
    rate_limit @api {header.X-Key} 2 1h {
        burst 5
    }
    rate_limit /soon 1 2s
    handle_errors 429 {
        header X-Slow-Down yes
        respond "too often" 429
    }
    respond %(word)s
}
"""


def ask_many(port, count, seen):
    """Each on a connection of its own, so that all workers get some."""
    for _ in range(count):
        with connect(port) as s:
            seen.append(request(s, "/many").status)


def counts_for_all_workers(port):
    threads, seen = [], []
    for _ in range(8):
        threads.append(threading.Thread(target=ask_many, args=(port, 40, seen)))
        threads[-1].start()
    for thread in threads:
        thread.join()
    check_eq(320, len(seen))
    check_eq(EVENTS, seen.count(200), "let through")
    check_eq(320 - EVENTS, seen.count(429), "refused")


def says_when_to_come_again(port):
    with connect(port) as s:
        reader = Reader(s)
        began = time.monotonic()
        first = request(s, "/soon", reader=reader).status
        reply = request(s, "/soon", reader=reader)
        check_eq(200, first)
        if reply.status == 429:  # else two seconds have gone
            check(reply.field("Retry-After") in ("1", "2"), reply.fields)
            check_eq(("yes", b"too often"), (reply.field("X-Slow-Down"), reply.body))
        else:
            check(time.monotonic() - began >= 2, "let through too early")
        time.sleep(2)
        check_eq(200, request(s, "/soon", reader=reader).status, "two seconds later")


def counts_by_a_field(port):
    with connect(port) as s:
        reader = Reader(s)
        for key in "a", "b":
            seen = [request(s, "/key", fields=[("X-Key", key)], reader=reader).status
                    for _ in range(7)]
            check_eq([200] * 5 + [429] * 2, seen, key)
        check_eq(200, request(s, "/", reader=reader).status, "what does not match")


def many_passes(port):
    with connect(port) as s:
        return request(s, "/many").status


def main():
    with lib.Test() as t:
        port = t.free_port()
        names = {"port": port, "events": EVENTS, "word": "hello"}
        server = t.lintel(CONF % names)
        counts_for_all_workers(port)
        says_when_to_come_again(port)
        counts_by_a_field(port)
        server.reload(CONF % dict(names, word="again"))
        check_eq(429, many_passes(port), "after a reload")
        server.reload("\n" + CONF % dict(names, events=EVENTS + 1))
        check_eq(200, many_passes(port), "after a change")
        server.reload(CONF % names)
        check_eq(200, many_passes(port), "after a change back")


main()
