"""Library of the integration tests written in Python (standard library only).

    import lib

    with lib.Test() as t:
        port = t.free_port()
        server = t.lintel("http://localhost:%d {\\n respond hello\\n}\\n" % port)
        reply = lib.raw(port, b"GET / HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n")
        lib.check(reply.startswith(b"HTTP/1.1 200 "), reply)

The test has its own folder t.work (removed at the end; HOME and XDG_DATA_HOME are in it). At the end
every child is stopped; if the test failed, the logs are printed. It also fails if Lintel does not end
with status 0 or a sanitizer spoke in a log. Nothing depends on how fast the machine is.
"""

import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
TOP_SRCDIR = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, HERE)

import free_port as _ports  # noqa: E402
import pebble as _pebble  # noqa: E402

LINTEL = os.environ.get("LINTEL", os.path.join(TOP_SRCDIR, "lintel"))
SANITIZER = re.compile(
    rb"ERROR: [A-Za-z]+Sanitizer|WARNING: ThreadSanitizer|runtime error:|Assertion .* failed")


class Failure(Exception):
    """A check of the test did not hold."""


class Skip(Exception):
    """Something the test needs is not on this machine."""


def check(condition, *what):
    if not condition:
        raise Failure(" ".join(map(str, what)) or "check failed")


def check_eq(expected, actual, what="value"):
    check(expected == actual, "%s: expected %r, got %r" % (what, expected, actual))


def need(*programs):
    for program in programs:
        if not shutil.which(program):
            raise Skip("%s is not installed" % program)


