#!/usr/bin/env python3
"""php_fastcgi with Debian's php-fpm and real scripts: what PHP gets, what it answers, and which files
are never run."""

import hashlib
import json
import os
import re
import socket
import subprocess
import threading

import lib
from fastcgi import Fpm
from lib import Reader, check, check_eq, connect, connect_tls, request, tls_context, wait_for
from upstream import sanitized

SCRIPTS = {
    "index.php": '<?php echo "front ", $_SERVER["REQUEST_URI"], " ", $_SERVER["PATH_INFO"];',
    "env.php": '<?php header("Content-Type: application/json"); echo json_encode($_SERVER);',
    "form.php": '<?php echo json_encode(["get" => $_GET, "post" => $_POST, "cookie" => $_COOKIE,'
                ' "length" => $_SERVER["CONTENT_LENGTH"],'
                ' "raw" => strlen(file_get_contents("php://input"))]);',
    "upload.php": '<?php foreach ($_FILES as $n => $f) echo $n, " ", $f["name"], " ", $f["size"],'
                  ' " ", $f["error"], " ", hash_file("sha256", $f["tmp_name"]), "\\n";',
    "large.php": '<?php for ($i = 0; $i < 320; $i++) echo str_repeat(chr(97 + $i % 26), 65536);',
    "status.php": '<?php http_response_code(418); header("X-One: 1"); header("X-Two: a", false);'
                  ' header("X-Two: b", false); setcookie("a", "1"); setcookie("b", "2"); echo "tea";',
    "redirect.php": '<?php header("Location: /elsewhere?x");',
    "same.php": '<?php header("ETag: \\"1\\""); http_response_code(304);',
    "length.php": '<?php header("Content-Length: 4"); echo "abcdefgh";',
    "short.php": '<?php header("Content-Length: 4000"); echo "abc";',
    "log.php": '<?php error_log("one note\\nand a second"); echo "logged";',
    "fatal.php": "<?php undefined_function();",
    "user.php": '<?php echo $_SERVER["REMOTE_USER"], " ", $_SERVER["PHP_AUTH_USER"] ?? "-";',
    "slow.php": '<?php $m = $_GET["mark"]; register_shutdown_function(function () use ($m) {'
                ' file_put_contents("$m.new", connection_aborted() ? "aborted" : "ended");'
                ' rename("$m.new", $m); });'
                ' for ($i = 0; $i < 600; $i++) { echo str_repeat(".", 8192); flush(); usleep(50000); }',
    "sleep.php": '<?php sleep(5); echo "awake";',
    "chunks.php": '<?php while (ob_get_level()) ob_end_flush(); $m = $_GET["mark"]; echo "first"; flush();'
                  ' while (!file_exists($m)) { usleep(20000); clearstatcache(); } echo "second";',
    "sub/index.php": '<?php echo "sub ", $_SERVER["SCRIPT_NAME"], " ", $_SERVER["PATH_INFO"];',
    "noindex/page.php": '<?php echo "page";',
}
EVIL = '<?php echo "EVIL " . (1 + 1);'


def conf(port, tls_port, root, server, more="", before="", options=""):
    return """{
    local_certs
    https_port %d
    auto_https disable_redirects
%s}

http://localhost:%d, https://localhost:%d {
    root %s
%s
    php_fastcgi %s {
%s
    }
    file_server
}
""" % (tls_port, options, port, tls_port, root, before, server, more)


class Rig:
    def __init__(self, t):
        self.t = t
        self.fpm = Fpm(t).start()
        self.port, self.tls_port = t.free_ports(2)
        self.root = t.path("www")
        for name, text in SCRIPTS.items():
            t.write("www/" + name, text)
        t.write("www/style.css", "a static file")
        t.write("www/upload/evil.jpg", EVIL)
        t.write("outside/out.php", EVIL)
        os.symlink(t.path("outside/out.php"), t.path("www/link.php"))
        os.symlink(t.path("outside"), t.path("www/linked"))
        os.mkdir(t.path("www/folder.php"))
        self.server = t.lintel(self.conf("unix/" + self.fpm.socket))

    def conf(self, server, *more, **others):
        return conf(self.port, self.tls_port, self.root, server, *more, **others)

    def get(self, target, **more):
        with connect(self.port) as s:
            return request(s, target, **more)

    def text(self, target, **more):
        r = self.get(target, **more)
        check_eq(200, r.status, target)
        return r.body.decode()

    def env(self, target, **more):
        return json.loads(self.text(target, **more))


# ---- what PHP gets ----


