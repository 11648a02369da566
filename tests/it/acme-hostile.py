#!/usr/bin/env python3
"""A CA of our own that is limited, broken or hostile, a different way for each name: what Lintel makes
of it, when it means to come back, and how often it asks."""

import base64
import http.server
import json
import os
import re
import socketserver
import subprocess
import sys
import threading
import time
from email.utils import formatdate

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lib  # noqa: E402

URN = "urn:ietf:params:acme:error:"
HOUR = 3600
START = time.time()


def problem(kind, detail, **more):
    return json.dumps({"type": URN + kind, "detail": detail, **more}).encode()


def order(**more):
    return json.dumps({"status": "pending", "finalize": "URL/finalize",
                       "authorizations": ["URL/authz"], **more})


# What newOrder answers: status, fields, body (bytes; str: "URL" stands for the CA's address).
ORDERS = {
    "limited": (429, {"Retry-After": str(2 * HOUR)}, problem("rateLimited", "too many")),
    "date": (503, {"Retry-After": formatdate(START + 3 * HOUR, usegmt=True)}, b""),
    "text": (429, {}, problem("rateLimited", "too many orders, retry after %s: see a page" % time.strftime(
        "%Y-%m-%d %H:%M:%S UTC", time.gmtime(START + 4 * HOUR)))),
    "never": (503, {"Retry-After": "4000000000"}, b""),
    "refused": (403, {}, problem("rejectedIdentifier", "a\r\nb\u001b[31m", subproblems=[
        {"type": URN + "caa", "detail": "not us", "identifier": {"type": "dns", "value": "x"}}])),
    "huge": (201, {"Location": "URL/order/1"}, b"{\"a\":\"" + b"x" * 5000000 + b"\"}"),
    "junk": (201, {"Location": "URL/order/1"}, b"<html>"),
    "deep": (201, {"Location": "URL/order/1"}, b"{\"a\":" * 1000 + b"1" + b"}" * 1000),
    "file": (201, {"Location": "URL/order/1"}, order(finalize="file:///etc/passwd")),
    "nowhere": (201, {}, order()),
    "early": (201, {"Location": "URL/order/1"}, order(status="valid", certificate="URL/cert")),
    "moved": (301, {"Location": "URL/elsewhere"}, b""),
    "nonce": (400, {}, problem("badNonce", "another one")),
    "other": (201, {"Location": "URL/order/1"}, order(authorizations=["URL/authz/of-another-name"])),
}
asked = []  # (path, name) of every POST
stumbled = []
polled = []  # when the order of "wrong" was looked at
FOREIGN = []  # a certificate for "wrong", with somebody else's key


