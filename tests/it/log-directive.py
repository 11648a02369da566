#!/usr/bin/env python3
"""Several logs of a site, by name and by host; what their formats, filters and levels make of a line."""

import hashlib
import json
import os
import re

import lib
from lib import check, check_eq, connect, request, wait_for

SITE = """
{
    admin off
    workers 1
}
http://a.example:%(port)d {
    log {
        output file %(work)s/all.log {
            mode 0604
            roll_disabled
        }
    }
    log special {
        output file %(work)s/special.log
        no_hostname
    }
    log {
        output file %(work)s/errors.log
        level ERROR
        format console
    }
    log {
        output file %(work)s/filtered.log
        format append {
            server "one"
            wrap filter {
                wrap json
                request>remote_ip ip_mask 16 32
                request>client_ip replace hidden
                request>uri query {
                    delete gone
                    replace token SECRET
                    hash id
                }
                request>headers>Cookie cookie {
                    delete x
                }
                fields {
                    request>headers>X-Forwarded-For ip_mask {
                        ipv4 24
                        ipv6 32
                    }
                    request>headers>user-agent delete
                    request>headers>x-phone regexp [0-9] _
                    request>headers>x-id hash
                    resp_headers delete
                    duration delete
                    status rename code
                    size replace some
                    request>method rename verb
                }
            }
        }
    }
    log_name /special special
    error /broken 503
    respond "ok"
}
http://*.b.example:%(port)d {
    log {
        output file %(work)s/x.log
        hostnames x.b.example
    }
    log {
        output file %(work)s/rest.log
    }
    respond "b"
}
http://quiet.example:%(port)d {
    log {
        output discard
    }
    respond "quiet"
}
"""
CONSOLE = re.compile(r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d\.\d{3}\tERROR\thttp\.log\.access\.log1\t"
                     r"handled request\t(\{.*\})$")


def lines(t, name, count):
    def look():
        try:
            with open(t.path(name)) as f:
                got = f.read().splitlines()
        except FileNotFoundError:
            return None
        return got if len(got) >= count else None

    got = wait_for(30, look, "%d lines in %s" % (count, name))
    check_eq(count, len(got), name)
    return got


def hashed(value):
    return hashlib.sha256(value.encode()).hexdigest()[:8]


with lib.Test() as t:
    port = t.free_port()
    server = t.lintel(SITE % {"port": port, "work": t.work})

    def ask(target, host="a.example", fields=()):
        with connect(port) as s:
            request(s, target, host, fields=fields)

    ask("/p?gone=1&token=abc&id=7&a=b", fields=[
        ("X-Forwarded-For", "192.0.2.77, 2001:db8:1:2::3, what"), ("User-Agent", "ua"),
        ("X-Phone", "a12"), ("X-Id", "me"), ("X-Id", "you"), ("Cookie", "x=1")])
    ask("/special")
    ask("/broken")
    for host in ("x.b.example", "y.b.example", "X.b.example:80", "quiet.example"):
        ask("/" + host[0], host)

    all_lines = [json.loads(line) for line in lines(t, "all.log", 2)]
    check_eq([("http.log.access.log0", "info", 200), ("http.log.access.log0", "error", 503)],
             [(x["logger"], x["level"], x["status"]) for x in all_lines])
    check_eq(0o604, os.stat(t.path("all.log")).st_mode & 0o777)
    special = json.loads(lines(t, "special.log", 1)[0])
    check_eq(("http.log.access.special", "/special"), (special["logger"], special["request"]["uri"]))
    console = CONSOLE.match(lines(t, "errors.log", 1)[0])
    check(console, "the console format")
    check_eq(503, json.loads(console.group(1))["status"])

    line = json.loads(lines(t, "filtered.log", 2)[0])
    r = line["request"]
    check_eq(("127.0.0.0", "hidden"), (r["remote_ip"], r["client_ip"]))
    check_eq("/p?a=b&id=%s&token=SECRET" % hashed("7"), r["uri"])
    check_eq(["192.0.2.0, 2001:db8::, what"], r["headers"]["X-Forwarded-For"])
    check_eq((["a__"], [hashed("me"), hashed("you")], ["REDACTED"]),
             (r["headers"]["X-Phone"], r["headers"]["X-Id"], r["headers"]["Cookie"]))
    check("User-Agent" not in r["headers"] and "duration" not in line, line)
    check("resp_headers" not in line and "status" not in line and "method" not in r, line)
    check_eq((200, "some", "GET", "one"), (line["code"], line["size"], r["verb"], line["server"]))

    check_eq(["/x", "/X"], [json.loads(x)["request"]["uri"] for x in lines(t, "x.log", 2)])
    check_eq(["/y"], [json.loads(x)["request"]["uri"] for x in lines(t, "rest.log", 1)])
    check_eq(0, server.stop())
