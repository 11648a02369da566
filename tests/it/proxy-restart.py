#!/usr/bin/env python3
"""Two upstreams, killed and started again in turn under load: with retries, no request that may be
repeated fails."""

import os
import signal
import subprocess
import sys
import threading

import lib
from lib import Reader, check, check_eq, connect, request, wait_for
from upstream import each_client

KILLS = int(os.environ.get("KILLS", "12"))
CLIENTS = 4

SERVER = """
import http.server, socketserver, sys
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"alive")
    def do_PUT(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args):
        pass
class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    allow_reuse_address = daemon_threads = True
    request_queue_size = 128
Server(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


class Upstream:
    def __init__(self, port):
        self.port = port
        self.start()

    def start(self):
        self.process = subprocess.Popen([sys.executable, "-c", SERVER, str(self.port)])
        wait_for(30, self.answers, "an upstream")

    def answers(self):
        try:
            with connect(self.port) as s:
                return request(s).status == 200
        except OSError:
            return False

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


def load(port, ended, results):
    """Requests of one connection, as long as it lasts: it should last to the end."""
    done = 0
    with connect(port) as s:
        reader = Reader(s)
        while not ended.is_set():
            if done % 4 == 3:
                r = request(s, method="PUT", body=b"p" * 3000, reader=reader)
                wanted = b"p" * 3000
            else:
                r = request(s, reader=reader)
                wanted = b"alive"
            if (r.status, r.body) != (200, wanted):
                results.append("request %d: %d" % (done, r.status))
                return
            done += 1
    results.append(done)


each_client()
with lib.Test() as t:
    ports = t.free_ports(3)
    upstreams = [Upstream(p) for p in ports[:2]]
    try:
        server = t.lintel("""{
    admin off
    auto_https off
    default_bind 127.0.0.1
}
http://:%d {
    reverse_proxy 127.0.0.1:%d 127.0.0.1:%d {
        lb_try_duration 20s
        lb_try_interval 10ms
    }
}
""" % (ports[2], ports[0], ports[1]))
        ended, results = threading.Event(), []
        threads = [threading.Thread(target=load, args=(ports[2], ended, results))
                   for _ in range(CLIENTS)]
        for thread in threads:
            thread.start()
        for i in range(KILLS):
            upstreams[i % 2].kill()
            upstreams[i % 2].start()
            check(not results, results)
        ended.set()
        for thread in threads:
            thread.join(60)
        check_eq(CLIENTS, len(results), "clients to the end: %s" % results)
        check(all(isinstance(r, int) and r > 0 for r in results), results)
        print("%d kills, %d requests" % (KILLS, sum(results)))
    finally:
        for u in upstreams:
            u.kill()
