"""FastCGI servers for tests: one that is scripted, and php-fpm.

    up = Server(lambda c: c.reply(b"Status: 200\\r\\n\\r\\nhello"))    # called once for every request
    up.port, up.accepts, up.requests (their params), up.closed

    fpm = Fpm(test, root)       # php-fpm, or lib.Skip
    fpm.socket, fpm.port, fpm.log()

The function gets a Connection whose request has been read; returning False closes the connection.
"""

import glob
import os
import socket
import struct
import threading
import time

import lib

BEGIN, ABORT, END, PARAMS, STDIN, STDOUT, STDERR = 1, 2, 3, 4, 5, 6, 7


def record(kind, content=b"", padding=0, request=1, version=1):
    return struct.pack(">BBHHBB", version, kind, request, len(content), padding, 0) + content + \
        b"\0" * padding


def end(app=0, protocol=0, padding=0):
    return record(END, struct.pack(">IBxxx", app, protocol), padding)


def params_of(data):
    """Name-value pairs."""
    found, at = {}, 0
    while at < len(data):
        lengths = []
        for _ in range(2):
            n = data[at]
            if n & 0x80:
                n = struct.unpack(">I", data[at:at + 4])[0] & 0x7fffffff
                at += 3
            at += 1
            lengths.append(n)
        name = data[at:at + lengths[0]].decode("latin-1")
        lib.check(name not in found, "twice:", name)
        at += lengths[0]
        found[name] = data[at:at + lengths[1]].decode("latin-1")
        at += lengths[1]
    return found


class Connection:
    def __init__(self, server, sock):
        self.server = server
        self.sock = sock
        self.rest = b""
        self.params = {}
        self.body = b""
        self.keep = False
        self.index = server.accepts     # of the connection, from 1

    def _take(self, n):
        while len(self.rest) < n:
            part = self.sock.recv(65536)
            if not part:
                raise EOFError
            self.rest += part
        taken, self.rest = self.rest[:n], self.rest[n:]
        return taken

    def read_record(self):
        version, kind, request, length, padding, _ = struct.unpack(">BBHHBB", self._take(8))
        lib.check_eq((1, 1), (version, request), "version, request")
        content = self._take(length)
        self._take(padding)
        return kind, content

    def _stream(self, wanted):
        data = b""
        while True:
            kind, content = self.read_record()
            lib.check_eq(wanted, kind, "kind of record")
            if not content:
                return data
            data += content

    def read_head(self):
        try:
            kind, content = self.read_record()
        except (EOFError, OSError):
            return False
        lib.check_eq(BEGIN, kind, "kind of record")
        role, flags = struct.unpack(">HB5x", content)
        lib.check_eq(1, role, "role")
        self.keep = flags == 1
        self.params = params_of(self._stream(PARAMS))
        return True

    def read_body(self):
        self.body = self._stream(STDIN)
        return self.body

    def send(self, data):
        self.sock.sendall(data)

    def out(self, data, padding=0):
        for at in range(0, len(data), 65535):
            self.send(record(STDOUT, data[at:at + 65535], padding))

    def err(self, data):
        self.send(record(STDERR, data))

    def end(self, app=0, protocol=0):
        self.send(end(app, protocol))

    def reply(self, data):
        self.read_body()
        self.out(data)
        self.end()
        return self.keep


class Server:
    """Listens on a free port of 127.0.0.1, a thread for each connection."""

    def __init__(self, serve):
        self.serve = serve
        self.accepts = 0
        self.closed = 0         # connections that the client has closed
        self.requests = []
        self.problems = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            self.accepts += 1
            threading.Thread(target=self._run, args=(sock,), daemon=True).start()

    def _run(self, sock):
        with sock:
            c = Connection(self, sock)
            try:
                while c.read_head():
                    self.requests.append(c.params)
                    if self.serve(c) is False:
                        break
            except (EOFError, OSError):
                pass
            except lib.Failure as e:
                self.problems.append(e)
        self.closed += 1

    def close(self):
        self.listener.close()
        for e in self.problems:
            raise e


# ---- php-fpm ----


def fpm_program():
    found = sorted(glob.glob("/usr/sbin/php-fpm*") + glob.glob("/usr/local/sbin/php-fpm*"))
    if not found:
        raise lib.Skip("php-fpm is not installed")
    return found[-1]


class Fpm:
    """A php-fpm of its own, without php.ini, at a unix socket and a port."""

    CHILDREN = 4

    def __init__(self, test, name="fpm"):
        self.test = test
        self.name = name
        self.program = fpm_program()
        self.starts = 0
        self.process = None
        self.socket = test.path(name + ".sock")
        self.port = test.free_port()
        self.log_path = test.path(name + ".log")
        pools = "".join(self._pool(kind, at) for kind, at in
                        (("unix", self.socket), ("tcp", "127.0.0.1:%d" % self.port)))
        self.conf = test.write(name + ".conf", "[global]\nerror_log = %s\ndaemonize = no\n%s"
                               % (self.log_path, pools))

    def _pool(self, kind, at):
        folder = self.test.path(self.name + "-tmp")
        os.makedirs(folder, exist_ok=True)
        return """
[%s]
listen = %s
pm = static
pm.max_children = %d
ping.path = /ping
security.limit_extensions =
php_admin_value[upload_max_filesize] = 64M
php_admin_value[post_max_size] = 64M
php_admin_value[upload_tmp_dir] = %s
php_admin_value[sys_temp_dir] = %s
php_admin_flag[log_errors] = on
php_admin_flag[display_errors] = off
""" % (kind, at, self.CHILDREN, folder, folder)

    def start(self):
        self.starts += 1
        command = [self.program, "--nodaemonize", "--no-php-ini", "--fpm-config", self.conf]
        if os.geteuid() == 0:
            command.append("--allow-to-run-as-root")
        self.process = self.test.spawn("%s-%d" % (self.name, self.starts), command)
        lib.wait_for(30, self._is_up, "php-fpm")
        return self

    def _is_up(self):
        if not self.process.alive():
            raise lib.Failure("php-fpm did not start: %s" % self.log())
        try:
            with socket.socket(socket.AF_UNIX) as s:
                s.connect(self.socket)
            with socket.create_connection(("127.0.0.1", self.port), 5):
                return True
        except OSError:
            return False

    def log(self):
        try:
            with open(self.log_path) as f:
                return f.read()
        except OSError:
            return ""

    def stop(self):
        """As a crash would: its children go with it."""
        children = self._children()
        self.process.popen.kill()
        self.process.popen.wait()
        for pid in children:
            try:
                os.kill(pid, 9)
            except ProcessLookupError:
                pass
        while any(os.path.exists("/proc/%d/fd" % pid) and not _is_zombie(pid) for pid in children):
            time.sleep(0.02)

    def _children(self):
        path = "/proc/%d/task/%d/children" % (self.process.pid, self.process.pid)
        with open(path) as f:
            return [int(pid) for pid in f.read().split()]


def _is_zombie(pid):
    try:
        with open("/proc/%d/stat" % pid) as f:
            return f.read().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True
