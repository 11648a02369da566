#!/usr/bin/env python3
"""The local CA and its certificates in storage: what a damaged or replaced file there leads to."""

import os
import shutil

import lib
from lib import check, check_eq, connect, tls_context

CONF = """{
	http_port %d
	https_port %d
}
a.localhost, b.localhost {
	tls internal
	respond hello
}
"""


def verify(test, port, name):
    """A handshake that trusts the root alone."""
    with tls_context(test.local_root).wrap_socket(connect(port), server_hostname=name):
        pass


def main():
    with lib.Test() as test:
        ports = test.free_ports(2)
        server = test.lintel(CONF % tuple(ports))
        server.wait_log(rb"a\.localhost: certificate obtained")
        server.wait_log(rb"b\.localhost: certificate obtained")
        server.stop()
        storage = os.path.join(test.env["XDG_DATA_HOME"], "lintel")
        leaf = os.path.join(storage, "certificates", "local", "%s.localhost", "%s.localhost.%s")

        # The intermediate is cut off behind a whole leaf.
        chain = leaf % ("a", "a", "crt")
        os.truncate(chain, os.path.getsize(chain) - 100)
        server = test.lintel(CONF % tuple(ports))
        verify(test, ports[1], "a.localhost")
        server.stop()

        # Another name's certificate.
        for part in ("crt", "key"):
            shutil.copy(leaf % ("b", "b", part), leaf % ("a", "a", part))
        server = test.lintel(CONF % tuple(ports))
        verify(test, ports[1], "a.localhost")
        server.stop()

        # A new root: nothing of the old one is served any more.
        shutil.rmtree(os.path.join(storage, "pki"))
        server = test.lintel(CONF % tuple(ports))
        server.wait_log(rb"a\.localhost: certificate obtained")
        verify(test, ports[1], "a.localhost")
        verify(test, ports[1], "b.localhost")
        server.stop()

        # A stop does not wait for the keys of all names.
        many = ["n%d.localhost" % i for i in range(20)]
        server = test.lintel((CONF % tuple(ports)).replace("a.localhost, b.localhost", ", ".join(many))
                             .replace("}\n", "\tkey_type rsa4096\n}\n", 1))
        check_eq(0, server.stop())
        check(server.log().count(b"obtained") < len(many), "keys were made after the stop")

        # Without damage nothing is made anew.
        server = test.lintel(CONF % tuple(ports))
        verify(test, ports[1], "a.localhost")
        check(b"obtained" not in server.log(), "new certificates without need")


main()
