#!/usr/bin/env python3
"""Clients without a name, with an unknown one, with one that is not the host's: default_sni,
fallback_sni, strict_sni_host; and shutdown_delay."""

import signal
import ssl
import time

import lib
from lib import check, check_eq, connect, connect_tls, request, tls_context, wait_for

CONF = """{
    https_port %(port)d
    auto_https disable_redirects
    %(options)s
}
a.localhost {
    respond "a"
}
b.localhost {
    respond "b"
}
"""


def body(port, sni, host):
    with connect_tls(port, sni, tls_context()) as s:
        r = request(s, host=host)
        return r.status, r.body


def certificate(t, port, sni):
    """The host name in the certificate for that name."""
    context = tls_context(t.local_root)
    context.check_hostname = False
    with connect_tls(port, sni, context) as s:
        return [v for k, v in s.getpeercert()["subjectAltName"] if k == "DNS"]


def refused(port, sni):
    try:
        connect_tls(port, sni, tls_context()).close()
    except ssl.SSLError as e:
        return "UNRECOGNIZED_NAME" in str(e).upper()
    return False


def reload(server, port, options):
    server.reload(CONF % {"port": port, "options": options})


def main():
    with lib.Test() as t:
        port = t.free_port()
        server = t.lintel(CONF % {"port": port, "options": ""})
        wait_for(60, lambda: not refused(port, "b.localhost"), "the certificates")
        check_eq(["a.localhost"], certificate(t, port, None))
        check(refused(port, "c.localhost"), "an unknown name was taken")
        check_eq((200, b"a"), body(port, "b.localhost", "a.localhost"))

        reload(server, port, "default_sni B.localhost")
        check_eq(["b.localhost"], certificate(t, port, None))
        check(refused(port, "c.localhost"), "an unknown name was taken")

        reload(server, port, "fallback_sni b.localhost")
        check_eq(["a.localhost"], certificate(t, port, None))
        check_eq(["b.localhost"], certificate(t, port, "c.localhost"))
        check_eq((421,), body(port, "c.localhost", "c.localhost")[:1])

        reload(server, port, "servers {\n strict_sni_host\n }")
        check_eq((200, b"b"), body(port, "b.localhost", "b.localhost"))
        check_eq((421,), body(port, "b.localhost", "a.localhost")[:1])
        check_eq((421,), body(port, None, "a.localhost")[:1])

        reload(server, port, "shutdown_delay 1m\n default_sni nobody.test")
        check(b"there is no site of the name 'nobody.test'" in server.log(), "no warning")
        server.send(signal.SIGTERM)
        server.wait_log(rb"stopping in 60000 ms", 30)
        check_eq((200, b"a"), body(port, "a.localhost", "a.localhost"))  # still served
        before = time.monotonic()
        check_eq(0, server.stop(), "exit status")  # a second signal does not wait
        check(time.monotonic() - before < 50, "the second signal waited")


main()
