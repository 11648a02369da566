#!/usr/bin/env python3
"""Upstreams whose address a request makes: it is followed, and nothing but HOST:PORT is one. Upstreams
that DNS names: changes are followed, and what was known serves while DNS does not answer."""

import re
import subprocess
import threading

import lib
from dns import A, AAAA, CNAME, SRV, Dns
from lib import check, check_eq, connect, request
from upstream import CLIENT, Upstream, each_client, refusing_port


def ask(port, **fields):
    with connect(port) as s:
        return request(s, "/", fields=[(k.replace("_", "-"), v) for k, v in fields.items()])


def placeholders(t):
    one, two = Upstream(lambda c: c.reply(200, b"one " + c.head)), Upstream(
        lambda c: c.reply(200, b"two"))
    path = t.path("secret.sock")
    hidden = Upstream(lambda c: c.reply(200, b"hidden"), unix_path=path)
    t.env["UP_AT"] = "127.0.0.1:%d" % two.port
    ports = t.free_ports(6)
    says = ["{header.X-Up}", "{header.X-Host}:%d" % one.port, "{env.UP_AT}",
            "https://{header.X-Up}", "{header.X-Up} 127.0.0.1:%d {\n  lb_policy first\n }" % two.port,
            "{header.X-Up} {\n  fail_duration 10m\n }"]
    server = t.lintel("".join("http://localhost:%d {\n reverse_proxy %s\n}\n" % one
                              for one in zip(ports, says)))
    for _ in range(2):
        check(ask(ports[0], X_Up="127.0.0.1:%d" % one.port).body.startswith(b"one "))
        check_eq(b"two", ask(ports[0], X_Up="127.0.0.1:%d" % two.port).body)
        check(ask(ports[1], X_Host="LocalHost").body.startswith(b"one "))
        check(ask(ports[1], X_Host="127.0.0.1").body.startswith(b"one "))
        check_eq(b"two", ask(ports[2]).body)
    check(b"Host: localhost" in ask(ports[1], X_Host="127.0.0.1").body, "the client's Host")
    check_eq(504, ask(ports[3], X_Up="127.0.0.1:%d" % one.port).status, "TLS to one without")
    check_eq(b"two", ask(ports[4], X_Up="nonsense").body, "another is asked instead")
    check_eq(502, ask(ports[5], X_Up="127.0.0.1:%d" % refusing_port()).status)
    check_eq(b"two", ask(ports[5], X_Up="127.0.0.1:%d" % two.port).body, "what others did")
    hostile(t, server, ports, one, two, path)
    check_eq([], hidden.requests, "requests to the unix socket")
    for up in (one, two, hidden):
        up.stop()


def hostile(t, server, ports, one, two, path):
    asked = len(one.requests) + len(two.requests)
    at = "127.0.0.1:%d" % one.port
    values = ["unix/" + path, "unix+h2c/" + path, "http://" + at, "https://" + at, at + "/", at + "/x",
              at + "?x", at + "#x", "user@" + at, "user:pass@" + at, at + " " + at, at + "," + at,
              at + "-%d" % (one.port + 1), "127.0.0.1", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536",
              ":%d" % one.port, ":", "[::1", "[127.0.0.1]x:%d" % one.port, "[]:80", "a\tb:80", "%31:80",
              "{env.UP_AT}", "{header.X-Up}", "x" * 5000 + ":80", "..:%d" % one.port + "/..", "\xff:80",
              "127.0.0.1\\:%d" % one.port]
    for value in values:
        check_eq(502, ask(ports[0], X_Up=value).status, "X-Up: %r" % value[:60])
    check_eq(502, ask(ports[0]).status, "no X-Up")
    for value in ("", "unix/" + path, "a b", "x@127.0.0.1", "127.0.0.1:1@127.0.0.1", "127.0.0.1/"):
        check_eq(502, ask(ports[1], X_Host=value).status, "X-Host: %r" % value)
    check_eq(asked, len(one.requests) + len(two.requests), "requests that came nevertheless")
    server.wait_log(rb"upstream \{header\.X-Up\}: the request makes '")


