#!/usr/bin/env python3
"""lintel adapt: what sites will do, in the order in which it is asked, defaults filled in."""

import json
import subprocess

import lib
from lib import check, check_eq

CONF = """{
    storage file_system /var/x
    email me@example.com
}
(common) {
    header X-A "b c"
    log {
        output discard
    }
}
&(named) {
    respond "named" 418
}
example.com, www.example.com {
    import common
    respond "last"
    @old {
        path /old/* /x
        path /y
    }
    redir @old https://example.com{uri}
    handle /api/* {
        reverse_proxy localhost:9000 {
            header_up X "a b"
        }
    }
    handle {
        invoke named
    }
    handle_errors 4xx {
        respond "oops {path}"
    }
}
http://localhost:8080 {
    bind 127.0.0.1
    root * /srv
    file_server
}
"""


def adapt(path):
    return subprocess.run([lib.LINTEL, "adapt", "--config", path], capture_output=True, text=True)


def names(route):
    return [row["directive"] for row in route]


def main():
    with lib.Test() as t:
        path = t.write("a.conf", CONF)
        out = adapt(path)
        check_eq((0, ""), (out.returncode, out.stderr))
        a = json.loads(out.stdout)
        check_eq(["options", "listeners", "certificates", "sites"], list(a))
        check_eq(("/var/x", "/var/x/admin.sock", 80, 443, 10000, "INFO"),
                 tuple(a["options"][k] for k in ("storage", "admin", "http_port", "https_port",
                                                 "grace_period_ms", "log_level")))
        check_eq([("[::]:443", True), ("127.0.0.1:8080", False), ("[::]:80", False)],
                 [(x["address"], x["tls"]) for x in a["listeners"]])
        check_eq([("example.com", "acme"), ("www.example.com", "acme")],
                 [(x["name"], x["certificate"]) for x in a["certificates"]])
        check_eq("me@example.com", a["certificates"][0]["email"])
        first, second = a["sites"]
        check_eq(("example.com", "ramp", "tls1.2"),
                 (first["name"], first["hsts"], first["tls"]["protocols_min"]))
        check_eq(["header", "redir", "handle", "handle", "respond"], names(first["route"]))
        header, redir, api, rest, _ = first["route"]
        check_eq(["X-A", "b c"], header["arguments"])
        check_eq((["path /old/* /x; path /y"], 302), (redir["match"], redir["status"]))
        check_eq(["path /api/*"], api["match"])
        check_eq((["localhost:9000"], 3000, ["header_up X \"a b\""]),
                 tuple(api["route"][0][k] for k in ("upstreams", "dial_timeout_ms", "options")))
        check_eq(["invoke"], names(rest["route"]))
        check_eq((["respond"], 418), (names(rest["route"][0]["route"]),
                                      rest["route"][0]["route"][0]["status"]))
        check_eq(["handle_errors"], names(first["errors"]))
        check_eq(["root", "file_server"], names(second["route"]))
        check_eq(["index.html", "index.txt"], second["route"][1]["index"])
        check("tls" not in second, second)
        out = adapt(t.write("b.conf", "a.com {\n respnd x\n}\n"))
        check_eq((1, ""), (out.returncode, out.stdout))
        check("b.conf:2:2: unknown directive 'respnd'" in out.stderr, out.stderr)


main()
