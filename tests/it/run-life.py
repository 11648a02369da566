#!/usr/bin/env python3
"""Start, signals and the end: what is under way is finished, what does not end is cut and counted,
ports that are taken, two servers on one storage, log files, service managers."""

import json
import os
import re
import signal
import socket
import threading
import time

import lib
from lib import Reader, check, check_eq, connect, request, wait_for
from upstream import Upstream

CONF = """{
	grace_period %(grace)s
	http_port %(http)d
	https_port %(https)d
}
http://localhost:%(port)d {
	reverse_proxy /slow 127.0.0.1:%(upstream)d
	respond / hello
	log {
		output file %(log)s
	}
}
"""


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


def refused(port):
    try:
        connect(port).close()
        return False
    except ConnectionRefusedError:
        return True
    except ConnectionResetError:  # was queued when the socket was closed
        return False


def lines(path):
    with open(path) as f:
        return f.read().splitlines()


def facts(t, gate, grace="10s"):
    http, https, port = t.free_ports(3)
    return dict(grace=grace, http=http, https=https, port=port, upstream=gate.upstream.port,
                log=t.path("access.log"))


def drains(t):
    """SIGTERM: no new connections, idle ones are closed, the request under way is answered."""
    gate = Gate()
    f = facts(t, gate)
    server = t.lintel(CONF % f)
    idle = connect(f["port"])
    check_eq(b"hello", request(idle).body)
    busy = connect(f["port"])
    busy.sendall(b"GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n")
    check(gate.arrived.acquire(timeout=30), "the request reached the upstream")
    server.send(signal.SIGTERM)
    wait_for(30, lambda: refused(f["port"]), "the listener to close")
    check_eq(b"", idle.recv(1), "the idle connection's end")
    check(server.alive(), "waits for the request")
    gate.open.set()
    reply = Reader(busy).response()
    check_eq((200, b"slow"), (reply.status, reply.body))
    check_eq("close", reply.field("Connection").lower())
    check_eq(0, server.popen.wait(30), "exit status")
    check(server.log().endswith(b"server: stopped\n"), "last line")
    # Each worker sends its lines in batches: those of two workers have no order among them.
    uris = [json.loads(x)["request"]["uri"] for x in lines(f["log"])]
    check_eq(["/", "/slow"], sorted(uris), "log")


def cuts(t, signals):
    """What does not end within the grace period, or at a second signal, is cut and counted."""
    gate = Gate()
    f = facts(t, gate, "300ms" if len(signals) == 1 else "1h")
    server = t.lintel(CONF % f)
    socks = [connect(f["port"]) for _ in range(3)]
    for s in socks:
        s.sendall(b"GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n")
    for s in socks:
        check(gate.arrived.acquire(timeout=30), "the request reached the upstream")
    for number in signals:
        server.send(number)
        wait_for(30, lambda: refused(f["port"]), "the listener to close")
    check_eq(0, server.popen.wait(30), "exit status")
    check(re.search(rb"server: stopped, 3 connections were cut\n$", server.log()), server.log())
    gate.open.set()


def taken(t):
    """A site's port that is taken ends the start with 2; the http port for redirects only does not.
    Another server of the same user on our port counts as taken, in spite of SO_REUSEPORT."""
    gate = Gate()
    f = facts(t, gate)
    with socket.socket(socket.AF_INET) as s:
        s.bind(("0.0.0.0", f["port"]))
        s.listen()
        server = t.lintel(CONF % f, wait=False)
        check_eq(2, server.popen.wait(30), "exit status")
        check(b"cannot listen on [::]:%d: " % f["port"] in server.log(), server.log())
    with socket.socket(socket.AF_INET) as s:
        s.bind(("0.0.0.0", f["http"]))
        s.listen()
        server = t.lintel(CONF % f + "localhost {\n\trespond secure\n}\n")
        check(b"cannot listen on [::]:%d: " % f["http"] in server.log(), server.log())
        check_eq(b"hello", request(connect(f["port"])).body)
        check_eq(b"secure", request(lib.connect_tls(f["https"], "localhost",
                                                    lib.tls_context())).body)
    second = t.lintel(CONF % f, wait=False)
    check_eq(2, second.popen.wait(30), "exit status of a second server")
    f2 = dict(facts(t, gate), log=t.path("access2.log"))
    second = t.lintel(CONF % f2)
    second.wait_log(rb"another server \(process %d\) works on the same storage" % server.pid)
    check_eq(b"hello", request(connect(f2["port"])).body)
    check_eq(0, second.stop())
    check_eq(b"hello", request(connect(f["port"])).body, "the first one")
    check_eq(0, server.stop())


def rotates(t):
    """After SIGUSR1 and after a reload lines go to a new file; none is lost, none is there twice."""
    gate = Gate()
    f = dict(facts(t, gate), log=t.path("rotated.log"))
    server = t.lintel(CONF % f)
    names = []
    for i in range(9):
        check_eq(200, request(connect(f["port"]), "/%d" % i).status)
        if i % 3 == 2:
            # What has been answered is in the log before the next line of another rotation.
            wait_for(30, lambda: sum(len(lines(n)) for n in names + [f["log"]]) == i + 1, "lines")
            names.append(f["log"] + ".%d" % i)
            os.rename(f["log"], names[-1])
            if i == 2:
                server.send(signal.SIGUSR1)
            else:
                server.reload()
            wait_for(30, lambda: os.path.exists(f["log"]), "a new log file")
    check_eq(0, server.stop())
    uris = [json.loads(x)["request"]["uri"] for n in names + [f["log"]] for x in lines(n)]
    check_eq(["/%d" % i for i in range(9)], sorted(uris))
    server = t.lintel(CONF % f)
    for i in range(50):
        request(connect(f["port"]), "/last")
    check_eq(0, server.stop())
    check_eq(50, len(lines(f["log"])), "lines written at the very end")
    bad = server.conf_path
    server = t.lintel(CONF % dict(f, log="/nonexistent/access.log"), wait=False)
    check_eq(2, server.popen.wait(30), "exit status")
    check(b"access log /nonexistent/access.log: " in server.log(), server.log(), bad)


def notifies(t):
    """READY=1, RELOADING=1 and STOPPING=1 go to $NOTIFY_SOCKET."""
    gate = Gate()
    f = facts(t, gate)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.bind(t.path("notify"))
        s.settimeout(30)
        t.env["NOTIFY_SOCKET"] = t.path("notify")
        server = t.lintel(CONF % f)
        del t.env["NOTIFY_SOCKET"]
        check_eq(b"READY=1", s.recv(200))
        server.reload()
        check(re.match(rb"RELOADING=1\nMONOTONIC_USEC=\d+$", s.recv(200)))
        check_eq(b"READY=1", s.recv(200))
        check_eq(0, server.stop())
        check_eq(b"STOPPING=1", s.recv(200))


with lib.Test() as test:
    drains(test)
    cuts(test, [signal.SIGTERM])
    cuts(test, [signal.SIGINT, signal.SIGINT])
    cuts(test, [signal.SIGTERM, signal.SIGINT])
    taken(test)
    rotates(test)
    notifies(test)