def named(name):
    """One that closes each connection, so that nothing goes on when it is stopped."""

    def serve(c):
        c.reply(200, name, ["Connection: close"])
        return False

    return Upstream(serve)


def body(port):
    return ask(port).body


def until(port, *expected):
    """All workers say so."""
    lib.wait_for(30, lambda: all(body(port) in expected for _ in range(12)),
                 "%r from port %d" % (expected, port))


def site(port, says):
    return "http://localhost:%d {\n reverse_proxy %s\n}\n" % (port, says)


def of_addresses(t):
    """127.0.0.1 and 127.0.0.2 are two servers, at one port."""
    dns, port = Dns(), t.free_port()
    one = Upstream(lambda c: c.reply(200, b"one"), port=port, address="127.0.0.1")
    two = Upstream(lambda c: c.reply(200, b"two"), port=port, address="127.0.0.2")
    ports = t.free_ports(3)
    options = "resolvers 127.0.0.1:%d\n refresh 50ms\n dial_timeout 300ms" % dns.port
    dns.records["up.test", A] = ["127.0.0.1"]
    dns.records["alias.test", CNAME] = ["other.test"]
    dns.records["other.test", CNAME] = ["up.test"]
    server = t.lintel(
        site(ports[0], "{\n dynamic a up.test %d {\n %s\n }\n}" % (port, options))
        + site(ports[1], "127.0.0.2:%d {\n dynamic a {\n name alias.test.\n port %d\n versions ipv4\n"
               " %s\n }\n}" % (port, port, options))
        + site(ports[2], "{\n dynamic a localhost %d {\n versions ipv4\n }\n}" % port))
    check_eq([b"one"] * 3, [body(p) for p in ports])
    check(("up.test", AAAA) in dns.asked and ("alias.test", AAAA) not in dns.asked, dns.asked)
    dns.records["up.test", A] = ["127.0.0.2"]
    until(ports[0], b"two")
    until(ports[1], b"two")
    dns.truncate = dns.forge = True
    dns.records["up.test", A] = ["127.0.0.1"]
    until(ports[0], b"one")
    dns.silent = True
    said = b"upstreams of up.test: no DNS server answered; those that were known serve on"
    lib.wait_for(30, lambda: body(ports[0]) == b"one" and said in server.log(), "a line in the log")
    check_eq([b"one"] * 10, [body(ports[0]) for _ in range(10)], "while DNS is silent")
    dns.silent, dns.refuse = False, True
    check_eq(b"one", body(ports[0]))
    server.reload()
    lib.wait_for(30, lambda: ask(ports[0]).status == 503, "503, when nothing is known")
    reply = ask(ports[0])
    check_eq((503, "1"), (reply.status, reply.field("Retry-After")))
    check_eq(b"two", body(ports[1]), "the upstream that the configuration names")
    dns.refuse = False
    until(ports[0], b"one")
    check_eq(0, server.stop(), "the end")
    one.stop()
    two.stop()


def of_services(t):
    dns = Dns()
    ups = [named(b"one"), named(b"two"), named(b"far")]
    srv = "_web._tcp.svc.test"
    dns.records["127.0.0.1", A] = []
    dns.records[srv, SRV] = [(1, 1, ups[0].port, "localhost"), (1, 1, ups[1].port, "localhost."),
                             (7, 1, ups[2].port, "localhost"), (0, 0, 0, "localhost"),
                             (0, 0, 80, ".")]
    dns.records["extra.test", A] = ["127.0.0.1"]
    ports = t.free_ports(3)
    options = "resolvers 127.0.0.1:%d\n refresh 50ms" % dns.port
    t.lintel(site(ports[0], "{\n dynamic srv %s {\n %s\n }\n fail_duration 1h\n}" % (srv, options))
             + site(ports[1], "{\n dynamic srv {\n service web\n proto tcp\n name svc.test\n %s\n }\n"
                    " lb_policy first\n}" % options)
             + site(ports[2], "{\n dynamic multi {\n srv none.test {\n %s\n }\n a extra.test %d {\n %s\n"
                    " }\n }\n}" % (options, ups[1].port, options)))
    check_eq({b"one", b"two"}, {body(ports[0]) for _ in range(8 * 8)}, "those of priority 1")
    check_eq(b"one", body(ports[1]))
    check_eq(b"two", body(ports[2]), "of the source that there is")
    shares(dns, srv, ups, ports)
    ups[0].stop()
    ups[1].stop()
    check_eq({b"far"}, {body(ports[0]) for _ in range(8)}, "when those have failed")
    ups[2].stop()
    check_eq(502, ask(ports[1]).status)