def wait_for(seconds, condition, what="a condition"):
    """Polls until condition() is true and returns what it returned."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise Failure("waited %s s in vain for %s" % (seconds, what))
        time.sleep(0.02)


class Process:
    """A child with its output in a log file."""

    def __init__(self, name, command, log, env, stdin=subprocess.DEVNULL, cwd=None):
        self.name = name
        self.log_path = log
        with open(log, "ab") as out:
            self.popen = subprocess.Popen(command, stdin=stdin, stdout=out,
                                          stderr=subprocess.STDOUT, env=env, cwd=cwd)

    @property
    def pid(self):
        return self.popen.pid

    def log(self):
        with open(self.log_path, "rb") as f:
            return f.read()

    def alive(self):
        return self.popen.poll() is None

    def wait_log(self, pattern, seconds=30):
        """Waits until a regular expression (bytes) is found in the log; returns the match."""

        def look():
            found = re.search(pattern, self.log(), re.MULTILINE)
            if not found and not self.alive():
                raise Failure("%s ended with %s before its log said %r"
                              % (self.name, self.popen.returncode, pattern))
            return found

        return wait_for(seconds, look, "%r in the log of %s" % (pattern, self.name))

    def send(self, number):
        self.popen.send_signal(number)

    def stop(self, number=signal.SIGTERM, seconds=20):
        """Sends the signal and returns the exit status (negative: died by a signal)."""
        if self.alive():
            self.send(number)
        try:
            return self.popen.wait(seconds)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()
            raise Failure("%s did not end after %s" % (self.name, number)) from None


class Lintel(Process):
    edit_conf = staticmethod(lambda conf: conf)  # see each_client in upstream.py

    def __init__(self, test, conf, args=(), wait=True):
        self.test = test
        self.conf_path = os.path.join(test.work, "lintel.conf")
        self.write_conf(conf)
        test.starts += 1
        super().__init__("lintel", [LINTEL, "run", "--config", self.conf_path, *args],
                         os.path.join(test.logs, "lintel-%d.log" % test.starts), test.env)
        if wait:
            self.wait_log(rb" server: ready$", 60)

    def write_conf(self, conf):
        temporary = self.conf_path + ".new"
        with open(temporary, "w") as f:
            f.write(self.edit_conf(conf))
        os.rename(temporary, self.conf_path)

    def reload(self, conf=None):
        """Sends SIGHUP, perhaps with a new configuration; waits until the log tells of the end."""
        if conf is not None:
            self.write_conf(conf)
        before = len(re.findall(rb" server: (?:reloaded|reload refused)", self.log()))
        self.send(signal.SIGHUP)
        wait_for(30, lambda: len(re.findall(rb" server: (?:reloaded|reload refused)", self.log())) > before, "the reload")

    def rss_kb(self):
        with open("/proc/%d/status" % self.pid) as f:
            return int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1))


class Pebble:
    """See pebble.py. Attributes: directory, ca, root, management, dns_management."""

    def __init__(self, test, http_port, https_port, validity_s=None, nonce_reject=0, sleep=False):
        need("pebble", "pebble-challtestsrv", "openssl")
        self.test = test
        self.folder = os.path.join(test.work, "pebble")
        self.env = dict(test.env, PEBBLE_WFE_NONCEREJECT=str(nonce_reject), PEBBLE_AUTHZREUSE="0")
        if not sleep:
            self.env["PEBBLE_VA_NOSLEEP"] = "1"
        if validity_s:
            self.env["PEBBLE_VALIDITY_S"] = str(validity_s)
        subprocess.run([sys.executable, os.path.join(HERE, "pebble.py"), "prepare", self.folder,
                        str(http_port), str(https_port), str(os.getpid())],
                       env=self.env, check=True)
        facts = _pebble.read_env(self.folder)
        self.directory = facts["PEBBLE_DIRECTORY"]
        self.ca = facts["PEBBLE_CA"]
        self.root = facts["PEBBLE_ROOT"]
        self.management = facts["PEBBLE_MANAGEMENT"]
        self.dns_management = facts["PEBBLE_DNS_MANAGEMENT"]
        self.globals = ("    http_port %d\n    https_port %d\n    acme_ca %s\n    acme_ca_root %s\n"
                        % (http_port, https_port, self.directory, self.ca))
        self.process = None

    def start(self):
        if os.path.exists(self.root):
            os.unlink(self.root)
        self.process = self.test.spawn("pebble", [sys.executable, os.path.join(HERE, "pebble.py"),
                                                  "run", self.folder], self.env)

        def is_ready():
            if not self.process.alive():
                raise Failure("pebble did not start")
            return os.path.exists(self.root)

        wait_for(60, is_ready, "pebble")
        return self

    def stop(self):
        self.process.stop()


class Test:
    """The frame of a test: a context manager that ends the program with 0, 1 or 77 (skipped)."""

    def __init__(self):
        self.name = os.path.splitext(os.path.basename(sys.argv[0]))[0]
        self.work = tempfile.mkdtemp(prefix="lintel-%s." % self.name)
        self.logs = os.path.join(self.work, "log")
        self.env = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
        self.env["HOME"] = os.path.join(self.work, "home")
        self.env["XDG_DATA_HOME"] = os.path.join(self.work, "data")
        for folder in (self.logs, self.env["HOME"], self.env["XDG_DATA_HOME"]):
            os.mkdir(folder)
        self.local_root = os.path.join(self.env["XDG_DATA_HOME"],
                                       "lintel/pki/authorities/local/root.crt")
        self.starts = 0
        self.processes = []
        self.servers = []

    def free_port(self):
        return _ports.free_ports(1, os.getpid())[0]

    def free_ports(self, count):
        return _ports.free_ports(count, os.getpid())

    def path(self, *parts):
        return os.path.join(self.work, *parts)

    def write(self, name, content):
        """Writes a file below the test's folder, with its folders; returns its path."""
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(content if isinstance(content, bytes) else content.encode())
        return path

    def spawn(self, name, command, env=None):
        p = Process(name, command, os.path.join(self.logs, name + ".log"), env or self.env)
        self.processes.append(p)
        return p

    def lintel(self, conf, args=(), wait=True):
        server = Lintel(self, conf, args, wait=False)
        self.servers.append(server)
        if wait:
            server.wait_log(rb" server: ready$", 60)
        return server

    def pebble(self, http_port, https_port, **knobs):
        return Pebble(self, http_port, https_port, **knobs).start()

    # ---- the end ----

    def __enter__(self):
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda n, _: sys.exit(128 + n))
        return self

    def __exit__(self, kind, value, trace):
        try:
            status = self._end(kind, value, trace)
        finally:  # also when nobody reads what is printed (a pipe to head)
            _ports.give_back(os.getpid())
            if not os.environ.get("KEEP_WORK"):
                shutil.rmtree(self.work, ignore_errors=True)
        sys.stdout.flush()
        sys.exit(status)

    def _end(self, kind, value, trace):
        """Stops everything and says what was wrong; returns the exit status."""
        try:
            status = self._verdict(kind, value, trace)
        finally:
            failure = self._stop_all()
        try:
            if failure:
                raise failure
            self._look_at_logs()
        except Failure as e:
            print("FAIL: %s" % e, file=sys.stderr)
            status = 1
        if status not in (0, 77):
            self._dump_logs()
        if os.environ.get("KEEP_WORK"):
            print("kept: %s" % self.work, file=sys.stderr)
        return status

    @staticmethod
    def _verdict(kind, value, trace):
        if kind is None:
            return 0
        if issubclass(kind, Skip):
            print("SKIP: %s" % value, file=sys.stderr)
            return 77
        if issubclass(kind, SystemExit):
            return value.code if isinstance(value.code, int) else 1
        traceback.print_exception(kind, value, trace)
        return 1

    def _stop_all(self):
        """Returns the Failure of a server that did not end well."""
        failure = None
        for server in self.servers:
            try:
                if server.alive():
                    check_eq(0, server.stop(), "exit status of lintel")
            except Failure as e:
                failure = e
        for p in self.processes:
            p.popen.kill() if p.name != "pebble" else p.popen.terminate()
            p.popen.wait()
        return failure

    def _look_at_logs(self):
        for name in os.listdir(self.logs):
            with open(os.path.join(self.logs, name), "rb") as f:
                check(not SANITIZER.search(f.read()), "a sanitizer or an assertion spoke in", name)

    def _dump_logs(self):
        for name in sorted(os.listdir(self.logs)):
            with open(os.path.join(self.logs, name), "rb") as f:
                lines = f.read().decode(errors="replace").splitlines()[-200:]
            print("---- %s (last 200 lines) ----\n%s" % (name, "\n".join(lines)), file=sys.stderr)


