#!/usr/bin/env python3
"""Several upstreams: policies, what is asked again when one fails, and failures remembered."""

import threading
import time

import lib
from lib import Reader, check, check_eq, connect, request, wait_for
from upstream import CLIENT, Upstream, each_client, refusing_port


FORGOTTEN_S = 0.7  # how long a failure is remembered where that has an end
PATIENCE_S = 4     # for an answer, where one that comes at once must never be late


class Named:
    """An upstream that says its name, or does what `act` says."""

    def __init__(self, name):
        self.name = name
        self.act = None
        self.up = Upstream(self.serve)
        self.port = self.up.port

    def serve(self, c):
        if self.act is not None:
            return self.act(c)
        c.read_body()
        c.reply(200, self.name.encode(), ["X-Length: %s" % c.fields("Content-Length"),
                                          "X-Body: %d" % len(c.body)])
        return True

    @property
    def seen(self):
        return len(self.up.requests)


def cut(c):
    """Reads the request and closes without an answer."""
    c.read_body()
    return False


def ask(port, target="/", fields=(), method="GET", body=b""):
    with connect(port) as s:
        return request(s, target, method=method, fields=fields, body=body)


def names(port, n, **more):
    """The names of the upstreams that answered n requests of one connection."""
    with connect(port) as s:
        reader = Reader(s)
        return [request(s, reader=reader, **more).body.decode() for _ in range(n)]


def takes_turns(port):
    check_eq("abc", "".join(sorted(names(port, 3))))


def weighs(port):
    got = names(port, 8)
    check_eq((6, 2), (got.count("a"), got.count("b")))


def sticks_by_cookie(port):
    first = ask(port)
    cookie = first.field("Set-Cookie")
    check("; Path=/; HttpOnly; SameSite=Lax" in cookie, cookie)
    pair = cookie.split(";")[0]
    for _ in range(5):
        again = ask(port, fields=[("Cookie", "x=y; " + pair)])
        check_eq((first.body, None), (again.body, again.field("Set-Cookie")))


def hashes(port, header_port):
    check_eq(1, len(set(names(port, 6))))
    by_key = {k: set(names(header_port, 3, fields=[("X-Key", str(k))])) for k in range(12)}
    check(all(len(v) == 1 for v in by_key.values()), by_key)
    check(len(set.union(*by_key.values())) > 1, by_key)
    check_eq({"a"}, set(names(header_port, 3)))  # the fallback: first


def passes_over_the_dead(port):
    check_eq({"b"}, set(names(port, 6)))
    r = ask(port, method="POST", body=b"x" * 1000)
    check_eq((b"b", "1000"), (r.body, r.field("X-Body")))


def repeats_what_does_no_harm(port, first, second):
    first.act = cut
    before = second.seen
    check_eq(b"b", ask(port).body)
    check_eq(b"b", ask(port, method="PUT", body=b"p" * 30000).body)
    check_eq(502, ask(port, method="POST", body=b"p").status)
    check_eq(502, ask(port, method="PUT", body=b"p" * 300000).status)  # more than is kept
    check_eq(before + 2, second.seen)
    first.act = None


def repeats_what_it_is_told_to(port, first):
    first.act = cut
    check_eq(b"b", ask(port, "/again", method="POST", body=b"p").body)
    check_eq(502, ask(port, "/once").status)
    first.act = None


def says(status, body, *fields, at_once=True):
    """Answers, and reads the request's body then, or before."""
    def act(c):
        if not at_once:
            c.read_body()
        c.reply(status, body, fields)
        if at_once:
            c.read_body()
        return True
    return act


def asks_others_for_a_better_answer(port, first, second):
    first.act = says(503, b"not now")
    before = first.seen
    check_eq((200, b"b"), (lambda r: (r.status, r.body))(ask(port)))
    r = ask(port, method="PUT", body=b"p" * 30000)
    check_eq((b"b", "30000"), (r.body, r.field("X-Body")))
    check_eq(before + 2, first.seen, "no failures")
    r = ask(port, method="POST", body=b"p")
    check_eq((503, b"not now"), (r.status, r.body), "that is not for POST")
    first.act = says(503, b"too late", at_once=False)
    r = ask(port, method="PUT", body=b"p" * 300000)
    check_eq((503, b"too late"), (r.status, r.body), "more than is kept")
    first.act = says(503, b"x" * 5000000)
    check_eq(b"b", ask(port).body, "with a body that nobody wants")
    second.act = says(503, b"nor here")
    r = ask(port)
    check_eq((503, b"nor here"), (r.status, r.body), "the last one is sent on")
    second.act = None
    first.act = says(200, b"maybe", "X-Again: yes")
    check_eq(b"b", ask(port, method="POST", body=b"p").body)
    first.act = says(500, b"broken")
    check_eq((500, b"broken"), (lambda r: (r.status, r.body))(ask(port)))
    first.act = cut
    check_eq(502, ask(port).status, "no answer is none of those")
    first.act = None


