#!/usr/bin/env python3
"""Strict-Transport-Security: a ramp by default for names with a certificate of an ACME CA, never for
those of the local CA, never over plain HTTP; "hsts" overrides it."""

import glob
import json
import time

import lib
from lib import check, check_eq, connect, connect_tls, request, wait_for

DAY_S = 86400
RAMP = [(0, "max-age=300"), (2, "max-age=86400"), (8, "max-age=604800"), (31, "max-age=31536000")]

SITES = """
ramp.example.com {
    respond x
}
off.example.com {
    hsts off
    respond x
}
fixed.example.com {
    hsts 86400 includeSubDomains preload
    respond x
}
local.localhost {
    respond x
}
http://plain.localhost {
    respond x
}
"""


def header(https_port, name):
    with connect_tls(https_port, name, lib.tls_context()) as s:
        return request(s, host=name).field("Strict-Transport-Security")


def serves(https_port, name):
    try:
        connect_tls(https_port, name, lib.tls_context()).close()
        return True
    except lib.ssl.SSLError:
        return False


def served_for(path, days):
    """Lets the name have been served with such certificates for so many days."""
    with open(path) as f:
        facts = json.load(f)
    check(abs(facts["public_since"] - time.time()) < 400 * DAY_S, facts)
    facts["public_since"] = int(time.time()) - days * DAY_S - 60
    with open(path, "w") as f:
        json.dump(facts, f)


with lib.Test() as t:
    http_port, https_port = t.free_ports(2)
    ca = t.pebble(http_port, https_port)
    conf = "{\n%s}\n%s" % (ca.globals, SITES)
    server = t.lintel(conf)
    for name in "ramp.example.com", "off.example.com", "fixed.example.com", "local.localhost":
        wait_for(60, lambda: serves(https_port, name), name)

    check_eq("max-age=300", header(https_port, "ramp.example.com"))
    check_eq(None, header(https_port, "off.example.com"))
    check_eq("max-age=86400; includeSubDomains; preload", header(https_port, "fixed.example.com"))
    check_eq(None, header(https_port, "local.localhost"))
    with connect(http_port) as s:
        plain = request(s, host="plain.localhost")
    check_eq((200, None), (plain.status, plain.field("Strict-Transport-Security")))
    with connect(http_port) as s:
        redirect = request(s, "/a?b", host="ramp.example.com")
    check_eq((308, "https://ramp.example.com:%d/a?b" % https_port),
             (redirect.status, redirect.field("Location")))
    check_eq(None, redirect.field("Strict-Transport-Security"), "over plain HTTP")

    for days, value in RAMP:
        check_eq(0, server.stop())
        served_for(glob.glob(t.path("**/ramp.example.com.json"), recursive=True)[0], days)
        server = t.lintel(conf)
        wait_for(30, lambda: serves(https_port, "ramp.example.com"), "the stored certificate")
        check_eq(value, header(https_port, "ramp.example.com"), "after %d days" % days)
    check_eq(0, server.stop())
