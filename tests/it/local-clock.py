#!/usr/bin/env python3
"""The local CA and a clock that is wrong when the server starts, and is set right later. Needs
libfaketime."""

import glob
import re
import ssl

import lib
from lib import connect, tls_context

CONF = """{
	http_port %d
	https_port %d
	renew_interval 1s
}
a.localhost {
	respond hello
}
"""


def is_valid(test, port):
    try:
        with tls_context(test.local_root).wrap_socket(connect(port), server_hostname="a.localhost"):
            return True
    except ssl.SSLCertVerificationError:
        return False


def is_sanitized():
    """Sanitizers and libfaketime do not get along."""
    with open(lib.LINTEL, "rb") as f:
        return re.search(rb"__[at]san_init", f.read())


def main():
    with lib.Test() as test:
        library = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
        if not library:
            raise lib.Skip("libfaketime is not installed")
        if is_sanitized():
            raise lib.Skip("not with a sanitizer")
        offset = test.path("offset")
        test.env.update(LD_PRELOAD=library[0], FAKETIME_TIMESTAMP_FILE=offset,
                        FAKETIME_NO_CACHE="1", DONT_FAKE_MONOTONIC="1")

        def set_clock(text):
            with open(offset, "w") as f:
                f.write(text)

        ports = test.free_ports(2)
        set_clock("-20000d")
        server = test.lintel(CONF % tuple(ports), wait=False)
        server.wait_log(rb"a\.localhost: has to wait: local CA: the clock is not set")
        set_clock("+0")
        server.wait_log(rb"a\.localhost: certificate obtained")
        server.stop()

        # A leaf of the future, from a clock that was ahead.
        set_clock("+6d")
        server = test.lintel(CONF % tuple(ports))
        server.wait_log(rb"a\.localhost: certificate renewed")
        set_clock("+0")
        lib.wait_for(30, lambda: server.log().count(b"certificate renewed") == 2, "a new leaf")
        lib.wait_for(30, lambda: is_valid(test, ports[1]), "a handshake with the new leaf")


main()