def tells_of_the_request(rig):
    env = rig.env("/env.php/a%20b/c?x=%20y", fields=[("X-Some", "1"), ("X-Some", "2"), ("Cookie", "a=b"),
                                                     ("Cookie", "c=d"), ("Authorization", "Basic YTpi")])
    for name, value in {
            "REQUEST_METHOD": "GET", "REQUEST_URI": "/env.php/a%20b/c?x=%20y", "QUERY_STRING": "x=%20y",
            "SCRIPT_NAME": "/env.php", "PHP_SELF": "/env.php/a b/c", "DOCUMENT_URI": "/env.php",
            "SCRIPT_FILENAME": rig.root + "/env.php", "DOCUMENT_ROOT": rig.root,
            "PATH_INFO": "/a b/c", "PATH_TRANSLATED": rig.root + "/a b/c",
            "SERVER_NAME": "localhost", "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1",
            "SERVER_ADDR": "127.0.0.1", "GATEWAY_INTERFACE": "CGI/1.1", "REMOTE_ADDR": "127.0.0.1",
            "REMOTE_USER": "", "REQUEST_SCHEME": "http", "HTTP_HOST": "localhost",
            "HTTP_X_SOME": "1, 2", "HTTP_COOKIE": "a=b; c=d", "HTTP_AUTHORIZATION": "Basic YTpi",
            "PHP_AUTH_USER": "a", "CONTENT_LENGTH": "", "HTTP_X_FORWARDED_FOR": "127.0.0.1"}.items():
        check_eq(value, env.get(name), name)
    check(env["SERVER_SOFTWARE"].startswith("Lintel/"), env["SERVER_SOFTWARE"])
    check(re.fullmatch(r"\d+", env["REMOTE_PORT"]), env["REMOTE_PORT"])
    for name in ("HTTPS", "SSL_PROTOCOL", "HTTP_CONTENT_LENGTH"):
        check(name not in env, name)


def hides_what_would_pass_for_another(rig):
    names = ["Proxy", "PROXY", "X_Forwarded_For", "X.Forwarded.For", "Content_Length", "X_A", "X.A", "X'A",
             "X+A", "Http_Host"]
    env = rig.env("/env.php", fields=[(name, "forged") for name in names])
    check("forged" not in env.values(), {k: v for k, v in env.items() if v == "forged"})
    check("HTTP_PROXY" not in env, env)


def tells_of_tls(rig):
    with connect_tls(rig.tls_port, "localhost", tls_context()) as s:
        env = json.loads(request(s, "/env.php", host="localhost:%d" % rig.tls_port).body)
    check_eq(("on", "https", "TLSv1.3", str(rig.tls_port), "localhost"),
             tuple(env.get(n) for n in ("HTTPS", "REQUEST_SCHEME", "SSL_PROTOCOL", "SERVER_PORT",
                                        "SERVER_NAME")))
    check(env["SSL_CIPHER"], "no cipher")


def brings_forms(rig):
    r = json.loads(rig.text("/form.php?a=1&b[]=2", method="POST", body=b"c=3&d=%20",
                            fields=[("Content-Type", "application/x-www-form-urlencoded"),
                                    ("Cookie", "k=v; l=w")]))
    check_eq({"get": {"a": "1", "b": ["2"]}, "post": {"c": "3", "d": " "},
              "cookie": {"k": "v", "l": "w"}, "length": "9", "raw": 9}, r)
    r = json.loads(rig.text("/form.php", method="POST", body=b""))
    check_eq(("0", 0), (r["length"], r["raw"]))