def ready(name, status="ready"):
    return order(status=status, finalize="URL/finalize/" + name, certificate="URL/certificate/" + name)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, fields=None, body=b""):
        url = "http://127.0.0.1:%d" % self.server.server_address[1]
        if isinstance(body, str):
            body = body.replace("URL", url).encode()
        self.send_response(status)
        self.send_header("Replay-Nonce", base64.urlsafe_b64encode(os.urandom(12)).decode())
        for name, value in (fields or {}).items():
            self.send_header(name, value.replace("URL", url))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        try:
            self.wfile.write(body)
        except OSError:
            pass

    def do_HEAD(self):
        self.answer(200)

    def do_GET(self):
        self.answer(200, body=json.dumps({"newNonce": "URL/nonce", "newAccount": "URL/account",
                                          "newOrder": "URL/order"}))

    def do_POST(self):
        jws = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        payload = base64.urlsafe_b64decode(jws["payload"] + "==")
        name = ""
        if self.path == "/order":
            name = json.loads(payload)["identifiers"][0]["value"].split(".")[0]
        asked.append((self.path, name))
        if self.path == "/account":
            self.answer(201, {"Location": "URL/account/1"}, "{}")
        elif self.path.startswith("/authz"):
            self.answer(200, body=json.dumps({
                "status": "pending", "identifier": {"type": "dns", "value": "victim.example.org"},
                "challenges": [{"type": "http-01", "token": "x", "status": "pending",
                                "url": "URL/challenge"}]}))
        elif name in ("wrong", "garbage"):
            self.answer(201, {"Location": "URL/poll/" + name}, ready(name))
        elif self.path.startswith("/finalize/"):
            polled.append(time.monotonic())
            self.answer(200, {"Retry-After": "2"}, ready(self.path[10:], "processing"))
        elif self.path.startswith("/poll/"):
            polled.append(time.monotonic())
            self.answer(200, body=ready(self.path[6:], "valid"))
        elif self.path == "/certificate/wrong":
            self.answer(200, body=FOREIGN[0])
        elif self.path == "/certificate/garbage":
            self.answer(200, body=b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n")
        elif name == "soon" and not stumbled:
            stumbled.append(time.monotonic())
            self.answer(503, {"Retry-After": "2"})
        elif name == "soon":
            stumbled.append(time.monotonic())
            self.answer(400, body=problem("malformed", "at last"))
        else:
            self.answer(*ORDERS[name])


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True


def retry_state(t, ca, name):
    path = os.path.join(t.env["XDG_DATA_HOME"], "lintel", "retry", ca, name + ".example.com.json")
    with open(path) as f:
        return json.load(f)


def near(what, seconds, state, slack=600):
    left = state["next"] - START
    lib.check(seconds - 5 <= left <= seconds + slack, "%s: next attempt in %d s, expected about %d"
              % (what, left, seconds))


def main():
    with lib.Test() as t:
        lib.need("openssl")
        FOREIGN.append(subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
             "-days", "30", "-subj", "/", "-addext", "subjectAltName=DNS:wrong.example.com",
             "-keyout", t.path("foreign.key")], check=True, capture_output=True).stdout)
        ca = Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=ca.serve_forever, daemon=True).start()
        port = ca.server_address[1]
        names = sorted([*ORDERS, "garbage", "soon", "wrong"])
        server = t.lintel("""{
    http_port %d
    https_port %d
    acme_ca http://127.0.0.1:%d/dir
    default_bind 127.0.0.1
}
%s {
    respond hello
}
""" % (t.free_port(), t.free_port(), port, ", ".join(n + ".example.com" for n in names)))
        for name in names:
            server.wait_log(rb"%s\.example\.com: no certificate; next attempt" % name.encode(), 60)
        log = server.log().decode()
        server.stop()

        reasons = {
            "limited": "a rate limit of the CA is reached: too many",
            "date": "status 503",
            "text": "a rate limit of the CA is reached: too many orders",
            "refused": "the CA does not issue for this name: a  b [31m; x: a CAA record in DNS forbids",
            "huge": "too long",
            "junk": "not JSON",
            "deep": "not JSON",
            "file": '"finalize" is not a URL',
            "nowhere": "no URL for the order",
            "early": "a key that is not ours",
            "moved": "status 301",
            "nonce": "another nonce",
            "other": "an authorization for another name",
            "soon": "at last",
            "wrong": "the certificate that the CA issued is of no use",
            "garbage": "the certificate that the CA issued is of no use",
        }
        for name, reason in reasons.items():
            line = re.search(r"%s\.example\.com: no certificate; .*" % name, log).group(0)
            lib.check(reason in line, "%s: %r is not in: %s" % (name, reason, line))

        def state(name):
            return retry_state(t, "127.0.0.1-%d-dir" % port, name)

        near("limited", 2 * HOUR, state("limited"))
        near("date", 3 * HOUR, state("date"))
        near("text", 4 * HOUR, state("text"))
        near("never", 7 * 24 * HOUR, state("never"))
        near("refused", HOUR, state("refused"))
        near("junk", 60, state("junk"), 120)

        def count(path, name=""):
            return asked.count((path, name))

        lib.check_eq(1, count("/account"), "accounts")
        lib.check_eq(1, count("/order", "limited"), "requests that were told to come back later")
        lib.check_eq(1, count("/order", "refused"), "requests that were refused")
        lib.check(10 <= count("/order", "nonce") <= 20, "tries with new nonces", count("/order", "nonce"))
        lib.check_eq(2, len(stumbled), "requests told to come back soon")
        lib.check(stumbled[1] - stumbled[0] >= 1.9, "Retry-After: 2", stumbled)
        lib.check_eq(4, len(polled), "looks at the two orders")
        lib.check(sorted(polled)[2] - sorted(polled)[0] >= 1.9, "Retry-After while polling", polled)
        lib.check_eq(0, count("/challenge"), "challenges for another name")


main()
