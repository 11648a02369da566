#!/usr/bin/env python3
"""Conditional requests for files, over plain and TLS connections: every combination of the four fields,
in all their forms, against RFC 9110 13.2.2 read word by word; each field of the answers exact, and those
of HEAD the same as those of GET."""

import itertools
import os

import lib
from folder import (AFTER, BEFORE, DATE, LARGE, Client, check_fields, etag, file_fields, put, serve)
from lib import check, check_eq

TEXT = "text/plain; charset=utf-8"
SMALL = b"all work and no play\n" * 100

# The forms of a field: what is sent (TAG stands for the file's), and whether it is true for the file, or
# None if it says nothing. None sent: no field.
IF_MATCH = [
    (None, None), ("*", True), ("TAG", True), ('"x", TAG', True), ('"x" , ,\tTAG,"y"', True),
    ("W/TAG", False), ('"x"', False), ('W/"x", "y"', False), ("", False), ('"x", *', False),
    ("TAG-without-quotes", False), (["\"x\"", "TAG"], True),
]
IF_UNMODIFIED = [
    (None, None), (DATE, True), (AFTER, True), (BEFORE, False), ("yesterday", None), ("", None),
    ("Tue, 14 Nov 2023 22:13:19 UTC", None), ([BEFORE, BEFORE], None),
    ("Tuesday, 14-Nov-23 22:13:19 GMT", False), ("Tue Nov 14 22:13:19 2023", False),
]
# True: it has not got it, so that it is to be sent.
IF_NONE_MATCH = [
    (None, None), ("*", False), ("TAG", False), ("W/TAG", False), ('"x", W/TAG', False),
    ('"x"', True), ("", True), ("TAG-without-quotes", True), ('"x", *', True), ("w/TAG", True),
    (['"x"', "TAG"], False),
]
# True: it was modified.
IF_MODIFIED = [
    (None, None), (DATE, False), (AFTER, False), (BEFORE, True), ("yesterday", None),
    ("Tuesday, 14-Nov-23 22:13:20 GMT", False), ("Tue Nov 14 22:13:20 2023", False),
]


def status_of(match, unmodified, none_match, modified):
    """RFC 9110 13.2.2, for GET and HEAD."""
    # 1. When recipient is the origin server and If-Match is present
    if match is not None:
        if not match:
            return 412
    # 2. ... If-Match is not present and If-Unmodified-Since is present
    elif unmodified is not None and not unmodified:
        return 412
    # 3. When If-None-Match is present
    if none_match is not None:
        return 200 if none_match else 304
    # 4. When the method is GET or HEAD, If-None-Match is not present, and If-Modified-Since is
    if modified is not None and not modified:
        return 304
    return 200


def lines_of(name, value, tag):
    if value is None:
        return []
    values = value if isinstance(value, list) else [value]
    return [(name, v.replace("TAG-without-quotes", tag.strip('"')).replace("TAG", tag)) for v in values]


def combinations(tag):
    for a, b, c, d in itertools.product(IF_MATCH, IF_UNMODIFIED, IF_NONE_MATCH, IF_MODIFIED):
        # With all forms of two fields, of the other two the first four are enough.
        if sum(form not in forms[:4] for form, forms in (
                (a, IF_MATCH), (b, IF_UNMODIFIED), (c, IF_NONE_MATCH), (d, IF_MODIFIED))) > 1:
            continue
        fields = (lines_of("If-Match", a[0], tag) + lines_of("If-Unmodified-Since", b[0], tag) +
                  lines_of("If-None-Match", c[0], tag) + lines_of("If-Modified-Since", d[0], tag))
        yield fields, status_of(a[1], b[1], c[1], d[1])


def error_fields(r):
    return {"content-type": TEXT, "content-length": r.field("Content-Length"),
            "x-content-type-options": "nosniff", "vary": "Accept"}


def check_answer(r, status, method, content, what):
    check_eq(status, r.status, what)
    if status == 200:
        check_fields(r, file_fields(content, TEXT), what)
        check_eq(b"" if method == "HEAD" else content, r.body, what)
    elif status == 304:
        # What it says of a length is that of the 200 (RFC 9110 8.6).
        check_fields(r, {"etag": etag(content), "x-content-type-options": "nosniff",
                         "content-length": str(len(content))}, what)
    else:
        check_fields(r, error_fields(r), what)
        if method == "GET":
            check_eq(b"412 Precondition Failed\n", r.body, what)
            check_eq(str(len(r.body)), r.field("Content-Length"), what)