def shares(dns, srv, ups, ports):
    """Each gets requests by its weight; those without any have a very small chance."""
    records = dns.records[srv, SRV]
    dns.records[srv, SRV] = [(1, 1, ups[0].port, "localhost"), (1, 3, ups[1].port, "localhost"),
                             (1, 0, ups[2].port, "localhost")]
    until(ports[0], b"one", b"two")
    got = [body(ports[0]) for _ in range(400)]
    check(230 < got.count(b"two") < 370, "three quarters:", got.count(b"two"))
    check(got.count(b"one") + got.count(b"two") >= 390, "hardly any for the weight 0")
    dns.records[srv, SRV] = [(1, 0, ups[2].port, "localhost")]
    until(ports[0], b"far")
    dns.records[srv, SRV] = records
    until(ports[0], b"one", b"two")


def resolvers(t):
    """Of certain servers, a name of an upstream may stand for something else than of others."""
    one, two, other = Dns(), Dns(), Dns()
    ups = [named(b"one"), named(b"two")]
    one.records["up.test", A] = ["127.0.0.2", "127.0.0.1"]  # the second is there
    two.records["up.test", CNAME] = ["else.test"]
    two.records["else.test", A] = ["127.0.0.1"]
    ports = t.free_ports(4)
    says = "up.test:%d {\n transport http {\n resolvers %s\n }\n %s\n}"
    server = t.lintel(
        site(ports[0], says % (ups[0].port, "127.0.0.1:%d" % one.port,
                               "health_uri /\n health_interval 20ms"))
        + site(ports[1], says % (ups[1].port, "127.0.0.1:1 127.0.0.1:%d" % two.port, ""))
        + site(ports[2], says % (ups[0].port, "127.0.0.1:%d" % other.port, ""))
        + site(ports[3], says.replace("%d", "%s", 1)
               % ("{query.port}", "127.0.0.1:%d" % one.port, "")))
    check_eq([b"one", b"two"], [body(p) for p in ports[:2]])
    with connect(ports[3]) as s:
        check_eq(b"two", request(s, "/?port=%d" % ups[1].port).body)
    check_eq(502, ask(ports[2]).status)
    server.wait_log(rb"upstream up\.test:%d: up\.test: there is no such name" % ups[0].port)
    check_eq({"up.test"}, {name for name, _ in one.asked})
    check_eq({A, AAAA}, {kind for _, kind in one.asked})
    lib.wait_for(30, lambda: len(ups[0].requests) > 3, "checks")
    check(b"unhealthy" not in server.log(), "checks ask the same servers")
    other.records["up.test", A] = ["127.0.0.1"]
    until(ports[2], b"one")
    server.stop()
    for up in ups:
        up.stop()


def refused(t):
    for upstream, transport, found in (
            ("https://a.test", "resolvers 192.0.2.1", rb":4:\d+: .*dynamic a NAME PORT"),
            ("h2c://a.test", "resolvers 192.0.2.1", rb":4:\d+: .*dynamic a NAME PORT"),
            ("a.test:80", "resolvers x", rb":4:11: 'x' is no address of a DNS server"),
            ("a.test:80", "resolvers 192.0.2.1 192.0.2.2 192.0.2.3 192.0.2.4", rb":4:41: at most 3")):
        path = t.write("bad.conf", "http://:8080 {\nreverse_proxy %s {\ntransport http {\n%s\n}\n}\n}\n"
                       % (upstream, transport))
        done = subprocess.run([lib.LINTEL, "validate", "--config", path], env=t.env,
                              stderr=subprocess.PIPE, check=False)
        check_eq(1, done.returncode, transport)
        check(re.search(found, done.stderr), transport, done.stderr)


