#!/usr/bin/env python3
"""TLS and HTTP/2 to upstreams: who is believed, which certificate is shown, what is spoken; and that
no connection made under other terms is used."""

import os
import ssl
import subprocess
import threading

import lib
from lib import check, check_eq, connect, request
from pki import Pki
from dns import A, Dns
from upstream import Upstream


def sites(*each):
    """One site for each (port, what reverse_proxy says)."""
    return "".join("http://localhost:%d {\n reverse_proxy %s\n}\n" % one for one in each)


def transport(upstream, *lines):
    return "%s {\n  transport http {\n   %s\n  }\n }" % (upstream, "\n   ".join(lines))


def status(port, target="/"):
    with connect(port) as s:
        return request(s, target).status


def who_is_believed(t, pki):
    names = []
    context = pki.context()
    context.sni_callback = lambda sock, name, ctx: names.append(name)
    up = Upstream(lambda c: c.reply(200, c.head), tls=context)
    at = "127.0.0.1:%d" % up.port
    ports = t.free_ports(9)
    says = [
        transport("https://" + at, "tls_insecure_skip_verify"),
        transport("https://" + at),                                     # nobody vouches
        transport("https://" + at, "tls_trust_pool file " + pki.root),  # the address is in it
        transport(at, "tls_trust_pool file {\n pem_file %s %s\n}" % (pki.other, pki.root)),
        transport(at, "tls_trust_pool file " + pki.other),
        transport(at, "tls_trusted_ca_certs " + pki.root, "tls_server_name up.test"),
        transport(at, "tls_trusted_ca_certs " + pki.root, "tls_server_name wrong.test"),
        transport("localhost:%d" % up.port, "tls", "tls_trust_pool file " + pki.root),
        transport(at, "tls", "tls_except_ports %d" % up.port),
    ]
    expected = [200, 502, 200, 200, 502, 200, 502, 502, 502]
    t.lintel(sites(*zip(ports, says)))
    # Twice, and those that believe anybody first: no connection of theirs is used by others.
    for _ in range(2):
        check_eq(expected, [status(p) for p in ports], "whom sites believe")
    check("up.test" in names and "wrong.test" in names, names)
    check_eq(None, names[0], "no name is sent for an address")
    with connect(ports[5]) as s:
        check(b"Host: " + at.encode() in request(s, "/").body, "Host is the upstream's own")
    up.stop()


def names_of_requests(t, pki):
    """A name that the request makes, and that of what DNS has told the address."""
    context, names = pki.context(), []
    context.sni_callback = lambda sock, name, ctx: names.append(name)
    up = Upstream(lambda c: c.reply(200, c.head), tls=context)
    far = Upstream(lambda c: c.reply(200, c.head), tls=context, address="127.0.0.2")
    dns = Dns()
    dns.records["up.test", A] = dns.records["wrong.test", A] = ["127.0.0.2"]
    ports = t.free_ports(6)
    at, trust = "127.0.0.1:%d" % up.port, "tls_trust_pool file " + pki.root
    found = "{\n dynamic a %%s. %d {\n resolvers 127.0.0.1:%d\n versions ipv4\n }\n" % (
        far.port, dns.port)
    end = " transport http {\n %s\n}\n}"
    says = [transport(at, trust, "tls_server_name {header.X-Name}"),
            transport("127.0.0.2:%d" % far.port, trust, "tls_server_name {header.X-Name}.test"),
            transport(at, trust, "tls_server_name {http.reverse_proxy.upstream.host}"),
            found % "up.test" + end % trust,
            found % "wrong.test" + end % trust,
            found % "wrong.test" + end % (trust + "\ntls_server_name {header.X-Name}")]
    server = t.lintel(sites(*zip(ports, says)))

    def ask(port, name):
        with connect(port) as s:
            return request(s, "/", fields=[("X-Name", name)])

    for _ in range(2):
        check_eq([200, 502, 502, 502, 200, 502],
                 [ask(ports[0], n).status for n in
                  ("up.test", "wrong.test", "a b", "up.test/", "127.0.0.1", "")], "of the request")
        check_eq([200, 502], [ask(ports[1], n).status for n in ("up", "x" * 250)])
        check_eq(200, ask(ports[2], "").status, "the upstream's own")
        check_eq([200, 502], [ask(p, "").status for p in ports[3:5]], "what was looked up")
        check_eq([200, 502], [ask(ports[5], n).status for n in ("up.test", "wrong.test")])
    check_eq({None, "up.test", "wrong.test"}, set(names), "names that were sent")
    check(b"Host: up.test:%d\r\n" % far.port in ask(ports[3], "").body, "Host")
    server.wait_log(rb"the request makes 'up\.test/' of tls_server_name, which is no host name")
    up.stop()
    far.stop()


