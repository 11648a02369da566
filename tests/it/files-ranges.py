#!/usr/bin/env python3
"""Ranges of files, over plain and TLS connections, in memory, from a descriptor and beyond 4 GiB, encoded
on the way or not: single, multiple and suffix ranges, what is none and what is abuse, If-Range; against a
slow and simple reading of RFC 9110 14; each field and each byte exact."""

import os
import random
import re
import tempfile
import time

import lib
from folder import (AFTER, BEFORE, DATE, LARGE, MTIME_NS, SMALL, Client, base36, check_fields, etag, file_fields,
                    put, serve)
from lib import check, check_eq

BINARY = "application/octet-stream"
TEXT = "text/plain; charset=utf-8"
MOST = 16
HUGE = (5 << 30) + 7
MARKS = ((0, b"the first"), ((4 << 30) - 2, b"across"), (HUGE - 8, b"the last"))


class Huge:
    """The content of a file that is mostly a hole."""

    def __len__(self):
        return HUGE

    def __getitem__(self, part):
        content = bytearray(part.stop - part.start)
        for at, mark in MARKS:
            for i, byte in enumerate(mark):
                if part.start <= at + i < part.stop:
                    content[at + i - part.start] = byte
        return bytes(content)


def ranges_of(value, size):
    """The ranges [first, end) of a Range field, in order; [] if none of them is there; None if the field
    is to be overlooked."""
    found = re.fullmatch(r"[ \t]*bytes[ \t]*=(.*)", value, re.I)
    if not found:
        return None
    specs = [s.strip(" \t") for s in found.group(1).split(",")]
    specs = [s for s in specs if s]
    if not specs or len(specs) > MOST:
        return None
    ranges = []
    for spec in specs:
        parts = re.fullmatch(r"([0-9]*)-([0-9]*)", spec)
        if not parts or parts.group(1) + parts.group(2) == "":
            return None
        first, last = parts.groups()
        if first == "":
            if size == 0 and int(last) > 0:
                return None  # the last bytes of nothing are all there is
            start, end = max(size - int(last), 0), size
        else:
            if last and int(last) < int(first):
                return None
            start, end = int(first), min(int(last) + 1, size) if last else size
        if start < end:
            ranges.append((start, end))
    for i, (a, b) in enumerate(ranges):
        for c, d in ranges[:i]:
            if a < d and c < b:
                return None
    return ranges


def check_part(r, content, kind, first, end, fields, what):
    check_eq(206, r.status, what)
    expected = dict(fields, **{"content-type": kind, "content-length": str(end - first),
                               "content-range": "bytes %d-%d/%d" % (first, end - 1, len(content))})
    check_fields(r, expected, what)
    check(r.body == content[first:end], what, "other bytes")


def check_parts(r, content, kind, ranges, fields, what):
    """A multipart/byteranges, to the byte (RFC 2046 5.1.1, RFC 9110 14.6)."""
    check_eq(206, r.status, what)
    found = re.fullmatch(r"multipart/byteranges; boundary=([0-9a-f]{24})", r.field("Content-Type") or "")
    check(found, what, "type", r.field("Content-Type"))
    boundary = found.group(1)
    body = b""
    for i, (first, end) in enumerate(ranges):
        body += ("%s--%s\r\nContent-Type: %s\r\nContent-Range: bytes %d-%d/%d\r\n\r\n" % (
            "\r\n" if i else "", boundary, kind, first, end - 1, len(content))).encode()
        body += content[first:end]
    body += b"\r\n--%s--\r\n" % boundary.encode()
    check_fields(r, dict(fields, **{"content-type": r.field("Content-Type"),
                                    "content-length": str(len(body))}), what)
    check(r.body == body, what, "other bytes")


