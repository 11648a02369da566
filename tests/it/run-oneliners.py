#!/usr/bin/env python3
"""respond, file-server and reverse-proxy: servers without a configuration file. Whatever bytes their
options have, they are served just so."""

import gzip
import os
import re
import signal
import socket
import subprocess

import lib
from lib import check, check_eq, connect, connect_tls, request, tls_context, wait_for
from upstream import Upstream

READY = rb" server: ready$"


class Oneliner(lib.Process):
    """A one-line command that serves. port: the one that it says it has."""

    def __init__(self, t, *args, stdin=subprocess.DEVNULL, cwd=None):
        t.starts += 1
        super().__init__("lintel", [lib.LINTEL, *args],
                         os.path.join(t.logs, "lintel-%d.log" % t.starts), t.env, stdin, cwd or t.work)
        t.servers.append(self)
        if stdin != subprocess.PIPE:
            self.wait_log(READY)

    @property
    def port(self):
        return int(self.wait_log(rb"^Server address: \[::\]:(\d+)$").group(1))

    def get(self, target="/", host="localhost", port=None, fields=()):
        with connect(port or self.port) as sock:
            return request(sock, target, host, fields=fields)


def fails(t, status, message, *args, stdin=subprocess.DEVNULL):
    """The command ends at once, and says why in one line."""
    done = subprocess.run([lib.LINTEL, *args], stdin=stdin, capture_output=True, env=t.env, timeout=30,
                          cwd=t.work)
    err = done.stderr.decode()
    check_eq(status, done.returncode, "status of %s (%s)" % (args, err))
    check(message in err, args, "said", err)
    check_eq(b"", done.stdout, args)


# ---- respond ----

VALUES = [
    "plain", "two words", 'say "hi"', "\\", "a\\", '\\"', "`tick`", "{", "}", "{}", "}{", "{ block }",
    '{"a": {"b": [1, {}]}}', "a{color:red}", "${path} {host} {nonesuch}", "{args[0]} {block}", "{$HOME}",
    "\\ {$HOME}", "{$", "{$:x}", "# no comment", "<<END\nx\nEND", "line\nline\n", "\n", " ", "a \\\nb",
    "/path", "*", "/*", "@name", "import x", "404x", "-", "\u00e4\u20ac", "<a href=\"/{x}\">\n\t</a>",
    "{http.nonesuch.name}",
]


def quoting(t):
    for value in VALUES:
        s = Oneliner(t, "respond", "--body", value)
        check_eq(value.encode(), s.get().body, "the body")
        check_eq(0, s.stop())
    fields = [v for v in VALUES if "\n" not in v and v.isascii() and v.strip()]
    args = [a for i, v in enumerate(fields) for a in ("-H", "X-%d:  %s" % (i, v))]
    r = Oneliner(t, "respond", *args).get()
    for i, value in enumerate(fields):
        check_eq(value, r.field("X-%d" % i), "a field")
    r = Oneliner(t, "respond", "{http.request.method} {http.request.uri} \\{http.request.method}",
                 "-H", "X-Host: <{http.request.host}>").get("/a?b")
    check_eq(b"GET /a?b {http.request.method}", r.body)
    check_eq("<localhost>", r.field("X-Host"))


def arguments(t):
    """What the argument is, beside --status and --body."""
    for status, body, args in [
            (200, b"", []), (503, b"", ["503"]), (200, b"hello", ["hello"]), (200, b"42", ["42"]),
            (200, b"1000", ["1000"]), (200, b"099", ["099"]), (200, b"404", ["--status", "200", "404"]),
            (404, b"x", ["--body=x", "404"]), (418, b"x", ["-s418", "-b", "x"]), (404, b"", ["-b", "", "404"]),
            (201, b"y", ["-s", "200", "-s", "201", "--", "y"]), (200, b"-y", ["--", "-y"])]:
        r = Oneliner(t, "respond", *args).get()
        check_eq((status, body), (r.status, r.body), args)
    r = Oneliner(t, "respond", "-b", "<p>", "-H", "content-type:text/html", "--header=X-A: 1", "-H",
                 "X-A: b:c ").get()
    check_eq("text/html", r.field("Content-Type"))
    check_eq("b:c", r.field("X-A"))


def several(t):
    first, last = consecutive(t, 3)
    s = Oneliner(t, "respond", "-l", "127.0.0.1:%d-%d" % (first, last),
                 "{{.N}} {{ .Port }} {{.Address}} {{\"{{\"}}}}")
    for n, port in enumerate(range(first, last + 1)):
        check_eq(b"%d %d 127.0.0.1:%d {{}}" % (n, port, port), s.get(port=port).body)
        check(b"\nServer address: 127.0.0.1:%d\n" % port in s.log(), s.log())


