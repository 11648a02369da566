#!/usr/bin/env python3
"""Access logs whose reader is slow or gone: requests go on, memory stays bounded, lines are dropped
whole and counted, and the server still ends in time."""

import json
import os
import re
import threading
import time

import lib
from lib import Reader, check, check_eq, connect, request, wait_for
from upstream import sanitized

CONF = """{
	http_port %(http)d
	workers 2
}
http://localhost:%(port)d {
	respond hello
	log {
		output file %(log)s
	}
}
"""

LONG = "/" + "x" * 8000  # every line is longer than what a pipe takes at once
REQUESTS = 3000          # 24 MB of lines, three times what may be under way


def many_requests(port, count, prefix):
    with connect(port) as s:
        reader = Reader(s)
        for i in range(count):
            check_eq(b"hello", request(s, "%s?%s%d" % (LONG, prefix, i), reader=reader).body)


def slow_reader(t):
    http, port = t.free_ports(2)
    fifo = t.path("fifo")
    os.mkfifo(fifo)
    pipe = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    server = t.lintel(CONF % dict(http=http, port=port, log=fifo))
    many_requests(port, REQUESTS, "first")
    server.wait_log(rb"\d+ access log lines were dropped: they cannot be written fast enough")
    check(sanitized() or server.rss_kb() < 64 * 1024, server.rss_kb(), "KiB in use")

    # Now somebody reads: what was kept arrives, whole; and so does what comes after.
    os.set_blocking(pipe, True)
    data = []

    def read():
        while True:
            part = os.read(pipe, 1 << 20)
            if not part:
                return
            data.append(part)

    reader = threading.Thread(target=read)
    reader.start()
    wait_for(30, lambda: sum(map(len, data)) > 4 << 20, "what was kept")
    time.sleep(0.3)
    many_requests(port, 100, "last")
    check_eq(0, server.stop())
    reader.join(30)
    uris = [json.loads(line)["request"]["uri"] for line in b"".join(data).splitlines()]
    dropped = sum(int(n) for n in re.findall(rb"(\d+) access log lines", server.log()))
    check_eq(REQUESTS + 100, len(uris) + dropped, "lines and dropped lines")
    check_eq(["%s?last%d" % (LONG, i) for i in range(100)], uris[-100:], "the last lines")
    os.close(pipe)


def dead_reader(t):
    """Nobody reads at all, then the reader goes: neither keeps the server from ending."""
    for goes in (False, True):
        http, port = t.free_ports(2)
        fifo = t.path("fifo-%d" % goes)
        os.mkfifo(fifo)
        pipe = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
        server = t.lintel(CONF % dict(http=http, port=port, log=fifo))
        many_requests(port, 200, "x")
        if goes:
            os.close(pipe)
            many_requests(port, 20, "y")
            server.wait_log(rb"access log .*fifo-1: Broken pipe")
        started = time.monotonic()
        check_eq(0, server.stop())
        check(time.monotonic() - started < 10, "took too long to end")
        if not goes:
            check(re.search(rb"fifo-0: nobody took the last \d+ bytes", server.log()), server.log())
            os.close(pipe)


with lib.Test() as test:
    slow_reader(test)
    dead_reader(test)
