#!/usr/bin/env python3
"""The option file_cache, and what "lintel status" tells: hits, misses, evictions, what is kept; the
limits taken up by a reload; a cache that is off."""

import json
import os
import subprocess
import time

import lib
from lib import LINTEL, Reader, check, check_eq, connect, request, wait_for

CONF = """
{
    admin unix/%s
    auto_https off
    workers 1
    %s
}
http://:%d {
    root %s
    file_server
}
"""


class Site:
    def __init__(self, test):
        self.test = test
        self.port = test.free_port()
        for i in range(20):
            self.put("small-%d.txt" % i, b"s" * 100)
            self.put("large-%d.bin" % i, b"l" * 100_000)

    def put(self, name, content):
        path = self.test.write("www/" + name, content)
        os.utime(path, (1, 1_700_000_000))

    def conf(self, option):
        return CONF % (self.test.path("admin.sock"), option, self.port, self.test.path("www"))

    def ask(self, *targets, status=200):
        with connect(self.port) as s:
            reader = Reader(s)
            for target in targets:
                check_eq(status, request(s, target, reader=reader).status, target)


def lintel_status(test, server):
    return subprocess.run([LINTEL, "status", "--config", server.conf_path], env=test.env,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)


def told(test, server):
    done = lintel_status(test, server)
    check_eq((0, ""), (done.returncode, done.stderr), "lintel status")
    status = json.loads(done.stdout)
    check_eq(1, status["workers"])
    return status["file_cache"]


def check_told(test, server, what, **expected):
    got = told(test, server)
    check_eq(expected, {k: got[k] for k in expected}, what)


def counts(test, server, site):
    check_told(test, server, "at first", hits=0, revalidations=0, misses=0, evictions=0, files=0,
               descriptors=0, absent=0, bytes=0)
    # A file that has just been written is looked up again: its time does not tell enough yet.
    time_of_small = os.stat(test.path("www/small-0.txt")).st_ctime
    wait_for(30, lambda: time.time() > time_of_small + 4, "the files to be settled")
    site.ask("/small-0.txt", "/large-0.bin")
    site.ask("/none", status=404)
    check_told(test, server, "three lookups", hits=0, misses=3, files=2, descriptors=1, absent=1)
    check(100 < told(test, server)["bytes"] < 20_000, "bytes", told(test, server))
    for _ in range(10):
        site.ask("/small-0.txt", "/large-0.bin")
    now = told(test, server)
    check_eq((20, 3), (now["hits"], now["misses"]))
    # An entry is looked at once in a second, however often it is asked for.
    time.sleep(1.1)
    for _ in range(10):
        site.ask("/small-0.txt")
    now = told(test, server)
    check(1 <= now["revalidations"] <= 1 + now["hits"] // 20 + 2, "revalidations", now)
    check_eq(3, now["misses"], "nothing has changed")
    site.put("small-0.txt", b"another")
    wait_for(10, lambda: (site.ask("/small-0.txt"), told(test, server)["misses"])[1] > 3, "a miss")


def limits(test, server, site):
    server.reload(site.conf("file_cache {\n files 5\n descriptors 2\n absent 3\n bytes 64KiB\n}"))
    before = told(test, server)["evictions"]
    site.ask(*["/small-%d.txt" % i for i in range(10)])
    check_told(test, server, "five files", files=5, descriptors=0)
    site.ask(*["/large-%d.bin" % i for i in range(10)])
    now = told(test, server)
    check(now["files"] <= 5 and now["descriptors"] == 2, now)
    site.ask(*["/none-%d" % i for i in range(10)], status=404)
    check_told(test, server, "three paths", absent=3)
    check(told(test, server)["evictions"] >= before + 5 + 8 + 7, "evictions")
    site.put("heavy.txt", b"h" * 60_000)
    site.put("heavy-2.txt", b"h" * 60_000)
    site.ask("/heavy.txt", "/heavy-2.txt")
    check(told(test, server)["bytes"] <= 70_000, "bytes", told(test, server))


def every_time(test, server, site):
    server.reload(site.conf("file_cache {\n fresh 0s\n}"))
    site.ask("/small-5.txt")
    before = told(test, server)
    site.ask(*["/small-5.txt"] * 10)
    now = told(test, server)
    check_eq(10, now["revalidations"] - before["revalidations"])
    check_eq(10, now["hits"] - before["hits"])
    site.put("small-5.txt", b"seen at once")
    with connect(site.port) as s:
        check_eq(b"seen at once", request(s, "/small-5.txt").body)


def off(test, server, site):
    server.reload(site.conf("file_cache off"))
    check_told(test, server, "nothing is kept", files=0, descriptors=0, absent=0, bytes=0)
    before = told(test, server)
    for _ in range(3):
        site.ask("/small-1.txt", "/large-1.bin", "/large-1.bin")
        site.ask("/none", status=404)
    now = told(test, server)
    check_eq((0, 12), (now["hits"] - before["hits"], now["misses"] - before["misses"]))
    check(now["files"] + now["absent"] <= 1, "kept", now)


def without_socket(test, server, site):
    server.stop()
    done = lintel_status(test, server)
    check_eq((2, "lintel: no server is running\n"), (done.returncode, done.stderr))
    server.write_conf(site.conf("").replace("admin unix/" + test.path("admin.sock"), "admin off"))
    done = lintel_status(test, server)
    check_eq(2, done.returncode)
    check("no admin socket" in done.stderr, done.stderr)


def main(test):
    site = Site(test)
    server = test.lintel(site.conf(""))
    counts(test, server, site)
    limits(test, server, site)
    every_time(test, server, site)
    off(test, server, site)
    without_socket(test, server, site)


if __name__ == "__main__":
    with lib.Test() as t:
        main(t)
