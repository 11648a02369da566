#!/usr/bin/env python3
"""TLS 1.2: a client that was quick with its Finished was not answered, since the handshake was over
before libmicrohttpd knew of it. That was one connection of a hundred, and more of a slow server's."""

import ssl
import threading

import lib
from lib import check_eq, connect_tls, request, tls_context

CLIENTS, EACH = 4, 100


def client(port, statuses):
    for _ in range(EACH):
        with connect_tls(port, "localhost", tls_context(version=ssl.TLSVersion.TLSv1_2)) as s:
            try:
                statuses.append(request(s, fields=[("Connection", "close")]).status)
            except lib.Failure as e:
                statuses.append(str(e))


def main():
    with lib.Test() as t:
        port, http_port = t.free_ports(2)
        t.lintel("""{
            https_port %d
            http_port %d
        }
        localhost {
            respond "hello"
        }
        """ % (port, http_port))
        statuses = []
        clients = [threading.Thread(target=client, args=(port, statuses)) for _ in range(CLIENTS)]
        for c in clients:
            c.start()
        for c in clients:
            c.join()
        check_eq([200] * (CLIENTS * EACH), statuses, "the answers")


main()
