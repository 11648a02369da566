#!/usr/bin/env python3
"""The canonical slash where a rewrite has found the file already: the name that the client knows is
what its relative links go by."""

import lib
from lib import check_eq, connect, request

CONF = """
{
    admin off
    auto_https off
    workers 1
}
http://:%(port)d {
    root %(www)s
    handle_path /under/* {
        try_files {path} {path}/ /index.html
        file_server
    }
    handle /lax/* {
        uri strip_prefix /lax
        try_files {path} {path}/
        file_server {
            disable_canonical_uris
        }
    }
    handle /pages/* {
        error 401
    }
    handle {
        rewrite /other /folder/
        rewrite /folder/back/ /folder
        uri /changed/* query +n 1
        try_files {path} {path}/ /index.html
        file_server
    }
    handle_errors {
        rewrite /pages/* /pages/
        file_server
    }
}
"""
FILES = {"index.html": b"top", "folder/index.html": b"index", "a b/index.html": b"index",
         "a.txt": b"a", "changed/folder/index.html": b"index", "pages/pages/index.html": b"nested",
         "pages/index.html": b"page"}
FOLDER, TOP = (200, b"index", None), (200, b"top", None)


def to(location):
    return 308, b"", location


ANSWERS = {
    "/folder": to("/folder/"), "/folder/": FOLDER, "/folder?a=b": to("/folder/?a=b"),
    "/a%20b": to("/a%20b/"), "/a%20b/": FOLDER, "//folder": to("/folder/"),
    "/a.txt/": to("/a.txt"), "/a.txt/?": to("/a.txt?"), "/a.txt": (200, b"a", None),
    "/": TOP, "/none": TOP, "/none/": TOP,
    "/under/folder": to("/under/folder/"), "/under/folder/": FOLDER,
    "/under/a.txt/?x": to("/under/a.txt?x"), "/under/": TOP, "/under/none/": TOP,
    "/lax/folder": FOLDER, "/lax/folder/": FOLDER, "/lax/a.txt/": (200, b"a", None),
    # Called otherwise: wherever that leads, it is not the client who is wrong.
    "/other": FOLDER, "/folder/back/": FOLDER,
    # What is done to the query will be done again.
    "/changed/folder?n=0": to("/changed/folder/?n=0"), "/changed/folder/?n=0": FOLDER,
    # The page of an error is no name to be known by.
    "/pages/pages": (401, b"page", None),
}


def main(test):
    for name, content in FILES.items():
        test.write("www/" + name, content)
    port = test.free_ports(1)[0]
    test.lintel(CONF % {"port": port, "www": test.path("www")})
    with connect(port) as s:
        for target, expected in ANSWERS.items():
            r = request(s, target)
            check_eq(expected, (r.status, r.body, r.field("Location")), target)


if __name__ == "__main__":
    with lib.Test() as t:
        main(t)