def does_not_repeat_unasked(port, first):
    first.act = cut
    check_eq(502, ask(port).status)
    first.act = None


def waits_for_an_upstream(port, free_port):
    """Nobody listens at first."""
    late = []
    answer = []
    t = threading.Thread(target=lambda: answer.append(ask(port)))
    t.start()
    late.append(Upstream(lambda c: c.reply(200, b"late"), port=free_port))
    t.join(30)
    check_eq(b"late", answer[0].body)
    late[0].stop()


def gives_up(port):
    r = ask(port)
    check_eq(502, r.status)


def gives_up_where_nobody_is_left(port):
    """Rounds in which nobody can be asked are counted too."""
    check_eq(502, ask(port).status)
    r = ask(port)
    check_eq((503, "1"), (r.status, r.field("Retry-After")))


def remembers_failures(port, first, second):
    """max_fails 2: the third request does not try any more."""
    first.act = lambda c: c.reply(503, b"sick")
    check_eq([503, 503], [ask(port).status for _ in range(2)])
    before = first.seen
    check_eq([b"b"] * 3, [ask(port).body for _ in range(3)])
    check_eq(before, first.seen)
    second.act = first.act
    check_eq([503, 503], [ask(port).status for _ in range(2)])
    r = ask(port)
    check_eq((503, "1"), (r.status, r.field("Retry-After")))
    check_eq(before, first.seen)
    first.act = second.act = None


def forgets_failures(port, first):
    first.act = lambda c: c.reply(503, b"sick")
    while True:
        began = time.monotonic()
        check_eq(503, ask(port).status)
        answer = ask(port).body
        if answer == b"b":
            break
        check(time.monotonic() - began > FORGOTTEN_S, "forgotten too early")
    first.act = None
    wait_for(20, lambda: ask(port).body == b"a", "the failure to be forgotten")


def slow_answers_are_failures(port, first):
    def late(c):
        time.sleep(0.5)
        c.reply(200, b"late")

    first.act = late
    check_eq(b"late", ask(port).body)
    check_eq(b"b", ask(port).body)
    first.act = None


def slow_clients_are_no_failures(server, port, first):
    """Neither the time that a client takes for its body is held against the upstream, nor that it
    does not wait for it."""
    with connect(port) as s:
        s.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n")
        for _ in range(5):
            time.sleep(PATIENCE_S / 4)
            s.sendall(b"x")
        check_eq(b"a", Reader(s).response().body)
    check_eq(b"a", ask(port).body)
    if CLIENT == "curl":  # which sees that the upstream has left when there is more to send
        return
    first.act = lambda c: False
    with connect(port) as s:
        s.sendall(b"POST /impatient HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n")
        server.wait_log(rb"closed before an answer \(POST x/impatient\)")
        s.sendall(b"hello")
        check_eq(502, Reader(s).response().status)
    first.act = None
    check_eq(b"a", ask(port).body)


def limits_requests(port, first):
    go_on = threading.Event()

    def hold(c):
        go_on.wait(30)
        c.reply(200, b"held")

    first.act = hold
    before = first.seen
    results = []
    t = threading.Thread(target=lambda: results.append(ask(port).body))
    t.start()
    wait_for(20, lambda: first.seen > before, "the first request")
    check_eq([b"b"] * 3, [ask(port).body for _ in range(3)])
    go_on.set()
    t.join(30)
    check_eq([b"held"], results)
    first.act = None
    check_eq(b"a", ask(port).body)


def buffers_requests(port, first):
    """A chunked body that fits is sent with its length; one that does not is streamed."""
    for size, length in ((5000, "['5000']"), (200000, "[]")):
        with connect(port) as s:
            s.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                      + b"%x\r\n" % size + b"b" * size + b"\r\n0\r\n\r\n")
            r = Reader(s).response()
            check_eq((b"a", length, str(size)), (r.body, r.field("X-Length"), r.field("X-Body")))


def buffers_responses(port, first):
    """The upstream's first bytes are not sent on before there are enough of them."""
    go_on, sent = threading.Event(), threading.Event()

    def slow(c):
        c.send(b"HTTP/1.1 200 OK\r\nContent-Length: 8000\r\n\r\n" + b"1" * 100)
        sent.set()
        go_on.wait(30)
        c.send(b"2" * 7900)

    first.act = slow
    with connect(port) as s:
        s.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        sent.wait(30)
        s.settimeout(0.2)
        try:
            check_eq(b"", s.recv(1))
        except TimeoutError:
            pass
        go_on.set()
        s.settimeout(30)
        check_eq(b"1" * 100 + b"2" * 7900, Reader(s).response().body)
    first.act = None


