#!/usr/bin/env python3
"""The first certificate of a name: a client that comes while it is being made is served with it; one
that comes when it could not be made is refused at once."""

import ssl
import time

import lib
from lib import check, connect, tls_context, wait_for

CONF = """{
	email a@example.com
%(globals)s}
a.example.com {
	respond a
}
b.localhost {
	tls internal
	respond b
}
c.example.com {
	tls {
		ca https://127.0.0.1:%(nobody)d/dir
	}
	respond c
}
"""


def handshake(port, name):
    connect_to = wait_for(30, lambda: try_connect(port), "the https port")
    with tls_context().wrap_socket(connect_to, server_hostname=name):
        pass


def try_connect(port):
    try:
        return connect(port)
    except ConnectionRefusedError:
        return None


def main():
    with lib.Test() as test:
        http, https, nobody = test.free_ports(3)
        pebble = test.pebble(http, https)
        server = test.lintel(CONF % {"globals": pebble.globals, "nobody": nobody}, wait=False)
        handshake(https, "b.localhost")
        handshake(https, "a.example.com")

        server.wait_log(rb"c\.example\.com: no certificate; next attempt")
        begin = time.monotonic()
        try:
            handshake(https, "c.example.com")
            check(False, "a handshake without a certificate")
        except ssl.SSLError as e:
            check("INTERNAL_ERROR" in str(e), "alert:", e)
        check(time.monotonic() - begin < 5, "a refusal came late")


main()