def client_certificates(t, pki):
    context = pki.context()
    context.load_verify_locations(pki.root)
    context.verify_mode = ssl.CERT_OPTIONAL

    def serve(c):
        peer = c.sock.getpeercert()
        c.reply(200, str(peer["subject"]).encode() if peer else b"nobody")

    up = Upstream(serve, tls=context)
    at = "127.0.0.1:%d" % up.port
    ports = t.free_ports(2)
    with_cert = ("tls_trust_pool file " + pki.root, "tls_client_auth %s %s" % pki.client)
    server = t.lintel(sites((ports[0], transport(at, *with_cert)),
                            (ports[1], transport(at, "tls_trust_pool file " + pki.root))))
    for _ in range(3):
        with connect(ports[0]) as s:
            check(b"client" in request(s, "/").body, "the certificate is shown")
        with connect(ports[1]) as s:
            check_eq(b"nobody", request(s, "/").body, "and not by the other site")
    check(up.accepts <= 2 * (os.cpu_count() or 1), "connections are used again:", up.accepts)
    # What was read at load counts until the next; then what is in the file, although its path and
    # the upstream are the same.
    with open(pki.root) as f:
        good = f.read()
    with open(pki.other) as f:
        other = f.read()
    t.write("root.crt", other)
    check_eq(200, status(ports[1]), "before the reload")
    server.reload()
    check_eq(502, status(ports[1]), "after it")
    t.write("root.crt", good)
    server.reload()
    check_eq(200, status(ports[1]), "and again")
    up.stop()


def errors_of_files(t, pki):
    conf = t.write("bad.conf", "http://localhost:1 {\n reverse_proxy a {\n  transport http {\n"
                   "   tls_trust_pool file %s\n   tls_client_auth %s %s\n  }\n }\n}\n"
                   % (t.path("none.pem"), pki.client[0], pki.server[1]))
    said = subprocess.run([lib.LINTEL, "validate", "--config", conf], stderr=subprocess.STDOUT,
                          stdout=subprocess.PIPE, env=t.env, check=False)
    check(said.returncode != 0, "validate")
    check(b"bad.conf:4:24: " in said.stdout and b"none.pem" in said.stdout, said.stdout)
    check(b"bad.conf:5:" in said.stdout and b"key" in said.stdout, said.stdout)


def connections_kept(t):
    up = Upstream(lambda c: c.reply(200, b"ok"))
    ports = t.free_ports(2)
    at = "127.0.0.1:%d" % up.port
    t.lintel(sites((ports[0], transport(at, "keepalive off")), (ports[1], at)))
    with connect(ports[0]) as s:
        for _ in range(4):
            check_eq(200, request(s, "/").status)
    check_eq(4, up.accepts, "keepalive off")
    with connect(ports[1]) as s:
        for _ in range(4):
            check_eq(200, request(s, "/").status)
    check_eq(5, up.accepts, "kept")
    up.stop()


