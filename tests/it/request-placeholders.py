#!/usr/bin/env python3
"""Placeholders, vars and map in the real program: what only a connection, an upstream or the system
knows, values that are put in at load, and folders that hang on a request."""

import os
import re
import ssl

import lib
import upstream
from lib import check, check_eq, raw, request

SITE = r"""
{
    admin off
    auto_https disable_redirects
    http_port %(plain)d
    https_port %(tls)d
    workers 1
    storage file_system %(work)s/data
}
http://a.example:%(port)d {
    vars {
        folder %(work)s/two
        chosen {query.d}
    }
    map {path.1} {mapped} {
        two    %(work)s/two
        escape ../two
        ~(.+)  %(work)s/$1
    }
    root /own/* {vars.folder}
    root /chosen/* {vars.chosen}
    root /mapped/* {mapped}
    root /env/* {env.LINTEL_FOLDER}
    root /by/* %(work)s/by/{query.d}
    handle_path /own/* {
        file_server
    }
    handle_path /chosen/* {
        file_server
    }
    handle_path /env/* {
        file_server
    }
    handle_path /by/* {
        file_server
    }
    route /mapped/* {
        rewrite * /x.txt
        file_server
    }
    respond /remote "{remote} {remote_host} {remote_port} {client_ip}"
    respond /local "{http.request.local} {http.request.local.port}"
    respond /plain "<{tls_version}{tls_cipher}{http.request.tls.resumed}>"
    respond /uuid "{uuid} {http.request.uuid}"
    respond /load "{env.LINTEL_SECRET}|{env.LINTEL_NONE}|{file.%(work)s/secret}|{system.wd}"
    respond /inject "x"
    header /inject X-Echo "{query.a}{path}"
    respond /user "{http.auth.user.id}"
    reverse_proxy /up* 127.0.0.1:%(up)d {
        header_up X-Up "{upstream_hostport} {rp.upstream.host} {rp.upstream.port}"
        header_down X-Down "{http.reverse_proxy.upstream.address}"
    }
    error /fail "no {path.0}" 418
    handle_errors {
        respond "{err.status_code} {err.status_text}: {err.message} {err.id}"
    }
}
https://b.example {
    tls internal
    respond "{tls_version} {tls_cipher} {http.request.tls.proto} {http.request.tls.server_name} {http.request.tls.resumed} {scheme}"
}
"""


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        f.write(text)


def ask(port, target):
    with lib.connect(port) as s:
        return request(s, target, host="a.example")


def body(port, target):
    return ask(port, target).body.decode()


def over_tls(port, context, session=None):
    with lib.connect(port) as plain:
        with context.wrap_socket(plain, server_hostname="b.example", session=session) as s:
            s.sendall(b"GET / HTTP/1.1\r\nHost: b.example\r\nConnection: close\r\n\r\n")
            return lib.read_all(s).split(b"\r\n\r\n", 1)[1].decode().split(" "), s.session


def check_tls(port):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["http/1.1"])
    context.maximum_version = ssl.TLSVersion.TLSv1_2  # its sessions are there before any data
    words, session = over_tls(port, context)
    check_eq("tls1.2", words[0])
    check(words[1].startswith("TLS_ECDHE_"), words[1])
    check_eq(["http/1.1", "b.example", "false", "https"], words[2:])
    words, _ = over_tls(port, context, session)
    check_eq("true", words[4])


def check_system(port):
    check_eq("s3cret||from a file|" + os.getcwd(), body(port, "/load"))
    address, host, number, client = body(port, "/remote").split(" ")
    check_eq(("127.0.0.1:" + number, "127.0.0.1", "127.0.0.1"), (address, host, client))
    check_eq("127.0.0.1:%d %d" % (port, port), body(port, "/local"))
    check_eq("<>", body(port, "/plain"))
    one, two = body(port, "/uuid").split(" ")
    check(re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", one), one)
    check_eq(one, two)
    check(body(port, "/uuid") != "%s %s" % (one, two), "each request has a UUID of its own")


def check_folders(t, port):
    check_eq("two", body(port, "/own/x.txt"))
    check_eq("two", body(port, "/env/x.txt"))
    check_eq("two", body(port, "/mapped/two"))
    check_eq("by one", body(port, "/by/x.txt?d=one"))
    for target in ("/chosen/x.txt?d=" + t.path("two"), "/chosen/x.txt?d=..",
                   "/by/x.txt?d=one%2fdeep", "/by/x.txt?d=..%2ftwo", "/by/x.txt?d=..",
                   "/by/two/x.txt?d=..%00", "/by/one/x.txt?d=.%00", "/by/x.txt?d=one%00",
                   "/by/one/x.txt?d=%00",
                   "/mapped/escape", "/mapped/two%2f..", "/mapped/other"):
        answer = ask(port, target)
        check_eq((target, 404), (target, answer.status))


def check_errors(port):
    answer = ask(port, "/fail")
    check_eq(418, answer.status)
    check(re.fullmatch(r"418 I'm a teapot: no fail [a-z0-9]{9}", answer.body.decode()), answer.body)


def check_upstream(port, up):
    answer = ask(port, "/up")
    check_eq(b"127.0.0.1:%d 127.0.0.1 %d" % (up, up), answer.body)
    check_eq("tcp/127.0.0.1:%d" % up, answer.field("x-down"))


def main(t):
    port, tls, plain = t.free_ports(3)
    up = upstream.Upstream(lambda c: c.reply(200, "|".join(c.fields("x-up")).encode()))
    write(t.path("two", "x.txt"), "two")
    write(t.path("by", "one", "x.txt"), "by one")
    write(t.path("by", "one", "deep", "x.txt"), "deep")
    write(t.path("secret"), "from a file\n")
    t.env["LINTEL_SECRET"] = "s3cret"
    t.env["LINTEL_FOLDER"] = t.path("two")
    t.lintel(SITE % {"port": port, "tls": tls, "plain": plain, "work": t.work, "up": up.port})
    check_system(port)
    check_folders(t, port)
    check_errors(port)
    check_upstream(port, up.port)
    answer = raw(port, b"GET /inject?a=x%0d%0aX-Evil:%201 HTTP/1.1\r\nHost: a.example\r\n"
                       b"Connection: close\r\n\r\n")
    check(b"\r\nX-Evil" not in answer and b"X-Echo: x  X-Evil: 1/inject" in answer, answer)
    check_tls(tls)


if __name__ == "__main__":
    with lib.Test() as test:
        main(test)
