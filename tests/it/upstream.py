"""A scripted HTTP upstream for the proxy's tests.

    up = Upstream(lambda c: c.reply(200, b"hello"))     # called once for every request
    up.port, up.accepts, up.requests, up.closed

The function gets a Connection whose head has been read; returning False closes the connection.
"""

import os
import re
import socket
import subprocess
import sys
import threading

import lib


class Connection:
    def __init__(self, upstream, sock):
        self.upstream = upstream
        self.sock = sock
        self.rest = b""
        self.head = b""      # request line and fields, with the empty line
        self.body = b""

    def _more(self):
        part = self.sock.recv(65536)
        self.rest += part
        return bool(part)

    def read_head(self):
        while b"\r\n\r\n" not in self.rest:
            if not self._more():
                return False
        head, self.rest = self.rest.split(b"\r\n\r\n", 1)
        self.head = head + b"\r\n\r\n"
        self.body = b""
        return True

    @property
    def method(self):
        return self.head.split(b" ", 1)[0].decode()

    @property
    def target(self):
        return self.head.split(b" ", 2)[1].decode("latin-1")

    def fields(self, name):
        """The values of all lines of that name."""
        return [v.decode("latin-1").strip() for v in re.findall(
            rb"(?im)^" + re.escape(name.encode()) + rb":(.*)\r$", self.head)]

    def _take(self, n, sink):
        while n > 0:
            if not self.rest and not self._more():
                raise EOFError
            part, self.rest = self.rest[:n], self.rest[n:]
            n -= len(part)
            sink(part)

    def _line(self):
        while b"\r\n" not in self.rest:
            if not self._more():
                raise EOFError
        line, self.rest = self.rest.split(b"\r\n", 1)
        return line

    def read_body(self, sink=None):
        """Reads the request's body; each piece is given to sink, or all are joined in self.body."""
        parts = []
        sink = sink or parts.append
        length = self.fields("Content-Length")
        if self.fields("Transfer-Encoding"):
            while True:
                size = int(self._line(), 16)
                if size == 0:
                    break
                self._take(size, sink)
                self._line()
            while self._line():
                pass
        elif length:
            self._take(int(length[0]), sink)
        self.body = b"".join(parts)
        return self.body

    def send(self, data):
        self.sock.sendall(data)

    def reply(self, status, body=b"", fields=()):
        self.send(b"HTTP/1.1 %d Whatever\r\n" % status
                  + b"".join(b"%s\r\n" % f.encode() for f in fields)
                  + b"Content-Length: %d\r\n\r\n" % len(body)
                  + (b"" if self.method == "HEAD" else body))


class Upstream:
    def __init__(self, serve, unix_path=None, tls=None, backlog=64, port=0, address="127.0.0.1"):
        self.serve = serve
        self.tls = tls        # an ssl.SSLContext
        self.greeting = None  # said to whoever comes, and then no more
        self.accepts = 0
        self.closed = 0       # connections that have ended, by whoever
        self.requests = []    # heads
        self.lock = threading.Lock()
        if unix_path:
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.bind(unix_path)
            self.port = None
        else:
            self.sock = socket.socket()
            self.sock.bind((address, port))
            self.port = self.sock.getsockname()[1]
        self.sock.listen(backlog)
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        while True:
            try:
                sock, _ = self.sock.accept()
            except OSError:
                return
            self.accepts += 1
            threading.Thread(target=self._talk, args=(sock,), daemon=True).start()

    def _talk(self, sock):
        try:
            if self.greeting is not None:
                sock.sendall(self.greeting)
                return
            if self.tls:
                sock = self.tls.wrap_socket(sock, server_side=True)
            c = Connection(self, sock)
            while c.read_head():
                with self.lock:
                    self.requests.append(c.head)
                if self.serve(c) is False:
                    break
        except (OSError, EOFError):
            pass
        finally:
            sock.close()
            self.closed += 1

    def stop(self):
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.sock.close()


def _with_client(conf, client):
    """The configuration with "http_client" in all proxies."""
    lines = []
    if "transport fastcgi" in conf:
        return conf
    for line in conf.split("\n"):
        if re.match(r"\s*(reverse_proxy|forward_auth)\b", line):
            block = line.rstrip().endswith("{")
            lines += [line.rstrip() if block else line + " {", "transport http {",
                      "http_client " + client, "}"] + ([] if block else ["}"])
        else:
            lines.append(line)
    # Two "transport" in one block are one too many: what a test says goes into the first.
    return re.sub(r"(?s)(transport http \{\nhttp_client \w+\n)\}\n\s*transport http \{\n",
                  r"\1", "\n".join(lines))


def _use_client(client):
    lib.Lintel.edit_conf = staticmethod(lambda conf: _with_client(conf, client))


# HTTP_CLIENT=curl tests/it/proxy-balance.py runs a test with that one only.
CLIENT = os.environ.get("HTTP_CLIENT")
if CLIENT:
    _use_client(CLIENT)


def each_client():
    """Runs the whole test by each of what speaks with upstreams; returns in these runs."""
    if CLIENT:
        return
    status = 0
    for client in ("direct", "curl"):
        print("http_client " + client, flush=True)
        rc = subprocess.call([sys.executable, *sys.argv], env=dict(os.environ, HTTP_CLIENT=client))
        status = status or rc
    sys.exit(status)


def before_caddy(t, up):
    """Lintel before a Caddy before the scripted upstream: the ports at which it speaks h2c with Caddy,
    and HTTP/1.1."""
    lib.need("caddy")
    caddy, port, other = t.free_ports(3)
    conf = t.write("Caddyfile", "{\n admin off\n auto_https off\n servers {\n  protocols h1 h2c\n }\n"
                   "}\nhttp://:%d {\n bind 127.0.0.1\n reverse_proxy 127.0.0.1:%d\n}\n"
                   % (caddy, up.port))
    t.spawn("caddy", ["caddy", "run", "--adapter", "caddyfile", "--config", conf])
    t.lintel("{\n admin off\n}\nhttp://localhost:%d {\n reverse_proxy h2c://127.0.0.1:%d\n}\n"
             "http://localhost:%d {\n reverse_proxy 127.0.0.1:%d\n}\n" % (port, caddy, other, caddy))
    return port, other


def refusing_port():
    """A port at which nobody listens: bound, so that nobody else gets it, but closed."""
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    refusing_port.kept.append(sock)
    return sock.getsockname()[1]


refusing_port.kept = []


def rss_peak_kb(pid):
    """The largest resident set so far (VmHWM)."""
    with open("/proc/%d/status" % pid) as f:
        return int(re.search(r"VmHWM:\s+(\d+)", f.read()).group(1))


def sanitized():
    """Whether memory figures mean nothing because the build is instrumented."""
    with open(lib.LINTEL, "rb") as f:
        binary = f.read()
    return b"__asan_init" in binary or b"__tsan_init" in binary