# ---- sockets ----


def connect(port, timeout=30, host="127.0.0.1"):
    sock = socket.create_connection((host, port), timeout)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def tls_context(root=None, alpn=("http/1.1",), version=None):
    """Trusts the root certificate file, or nobody and anything if root is None."""
    context = ssl.create_default_context(cafile=root) if root else ssl.SSLContext(
        ssl.PROTOCOL_TLS_CLIENT)
    if not root:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if alpn:
        context.set_alpn_protocols(list(alpn))
    if version:
        context.minimum_version = context.maximum_version = version
    return context


def connect_tls(port, name, context, timeout=30):
    sock = connect(port, timeout)
    try:
        return context.wrap_socket(sock, server_hostname=name)
    except BaseException:
        sock.close()
        raise


def read_all(sock, limit=1 << 24):
    """Everything until the peer closes (or resets); what came until then."""
    parts, size = [], 0
    try:
        while size < limit:
            part = sock.recv(65536)
            if not part:
                break
            parts.append(part)
            size += len(part)
    except (ConnectionResetError, ssl.SSLError):
        pass
    return b"".join(parts)


def raw(port, data, timeout=30, sock=None):
    """Sends bytes, half-closes nothing, and returns all that comes until the server closes."""
    with sock or connect(port, timeout) as s:
        try:
            s.sendall(data)
        except (ConnectionResetError, BrokenPipeError):
            pass
        return read_all(s)


class Response:
    """One response read from a socket: status, fields (lower-case name to list), body, and the lines
    of its trailer."""

    def __init__(self, status, fields, body, trailer=()):
        self.status = status
        self.fields = fields
        self.body = body
        self.trailer = list(trailer)

    def field(self, name):
        values = self.fields.get(name.lower())
        return ", ".join(values) if values else None


class Reader:
    """Reads responses one after the other from a connection that stays open."""

    def __init__(self, sock):
        self.sock = sock
        self.buffer = b""

    def _more(self):
        part = self.sock.recv(65536)
        if not part:
            raise EOFError("closed after %r" % self.buffer[:200])
        self.buffer += part

    def _take(self, n):
        while len(self.buffer) < n:
            self._more()
        taken, self.buffer = self.buffer[:n], self.buffer[n:]
        return taken

    def _line(self):
        while b"\r\n" not in self.buffer:
            self._more()
        line, self.buffer = self.buffer.split(b"\r\n", 1)
        return line

    def _chunked(self):
        body = b""
        while True:
            size = int(self._line().split(b";")[0], 16)
            if size == 0:
                return body, list(iter(self._line, b""))
            body += self._take(size)
            check_eq(b"\r\n", self._take(2), "end of a chunk")

    def response(self, head=False):
        status_line = self._line()
        check(re.match(rb"HTTP/1\.[01] \d{3} ", status_line), "bad status line", status_line)
        status = int(status_line.split()[1])
        fields = {}
        while True:
            line = self._line()
            if not line:
                break
            name, value = line.split(b":", 1)
            fields.setdefault(name.decode().lower(), []).append(value.strip().decode("latin-1"))
        if head or status in (204, 304) or status < 200:
            return Response(status, fields, b"")
        if "chunked" in ", ".join(fields.get("transfer-encoding", [])).lower():
            return Response(status, fields, *self._chunked())
        if "content-length" in fields:
            return Response(status, fields, self._take(int(fields["content-length"][0])))
        body = self.buffer + read_all(self.sock)
        self.buffer = b""
        return Response(status, fields, body)


def request(sock, target="/", host="localhost", method="GET", fields=(), body=b"", reader=None):
    """One request on an open connection; returns the Response."""
    lines = ["%s %s HTTP/1.1" % (method, target), "Host: %s" % host]
    lines += ["%s: %s" % pair for pair in fields]
    if body:
        lines.append("Content-Length: %d" % len(body))
    sock.sendall(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body)
    return (reader or Reader(sock)).response(head=method == "HEAD")
