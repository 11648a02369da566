#!/usr/bin/env python3
"""lintel adapt: what sites will do, in the order in which it is asked, defaults filled in."""

import json
import subprocess

import lib
from lib import check, check_eq

CONF = """{
    storage file_system /var/x
    email me@example.com
    servers {
        max_connections 500
    }
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


PROXIES = """http://localhost:8080 {
    reverse_proxy /plain unix//run/x.sock {
        lb_try_duration 5s
        transport http {
            keepalive off
            keepalive_idle_conns 8
            keepalive_idle_conns_per_host 4
            keepalive_interval 45s
            local_address [::1]
            proxy_protocol v2
            resolvers 127.0.0.1 [::1]:5353
        }
    }
    reverse_proxy /tls https://up.test 10.0.0.1:8443 {
        lb_policy least_conn
        fail_duration 30s
        health_uri /well
        stream_close_delay 0s
        transport http {
            tls_server_name cert.test
            tls_except_ports 8080 8081
            tls_insecure_skip_verify
            versions 1.1 2
            max_conns_per_host 7
        }
    }
    reverse_proxy /dynamic {
        dynamic multi {
            a a.test 80 {
                versions ipv4
                resolvers 127.0.0.1 [::1]:5353
            }
            srv _x._tcp.b.test {
                refresh 5s
                grace_period 1m
                dial_timeout 300ms
            }
        }
        transport http {
            tls
            tls_timeout 2s
        }
    }
    reverse_proxy /fcgi 127.0.0.1:9000 {
        transport fastcgi {
            split .php
            capture_stderr
        }
    }
}
"""


def proxies(t):
    """What is said of upstreams, and what is so although nothing is said of it."""
    out = adapt(t.write("proxies.conf", PROXIES))
    check_eq(0, out.returncode, out.stderr)
    rows = {row["match"][0]: row for row in json.loads(out.stdout)["sites"][0]["route"]}
    plain, tls, dynamic, fcgi = (rows["path /" + p] for p in ("plain", "tls", "dynamic", "fcgi"))
    for row, expected in (
            (fcgi, {"transport": "fastcgi", "split": [".php"], "capture_stderr": True,
                    "versions": None}),
            (plain, {"upstreams": ["unix//run/x.sock"], "lb_policy": "round_robin",
                     "lb_try_duration_ms": 5000, "lb_try_interval_ms": 250, "transport": "http",
                     "versions": ["1.1"], "http_client": "direct", "keepalive": "off",
                     "keepalive_idle_conns": 8, "keepalive_idle_conns_per_host": 4,
                     "keepalive_interval_ms": 45000, "local_address": "::1",
                     "proxy_protocol": "v2", "resolvers": ["127.0.0.1:53", "[::1]:5353"],
                     "max_response_header": 16384}),
            (tls, {"lb_policy": "least_conn", "fail_duration_ms": 30000, "max_fails": 1,
                   "health_uri": "/well", "health_interval_ms": 30000, "health_timeout_ms": 5000,
                   "health_upstreams": ["tcp/up.test:443", "tcp/10.0.0.1:8443"],
                   "health_passes": 1, "health_fails": 1, "health_method": "GET",
                   "max_conns_per_host": 7, "versions": ["1.1", "2"], "keepalive_ms": 120000,
                   "tls": True, "tls_insecure_skip_verify": True, "tls_client_auth": False,
                   "tls_server_name": "cert.test", "tls_except_ports": ["8080", "8081"],
                   "stream_close_delay_ms": 0}),
            (dynamic, {"dynamic": ["a a.test 80 versions ipv4 refresh 60000ms resolvers 127.0.0.1:53"
                                   " [::1]:5353",
                                   "srv _x._tcp.b.test refresh 5000ms grace_period 60000ms"
                                   " dial_timeout 300ms"],
                       "tls_server_name": "the upstream's own", "tls_timeout_ms": 2000,
                       "tls_trust_pool": "that of the system"})):
        check_eq(expected, {key: row.get(key) for key in expected})
    check("tls" not in plain and "health_uri" not in plain and "dynamic" not in plain, plain)


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
        check_eq(500, a["options"]["max_connections"])
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
        proxies(t)
        out = adapt(t.write("b.conf", "a.com {\n respnd x\n}\n"))
        check_eq((1, ""), (out.returncode, out.stdout))
        check("b.conf:2:2: unknown directive 'respnd'" in out.stderr, out.stderr)


main()