def consecutive(t, count):
    """Free ports, one after the other."""
    for _ in range(50):
        first = t.free_port()
        try:
            for port in range(first, first + count):
                with socket.socket() as sock:
                    sock.bind(("127.0.0.1", port))
            return first, first + count - 1
        except (OSError, OverflowError):
            continue
    raise lib.Skip("no ports in a row")


def standard_input(t):
    s = Oneliner(t, "respond", "-s", "503", stdin=subprocess.PIPE)
    s.popen.stdin.write(b'<a href="{x}">\r\n"\\')
    s.popen.stdin.close()
    r = s.get()
    check_eq((503, b'<a href="{x}">\n"\\'), (r.status, r.body))
    page = t.write("page.html", "from a file")
    with open(page) as f:
        check_eq(b"from a file", Oneliner(t, "respond", stdin=f).get().body)
    with open(page) as f:
        check_eq(b"said", Oneliner(t, "respond", "said", stdin=f).get().body)
    read, write = os.pipe()
    os.close(write)
    check_eq(b"", Oneliner(t, "respond", stdin=read).get().body)
    os.close(read)
    ours, theirs = socket.socketpair()  # what nobody closes is not waited for
    check_eq(b"", Oneliner(t, "respond", stdin=theirs.fileno()).get().body)
    ours.close()
    theirs.close()
    fails(t, 1, "control byte 0x1b", "respond", "\x1b[1m")
    with open("/dev/zero") as zero:
        check_eq(b"", Oneliner(t, "respond", stdin=zero).get().body)
    t.write("large", b"x" * (2 << 20))
    with open(t.path("large")) as f:
        fails(t, 1, "standard input", "respond", stdin=f)


def life(t):
    s = Oneliner(t, "respond", "one", "--debug", "--access-log")
    port = s.port
    other = Oneliner(t, "respond", "other")
    check(port != other.port, "one port for two")
    check_eq(b"one", s.get("/seen").body)
    wait_for(10, lambda: b'"uri":"/seen"' in s.log(), "the access log")
    fails(t, 2, "Address already in use", "respond", "-l", ":%d" % port)
    s.send(signal.SIGHUP)
    s.wait_log(rb"there is nothing to reload")
    check_eq(b"one", s.get().body)
    check_eq(0, s.stop(signal.SIGINT))
    check_eq(0, other.stop())
    check_eq([], os.listdir(t.env["XDG_DATA_HOME"]), "storage")


def wrong_respond(t):
    for message, args in [
            ("'999' is no status from 200 to 599", ["999"]),
            ("'x' is no status", ["--status", "x"]),
            ("unexpected argument 'b'", ["a", "b"]),
            ("'y' says nothing that options have not said", ["-b", "x", "y"]),
            ("'404' says nothing", ["-b", "x", "-s", "200", "404"]),
            ("--header 'X-A' is not of the form 'Field: value'", ["-H", "X-A"]),
            ("--header 'X-A: ' is not of the form", ["-H", "X-A: "]),
            ("--header: 'X A' is no field name", ["-H", "X A: b"]),
            ("--header: '-X' is no field name", ["--header=-X: b"]),
            ("--header: 'X*' is no field name", ["-H", "X*: b"]),
            ("a field has one line", ["-H", "X: a\nY: b"]),
            ("only TCP is listened at", ["-l", "unix//run/x"]),
            ("only TCP is listened at", ["-l", "udp/:80"]),
            ("a port is missing or wrong", ["-l", "127.0.0.1"]),
            ("a port is missing or wrong", ["-l", ":65536"]),
            ("a port is missing or wrong", ["-l", ":9-8"]),
            ("a port is missing or wrong", ["-l", ":0-8"]),
            ("'example.com' is no IP address", ["-l", "example.com:80"]),
            ("'::1' is no IP address; those of IPv6 stand in brackets", ["-l", "::1:80"]),
            ("there are only {{.N}}, {{.Port}} and {{.Address}}", ["{{printf .N}}"]),
            ("there are only {{.N}}", ["open {{"]),
            ("more than 1024 addresses and ports", ["-l", ":1-2000"]),
            ("did you mean --status?", ["--statsu", "200"])]:
        fails(t, 1, message, "respond", *args)


# ---- file-server ----