def check_range(c, target, content, kind, value, fields=(), whole=True):
    """A GET with a Range, and a HEAD, for which there are none (RFC 9110 14.2)."""
    what = "%s Range: %s %r" % (target, value[:100], list(fields))
    common = file_fields(content, kind)
    common["etag"] = '"%s-%s"' % (base36(MTIME_NS), base36(len(content)))
    if c.fields:
        common["vary"] = "Accept-Encoding"
    del common["content-length"], common["content-type"]
    ranges = ranges_of(value, len(content))
    if ranges or ranges == [] or whole:
        r = c.ask(target, fields=[("Range", value)] + list(fields))
    if ranges is None and whole:
        check_eq(200, r.status, what)
        if not c.fields:
            check_fields(r, dict(common, **{"content-type": kind, "content-length": str(len(content))}), what)
            check(r.body == content[0:len(content)], what, "other bytes")
    elif ranges == []:
        check_eq(416, r.status, what)
        check_fields(r, {"content-type": TEXT, "content-range": "bytes */%d" % len(content),
                         "content-length": str(len(r.body)), "x-content-type-options": "nosniff",
                         "vary": "Accept"}, what)
        check_eq(b"416 Range Not Satisfiable\n", r.body, what)
    elif ranges and len(ranges) == 1:
        check_part(r, content, kind, *ranges[0], common, what)
    elif ranges:
        check_parts(r, content, kind, ranges, common, what)
    return ranges


def chosen(n):
    """Ranges that somebody thought of."""
    last, beyond = n - 1, n + 5
    return [
        "bytes=0-0", "bytes=0-", "bytes=10-19", "bytes=-1", "bytes=-%d" % beyond, "bytes=%d-" % last,
        "bytes=%d-%d" % (last, last), "bytes=5-%d" % (n * 2), "bytes=%d-,3-4" % n, "bytes=3-4,%d-%d" % (n, beyond),
        "bytes=0-0,-1", "bytes=20-29, 0-9", "bytes=0-4,5-9", "bytes=0-1,\t3-4 , ,,6-7,", "Bytes=1-2",
        "bytes =1-2", "bytes=-0", "bytes=-0,1-2", "bytes=%d-" % n, "bytes=%d-,%d-" % (n, beyond),
        "bytes=18446744073709551616-", "bytes=0-18446744073709551616", "bytes=-18446744073709551616",
        "bytes=000000000000000000000000000001-0000000000000000000000000000002",
        "bytes=9223372036854775807-", "bytes=18446744073709551617-18446744073709551616", "bytes=9223372036854775806-9223372036854775807", "bytes=5-1", "lines=0-1",
        "bytes=a-b", "bytes=", "bytes", "bytes=,", "bytes=-", "bytes=--1", "bytes=1", "bytes=1-2-3", "bytes=+1-2",
        "bytes=0x1-2", "bytes= 1 - 2", "bytes=0-1;2-3", "bytes=0-1,x", "bytes=0-5,5-9", "bytes=0-,0-", "bytes=-5,-3",
        "bytes=0-1, bytes=3-4", "none", "bytes=1-2,\xe9", 'bytes="1-2"',
        "bytes=" + ",".join("%d-%d" % (i, i) for i in range(0, 2 * MOST, 2)),
        "bytes=" + ",".join("%d-%d" % (i, i) for i in range(0, 2 * MOST + 2, 2)),
        "bytes=" + ",".join(["0-0"] * 1000), "bytes=" + ",".join(["%d-" % n] * (MOST + 1)),
    ]


