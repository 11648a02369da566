#!/usr/bin/env python3
"""forward_auth: what is asked, what an answer lets through, what a client cannot forge."""

import json

import lib
from lib import Reader, check, check_eq, connect, request
from upstream import Upstream, each_client, refusing_port

BIG = b"b" * 300000


def gate(c):
    """The gateway: what it says depends on the X-Test field of the request."""
    action = (c.fields("X-Test") or ["grant"])[0]
    if action == "grant":
        c.reply(200, b"granted", ["Remote-User: ann", "Remote-Id: 7", "X-Other: no",
                                   "Remote_Group: staff"])
    elif action == "many":
        c.reply(200, b"", ["Remote-User: ann", "Remote-User: bob"])
    elif action == "bare":
        c.send(b"HTTP/1.1 204 No Content\r\n\r\n")
    elif action == "chatty":
        c.send(b"HTTP/1.1 200 OK\r\nRemote-User: ann\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(1000):
            c.send(b"4000\r\n" + b"x" * 0x4000 + b"\r\n")
    elif action == "deny":
        c.reply(401, b"who are you?", ["WWW-Authenticate: Custom", "Set-Cookie: s=1"])
    elif action == "login":
        c.reply(302, b"", ["Location: /login"])
    else:
        return False
    return None


def app(c):
    c.read_body()
    c.reply(200, c.head + c.body)


def ask(port, action, method="GET", target="/page?x=1", fields=(), body=b""):
    with connect(port) as s:
        return request(s, target, method=method, body=body,
                       fields=[("X-Test", action)] + list(fields))


def lets_through(port, asked):
    r = ask(port, "grant", fields=[("Remote-User", "root"), ("X-Id", "0"), ("Cookie", "c=d"),
                                   ("X-Forwarded-Uri", "/forged")])
    check_eq(200, r.status)
    lines = r.body.decode().split("\r\n")
    check_eq("GET /page?x=1 HTTP/1.1", lines[0])
    check_eq(["Remote-User: ann"], [x for x in lines if x.startswith("Remote-User")])
    check_eq(["X-Id: 7"], [x for x in lines if x.startswith("X-Id")])
    check(not any(x.startswith("X-Other") for x in lines), "a field nobody asked for")
    question = asked.requests[-1].decode()
    check(question.startswith("GET /verify?p=%2Fpage HTTP/1.1\r\n"), question)
    for line in ("X-Forwarded-Method: GET", "X-Forwarded-Uri: /page?x=1", "Cookie: c=d",
                 "X-Forwarded-For: 127.0.0.1", "Host: localhost"):
        check("\r\n%s\r\n" % line in question, line, question)
    check("/forged" not in question, question)


def underscores_are_ours(port):
    """Such names are taken from the client, and not from the configuration or the gateway."""
    r = ask(port, "grant", fields=[("X_Added", "0"), ("Remote_Group", "root"), ("remote_user", "root")])
    check_eq(["Remote_Group: staff", "X_Added: yes"],
             sorted(x for x in r.body.decode().split("\r\n") if "_" in x))


def joins_lines(port):
    r = ask(port, "many")
    check_eq(["Remote-User: ann,bob"],
             [x for x in r.body.decode().split("\r\n") if x.startswith("Remote-User")])


def logged(log_path, uri):
    with open(log_path) as f:
        for line in f.read().split("\n")[:-1]:
            entry = json.loads(line)
            if entry["request"]["uri"] == uri:
                return entry
    return None


def granted_fields_stay(port, log_path):
    """A client's Connection field names what it sent, and the log says what that was."""
    r = ask(port, "grant", target="/stay", fields=[
        ("X-Mine", "1"), ("Remote-User", "root"),
        ("Connection", "Remote-User, X-Id, X-Added, X-Mine, X-Forwarded-For")])
    check_eq(200, r.status)
    for line in ("Remote-User: ann", "X-Id: 7", "X-Added: yes", "X-Forwarded-For: 127.0.0.1"):
        check("\r\n%s\r\n" % line in r.body.decode(), line, r.body)
    check(b"X-Mine" not in r.body, r.body)
    line = lib.wait_for(30, lambda: logged(log_path, "/stay"), "the line of the access log")
    check_eq(["root"], line["request"]["headers"].get("Remote-User"), "as the client sent it")
    check("X-Id" not in line["request"]["headers"], line)


def forged_fields_go(port):
    """Also where the gateway does not set them."""
    r = ask(port, "bare", fields=[("remote-user", "root"), ("X-Id", "0")])
    check_eq(200, r.status)
    check(b"root" not in r.body and b"X-Id" not in r.body, r.body)


def keeps_the_body(port, asked):
    r = ask(port, "grant", method="POST", body=BIG)
    check_eq(200, r.status)
    check(r.body.endswith(b"\r\n\r\n" + BIG), "the body did not reach the application")
    check(b"content-length" not in asked.requests[-1].lower(), asked.requests[-1])
    with connect(port) as s:  # and the connection goes on
        reader = Reader(s)
        for _ in range(3):
            check_eq(200, request(s, method="PUT", body=b"abc", reader=reader).status)


def denies(port, served):
    before = len(served.requests)
    r = ask(port, "deny")
    check_eq((401, b"who are you?", "Custom", "s=1"),
             (r.status, r.body, r.field("WWW-Authenticate"), r.field("Set-Cookie")))
    r = ask(port, "login", method="POST", body=b"x" * 1000)
    check_eq((302, "/login"), (r.status, r.field("Location")))
    r = ask(port, "deny", method="HEAD")
    check_eq((401, b""), (r.status, r.body))
    check_eq(502, ask(port, "vanish").status)
    check_eq(before, len(served.requests), "requests that reached the application")


def main():
    with lib.Test() as t:
        asked, served = Upstream(gate), Upstream(app)
        port, dead = t.free_ports(2)
        log_path = t.path("log", "access")
        t.lintel("""http://localhost:%d {
            log {
                output file %s
                format json
            }
            request_header X-Added yes
            request_header X_Added yes
            forward_auth 127.0.0.1:%d {
                uri /verify?p={path}
                copy_headers Remote-User {
                    Remote-Id>X-Id
                    Remote_Group
                }
            }
            reverse_proxy 127.0.0.1:%d
        }
        http://localhost:%d {
            forward_auth /private* 127.0.0.1:%d {
                uri /
            }
            respond open
        }""" % (port, log_path, asked.port, served.port, dead, refusing_port()))
        lets_through(port, asked)
        underscores_are_ours(port)
        granted_fields_stay(port, log_path)
        joins_lines(port)
        forged_fields_go(port)
        keeps_the_body(port, asked)
        check_eq(200, ask(port, "chatty").status)  # an answer without an end is cut
        denies(port, served)
        check_eq(502, ask(dead, "grant", target="/private").status)
        check_eq(b"open", ask(dead, "grant").body)
        asked.stop()
        served.stop()


each_client()
main()