def file_server(t):
    page = "<p>" + "hello " * 1000
    port = t.free_port()
    for folder in ["site", 'o"dd {name} \\', "{http.nonesuch}", "line\nend", "{$HOME}", "`#*"]:
        t.write(folder + "/index.html", page)
        s = Oneliner(t, "file-server", "--root", t.path(folder), "--listen", "127.0.0.1:%d" % port)
        check(b"Serving %s at http://127.0.0.1:%d/\n" % (t.path(folder).encode(), port) in s.log(),
              s.log())
        check_eq(page.encode(), s.get(port=port).body)
        s.stop()
    s = Oneliner(t, "file-server", "-l", ":%d" % port, "-a", "-v", cwd=t.path("site"))
    check(b"Serving %s at http://localhost:%d/\n" % (t.path("site").encode(), port) in s.log(), s.log())
    r = s.get("/index.html", port=port, fields=[("Accept-Encoding", "gzip")])
    if r.field("Content-Encoding"):  # it was compiled in
        check_eq(page.encode(), gzip.decompress(r.body))
    check_eq(404, s.get("/none", port=port).status)
    wait_for(10, lambda: b'"uri":"/none"' in s.log(), "the access log")
    s.stop()
    s = Oneliner(t, "file-server", "-l", "127.0.0.1:%d" % port, "-r", "site", "--no-compress")
    r = s.get(port=port, fields=[("Accept-Encoding", "gzip, zstd, br")])
    check_eq((None, page.encode()), (r.field("Content-Encoding"), r.body))
    s.stop()
    for extension in (".gz", ".br"):
        t.write("site/index.html" + extension, extension)
    s = Oneliner(t, "file-server", "-l", "127.0.0.1:%d" % port, "-r", "site", "-p", "br, zstd",
                 "--precompressed", "gzip")
    for accept, want in (("gzip", b".gz"), ("gzip, br", b".br"), ("identity", page.encode())):
        check_eq(want, s.get(port=port, fields=[("Accept-Encoding", accept)]).body, accept)
    s.stop()
    t.write("site/list/a.txt", "a")
    os.symlink("a.txt", t.path("site/list/link"))
    s = Oneliner(t, "file-server", "-l", "127.0.0.1:%d" % port, "-r", "site", "-b", "--reveal-symlinks",
                 "-f", "1")
    r = s.get("/list/", port=port)
    check(b": only 1 of them are listed" in r.body, r.body)
    s.stop()
    t.write("other.test/index.html", "by name")
    s = Oneliner(t, "file-server", "-l", "tcp/127.0.0.1:%d" % port, "-r", "{http.request.host}")
    check(b"Serving {http.request.host} at " in s.log(), s.log())
    check_eq(b"by name", s.get(host="other.test", port=port).body)
    s.stop()
    check_eq([], os.listdir(t.env["XDG_DATA_HOME"]), "storage")


def file_server_https(t):
    port = t.free_port()
    s = Oneliner(t, "file-server", "--domain", "LOCALHOST", "-l", "127.0.0.1:%d" % port, "-r", "site")
    check(b"Serving %s at https://localhost:%d/\n" % (t.path("site").encode(), port) in s.log(), s.log())
    wait_for(30, lambda: os.path.exists(t.local_root), "the local CA")
    with connect_tls_soon(t, port, "localhost") as sock:
        check_eq(200, request(sock).status)
    check(not os.path.exists(os.path.join(t.env["XDG_DATA_HOME"], "lintel/lintel.pid")), "a mark")
    s.stop()


def connect_tls_soon(t, port, name):
    """When the certificate is there."""

    def attempt():
        try:
            return connect_tls(port, name, tls_context(t.local_root))
        except OSError:  # ssl.SSLError as well
            return None

    return wait_for(30, attempt, "a certificate")


def wrong_file_server(t):
    t.write("file", "")
    for message, args in [
            ("--reveal-symlinks is for --browse", ["--reveal-symlinks"]),
            ("--file-limit is for --browse", ["-f", "10"]),
            ("a list of nothing is of no use", ["-b", "-f", "0"]),
            ("--templates is not supported", ["-t"]),
            ("--precompressed deflate: there are br, zstd and gzip", ["-p", "gzip,deflate"]),
            ("--root nowhere: No such file or directory", ["-r", "nowhere"]),
            ("--root file: not a folder", ["-r", "file"]),
            ("--domain takes only a host name", ["-d", "localhost:80"]),
            ("--domain takes only a host name", ["-d", ":80"]),
            ("cannot be part of a host name", ["-d", "a{b"]),
            ("one port is enough", ["-l", ":8080-8081"]),
            ("unexpected argument 'export-template'", ["export-template"])]:
        fails(t, 1, message, "file-server", *args)