def all_combinations(c):
    count = 0
    for name, content in (("small.txt", SMALL), ("large.txt", LARGE), ("empty.txt", b"")):
        for i, (fields, status) in enumerate(combinations(etag(content))):
            if name != "small.txt" and i % 7:
                continue
            for method in ("GET", "HEAD") if i % 3 == 0 else ("GET",):
                what = "%s %s %r" % (method, name, fields)
                check_answer(c.ask("/" + name, method, fields), status, method, content, what)
                count += 1
    return count


def without_validators(c):
    """A file of which the time says nothing is there all the same, and has no tag to compare with."""
    for fields, status in (
            ([("If-Match", "*")], 200), ([("If-Match", '"x"')], 412), ([("If-None-Match", "*")], 304),
            ([("If-None-Match", '"x"')], 200), ([("If-Modified-Since", AFTER)], 200),
            ([("If-Unmodified-Since", BEFORE)], 200), ([("If-Match", "")], 412),
            ([("If-None-Match", '""')], 200), ([("If-None-Match", "")], 200)):
        for method in ("GET", "HEAD"):
            r = c.ask("/epoch.txt", method, fields)
            check_eq(status, r.status, "%s epoch %r" % (method, fields))
            check_eq(None, r.field("ETag"))
            check_eq(None, r.field("Last-Modified"))


def elsewhere(c):
    """Conditions are about the file that would be sent: not about what is not there, nor about a redirect,
    a method that is refused, or what asks for the methods (RFC 9110 13.2.1)."""
    for target, method, status in (("/none", "GET", 404), ("/folder", "GET", 308), ("/small.txt/", "GET", 308),
                                   ("/small.txt", "POST", 405), ("/small.txt", "DELETE", 405),
                                   ("/small.txt", "OPTIONS", 204), ("/small.txt", "BREW", 405)):
        for fields in ([("If-Match", '"x"')], [("If-None-Match", "*")], [("If-Unmodified-Since", BEFORE)]):
            check_eq(status, c.ask(target, method, fields).status, "%s %s %r" % (method, target, fields))
    # An index is a file.
    check_eq(304, c.ask("/folder/", fields=[("If-None-Match", "*")]).status)


def encoded(c):
    """The same for what is encoded on the way, whatever is accepted; HEAD has the fields of GET."""
    for name, content in (("encoded/small.txt", SMALL), ("encoded/large.txt", LARGE)):
        for i, (fields, status) in enumerate(combinations(etag(content))):
            if i % 5:
                continue
            answers = [c.ask("/" + name, method, fields) for method in ("GET", "HEAD")]
            what = "%s %r" % (name, fields)
            for r in answers:
                check_eq(status, r.status, what)
                check_eq("Accept" if status == 412 else "Accept-Encoding", r.field("Vary"), what)
                # How the end is told, where nobody knows the length, is another matter.
                for framing in ("date", "transfer-encoding", "connection"):
                    r.fields.pop(framing, None)
            check_eq(answers[0].fields, answers[1].fields, what)


def main(test):
    for name, content in (("small.txt", SMALL), ("large.txt", LARGE), ("empty.txt", b""),
                          ("folder/index.html", b"x"), ("encoded/small.txt", SMALL),
                          ("encoded/large.txt", LARGE)):
        put(test, name, content)
    os.utime(put(test, "epoch.txt", b"epoch"), (1, 1))
    server, open_sockets = serve(test, "encode /encoded/*\n    file_server")
    for open_socket in open_sockets:
        c = Client(open_socket)
        count = all_combinations(c)
        check(count > 3000, "only", count, "requests")
        without_validators(c)
        elsewhere(c)
        encoded(Client(open_socket, [("Accept-Encoding", "gzip, br, zstd")]))
        encoded(c)
    check(server.alive(), "the server is still there")


if __name__ == "__main__":
    with lib.Test() as t:
        main(t)