def drawn(rng, n):
    """Ranges at random: one after the other, or anywhere."""
    near, specs, at = rng.random() < 0.5, [], 0
    for _ in range(rng.choice([1, 1, 2, 2, 3, 5, 17])):
        a = at + rng.randrange(max(n // 4, 2)) if near else rng.choice([rng.randrange(max(n, 1)), n, n - 1, 0, 1])
        b = a + rng.choice([0, 1, 9, max(n // 10, 1)]) - (rng.random() < 0.1)
        at = b + 1
        specs.append(rng.choice(["%d-%d" % (a, b)] * 8 + ["%d-" % a, "-%d" % b, "%d" % a]))
    rng.shuffle(specs)
    return "bytes=" + ",".join(specs)


def ranges(c, rng):
    seen = {"whole": 0, "none": 0, "one": 0, "many": 0}
    for target, content, kind in (("/small.bin", SMALL, BINARY), ("/large.bin", LARGE, BINARY),
                                  ("/ten.txt", b"0123456789", TEXT), ("/one.txt", b"x", TEXT),
                                  ("/empty.txt", b"", TEXT)):
        for value in chosen(len(content)) + [drawn(rng, len(content)) for _ in range(150)]:
            found = check_range(c, target, content, kind, value)
            seen["whole" if found is None else "none" if not found else "one" if len(found) == 1 else "many"] += 1
    check(all(n > 50 for n in seen.values()), "hardly tested:", seen)


def beyond_4_gib(c, rng):
    content = Huge()
    for value in ("bytes=0-19", "bytes=-20", "bytes=%d-%d" % ((4 << 30) - 10, (4 << 30) + 10), "bytes=%d-" % (HUGE - 1),
                  "bytes=0-9,%d-%d,-9" % ((4 << 30) - 2, 4 << 30), "bytes=%d-" % HUGE):
        check_range(c, "/huge.bin", content, BINARY, value, whole=False)
    r = c.ask("/huge.bin", "HEAD")
    check_eq(str(HUGE), r.field("Content-Length"))


def near_8_eib(open_socket, folder):
    """With the heads of its parts it is longer than any length that can be told."""
    size = (1 << 63) - 1
    try:
        with open(os.path.join(folder, "largest.bin"), "wb") as f:
            f.truncate(size)
    except OSError:
        return  # few file systems have such files
    for last, framing in ((size - 1, "transfer-encoding"), (11, "content-length")):
        with open_socket() as s:
            s.sendall(b"GET /largest.bin HTTP/1.1\r\nHost: localhost\r\n"
                      b"Range: bytes=0-2,5-6,8-9,11-%d\r\n\r\n" % last)
            r = lib.Reader(s).response(head=True)
            check_eq(206, r.status, "up to %d" % last)
            check_eq([framing], [n for n in ("transfer-encoding", "content-length") if n in r.fields],
                     "up to %d" % last)


def heads(c):
    """A HEAD has the fields of a GET without a range, and asks for no part."""
    for target in ("/small.bin", "/large.bin", "/ten.txt", "/huge.bin"):
        plain = c.ask(target, "HEAD")
        for fields in ([("Range", "bytes=1-2")], [("Range", "bytes=1-2,4-5")], [("Range", "bytes=99999999999-")],
                       [("Range", "bytes=1-2"), ("If-Range", '"x"')]):
            r = c.ask(target, "HEAD", fields)
            check_eq(200, r.status, "HEAD %s %r" % (target, fields))
            for answer in (r, plain):
                answer.fields.pop("date", None)
            check_eq(plain.fields, r.fields, "HEAD %s %r" % (target, fields))


def if_range(c):
    for target, content in (("/small.bin", SMALL), ("/large.bin", LARGE)):
        tag = etag(content)
        for value, holds in ((tag, True), ('"x"', False), ("W/" + tag, False), ('""', False), (tag + ', "x"', False),
                             ('"x", ' + tag, False), ("*", False), (tag.strip('"'), False), ("", False),
                             (DATE, True), (BEFORE, False), (AFTER, False), ("yesterday", False),
                             ("Tuesday, 14-Nov-23 22:13:20 GMT", True), ("Tue Nov 14 22:13:20 2023", True)):
            for wanted in ("bytes=1-3", "bytes=1-3,7-9", "bytes=%d-" % len(content)):
                # If it does not hold, the whole is sent, and nobody looks whether the range is there.
                if holds:
                    check_range(c, target, content, BINARY, wanted, [("If-Range", value)])
                else:
                    r = c.ask(target, fields=[("Range", wanted), ("If-Range", value)])
                    check_eq(200, r.status, "%s If-Range: %s" % (target, value))
                    check(r.body == content, "If-Range: %s: other bytes" % value)
            check_eq(200, c.ask(target, fields=[("If-Range", value)]).status, "If-Range without Range")
        # RFC 9110 13.2.2: the other conditions come first.
        for fields, status in (([("If-None-Match", tag)], 304), ([("If-Match", '"x"')], 412),
                               ([("If-Unmodified-Since", BEFORE)], 412), ([("If-Modified-Since", DATE)], 304),
                               ([("If-Match", tag)], 206), ([("If-None-Match", '"x"')], 206)):
            for value in (tag, '"x"'):
                r = c.ask(target, fields=fields + [("Range", "bytes=0-1"), ("If-Range", value)])
                check_eq(200 if status == 206 and value != tag else status, r.status, "%r %s" % (fields, value))


def fresh(test, c):
    """The date of a file that has changed in this second is no strong validator (RFC 9110 8.8.2.2)."""
    path = test.write("www/fresh.bin", SMALL)
    os.utime(path, (time.time() + 2, time.time() + 2))
    lib.wait_for(20, lambda: c.ask("/fresh.bin", "HEAD").field("Last-Modified"), "a time that is not to come")
    date = c.ask("/fresh.bin", "HEAD").field("Last-Modified")
    r = c.ask("/fresh.bin", fields=[("Range", "bytes=0-1"), ("If-Range", date)])
    if r.field("Date") == date:
        check_eq(200, r.status, "a date that is not strong yet")
    lib.wait_for(20, lambda: c.ask("/fresh.bin", fields=[
        ("Range", "bytes=0-1"), ("If-Range", date)]).status == 206, "a date that is strong")


def elsewhere(c):
    """A range of what is no file, or of the page of an error, is overlooked."""
    for target, method, status in (("/none", "GET", 404), ("/folder", "GET", 308), ("/ten.txt", "POST", 405),
                                   ("/ten.txt", "OPTIONS", 204)):
        r = c.ask(target, method, [("Range", "bytes=0-1")])
        check_eq(status, r.status, "%s %s" % (method, target))
        check_eq(None, r.field("Content-Range"), target)
    # Two fields are no list of ranges.
    r = c.ask("/ten.txt", fields=[("Range", "bytes=0-1"), ("Range", "bytes=3-4")])
    check_eq((200, b"0123456789"), (r.status, r.body), "two fields")


def encoded(c, rng):
    """What may be encoded is not where a part of it is asked for, and a tag of what was encoded is not the
    tag of a part."""
    for name, content in (("/encoded/small.txt", b"all work and no play\n" * 100),
                          ("/encoded/large.txt", b"all work and no play\n" * 10000)):
        for value in [v for v in chosen(len(content)) if ranges_of(v, len(content))]:
            check_range(c, name, content, TEXT, value)
        tag = c.ask(name).field("ETag")
        check(tag.startswith("W/"), "not encoded:", tag)
        for value in (tag, tag[2:]):
            r = c.ask(name, fields=[("Range", "bytes=1-3"), ("If-Range", value)])
            check_eq(200, r.status, "If-Range: %s" % value)
            check_eq(tag, r.field("ETag"), "If-Range: %s" % value)


def main(test, memory):
    rng = random.Random(20)
    for name, content in (("small.bin", SMALL), ("large.bin", LARGE), ("ten.txt", b"0123456789"),
                          ("one.txt", b"x"), ("empty.txt", b""), ("folder/index.html", b"x"),
                          ("encoded/small.txt", b"all work and no play\n" * 100),
                          ("encoded/large.txt", b"all work and no play\n" * 10000)):
        put(test, name, content)
    path = put(test, "huge.bin", b"")
    with open(path, "r+b") as f:
        for at, mark in MARKS:
            f.seek(at)
            f.write(mark)
        check_eq(HUGE, f.tell())
    os.utime(path, ns=(MTIME_NS, MTIME_NS))
    server, open_sockets = serve(test, "root /largest.bin %s\n    encode /encoded/*\n    file_server" % memory)
    for open_socket in open_sockets:
        near_8_eib(open_socket, memory)
        c = Client(open_socket)
        ranges(c, rng)
        beyond_4_gib(c, rng)
        heads(c)
        if_range(c)
        elsewhere(c)
        encoded(Client(open_socket, [("Accept-Encoding", "gzip, br, zstd")]), rng)
    fresh(test, c)
    check(server.alive(), "the server is still there")


if __name__ == "__main__":
    shared = "/dev/shm" if os.path.isdir("/dev/shm") else None
    with lib.Test() as t, tempfile.TemporaryDirectory(dir=shared) as folder_in_memory:
        main(t, folder_in_memory)
