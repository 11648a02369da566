#!/usr/bin/env python3
"""What a reload changes and what it leaves alone: sites and listeners come and go, connections and
requests under way stay, errors change nothing; by signal, by the admin socket, without one."""

import os
import signal
import socket
import stat
import subprocess
import threading

import lib
from lib import Reader, check, check_eq, connect, connect_tls, request, wait_for
from upstream import Upstream


class Gate:
    """An upstream that answers when it is told to."""

    def __init__(self):
        self.arrived = threading.Semaphore(0)
        self.open = threading.Event()
        self.upstream = Upstream(self.serve)

    def serve(self, c):
        self.arrived.release()
        self.open.wait(60)
        c.reply(200, b"slow")


class Conf:
    """A configuration of plain and TLS sites on given ports."""

    def __init__(self, t, gate, globals_=""):
        self.http, self.https = t.free_ports(2)
        self.gate = gate
        self.globals = globals_

    def text(self, plain=(), tls=(), extra=""):
        text = "{\n\thttp_port %d\n\thttps_port %d\n%s}\n" % (self.http, self.https, self.globals)
        for port, body in plain:
            text += ("http://localhost:%d {\n\treverse_proxy /slow 127.0.0.1:%d\n"
                     "\trespond / %s\n}\n" % (port, self.gate.upstream.port, body))
        for name, body in tls:
            text += "%s {\n\trespond %s\n}\n" % (name, body)
        return text + extra


def refused(port):
    try:
        connect(port).close()
        return False
    except ConnectionRefusedError:
        return True
    except ConnectionResetError:
        return False


def body(port):
    with connect(port) as s:
        return request(s).body


def tls_body(port, name):
    with connect_tls(port, name, lib.tls_context()) as s:
        return request(s, host=name).body


def reload_by_hand(t, server):
    """lintel reload; returns its exit status and what it printed."""
    p = subprocess.run([lib.LINTEL, "reload", "--config", server.conf_path], env=t.env,
                       capture_output=True, timeout=60)
    return p.returncode, p.stdout + p.stderr


def comes_and_goes(t):
    gate = Gate()
    conf = Conf(t, gate)
    a, b = t.free_ports(2)
    server = t.lintel(conf.text([(a, "one")], [("x.localhost", "x")]))
    kept = connect(a)
    check_eq(b"one", request(kept).body)

    # A new listener, a new name: there at once, certificate included.
    server.reload(conf.text([(a, "two"), (b, "new")], [("x.localhost", "x2"),
                                                      ("y.localhost", "y")]))
    check_eq(b"new", body(b))
    check_eq(b"y", tls_body(conf.https, "y.localhost"))
    check_eq(b"x2", tls_body(conf.https, "x.localhost"))
    check_eq(b"two", request(kept).body, "on the connection from before")

    # A listener goes while a request is under way there: it is answered, by the old configuration.
    busy = connect(b)
    busy.sendall(b"GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n")
    check(gate.arrived.acquire(timeout=30))
    server.reload(conf.text([(a, "three")], [("x.localhost", "x3")]))
    wait_for(30, lambda: refused(b), "the listener to go")
    gate.open.set()
    check_eq(b"slow", Reader(busy).response().body)
    check_eq(b"three", request(kept).body, "on the connection from before")
    try:
        tls_body(conf.https, "y.localhost")
        raise lib.Failure("y.localhost is still served")
    except lib.ssl.SSLError as e:
        check("UNRECOGNIZED_NAME" in str(e), e)

    # From plain to TLS on the same port, and back.
    server.reload(conf.text([(a, "four")], [("localhost:%d" % b, "tls")]))
    check_eq(b"tls", tls_body(b, "localhost"))
    server.reload(conf.text([(a, "five"), (b, "plain")]))
    check_eq(b"plain", body(b))
    check_eq(0, server.stop())


def stays_open(t):
    """A request under way over a reload: its connection goes on with the new configuration."""
    gate = Gate()
    conf = Conf(t, gate)
    a = t.free_port()
    server = t.lintel(conf.text([(a, "one")]))
    busy = connect(a)
    busy.sendall(b"GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n")
    check(gate.arrived.acquire(timeout=30))
    server.reload(conf.text([(a, "two")]))
    gate.open.set()
    slow = Reader(busy).response()
    check_eq(b"slow", slow.body)
    check_eq(None, slow.field("Connection"), "Connection of the answer")
    check_eq(b"two", request(busy).body, "on the same connection")
    check_eq(0, server.stop())