def survives_a_reload(server, port, first):
    """What is known of an upstream outlives a reload that does not touch its directive."""
    first.act = lambda c: c.reply(503, b"sick")
    check_eq(503, ask(port).status)
    first.act = None
    with open(server.conf_path) as f:
        conf = f.read()
    server.reload(conf + "\nhttp://other.test {\n}\n")
    check_eq(b"b", ask(port).body)


each_client()
with lib.Test() as t:
    a, b, c = Named("a"), Named("b"), Named("c")
    dead, late = refusing_port(), t.free_port()
    sites = {
        "turns": "to %d %d %d" % (a.port, b.port, c.port),
        "weights": "to %d %d\n lb_policy weighted_round_robin 3 1" % (a.port, b.port),
        "cookie": "to %d %d %d\n lb_policy cookie" % (a.port, b.port, c.port),
        "ip": "to %d %d %d\n lb_policy ip_hash" % (a.port, b.port, c.port),
        "header": "to %d %d %d\n lb_policy header X-Key {\n fallback first\n }"
                  % (a.port, b.port, c.port),
        "dead": "to %d %d\n lb_policy first" % (dead, b.port),
        "repeat": "to %d %d\n lb_policy first\n lb_retries 1" % (a.port, b.port),
        "told": "to %d %d\n lb_policy first\n lb_retries 1\n lb_retry_match path /again"
                % (a.port, b.port),
        "answers": "to %d %d\n lb_policy first\n lb_retries 1\n fail_duration 10m\n lb_retry_match {\n"
                   " method GET PUT\n expression `{rp.status_code} in [502, 503]`\n }\n"
                   " lb_retry_match expression `{rp.header.X-Again} == 'yes'`" % (a.port, b.port),
        "unasked": "to %d %d\n lb_policy first" % (a.port, b.port),
        "late": "to %d\n lb_try_duration 20s\n lb_try_interval 20ms" % late,
        "never": "to %d\n lb_try_duration 100ms\n lb_try_interval 20ms" % dead,
        "nobody": "to %d\n lb_retries 2\n lb_try_interval 20ms\n fail_duration 10m" % dead,
        "remember": "to %d %d\n lb_policy first\n fail_duration 10m\n max_fails 2\n"
                    " unhealthy_status 5xx" % (a.port, b.port),
        "forget": "to %d %d\n lb_policy first\n fail_duration %dms\n unhealthy_status 503"
                  % (a.port, b.port, FORGOTTEN_S * 1000),
        "latency": "to %d %d\n lb_policy first\n fail_duration 10m\n unhealthy_latency 400ms"
                   % (a.port, b.port),
        "patient": "to %d %d\n lb_policy first\n fail_duration 1500ms\n unhealthy_latency %ds"
                   % (a.port, b.port, PATIENCE_S),
        "limit": "to %d %d\n lb_policy first\n unhealthy_request_count 1" % (a.port, b.port),
        "buffer": "to %d\n request_buffers 100KiB\n response_buffers 4KiB" % a.port,
        "reload": "to %d %d\n lb_policy first\n fail_duration 10m\n unhealthy_status 5xx\n"
                  " method GET" % (a.port, b.port),
    }
    ports = dict(zip(sites, t.free_ports(len(sites))))
    conf = "{\n admin off\n auto_https off\n default_bind 127.0.0.1\n workers 1\n}\n"
    for name, block in sites.items():
        block = "\n".join("to " + " ".join("127.0.0.1:" + p for p in line.split()[1:])
                          if line.startswith("to ") else line for line in block.splitlines())
        conf += "http://:%d {\n reverse_proxy {\n %s\n }\n}\n" % (ports[name], block)
    server = t.lintel(conf)
    takes_turns(ports["turns"])
    weighs(ports["weights"])
    sticks_by_cookie(ports["cookie"])
    hashes(ports["ip"], ports["header"])
    passes_over_the_dead(ports["dead"])
    repeats_what_does_no_harm(ports["repeat"], a, b)
    repeats_what_it_is_told_to(ports["told"], a)
    asks_others_for_a_better_answer(ports["answers"], a, b)
    does_not_repeat_unasked(ports["unasked"], a)
    waits_for_an_upstream(ports["late"], late)
    gives_up(ports["never"])
    gives_up_where_nobody_is_left(ports["nobody"])
    remembers_failures(ports["remember"], a, b)
    forgets_failures(ports["forget"], a)
    slow_answers_are_failures(ports["latency"], a)
    slow_clients_are_no_failures(server, ports["patient"], a)
    limits_requests(ports["limit"], a)
    buffers_requests(ports["buffer"], a)
    buffers_responses(ports["buffer"], a)
    survives_a_reload(server, ports["reload"], a)