def waits_for_nobody(t):
    """While DNS does not answer, a worker goes on with all else."""
    dns = Dns()
    dns.silent = True
    ports = t.free_ports(2)
    t.lintel(site(ports[0], "{\n dynamic a slow.test 80 {\n resolvers 127.0.0.1:%d\n"
                  " dial_timeout 1s\n }\n}" % dns.port)
             + "http://localhost:%d {\n respond here\n}\n" % ports[1])
    results = []
    threads = [threading.Thread(target=lambda: results.append(ask(ports[0]).status))
               for _ in range(6)]
    for one in threads:
        one.start()
    lib.wait_for(20, lambda: dns.asked, "a question")
    with connect(ports[0]) as gone:
        gone.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    check_eq([b"here"] * 20, [body(ports[1]) for _ in range(20)])
    check_eq([], results, "answers before DNS has had its time")
    for one in threads:
        one.join(60)
    check_eq([503] * 6, results)


def holds_up_nobody_else(t):
    """Those who ask a server that does not answer do not keep others from asking theirs."""
    good, silent = Dns(), Dns()
    good.records["good.test", A] = ["127.0.0.1"]
    silent.silent = True
    up = Upstream(lambda c: c.reply(200, b"up"))
    ports = t.free_ports(5)
    sources = [("silent.test", silent.port)] * 4 + [("good.test", good.port)]
    server = t.lintel("{\n workers 4\n}\n" + "".join(
        site(at, "{\n dynamic a %s %d {\n resolvers 127.0.0.1:%d\n dial_timeout 3s\n versions ipv4\n }\n}"
             % (name, up.port, dns)) for at, (name, dns) in zip(ports, sources)))
    ended = []

    def wait(port):
        ended.append(ask(port).status)

    waiting = [threading.Thread(target=wait, args=(port,)) for port in ports[:4] * 2]
    for one in waiting:
        one.start()
    lib.wait_for(20, lambda: len(silent.asked) >= 4, "questions")
    check_eq(b"up", body(ports[4]))
    check_eq([], ended, "those that wait")
    for one in waiting:
        one.join(60)
    check_eq([503] * 8, ended)
    check_eq(0, server.stop(), "the end")
    up.stop()


def ends_at_once(t):
    """The end does not wait for a name server that does not answer."""
    silent = Dns()
    silent.silent = True
    port, = t.free_ports(1)
    server = t.lintel("{\n grace_period 100ms\n}\n" + site(
        port, "{\n dynamic a silent.test 80 {\n resolvers 127.0.0.1:%d\n dial_timeout 30s\n }\n}"
        % silent.port))
    with connect(port) as s:
        s.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        lib.wait_for(20, lambda: silent.asked, "a question")
        check_eq(0, server.stop(), "the end")


def tells_who_was_asked(t):
    """Also when DNS has told others since, and nobody of them can be asked."""
    dns, up = Dns(), refusing_port()
    port, = t.free_ports(1)
    dns.records["up.test", A] = ["127.0.0.1"]
    server = t.lintel("""http://localhost:%d {
    reverse_proxy {
        dynamic a up.test %d {
            resolvers 127.0.0.1:%d
            refresh 20ms
            versions ipv4
        }
        fail_duration 1m
        lb_try_duration 1s
        lb_try_interval 20ms
    }
    handle_errors {
        respond "{rp.upstream.hostport} {rp.upstream.address}"
    }
}
""" % (port, up, dns.port))
    ended = threading.Event()

    def change():
        n = 0
        while not ended.wait(0.03):
            n += 1
            dns.records["up.test", A] = ["127.0.0.%d" % (n % 3 + 1)]

    threading.Thread(target=change, daemon=True).start()
    reply = ask(port).body.decode()
    ended.set()
    check(re.fullmatch(r"(127\.0\.0\.[123]:%d) tcp/\1" % up, reply), reply)
    check_eq(0, server.stop(), "the end")


def main():
    with lib.Test() as t:
        placeholders(t)
        of_addresses(t)
        of_services(t)
        if CLIENT == "direct":
            resolvers(t)
            refused(t)
        waits_for_nobody(t)
        holds_up_nobody_else(t)
        ends_at_once(t)
        tells_who_was_asked(t)


each_client()
main()