def errors(t):
    """Whatever is wrong, everything stays as it was, and it is said what is wrong."""
    gate = Gate()
    conf = Conf(t, gate)
    a, b, c = t.free_ports(3)
    server = t.lintel(conf.text([(a, "one")]))
    kept = connect(a)

    def unchanged(what, text):
        check_eq(b"one", request(kept).body, what)
        check_eq(b"one", body(a), what)
        check(refused(c), what)
        check(text in server.log(), text, server.log())

    server.reload(conf.text([(a, "two"), (c, "new")], extra="localhost {\n\trespnd x\n}\n"))
    unchanged("a typing error", b"unknown directive 'respnd'; did you mean 'respond'?")
    check_eq(1, reload_by_hand(t, server)[0])

    with socket.socket() as s:
        s.bind(("0.0.0.0", b))
        s.listen()
        text = conf.text([(a, "two"), (c, "new"), (b, "taken")])
        server.reload(text)
        unchanged("a port that is taken", b"reload refused, nothing has changed: cannot listen on")
        status, said = reload_by_hand(t, server)
        check_eq(1, status)
        check(b"cannot listen on [::]:%d" % b in said, said)
        unchanged("the same by the admin socket", b"")
    server.reload(conf.text([(a, "two")], extra="http://localhost:%d {\n\tlog {\n\t\toutput file "
                            "/nonexistent/x\n\t}\n}\n" % c))
    unchanged("a log file that cannot be opened", b"refused, nothing has changed: access log /non")
    server.reload(text)
    check_eq([b"two", b"new", b"taken"], [body(a), body(c), body(b)], "after all")
    check_eq(b"two", request(kept).body)
    check_eq(0, server.stop())


def fd_count(server):
    return len(os.listdir("/proc/%d/fd" % server.pid))


def leaks(t):
    """Reloads, good and refused ones, leave no descriptors behind."""
    gate = Gate()
    conf = Conf(t, gate)
    a, b, c = t.free_ports(3)
    texts = [conf.text([(a, "one"), (b, "b")]), conf.text([(a, "two"), (c, "c")])]
    server = t.lintel(texts[0])
    before = fd_count(server)
    with socket.socket() as s:
        d = t.free_port()
        s.bind(("0.0.0.0", d))
        s.listen()
        bad = conf.text([(a, "bad"), (c, "c"), (d, "taken")])
        for i in range(20):
            server.reload(texts[(i + 1) % 2])
            server.reload(bad)
    wait_for(30, lambda: fd_count(server) <= before, "descriptors to be closed")
    check_eq(0, server.stop())


def admin(t):
    """The admin socket, what a killed server leaves of it, and how to do without."""
    gate = Gate()
    conf = Conf(t, gate)
    a = t.free_port()
    path = os.path.join(t.env["XDG_DATA_HOME"], "lintel", "admin.sock")
    server = t.lintel(conf.text([(a, "one")]))
    check_eq(0o600, stat.S_IMODE(os.stat(path).st_mode), "mode of the socket")
    server.write_conf(conf.text([(a, "two")]))
    check_eq((0, b"ok\n"), reload_by_hand(t, server))
    check_eq(b"two", body(a))
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(path)
        s.sendall(b"frobnicate\n")
        check(b"there is no such command" in s.recv(1000))
    with socket.socket(socket.AF_UNIX) as s:  # one that only listens keeps nobody out
        s.connect(path)
        check_eq((0, b"ok\n"), reload_by_hand(t, server))
    many = [subprocess.Popen([lib.LINTEL, "reload", "--config", server.conf_path], env=t.env,
                             stdout=subprocess.PIPE) for _ in range(8)]
    for p in many:
        check_eq(b"ok\n", p.communicate(timeout=60)[0])
    server.popen.send_signal(signal.SIGKILL)
    server.popen.wait()
    check(os.path.exists(path), "the dead server's socket")
    server = t.lintel(conf.text([(a, "three")]))
    check_eq((0, b"ok\n"), reload_by_hand(t, server))

    conf.globals = "\tadmin off\n"
    server.write_conf(conf.text([(a, "four")]))
    status, said = reload_by_hand(t, server)  # the file says that there is none: by signal
    check_eq(0, status)
    check(b"told process %d to reload" % server.pid in said, said)
    wait_for(30, lambda: body(a) == b"four", "the reload")
    check(not os.path.exists(path), "the socket is gone")
    server.write_conf(conf.text([(a, "five")]))
    check_eq(0, reload_by_hand(t, server)[0])
    wait_for(30, lambda: body(a) == b"five", "the reload")

    precious = t.write("precious", "kept")  # connecting to it is refused, as to a dead socket
    conf.globals = "\tadmin unix/%s\n" % precious
    server.reload(conf.text([(a, "five")]))
    server.wait_log(rb"admin socket \S+/precious: .*; going on without it")
    with open(precious) as f:
        check_eq("kept", f.read(), "a file that is no socket")

    other = t.path("other.sock")
    conf.globals = "\tadmin unix/%s\n" % other
    server.reload(conf.text([(a, "six")]))
    check(stat.S_ISSOCK(os.stat(other).st_mode))
    check_eq((0, b"ok\n"), reload_by_hand(t, server))
    check_eq(0, server.stop())
    check(not os.path.exists(other), "the socket is gone")
    check_eq(2, reload_by_hand(t, server)[0], "nobody is there")


with lib.Test() as test:
    comes_and_goes(test)
    stays_open(test)
    errors(test)
    leaks(test)
    admin(test)
