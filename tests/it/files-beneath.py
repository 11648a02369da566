#!/usr/bin/env python3
"""file_server serves what is below its root and nothing else: dots and slashes in every coding,
NUL, backslashes, links, FIFOs, sockets, hidden names and the configuration itself."""

import os
import socket

import lib
from lib import check, check_eq, connect, raw


def get(port, target):
    """Status and body, of a target sent byte for byte."""
    reply = raw(port, b"GET " + target + b" HTTP/1.1\r\nHost: localhost\r\n"
                b"Connection: close\r\n\r\n")
    check(reply.startswith(b"HTTP/1.1 "), "no answer to", target, reply[:60])
    return int(reply[9:12]), reply.split(b"\r\n\r\n", 1)[1]


CLIMBING = [
    b"/..", b"/../", b"/../secret", b"/../../etc/passwd", b"/a/../../secret", b"/a/..//../secret",
    b"/%2e%2e/secret", b"/.%2e/secret", b"/%2E./secret", b"/..%2fsecret", b"/%2e%2e%2fsecret",
    b"/a%2f..%2f..%2fsecret", b"/a/%2e%2e/%2E%2E/secret", b"/./.././secret", b"//../secret",
    b"/%2f../secret", b"/%2f%2e%2e%2fsecret", b"/a/b/../../../secret", b"/..?x", b"/%00",
    b"/top%00", b"/top%00.html", b"/a%00/../top", b"/%", b"/%2", b"/%zz", b"/%u002e", b"/%2e%2",
]

NOT_THERE = [
    b"/%252e%252e/secret", b"/..%5csecret", b"/..%5c..%5csecret", b"/a%5c..%5c..%5csecret",
    b"/%c0%ae%c0%ae/secret", b"/%c0%ae%c0%ae%c0%afsecret", b"/%e0%80%ae%e0%80%ae/secret",
    b"/..%c0%afsecret", b"/.../secret", b"/....//secret", b"/..%20/secret", b"/..;/secret",
    b"/etc/passwd", b"//etc/passwd", b"/%2fetc%2fpasswd", b"/proc/self/environ",
    b"/file:%2f%2f%2fetc%2fpasswd", b"/%ef%bc%8e%ef%bc%8e/secret", b"/..%ef%bc%8fsecret",
    b"/root", b"/www/top", b"/%252f..%252fsecret", b"/top/", b"/top.", b"/TOP", b"/top%20",
]

FOUND = [
    b"/top", b"//top", b"/./top", b"/a/../top", b"/a/%2e%2e/top", b"/%74op", b"/a%2f..%2ftop",
    b"///a//..//top", b"/a/b/../../top", b"/nonesuch/../top", b"/%2ftop", b"/top?../../secret",
    b"/.dot", b"/a/.dot",
]

LINKS = {
    "link-in": ("a/file", 200), "link-in-absolute": ("@/www/a/file", 200),
    "link-up-in": ("a/../top", 200), "a/link-up": ("../top", 200),
    "link-folder": ("a", 200), "link-chain": ("link-in", 200),
    "link-out": ("../secret", 404), "link-out-absolute": ("@/secret", 404),
    "link-out-etc": ("/etc/passwd", 404), "link-out-chain": ("link-out", 404),
    "link-out-folder": ("..", 404), "link-proc": ("/proc/self/cwd", 404),
    "link-loop": ("link-loop", 404), "link-dangling": ("none", 404),
    "link-dev": ("/dev/zero", 404), "link-conf": ("@/lintel.conf", 404),
}


def make(test):
    for name in ("top", "a/file", "a/b/file", ".dot", "a/.dot", "hidden.bak", "a/x.bak", "a/private/x",
                 "a/publicity/x", "hard-link-to-be"):
        test.write("www/" + name, b"inside")
    test.write("secret", b"SECRET")
    for name, (target, _) in LINKS.items():
        os.symlink(target.replace("@", test.work), test.path("www", name))
    os.mkfifo(test.path("www/fifo"))
    os.mkfifo(test.path("www/a/index.html"))
    s = socket.socket(socket.AF_UNIX)
    s.bind(test.path("www/socket"))
    s.close()