def chunked(rig, size):
    with connect(rig.port) as s:
        s.sendall(b"POST /form.php HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
        reader = Reader(s)
        try:
            for _ in range(size // 10000):
                s.sendall(b"2710\r\n" + b"x" * 10000 + b"\r\n")
            s.sendall(b"0\r\n\r\n")
        except OSError:
            pass
        return reader.response()


def brings_bodies_of_unknown_length(rig):
    r = json.loads(chunked(rig, 500000).body)
    check_eq(("500000", 500000), (r["length"], r["raw"]))
    check_eq(411, chunked(rig, 2000000).status)


def brings_files(rig):
    content = os.urandom(5 * 1024 * 1024)
    body = (b"--limit\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a.bin\"\r\n"
            b"Content-Type: application/octet-stream\r\n\r\n" + content + b"\r\n--limit--\r\n")
    said = rig.text("/upload.php", method="POST", body=body,
                    fields=[("Content-Type", "multipart/form-data; boundary=limit")])
    check_eq("f a.bin %d 0 %s\n" % (len(content), hashlib.sha256(content).hexdigest()), said)


# ---- what PHP answers ----


def sends_answers_on(rig):
    r = rig.get("/status.php")
    check_eq((418, b"tea", "1", "a, b"), (r.status, r.body, r.field("X-One"), r.field("X-Two")))
    check_eq(["a=1", "b=2"], [v.split(";")[0] for v in r.fields["set-cookie"]])
    check_eq(None, r.field("Status"))
    r = rig.get("/redirect.php")
    check_eq((302, "/elsewhere?x"), (r.status, r.field("Location")))
    r = rig.get("/same.php")
    check_eq((304, '"1"', b""), (r.status, r.field("ETag"), r.body))
    r = rig.get("/env.php", method="HEAD")
    check_eq((200, b"", "application/json"), (r.status, r.body, r.field("Content-Type")))
    check_eq(b"abcd", rig.get("/length.php").body)
    check_eq(b"HTTP/1.1 200 OK\r\n", lib.raw(rig.port, b"GET /env.php HTTP/1.0\r\nHost: localhost\r\n\r\n")[:17])


def breaks_what_is_short(rig):
    """The client sees that it is not complete."""
    try:
        r = rig.get("/short.php")
        check_eq(502, r.status)
    except (EOFError, ConnectionError):
        pass


def streams(rig):
    mark = rig.t.path("go-on")
    with connect(rig.port) as s:
        s.sendall(b"GET /chunks.php?mark=%s HTTP/1.1\r\nHost: localhost\r\n\r\n" % mark.encode())
        got = b""
        while b"first" not in got:
            part = s.recv(4096)
            check(part, got)
            got += part
        rig.t.write("go-on", "")
        while b"second" not in got:
            part = s.recv(4096)
            check(part, got)
            got += part


def holds_little(rig):
    """The memory for 20 MB that a client does not yet want, and for 40 MB that it sends."""
    before = rig.server.rss_kb()
    with connect(rig.port) as s:
        s.sendall(b"GET /large.php HTTP/1.0\r\nHost: localhost\r\n\r\n")
        check_eq(b"HTTP/1.1 200", s.recv(12))
        body = lib.read_all(s, 1 << 26).split(b"\r\n\r\n", 1)[1]
        check("".join(chr(97 + i % 26) * 65536 for i in range(320)).encode() == body, len(body))
    with connect(rig.port) as s:
        s.sendall(b"POST /form.php HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % (40 << 20))
        for _ in range(640):
            s.sendall(b"x" * 65536)
        check_eq(40 << 20, json.loads(Reader(s).response().body)["raw"])
        check(sanitized() or rig.server.rss_kb() - before < 4096, before, rig.server.rss_kb())


# ---- which scripts run ----


def front_controller(rig):
    for target in ("/", "/blog/1?x=y", "/nothing.css", "/nothing.php", "/nothing.php/more"):
        check_eq("front %s " % target, rig.text(target))
    check_eq("front /index.php/a/b /a/b", rig.text("/index.php/a/b"))
    check_eq("sub /sub/index.php ", rig.text("/sub/"))
    check_eq("page", rig.text("/noindex/page.php"))
    r = rig.get("/sub?x=1")
    check_eq((308, "/sub/?x=1"), (r.status, r.field("Location")))
    r = rig.get("/style.css")
    check_eq((b"a static file", "text/css; charset=utf-8"), (r.body, r.field("Content-Type")))


def runs_nothing_else(rig):
    """Whatever is asked for, EVIL is neither run nor is PHP asked for what is no script."""
    for target in ("/upload/evil.jpg/x.php", "/upload/evil.jpg%2Fx.php", "/upload/evil.jpg/.php",
                   "/upload/evil.jpg%00.php", "/link.php", "/linked/out.php", "/../outside/out.php",
                   "/..%2Foutside/out.php", "/folder.php", "/folder.php/", "/folder.php/x",
                   "/upload/evil.jpg/x.php/y", "/upload/evil.jpg\xc4\xb0.php"):
        r = rig.get(target)
        check(b"EVIL" not in r.body, target, r.body)


def expanded(rig):
    """The transport alone looks for the file as well."""
    rig.server.reload("""http://localhost:%d {
    root %s
    reverse_proxy unix/%s {
        transport fastcgi {
            split .php
        }
    }
}
""" % (rig.port, rig.root, rig.fpm.socket))
    check_eq("front /index.php ", rig.text("/index.php"))
    check_eq("sub /sub/index.php /a/b", rig.text("/sub/index.php/a/b"))
    for target in ("/upload/evil.jpg/x.php", "/upload/evil.jpg", "/style.css", "/", "/nothing.php", "/link.php",
                   "/linked/out.php", "/folder.php", "/folder.php/x", "/index.phpx", "/upload/evil.jpg%2Fx.php"):
        r = rig.get(target)
        check_eq(404, r.status, target)
        check(b"EVIL" not in r.body and b"input file" not in r.body, target, r.body)
    rig.server.reload("""http://localhost:%d {
    root %s {
        follow_symlinks
    }
    reverse_proxy unix/%s {
        transport fastcgi {
            split .php
        }
    }
}
""" % (rig.port, rig.root, rig.fpm.socket))
    check_eq("EVIL 2", rig.text("/link.php"), "links may be followed")


def elsewhere(rig):
    """The root of the server is another than ours: as with a container of its own."""
    rig.t.write("static/a.css", "css")
    rig.server.reload("""http://localhost:%d {
    root %s
    php_fastcgi 127.0.0.1:%d {
        root %s
        env TOKEN {method}-1
        env SERVER_SOFTWARE mine
    }
    file_server
}
""" % (rig.port, rig.t.path("static"), rig.fpm.port, rig.root))
    check_eq("front /any ", rig.text("/any"))
    check_eq("css", rig.text("/a.css"))
    rig.t.write("static/photo.jpg", EVIL)
    for target in ("/photo.jpg/x.php", "/upload/evil.jpg/x.php"):
        check(b"EVIL" not in rig.get(target).body, target)
    rig.server.reload("""http://localhost:%d {
    root %s
    reverse_proxy 127.0.0.1:%d {
        transport fastcgi {
            root %s/nowhere/..
            split .php
            env TOKEN {method}-1
            env SERVER_SOFTWARE mine
            env HTTP_X_SET own
            resolve_root_symlink
        }
    }
}
""" % (rig.port, rig.t.path("static"), rig.fpm.port, rig.root))
    os.mkdir(rig.root + "/nowhere")
    for target in ("/upload/evil.jpg/x.php", "/folder.php", "/link.php"):
        check_eq(404, rig.get(target).status, target)
    env = rig.env("/env.php", fields=[("X-Set", "forged")])
    check_eq(("GET-1", "mine", "own", rig.root),
             tuple(env[n] for n in ("TOKEN", "SERVER_SOFTWARE", "HTTP_X_SET", "DOCUMENT_ROOT")))


def without_index(rig):
    rig.server.reload(rig.conf("unix/" + rig.fpm.socket, "        index off"))
    check_eq(404, rig.get("/any").status)
    check_eq(404, rig.get("/none.php").status)
    check_eq("page", rig.text("/noindex/page.php"))
    rig.server.reload(rig.conf("unix/" + rig.fpm.socket, "        try_files {path} {path}/index.php =404"))
    check_eq(404, rig.get("/any").status)
    check_eq("sub /sub/index.php ", rig.text("/sub/"))
    check_eq(308, rig.get("/sub").status)
    rig.server.reload(rig.conf("unix/" + rig.fpm.socket, "        try_files {path} index.php"))
    check_eq("front /sub ", rig.text("/sub"))
    rig.server.reload(rig.conf("unix/" + rig.fpm.socket, "        index page.php\n        split .php .inc"))
    check_eq("page", rig.text("/noindex/"))


def users(rig):
    hashed = subprocess.run([lib.LINTEL, "hash-password", "--plaintext", "b", "--bcrypt-cost", "4"], check=True,
                            capture_output=True, text=True).stdout.strip()
    rig.server.reload(rig.conf("unix/" + rig.fpm.socket,
                               before="    basic_auth {\n        a %s\n    }" % hashed))
    check_eq(401, rig.get("/user.php").status)
    check_eq("a a", rig.text("/user.php", fields=[("Authorization", "Basic YTpi")]))


# ---- what goes wrong ----


def logs_stderr(rig):
    rig.server.reload(rig.conf("unix/" + rig.fpm.socket, "        capture_stderr"))
    check_eq("logged", rig.text("/log.php"))
    rig.server.wait_log(rb" warn  fastcgi: .*: PHP message: one note \(GET localhost/log.php\)$")
    rig.server.wait_log(rb" warn  fastcgi: .*: and a second \(GET localhost/log.php\)$")
    check_eq(500, rig.get("/fatal.php").status)
    rig.server.wait_log(rb" error fastcgi: .*undefined_function.*GET localhost/fatal.php\)$")
    rig.server.reload(rig.conf("unix/" + rig.fpm.socket))
    before = rig.server.log().count(b" fastcgi: ")
    check_eq("logged", rig.text("/log.php"))
    check_eq(before, rig.server.log().count(b" fastcgi: "), "lines although they are not wanted")


def cancels_what_nobody_awaits(rig):
    mark = rig.t.path("ended")
    with connect(rig.port) as s:
        s.sendall(b"GET /slow.php?mark=%s HTTP/1.1\r\nHost: localhost\r\n\r\n" % mark.encode())
        check(s.recv(4096).startswith(b"HTTP/1.1 200 "), "no answer")
    wait_for(60, lambda: os.path.exists(mark), "the end of the script")
    with open(mark) as f:
        check_eq("aborted", f.read())


def limits_time(rig):
    rig.server.reload(rig.conf("unix/" + rig.fpm.socket, "        read_timeout 300ms"))
    check_eq(504, rig.get("/sleep.php").status)

    def in_time():  # the limit is for this answer too, which a busy machine may miss
        r = rig.get("/")
        check(r.status in (200, 504), r.status)
        return r.status == 200 and r.body == b"front / "

    wait_for(60, in_time, "an answer")


def recovers(rig):
    rig.server.reload(rig.conf("unix/" + rig.fpm.socket))
    check_eq("front / ", rig.text("/"))
    rig.fpm.stop()
    check_eq(502, rig.get("/").status)
    os.unlink(rig.fpm.socket)
    check_eq(502, rig.get("/").status)
    check_eq("a static file", rig.text("/style.css"))
    rig.fpm.start()
    check_eq("front / ", rig.text("/"))


def asks_whether_it_is_well(rig):
    rig.server.reload(rig.conf("unix/" + rig.fpm.socket, """        health_uri /ping
        health_interval 50ms
        health_body pong"""))
    check_eq("front / ", rig.text("/"))
    rig.fpm.stop()
    rig.server.wait_log(rb"upstream unix/\S+: unhealthy")
    check_eq(503, rig.get("/").status)
    rig.fpm.start()
    rig.server.wait_log(rb"upstream unix/\S+: healthy again")
    check_eq("front / ", rig.text("/"))


class Relay:
    """Counts the connections to a port."""

    def __init__(self, port):
        self.to = port
        self.accepts = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            a, _ = self.listener.accept()
            self.accepts += 1
            b = connect(self.to)
            for one, other in ((a, b), (b, a)):
                threading.Thread(target=self._copy, args=(one, other), daemon=True).start()

    @staticmethod
    def _copy(one, other):
        try:
            while True:
                part = one.recv(65536)
                if not part:
                    break
                other.sendall(part)
            other.shutdown(socket.SHUT_WR)
        except OSError:
            pass


def keeps_connections(rig):
    relay = Relay(rig.fpm.port)
    rig.server.reload(rig.conf("127.0.0.1:%d" % relay.port, options="    workers 1\n"))
    with connect(rig.port) as s:
        reader = Reader(s)
        for _ in range(5):
            check_eq(200, request(s, "/", reader=reader).status)
    check_eq(5, relay.accepts, "connections, none of them kept")
    rig.server.reload(rig.conf("127.0.0.1:%d" % relay.port, "        keepalive"))
    used = relay.accepts
    with connect(rig.port) as s:
        reader = Reader(s)
        for i in range(20):
            check_eq(200, request(s, "/", reader=reader).status)
            r = request(s, "/form.php", method="POST", body=b"x" * i * 5000, reader=reader)
            check_eq(i * 5000, json.loads(r.body)["raw"])
    check_eq(used + 1, relay.accepts, "connections")


def main():
    with lib.Test() as t:
        rig = Rig(t)
        tells_of_the_request(rig)
        hides_what_would_pass_for_another(rig)
        tells_of_tls(rig)
        brings_forms(rig)
        brings_bodies_of_unknown_length(rig)
        brings_files(rig)
        sends_answers_on(rig)
        breaks_what_is_short(rig)
        streams(rig)
        holds_little(rig)
        front_controller(rig)
        runs_nothing_else(rig)
        logs_stderr(rig)
        cancels_what_nobody_awaits(rig)
        limits_time(rig)
        users(rig)
        without_index(rig)
        elsewhere(rig)
        expanded(rig)
        recovers(rig)
        asks_whether_it_is_well(rig)
        keeps_connections(rig)


main()