def connections_at_most(t):
    """Beyond max_conns_per_host requests wait if they may, and are answered 503 if not."""
    go = threading.Event()
    lock, now, most = threading.Lock(), [0], [0]

    def serve(c):
        if c.target.startswith("/long"):
            c.reply(200, b"ok", ["X-Long: " + "x" * 600])
            return
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        go.wait(30)
        with lock:
            now[0] -= 1
        c.reply(200, b"ok")

    up = Upstream(serve)
    ports = t.free_ports(2)
    at = "127.0.0.1:%d" % up.port
    limit = "max_conns_per_host 2"
    t.lintel("http://localhost:%d {\n reverse_proxy %s\n}\n" % (
        ports[0], transport(at, limit, "max_response_header 512"))
        + "http://localhost:%d {\n reverse_proxy %s {\n  lb_try_duration 30s\n"
        "  transport http {\n   %s\n  }\n }\n}\n" % (ports[1], at, limit))
    check_eq(502, status(ports[0], "/long"), "max_response_header")
    socks = [connect(ports[0]) for _ in range(2)]
    for s in socks:
        s.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    lib.wait_for(20, lambda: now[0] == 2, "two requests at the upstream")
    with connect(ports[0]) as s:
        reply = request(s, "/")
        check_eq((503, "1"), (reply.status, reply.field("Retry-After")))
    go.set()
    for s in socks:
        check_eq(200, lib.Reader(s).response().status)
        s.close()
    check_eq(200, status(ports[0]), "it recovers")
    results, most[0] = [], 0
    threads = [threading.Thread(target=lambda: results.append(status(ports[1])))
               for _ in range(12)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(60)
    check_eq([200] * 12, results, "those that wait")
    check(most[0] <= 2, "never more than two:", most[0])
    up.stop()


def nghttpd(t, pki, tls):
    port = t.free_port()
    root = t.path("docs-%s" % tls)
    t.write("docs-%s/small" % tls, "small\n")
    t.write("docs-%s/big" % tls, b"0123456789abcdef" * (4 << 16))
    args = ["--htdocs=" + root, "--address=127.0.0.1", "--echo-upload", str(port)]
    args += [pki.server[1], pki.server[0]] if tls else ["--no-tls"]
    p = t.spawn("nghttpd-%s" % tls, ["nghttpd", *args])

    def listens():
        check(p.alive(), "nghttpd ended")
        try:
            connect(port).close()
            return True
        except OSError:
            return False

    lib.wait_for(20, listens, "nghttpd")
    return port


def http2(t, pki):
    lib.need("nghttpd")
    plain, secure = nghttpd(t, pki, False), nghttpd(t, pki, True)
    http1 = Upstream(lambda c: c.reply(200, b"one"), tls=pki.context())
    ports = t.free_ports(5)
    trust = "tls_trust_pool file " + pki.root
    t.lintel(sites(
        (ports[0], "h2c://127.0.0.1:%d" % plain),
        (ports[1], transport("127.0.0.1:%d" % plain, "versions h2c 2")),
        (ports[2], transport("127.0.0.1:%d" % secure, trust, "versions 1.1 2")),
        (ports[3], transport("127.0.0.1:%d" % http1.port, trust, "versions 2")),
        (ports[4], transport("https://127.0.0.1:%d" % secure, trust)),
    ))
    for port in ports[:3]:
        with connect(port) as s:
            for _ in range(3):
                check_eq(b"small\n", request(s, "/small").body)
            check_eq(404, request(s, "/none").status)
            reply = request(s, "/small", method="HEAD")
            check_eq((200, "6"), (reply.status, reply.field("Content-Length")))
            check_eq(4 << 20, len(request(s, "/big").body), "a large body")
            reply = request(s, "/echo", method="POST", body=b"x" * 300000)
            check_eq((200, 300000), (reply.status, len(reply.body)), "an upload")
    check_eq(200, status(ports[3]), "HTTP/1.1, where there is no HTTP/2")
    check_eq(502, status(ports[4], "/small"), "nghttpd has nothing but HTTP/2")
    many_at_once(ports[0])
    http1.stop()


def many_at_once(port):
    """A client that reads nothing holds up nobody else."""
    with connect(port) as slow:
        slow.sendall(b"GET /big HTTP/1.1\r\nHost: localhost\r\n\r\n")
        slow.recv(1)
        results = []
        threads = [threading.Thread(target=lambda: results.append(status(port, "/small")))
                   for _ in range(20)]
        for one in threads:
            one.start()
        for one in threads:
            one.join(60)
        check_eq([200] * 20, results, "beside a slow reader")


def main():
    with lib.Test() as t:
        lib.need("openssl")
        pki = Pki(t)
        who_is_believed(t, pki)
        names_of_requests(t, pki)
        client_certificates(t, pki)
        errors_of_files(t, pki)
        connections_kept(t)
        connections_at_most(t)
        http2(t, pki)


main()