# What is different where links may lead out of the root.
FOLLOWED = {"link-out": 200, "link-out-absolute": 200, "link-out-chain": 200, "link-out-folder": 200,
            "link-out-etc": 200}
SECRETS = ("link-out", "link-out-absolute", "link-out-chain", "link-out-folder/secret")


def links_that_leave(test, port, by_try_files):
    """For each way to name the root with that option."""
    for target in SECRETS:
        check_eq((200, b"SECRET"), get(port, b"/" + target.encode()), target)
        check_eq((200, b"SECRET"), get(by_try_files, b"/" + target.encode()), target)
    for name, (_, status) in LINKS.items():
        if "folder" not in name:
            for p in (port, by_try_files):
                check_eq(FOLLOWED.get(name, status), get(p, b"/" + name.encode())[0], name)
    for target in CLIMBING:
        check_eq(400, get(port, target)[0], target)
    for target in NOT_THERE:
        check(get(port, target)[0] in (404, 308), target)
    for target in (b"/fifo", b"/socket", b"/link-dev", b"/link-proc/secret", b"/link-conf"):
        check_eq(404, get(port, target)[0], target)


def main(test):
    make(test)
    port, following, trying, own, one = test.free_ports(5)
    test.lintel("""
{
    admin off
    auto_https off
}
http://:%d {
    root %s
    file_server {
        hide *.bak %s
    }
}
http://:%d {
    root %s {
        follow_symlinks
    }
    file_server
}
http://:%d {
    root %s {
        follow_symlinks
    }
    try_files {path} =404
    file_server
}
http://:%d {
    root /nonesuch
    @there file {
        root %s {
            follow_symlinks
        }
    }
    handle @there {
        file_server {
            root %s {
                follow_symlinks
            }
        }
    }
    error 404
}
http://:%d {
    root /one/* %s {
        follow_symlinks
    }
    root %s
    uri strip_prefix /one
    uri strip_prefix /two
    file_server
}
""" % (port, test.path("www"), test.path("www/a/priv*e"), following, test.path("www"), trying,
       test.path("www"), own, test.path("www"), test.path("www"), one, test.path("www"),
       test.path("www")))
    os.link(test.path("lintel.conf"), test.path("www/lintel.conf"))
    for _ in range(2):  # looked up, then from the cache
        for target in CLIMBING:
            check_eq(400, get(port, target)[0], target)
        for target in NOT_THERE:
            status, body = get(port, target)
            check(status in (404, 308), target, status)
            check(b"SECRET" not in body and b"root:" not in body, target)
        for target in FOUND:
            check_eq((200, b"inside"), get(port, target), target)
        for name, (_, status) in LINKS.items():
            target = b"/" + name.encode() + (b"/file" if "folder" in name else b"")
            got, body = get(port, target)
            check_eq(status, got, target)
            check(b"SECRET" not in body, target)
        for target in (b"/link-out-folder/secret", b"/link-out-folder/", b"/link-proc/secret",
                       b"/link-out-folder/www/top", b"/link-folder/link-out-folder/secret"):
            check_eq(404, get(port, target)[0], target)
        # What would block, or does something when it is opened.
        for target in (b"/fifo", b"/socket", b"/a/", b"/a/index.html", b"/link-dev"):
            check_eq(404, get(port, target)[0], target)
        # What is hidden; the configuration by any name.
        for target in (b"/hidden.bak", b"/a/x.bak", b"/a/private/x", b"/a/private/", b"/a/private",
                       b"/lintel.conf", b"/link-conf"):
            check_eq(404, get(port, target)[0], target)
        check_eq(200, get(port, b"/a/publicity/x")[0], "not hidden")
        links_that_leave(test, following, trying)
        links_that_leave(test, own, trying)
        # One file_server, one folder, two rules: what is cached for the one is not for the other.
        for target, status in ((b"/one/link-out", 200), (b"/two/link-out", 404),
                               (b"/one/top", 200), (b"/two/top", 200)):
            check_eq(status, get(one, target)[0], target)


if __name__ == "__main__":
    with lib.Test() as t:
        main(t)
