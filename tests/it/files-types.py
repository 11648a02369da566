#!/usr/bin/env python3
"""The system's mime.types beside the table that is built in, at start and at reload; and nosniff, which
header takes away or changes."""

import os
import subprocess

import lib
from lib import check, check_eq, connect, request

SYSTEM = "/etc/mime.types"
LIST = """\
# of the administrator
application/x-mine	mine MINE2
text/x-notes	notes
application/x-typescript	ts
application/javascript	js
text/vnd.trolltech.linguist	ts2
this line is odd
font/x-other	woff2 a.qq
"""
NEXT = "application/x-newer\tmine\n"

CONF = """
{
    admin off
}
http://localhost:%d {
    root %s
    header /late/* -X-Content-Type-Options
    header /set/* X-Content-Type-Options other
    header /twice/* >X-Content-Type-Options twice
    encode /encoded/*
    handle_errors {
        @page path */page.html
        rewrite @page /page.html
        file_server @page
    }
    file_server
}
"""


def ask(port, target, method="GET", **fields):
    with connect(port) as sock:
        return request(sock, target, "localhost", method,
                       [(k.replace("_", "-"), v) for k, v in fields.items()])


def check_types(port, expected, what):
    for name, kind in expected.items():
        check_eq(kind, ask(port, "/a." + name).field("Content-Type"), "%s, %s" % (name, what))


def in_a_namespace(test):
    """Makes the servers of the test see a list of our own. False: there is no right to."""
    fake = test.write("mime.types", LIST)
    wrapper = test.write("in-mounts", "#!/bin/sh\nset -e\nmount --bind '%s' '%s'\nexec '%s' \"$@\"\n" % (
        fake, SYSTEM, lib.LINTEL))
    os.chmod(wrapper, 0o755)
    unshare = ["unshare", "-m"] if os.geteuid() == 0 else ["unshare", "-rm"]
    outer = test.write("lintel-in-mounts", "#!/bin/sh\nexec %s '%s' \"$@\"\n" % (" ".join(unshare), wrapper))
    os.chmod(outer, 0o755)
    if not os.path.exists(SYSTEM) or subprocess.run([outer, "version"], capture_output=True).returncode:
        return False
    lib.LINTEL = outer
    return True


def system_list(test, port, conf):
    first = {"mine": "application/x-mine", "mine2": "application/x-mine",
             "notes": "text/x-notes; charset=utf-8", "ts": "application/x-typescript",
             "js": "text/javascript; charset=utf-8",  # the list's is out of date
             "woff2": "font/x-other", "qq": "text/plain; charset=utf-8",
             "html": "text/html; charset=utf-8", "css": "text/css; charset=utf-8",
             "unknown": "text/plain; charset=utf-8"}
    if not in_a_namespace(test):
        print("not tested: no right to mount anything over", SYSTEM)
        return
    server = test.lintel(conf)
    check_types(port, first, "at the start")
    test.write("mime.types", NEXT)
    check_types(port, first, "before the reload")
    server.reload(conf + "\n# changed\n")
    check_types(port, {"mine": "application/x-newer", "mine2": "text/plain; charset=utf-8",
                       "notes": "text/plain; charset=utf-8", "ts": "video/mp2t",
                       "js": "text/javascript; charset=utf-8", "woff2": "font/woff2"},
                "after the reload")
    # The list says the same, but for what this configuration was not taken up with.
    test.write("mime.types", "x" * (1 << 20) + "\n")
    server.reload(conf)
    check_types(port, {"mine": "text/plain; charset=utf-8", "css": "text/css; charset=utf-8"},
                "with a list that is too long")
    check(b"/etc/mime.types: larger than" in server.log(), "nobody was told")
    server.stop()


def nosniff(test, port, conf):
    test.lintel(conf)
    tag = ask(port, "/a.css").field("ETag")
    for folder, expected in (("", "nosniff"), ("/late", None), ("/set", "other"), ("/twice", "twice"),
                             ("/encoded", "nosniff")):
        for target, fields, status in (
                ("/a.css", {}, 200), ("/a.css", {"If_None_Match": "*"}, 304),
                ("/a.css", {"Accept_Encoding": "gzip, br, zstd"}, 200),
                ("/a.css", {"If_Match": '"x"'}, 412), ("/a.css", {"Range": "bytes=1-2"}, 206),
                ("/a.css", {"Range": "bytes=1-2,5-6"}, 206), ("/a.css", {"Range": "bytes=99999999-"}, 416),
                ("/large.txt", {}, 200), ("/large.txt", {"Range": "bytes=1-2"}, 206),
                ("/large.txt", {"Accept_Encoding": "gzip, br, zstd"}, 200),
                ("/none", {}, 404), ("/none/page.html", {}, 404)):
            for method in ("GET", "HEAD"):
                # A HEAD knows no ranges.
                wanted = 200 if method == "HEAD" and "Range" in fields else status
                r = ask(port, folder + target, method, **fields)
                what = "%s %s%s %r" % (method, folder, target, fields)
                check_eq(wanted, r.status, what)
                check_eq([] if expected is None else [expected],
                         r.fields.get("x-content-type-options", []), what)
    check(tag, "no ETag")


def main(test):
    for folder in ("", "late/", "set/", "twice/", "encoded/"):
        test.write("www/%sa.css" % folder, "a { color: red }\n" * 100)
        test.write("www/%slarge.txt" % folder, "all work and no play\n" * 10000)
    test.write("www/page.html", "<p>not here</p>\n")
    for name in ("mine", "mine2", "notes", "ts", "js", "woff2", "qq", "html", "css", "unknown"):
        test.write("www/a." + name, "a " * 1000)
    port = test.free_port()
    conf = CONF % (port, test.path("www"))
    plain = lib.LINTEL
    system_list(test, port, conf)
    lib.LINTEL = plain
    nosniff(test, port, conf)


if __name__ == "__main__":
    with lib.Test() as t:
        main(t)
