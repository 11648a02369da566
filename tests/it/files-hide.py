#!/usr/bin/env python3
"""hide: what is hidden of a folder is so by whatever name the folder and the hidden are written in the
configuration; and the manual's recipe for names that begin with a dot."""

import os

import lib
from lib import check_eq, connect, request

# (root, hide): "%" stands for the folder, which is also the working directory.
HIDING = [
    ("", "secret"), ("", "./secret"), ("", "./secret/"), ("root .", "./secret"), ("root ./", "%/secret"),
    ("root ../www", "./secret"), ("root %", "../www/secret"), ("root %//", "%/secret"),
    ("root /.%", "%//secret"), ("root %", "%/./secret/x"), ("root %", "%/s*t"),
    ("root %/../{host}/", "%/secret"), ("root %/../{host}/.", "%/secret"), ("root %/..//{host}", "%/secret"),
    ("root %/{header.Empty}/", "%/secret"),
]

DOTS = """
    root %s
    file_server /.well-known/*
    file_server {
        hide .*
    }
"""


def main(test):
    for name in ("secret/x", "seen", ".well-known/.x", ".well-known/x", ".git/config", ".env", "a/.b/c"):
        test.write("www/" + name, b"inside")
    www = test.path("www")
    os.chdir(www)
    ports = test.free_ports(len(HIDING) + 1)
    conf = "{\n    admin off\n    auto_https off\n    workers 1\n}\n"
    for port, (root, hide) in zip(ports, HIDING):
        # ".." does not stand beside placeholders.
        root = root.replace("%/..", test.work).replace("%", www)
        conf += "http://:%d {\n    %s\n    file_server {\n        hide %s\n    }\n}\n" % (
            port, root, hide.replace("%", www))
    conf += "http://:%d {%s}\n" % (ports[-1], DOTS % www)
    test.lintel(conf)
    for port, case in zip(ports, HIDING):
        with connect(port) as s:
            seen = 404 if "Empty" in case[0] else 200
            for target, status in (("/seen", seen), ("/secret/x", 404)):
                check_eq(status, request(s, target, "www").status, "%s of %r" % (target, case))
    with connect(ports[-1]) as s:
        for target, status in (("/seen", 200), ("/.well-known/x", 200), ("/.well-known/.x", 200),
                               ("/.git/config", 404), ("/.env", 404), ("/a/.b/c", 404), ("/%2eenv", 404),
                               ("/.well-known/../.env", 404), ("/.well-known%2f..%2f.env", 404),
                               ("/.well-known", 404)):
            check_eq(status, request(s, target).status, target)


if __name__ == "__main__":
    with lib.Test() as t:
        main(t)