# ---- reverse-proxy ----


def reverse_proxy(t):
    up = Upstream(lambda c: c.reply(200, c.head, ["X-Up: 1", "X-Old: 1"]))
    port = t.free_port()
    s = Oneliner(t, "reverse-proxy", "--from", ":%d" % port, "--to", ":%d" % up.port, "--access-log")
    check(b"Proxying http://localhost:%d/ to :%d\n" % (port, up.port) in s.log(), s.log())
    r = s.get("/a?b", host="example.test", port=port)
    check(r.status == 200 and b"GET /a?b HTTP/1.1\r\n" in r.body, r.status, r.body)
    check(b"\r\nHost: example.test\r\n" in r.body, r.body)
    wait_for(10, lambda: b'"uri":"/a?b"' in s.log(), "the access log")
    s.stop()
    s = Oneliner(t, "reverse-proxy", "-f", "http://localhost:%d" % port, "-t", "127.0.0.1:%d" % up.port,
                 "-H", 'X-One: a "b" {c} \\', "-H", "X-Two:{http.request.method}", "-H", "X-Two: two",
                 "-d", "X-Old: {new}", "-d", "X-Down: http://x/", "-c", "-r", "-i")
    r = s.get(port=port)
    check(b'\r\nX-One: a "b" {c} \\\r\n' in r.body and b"\r\nX-Two: two\r\n" in r.body, r.body)
    check(b"\r\nHost: 127.0.0.1:%d\r\n" % up.port in r.body, r.body)
    check_eq(("{new}", "http://x/", "1"), (r.field("X-Old"), r.field("X-Down"), r.field("X-Up")))
    s.stop()
    check_eq([t.local_root.split("/")[-5]], os.listdir(t.env["XDG_DATA_HOME"]))


def several_upstreams(t):
    first, last = consecutive(t, 2)
    ups = [Upstream(lambda c: c.reply(200, b"x"), port=port) for port in (first, last)]
    third = Upstream(lambda c: c.reply(200, b"x"))
    port = t.free_port()
    s = Oneliner(t, "reverse-proxy", "-f", ":%d" % port, "-t", "127.0.0.1:%d-%d,http://127.0.0.1:%d"
                 % (first, last, third.port), "-t", "localhost:%d" % third.port)
    for _ in range(12):
        check_eq(200, s.get(port=port).status)
    for up in ups + [third]:
        check(len(up.requests) > 0, "an upstream without requests")
    s.stop()


def reverse_proxy_https(t):
    up = Upstream(lambda c: c.reply(200, c.head))
    port = t.free_port()
    s = Oneliner(t, "reverse-proxy", "--from", "app.example.com:%d" % port, "--to",
                 "127.0.0.1:%d" % up.port, "--internal-certs", "--disable-redirects")
    check(b"Proxying https://app.example.com:%d/ to " % port in s.log(), s.log())
    check(not re.search(rb"listening on \S+ \(http\)", s.log()), s.log())
    with connect_tls_soon(t, port, "app.example.com") as sock:
        r = request(sock, host="app.example.com:%d" % port)
        check(b"\r\nX-Forwarded-Proto: https\r\n" in r.body, r.body)
    s.stop()


def wrong_reverse_proxy(t):
    for message, args in [
            ("--to is missing", []),
            ("--to needs an address", ["--to", "a,"]),
            ("--insecure is not supported", ["--to", "a", "--insecure"]),
            ("--from a:b: 'b' is no port", ["--to", "a", "--from", "a:b"]),
            ("--from a/b: ", ["--to", "a", "--from", "a/b"]),
            ("--from https://: a certificate needs a host name", ["--to", "a", "-f", "https://"]),
            ("'0' is no port (1 to 65535)", ["--to", "a:0", "-f", ":1"]),
            ("an upstream has no path", ["--to", "http://a/b", "-f", ":1"]),
            ("an upstream is", ["--to", 'a" \n b', "-f", ":1"]),
            ("--header-up: 'a b' is no field name", ["--to", "a", "-H", "a b: c"]),
            ("--header-down 'a' is not of the form", ["--to", "a", "-d", "a"])]:
        fails(t, 1, message, "reverse-proxy", *args)


def main():
    with lib.Test() as t:
        quoting(t)
        arguments(t)
        several(t)
        standard_input(t)
        life(t)
        wrong_respond(t)
        file_server(t)
        file_server_https(t)
        wrong_file_server(t)
        reverse_proxy(t)
        several_upstreams(t)
        reverse_proxy_https(t)
        wrong_reverse_proxy(t)


main()
