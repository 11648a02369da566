#!/usr/bin/env python3
"""200 reloads while clients load the server: no request may fail, whether on a connection that is
kept or on a new one, plain or over TLS; and every answer is whole and of one configuration."""

import threading
import time

import lib
from lib import Reader, check, check_eq, connect, connect_tls, request

RELOADS = 200

CONF = """{
	http_port %(http)d
	https_port %(https)d
}
http://localhost:%(plain)d {
	respond "%(body)s"
	header X-Body "%(body)s"
}
localhost:%(tls)d {
	respond "%(body)s"
	header X-Body "%(body)s"
}
%(more)s"""

MORE = "http://localhost:%d {\n\trespond more\n}\nother.localhost:%d {\n\trespond other\n}\n"


class Client(threading.Thread):
    """Requests without end; the first failure stays in self.failure."""

    def __init__(self, open_connection, keep):
        super().__init__(daemon=True)
        self.open_connection = open_connection
        self.keep = keep
        self.stop = False
        self.failure = None
        self.count = 0
        self.seen = set()

    def run(self):
        try:
            while not self.stop:
                self.one_connection()
        except Exception as e:  # noqa: BLE001: whatever it is, the test fails by it
            self.failure = "%s, keep=%s, after %d requests: %r" % (
                self.name, self.keep, self.count, e)

    def one_connection(self):
        with self.open_connection() as sock:
            reader = Reader(sock)
            while not self.stop:
                reply = request(sock, reader=reader)
                check_eq(200, reply.status)
                check(reply.body in (b"a" * 200, b"b" * 100), "body", reply.body)
                check_eq(reply.body.decode(), reply.field("X-Body"), "field and body")
                self.seen.add(reply.body)
                self.count += 1
                if not self.keep:
                    return


with lib.Test() as t:
    ports = dict(zip(("http", "https", "plain", "tls", "more_plain"), t.free_ports(5)))

    def conf(body, more):
        text = MORE % (ports["more_plain"], ports["tls"]) if more else ""
        return CONF % dict(ports, body=body, more=text)

    confs = [conf("a" * 200, False), conf("b" * 100, True)]
    server = t.lintel(confs[0])
    context = None

    def open_plain():
        return connect(ports["plain"])

    def open_tls():
        return connect_tls(ports["tls"], "localhost", context)

    # The first handshake waits for the certificate; then there is a root to trust.
    connect_tls(ports["tls"], "localhost", lib.tls_context()).close()
    context = lib.tls_context(t.local_root)
    clients = [Client(o, keep) for o in (open_plain, open_tls) for keep in (True, False)]
    for c in clients:
        c.start()
    started = time.monotonic()
    for i in range(RELOADS):
        server.reload(confs[(i + 1) % 2])
        failures = [c.failure for c in clients if c.failure]
        check(not failures, "reload %d:" % (i + 1), failures)
    elapsed = time.monotonic() - started
    for c in clients:
        c.stop = True
    for c in clients:
        c.join()
        check(not c.failure, c.failure)
        check(c.count > 10, "only", c.count, "requests")
        check_eq({b"a" * 200, b"b" * 100}, c.seen, "both configurations were seen")
    check_eq(RELOADS, len(lib.re.findall(rb"server: reloaded", server.log())), "reloads")
    print("%d reloads in %.1f s beside %s requests" %
          (RELOADS, elapsed, [c.count for c in clients]))
