#!/usr/bin/env python3
"""proxy_protocol of a proxy's transport: what upstreams are told of clients, and whose connections are
used again for whom."""

import re
import shutil
import socket
import struct
import subprocess
import threading

import lib
from lib import Reader, check, check_eq, connect, request, wait_for
from pki import Pki
from upstream import Upstream

V2 = b"\r\n\r\n\0\r\nQUIT\n"
UNKNOWN = b"PROXY UNKNOWN\r\n"
LOCAL = V2 + b"\x20\0\0\0"


class Peer(Upstream):
    """Takes the header from the beginning of each connection, and answers with it."""

    def __init__(self, **kind):
        self.headers = []      # of all connections
        self.own = 0           # checks among the requests
        self.by_socket = {}
        self.goes = threading.Event()  # away, when a second request has come
        super().__init__(self.answer, **kind)

    def _talk(self, sock):
        header = self.take_header(sock)
        self.headers.append(header)
        c = _Rest(header)
        self.by_socket[sock.fileno()] = c  # which TLS keeps
        super()._talk(sock)

    @staticmethod
    def take_header(sock):
        def exactly(n):
            data = b""
            while len(data) < n:
                part = sock.recv(n - len(data))
                if not part:
                    return data
                data += part
            return data

        begin = exactly(6)
        if begin == b"PROXY ":
            while not begin.endswith(b"\n"):
                begin += exactly(1)
            return begin
        begin += exactly(10)
        return begin + exactly(struct.unpack(">H", begin[14:16])[0])

    def answer(self, c):
        c.read_body()
        if c.target == "/health":
            self.own += 1
            c.reply(200)
            return True
        mine = self.by_socket[c.sock.fileno()]
        mine.requests += 1
        if mine.requests > 1 and self.goes.is_set():
            return False
        if c.fields("Upgrade"):
            c.send(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
            c.send(mine.header + c.sock.recv(4))
            return False
        c.reply(200, mine.header)
        return True


class _Rest:
    def __init__(self, header):
        self.header = header
        self.requests = 0


def conf(port, proxies, more=""):
    return """{
    admin off
    auto_https off
    workers 1
    default_bind 127.0.0.1 ::1
    %s
}
http://:%d {
%s
}
""" % (more, port, "\n".join("""
    handle %s {
        reverse_proxy %s {
            %s
            transport http {
                proxy_protocol %s
            }
        }
    }""" % p for p in proxies))


def ends(header):
    """The addresses and ports in a header, or None."""
    if header.startswith(b"PROXY "):
        words = header.decode().split()
        if words[1] == "UNKNOWN":
            return None
        check_eq({"TCP4": 0, "TCP6": 1}[words[1]], int(":" in words[2]), header)
        return words[2], int(words[4]), words[3], int(words[5])
    check_eq(V2, header[:12])
    if header[12] == 0x20:
        return None
    family, size = {0x11: (socket.AF_INET, 4), 0x21: (socket.AF_INET6, 16)}[header[13]]
    body = header[16:]
    check_eq(2 * size + 4, len(body))
    ports = struct.unpack(">HH", body[2 * size:])
    return (socket.inet_ntop(family, body[:size]), ports[0],
            socket.inet_ntop(family, body[size:2 * size]), ports[1])


def names_the_client(port, path, peer):
    """Each client has its own connection, that begins with its address, and is used again for it."""
    before = len(peer.headers)
    for host in ("127.0.0.1", "::1"):
        with connect(port, host=host) as a, connect(port, host=host) as b:
            for _ in range(3):
                for s in (a, b):
                    own = s.getsockname()[:2]
                    r = request(s, path, method="POST", body=b"body")
                    check_eq(own + (host, port), ends(r.body), path)
    check_eq(4, len(peer.headers) - before, "connections of %s" % path)


def before_tls(t, port):
    """The header comes before the handshake, and connections are for who has the same terms."""
    pki = Pki(t)
    peer = Peer(tls=pki.context())
    trust = "\ntls_trust_pool file " + pki.root
    server = t.lintel(conf(port, [
        ("/one/*", "https://127.0.0.1:%d" % peer.port, "health_uri /health\nhealth_interval 20ms",
         "v1" + trust),
        ("/two/*", "https://127.0.0.1:%d" % peer.port, "", "v2" + trust)]))
    wait_for(30, lambda: peer.own > 2, "checks")
    check_eq({UNKNOWN}, set(peer.headers))
    server.reload(conf(port, [
        (path, "https://127.0.0.1:%d" % peer.port, "", "v2" + terms)
        for path, terms in (("/one/*", trust), ("/two/*", "\ntls_insecure_skip_verify"),
                            ("/three/*", trust + "\ntls_server_name up.test"),
                            ("/four/*", "\ntls_trust_pool file " + pki.other),
                            ("/five/*", trust + "\ntls_server_name wrong.test"),
                            ("/six/*", "\ntls_insecure_skip_verify\ntls_server_name wrong.test"))]))
    for path in ("/one/", "/two/", "/three/", "/six/"):
        names_the_client(port, path, peer)
        sends_again(port, path, peer)
        tunnels(port, path)
    with connect(port) as s:
        before = len(peer.headers)
        expected = [200, 200, 200, 502, 502, 200]
        for _ in range(3):
            check_eq(expected, [request(s, "/%s/" % path).status for path in
                                ("one", "two", "three", "four", "five", "six")])
        check_eq(4 + 3 * 2, len(peer.headers) - before, "connections, two of whom never come about")
    server.stop()


def names_whom_trusted_proxies_name(server, port, peers):
    server.reload(conf(port, [("/one/*", "127.0.0.1:%d" % peers[0].port, "", "v1"),
                              ("/two/*", "127.0.0.1:%d" % peers[1].port, "", "v2")],
                       "servers {\ntrusted_proxies static 127.0.0.1\n}"))
    for path, peer in (("/one/", peers[0]), ("/two/", peers[1])):
        before = len(peer.headers)
        with connect(port) as a, connect(port) as b:
            for s in (a, b):
                r = request(s, path, fields=[("X-Forwarded-For", "198.51.100.7")])
                check_eq(("198.51.100.7", 0, "127.0.0.1", port), ends(r.body))
                r = request(s, path, fields=[("X-Forwarded-For", "2001:db8::7")])
                check_eq(("2001:db8::7", 0, "::", 0), ends(r.body), "of another family")
        check_eq(2, len(peer.headers) - before, "connections")


def sends_again(port, path, peer):
    """Over a connection that was kept and then closed, a request is sent once more, header first."""
    with connect(port) as s:
        first = request(s, path).body
        peer.goes.set()
        check_eq(first, request(s, path).body)
        peer.goes.clear()
        check_eq(s.getsockname()[1], ends(first)[1])


def tunnels(port, path):
    with connect(port) as s:
        own = s.getsockname()
        s.sendall(b"GET %s HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n" % path.encode())
        check_eq(101, Reader(s).response(head=True).status)
        s.sendall(b"ping")
        said = lib.read_all(s)
        check(said.endswith(b"ping"), said)
        check_eq(own + ("127.0.0.1", port), ends(said[:-4]))


def refuses(t, port):
    """What cannot begin with a header."""
    for upstream, transport, found in (
            ("h2c://x", "proxy_protocol v1", rb":%d:\d+:.*not before HTTP/2"),
            ("x:80", "versions h2c\nproxy_protocol v2", rb":%d:\d+:.*not before HTTP/2"),
            ("https://x", "versions 1.1 2\nproxy_protocol v2", rb":%d:\d+:.*not before HTTP/2"),
            ("x:80", "http_client curl\nproxy_protocol v2", rb":%d:\d+:.*http_client direct"),
            ("x:80", "proxy_protocol v3", rb":%d:\d+:.*'v3'"),
            ("x:80", "proxy_protocol", rb":%d:\d+:")):
        text = "http://:%d {\nreverse_proxy %s {\ntransport http {\n%s\n}\n}\n}\n" % (
            port, upstream, transport)
        line = [i for i, at in enumerate(text.split("\n"), 1) if "proxy_protocol" in at][0]
        path = t.write("bad.conf", text)
        done = subprocess.run([lib.LINTEL, "validate", "--config", path], env=t.env,
                              stderr=subprocess.PIPE, check=False)
        check_eq(1, done.returncode, transport)
        check(re.search(found % line, done.stderr), transport, done.stderr)


# ---- real servers ----

NGINX = """daemon off;
master_process off;
error_log stderr;
pid %(work)s/nginx.pid;
events { }
http {
    access_log off;
    client_body_temp_path %(work)s/body;
    proxy_temp_path %(work)s/proxy;
    fastcgi_temp_path %(work)s/fastcgi;
    uwsgi_temp_path %(work)s/uwsgi;
    scgi_temp_path %(work)s/scgi;
    server {
        listen 127.0.0.1:%(port)d proxy_protocol;
        listen unix:%(work)s/nginx.sock proxy_protocol;
        location / {
            return 200 "$proxy_protocol_addr $proxy_protocol_port $proxy_protocol_server_addr $proxy_protocol_server_port";
        }
    }
}
"""

HAPROXY = """defaults
    mode http
    timeout connect 10s
    timeout client 60s
    timeout server 60s
frontend f
    bind 127.0.0.1:%(port)d accept-proxy
    bind unix@%(work)s/haproxy.sock accept-proxy
    http-request return status 200 content-type text/plain lf-string "%%[src] %%[src_port] %%[dst] %%[dst_port]"
"""

LINTEL_BEHIND = """{
    admin off
    auto_https off
    default_bind 127.0.0.1
    servers {
        listener_wrappers {
            proxy_protocol {
                fallback_policy require
            }
        }
    }
}
http://:%(port)d {
    respond "{remote_host} {remote_port}"
}
"""


def run_nginx(t, port):
    path = t.write("nginx.conf", NGINX % {"work": t.work, "port": port})
    t.spawn("nginx", ["nginx", "-c", path, "-e", "stderr"])
    return "/nginx.sock"


def run_haproxy(t, port):
    path = t.write("haproxy.cfg", HAPROXY % {"work": t.work, "port": port})
    t.spawn("haproxy", ["haproxy", "-db", "-f", path])
    return "/haproxy.sock"


def run_lintel(t, port):
    path = t.write("behind.conf", LINTEL_BEHIND % {"port": port})
    t.spawn("lintel-behind", [lib.LINTEL, "run", "--config", path])
    return None


def is_listening(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


def real_servers(t, server, port):
    """They understand it, by TCP and unix sockets, from both families; and checks find them well."""
    for name, run in (("nginx", run_nginx), ("haproxy", run_haproxy), ("lintel", run_lintel)):
        if name != "lintel" and not shutil.which(name):
            print("without", name)
            continue
        behind = t.free_port()
        unix = run(t, behind)
        wait_for(60, lambda: is_listening(behind), name)
        check_upstream = "health_uri /\nhealth_interval 20ms\nlb_try_duration 20s\nlb_try_interval 20ms"
        proxies = [("/%s-tcp/*" % v, "127.0.0.1:%d" % behind, check_upstream, v) for v in ("v1", "v2")]
        if unix:
            proxies += [("/%s-unix/*" % v, "unix/" + t.work + unix, check_upstream, v)
                        for v in ("v1", "v2")]
        server.reload(conf(port, proxies))
        for path in [p[0][:-1] for p in proxies]:
            for host in ("127.0.0.1", "::1"):
                with connect(port, host=host) as s:
                    own = "%s %d" % s.getsockname()[:2]
                    expected = own if name == "lintel" else "%s %s %d" % (own, host, port)
                    for _ in range(3):
                        check_eq(expected, request(s, path).body.decode(), name + path)
        check(b"unhealthy" not in server.log(), "a check failed")


with lib.Test() as t:
    port = t.free_port()
    first, second = Peer(), Peer()
    unix = Peer(unix_path=t.path("peer.sock"))
    nobody = t.free_port()
    server = t.lintel(conf(port, [
        ("/one/*", "127.0.0.1:%d" % first.port, "", "v1"),
        ("/two/*", "127.0.0.1:%d" % second.port, "", "v2"),
        ("/unix/*", "unix/" + t.path("peer.sock"), "", "v2"),
        ("/next/*", "127.0.0.1:%d 127.0.0.1:%d" % (nobody, first.port), "lb_policy first", "v1"),
    ]))
    for path, peer in (("/one/", first), ("/two/", second), ("/unix/", unix), ("/next/", first)):
        names_the_client(port, path, peer)
        sends_again(port, path, peer)
        tunnels(port, path)
    names_whom_trusted_proxies_name(server, port, (first, second))
    # Checks are on nobody's behalf.
    for version, header in (("v1", UNKNOWN), ("v2", LOCAL)):
        peer = Peer()
        server.reload(conf(port, [("/*", "127.0.0.1:%d" % peer.port,
                                   "health_uri /health\nhealth_interval 20ms", version)]))
        wait_for(30, lambda: peer.own > 2, "checks")
        check_eq({header}, set(peer.headers))
        with connect(port) as s:
            check_eq(s.getsockname() + ("127.0.0.1", port), ends(request(s).body))
    # What came with a header goes on with it.
    server.reload(conf(port, [("/*", "127.0.0.1:%d" % second.port, "", "v2")],
                       "servers {\nlistener_wrappers {\nproxy_protocol {\nallow 127.0.0.1\n}\n}\n}"))
    with connect(port) as s:
        s.sendall(b"PROXY TCP6 2001:db8::7 2001:db8::1 5678 443\r\n")
        check_eq(("2001:db8::7", 5678, "::", 0), ends(request(s).body))
    real_servers(t, server, port)
    refuses(t, port)
    server.stop()
    before_tls(t, port)
