#!/usr/bin/env python3
"""The common patterns of Caddyfiles, as Caddy's documentation has them, and the recipes of
doc/recipes.md: all are valid, or are refused for a reason that is said; those that need nothing from
elsewhere are run. Only folders, files and upstreams are replaced, and global options put before."""

import base64
import json
import os
import re
import subprocess

import lib
from fastcgi import Server
from lib import check, check_eq, connect, connect_tls, request, tls_context, wait_for
from pki import Pki
from upstream import Upstream, refusing_port

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
FOR_EVER = "public, max-age=31536000, immutable"
PAGE = "<!doctype html>" + "<p>a page" * 200


def app(c):
    if "/vanish" in c.target:
        return False
    c.reply(503 if "/broken" in c.target else 200, c.head)
    return None


def gate(c):
    """The three kinds of gateways that the recipes ask for a login."""
    path = c.target.split("?")[0]
    if path not in ("/api/authz/forward-auth", "/outpost.goauthentik.io/auth/caddy", "/oauth2/auth"):
        c.reply(200, b"the gateway")
    elif c.fields("Cookie"):
        c.reply(200, b"", ["Remote-User: ann", "X-Authentik-Username: ann", "X-Auth-Request-User: ann"])
    elif path == "/oauth2/auth":
        c.reply(401, b"who are you?")
    else:
        c.reply(302, b"", ["Location: /login?rd=%s" % c.fields("X-Forwarded-Uri")[0]])


class Rig:
    """Folders, upstreams and ports that the patterns are run with."""

    def __init__(self, t):
        self.t = t
        self.http, self.https, self.other = t.free_ports(3)
        self.up = Upstream(app)
        self.unix = Upstream(lambda c: c.reply(200, c.head), unix_path=t.path("app.sock"))
        self.pki = Pki(t)
        self.secure = Upstream(lambda c: c.reply(200, c.head), tls=self.pki.context())
        self.gate = Upstream(gate)
        self.dead = refusing_port()
        self.php = Server(lambda c: c.reply(
            b"A: b\r\n\r\n" + " ".join(c.params[n] for n in (
                "SCRIPT_NAME", "PATH_INFO", "REQUEST_URI")).encode()))
        for path in ("index.html", "assets/app.js", "api/x", "private/x", "folder/index.html", "add/index.html",
                     "index.php", "wp-admin/index.php", "wp-content/uploads/x.php", "wp-content/x.css"):
            t.write("www/" + path, PAGE)
        t.write("errors/404.html", "our 404")
        t.write("errors/down.html", "back soon")
        t.write("errors/405.html", "our 405 " * 20000)
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                        "-nodes", "-keyout", t.path("own.key"), "-out", t.path("own.crt"), "-days", "2",
                        "-subj", "/CN=own", "-addext", "subjectAltName=DNS:*.example.com"],
                       check=True, capture_output=True)

    def local(self, conf):
        """The pattern with what there is on this machine."""
        options = "    local_certs\n    http_port %d\n    https_port %d\n" % (self.http, self.https)
        for old in ("/var/www", "/srv/www", "/srv/public", "/srv\n"):
            conf = conf.replace(old, self.t.path("www") + ("\n" if old.endswith("\n") else ""))
        conf = conf.replace("/srv/errors", self.t.path("errors"))
        conf = re.sub(r"/etc/ssl/wildcard\.(crt|key)", self.t.path(r"own.\1"), conf)
        conf = conf.replace("localhost:5001", "127.0.0.1:%d" % self.dead)
        conf = conf.replace("/run/app/app.sock", self.t.path("app.sock"))
        conf = conf.replace("10.0.0.5:8443", "127.0.0.1:%d" % self.secure.port)
        conf = conf.replace("/etc/ssl/internal-ca.pem", self.pki.root)
        conf = conf.replace("app.internal", "up.test")
        conf = re.sub(r"(authelia|outpost|oauth2-proxy):\d+", "127.0.0.1:%d" % self.gate.port, conf)
        conf = re.sub(r"(?<=php_fastcgi )\S+", "127.0.0.1:%d" % self.php.port, conf)
        conf = re.sub(r"(localhost:(5000|9000)|backend:8000|10\.0\.0\.1:80|(foo|bar)-app:\d+|(?<= ):9000)",
                      "127.0.0.1:%d" % self.up.port, conf)
        conf = conf.replace(":2080", ":%d" % self.other).replace(":2016", ":%d" % self.other)
        if re.match(r"\{\n", conf):
            return "{\n" + options + conf[2:]
        return "{\n%s}\n\n%s" % (options, conf)

    def tls(self, target="/", host="example.com", **more):
        def attempt():
            try:
                return connect_tls(self.https, host, tls_context())
            except OSError:  # there is no certificate yet
                return None

        with wait_for(30, attempt, "TLS with %s" % host) as sock:
            return request(sock, target, host, **more)

    def plain(self, target="/", host="example.com", port=None, **more):
        with connect(port or self.http) as sock:
            return request(sock, target, host, **more)


def is_page(r):
    check_eq((200, PAGE.encode()), (r.status, r.body))


def is_redirect(r, status, to):
    check_eq((status, to), (r.status, r.field("Location")))


def is_proxied(rig, r, host):
    check(r.status == 200 and b"\r\nHost: %s\r\n" % host.encode() in r.body, r.status, r.body)


# ---- the patterns ----


def static(rig):
    is_page(rig.tls())
    is_page(rig.tls("/assets/app.js"))
    is_redirect(rig.tls("/folder"), 308, "/folder/")
    is_redirect(rig.plain("/a?b"), 308, "https://example.com:%d/a?b" % rig.https)


def proxy(rig):
    is_proxied(rig, rig.tls("/x"), "example.com")


def proxy_api(rig):
    is_page(rig.tls())
    is_proxied(rig, rig.tls("/api/x"), "example.com")
    is_page(rig.tls("/private/x"))


def php(rig):
    for target, said in (("/", "/index.php  /"), ("/blog/1?x=y", "/index.php  /blog/1?x=y"),
                         ("/index.php/a", "/index.php /a /index.php/a"), ("/wp-admin/", "/wp-admin/index.php  /wp-admin/")):
        r = rig.tls(target)
        check_eq((200, said), (r.status, r.body.decode()), target)
    is_page(rig.tls("/wp-content/x.css"))
    is_redirect(rig.tls("/wp-admin"), 308, "/wp-admin/")


def www_add(rig):
    is_redirect(rig.tls("/a?b"), 302, "https://www.example.com/a?b")
    check_eq(200, rig.tls(host="www.example.com").status)


def www_remove(rig):
    is_redirect(rig.tls("/a?b", "www.example.com"), 302, "https://example.com/a?b")
    check_eq(200, rig.tls().status)


def www_several(rig):
    for name in ("example-one.com", "example-two.com"):
        is_redirect(rig.tls("/a?b", "www." + name), 302, "https://%s/a?b" % name)
        check_eq(200, rig.tls(host=name).status)


def slash_inside(rig):
    check_eq(b"/add/ /add/ /remove /remove /a/",
             b" ".join(rig.tls(p).body for p in ("/add", "/add/", "/remove/", "/remove", "/a/")))


def slash_outside(rig):
    is_redirect(rig.tls("/add"), 302, "/add/")
    is_redirect(rig.tls("/remove/"), 302, "/remove")
    check_eq(200, rig.tls("/add/").status)


def wildcard(rig):
    check_eq(b"Foo!", rig.tls(host="foo.example.com").body)
    try:
        rig.tls(host="other.example.com")
        check(False, "another host was answered")
    except (EOFError, ConnectionError):
        pass


def wildcard_handles(rig):
    wildcard(rig)
    check_eq(b"Bar!", rig.tls(host="bar.example.com").body)


def spa(rig):
    for path in ("/", "/deep/link", "/assets/none.js"):
        is_page(rig.tls(path))


def spa_api(rig):
    spa(rig)
    is_proxied(rig, rig.tls("/api/none"), "example.com")


def spa_cached(rig):
    for path in ("/deep/link", "/index.html"):
        check_eq("public, max-age=0, must-revalidate", rig.tls(path).field("Cache-Control"))
    check_eq(None, rig.tls("/assets/app.js").field("Cache-Control"))


def front(rig):
    for host in ("foo.example.com", "bar.example.com"):
        r = rig.tls("/x", host)
        is_proxied(rig, r, host)
        check(b"\r\nX-Forwarded-Proto: https\r\n" in r.body, r.body)


def back(rig):
    for host in ("foo.example.com", "bar.example.com"):
        is_proxied(rig, rig.plain("/x", host), host)


def hello(rig):
    check_eq(b"Hello, world!", rig.tls(host="localhost").body)


def quick_proxy(rig):
    is_proxied(rig, rig.plain("/x", "any.example", rig.other), "any.example")


# name, the words that Lintel may refuse yet, the configuration, what is asked of it
PATTERNS = [
    ("static", [], """example.com {
    root /var/www
    file_server
}
""", static),
    ("static, with its matcher", [], """example.com {
    root * /var/www
    file_server
}
""", static),
    ("proxy", [], """example.com {
    reverse_proxy localhost:5000
}
""", proxy),
    ("proxy for a part", [], """example.com {
    root /var/www
    reverse_proxy /api/* localhost:5000
    file_server
}
""", proxy_api),
    ("PHP", [], """example.com {
    root /srv/public
    encode
    php_fastcgi localhost:9000
    file_server
}
""", php),
    ("PHP by a socket", [], """example.com {
    php_fastcgi unix//run/php/php-fpm.sock
}
""", None),
    ("www added", [], """example.com {
    redir https://www.{host}{uri}
}

www.example.com {
}
""", www_add),
    ("www removed", [], """www.example.com {
    redir https://example.com{uri}
}

example.com {
}
""", www_remove),
    ("www removed from several", [], """www.example-one.com, www.example-two.com {
    redir https://{labels.1}.{labels.0}{uri}
}

example-one.com, example-two.com {
}
""", www_several),
    ("slashes, inside", [], """example.com {
    rewrite /add     /add/
    rewrite /remove/ /remove
    respond {path}
}
""", slash_inside),
    ("slashes, outside", [], """example.com {
    redir /add     /add/
    redir /remove/ /remove
    root /var/www
    file_server
}
""", slash_outside),
    ("wildcard by DNS", ["dns", "*.example.com"], """*.example.com {
    tls {
        dns cloudflare {env.TOKEN}
    }
    abort
}

foo.example.com {
    respond "Foo!"
}
""", wildcard),
    ("wildcard", ["*.example.com"], """*.example.com {
    abort
}

foo.example.com {
    respond "Foo!"
}
""", wildcard),
    ("wildcard with handles", ["*.example.com"], """*.example.com {
    @foo host foo.example.com
    handle @foo {
        respond "Foo!"
    }

    @bar host bar.example.com
    handle @bar {
        respond "Bar!"
    }

    handle {
        abort
    }
}
""", wildcard_handles),
    ("single page", [], """example.com {
    root /srv
    encode
    try_files {path} /index.html
    file_server
}
""", spa),
    ("single page and API", [], """example.com {
    encode

    handle /api/* {
        reverse_proxy backend:8000
    }

    handle {
        root /srv
        try_files {path} /index.html
        file_server
    }
}
""", spa_api),
    ("single page, not cached", [], """example.com {
    root /srv
    route {
        try_files {path} /index.html
        header /index.html Cache-Control "public, max-age=0, must-revalidate"
    }
    file_server
}
""", spa_cached),
    ("front", [], """foo.example.com, bar.example.com {
    reverse_proxy 10.0.0.1:80
}
""", front),
    ("back", ["trusted_proxies"], """{
    servers {
        trusted_proxies static private_ranges
    }
}

http://foo.example.com {
    reverse_proxy foo-app:8080
}

http://bar.example.com {
    reverse_proxy bar-app:9000
}
""", back),
    ("back, without trust", [], """http://foo.example.com {
    reverse_proxy foo-app:8080
}

http://bar.example.com {
    reverse_proxy bar-app:9000
}
""", back),
    ("quick start", [], """localhost

respond "Hello, world!"
""", hello),
    ("quick start, two sites", [], """localhost {
    respond "Hello, world!"
}

localhost:2016 {
    respond "Goodbye, world!"
}
""", hello),
    ("quick start, files", [], """localhost

root /srv/www
file_server
""", lambda rig: is_page(rig.tls(host="localhost"))),
    ("quick start, listing", [], """localhost

file_server browse
""", lambda rig: check_eq((200, "text/html; charset=utf-8"), (lambda r: (r.status, r.field("Content-Type")))(
    rig.tls(host="localhost")))),
    ("quick start, proxy", [], """:2080

reverse_proxy :9000
""", quick_proxy),
    ("quick start, HTTPS both ways", [], """example.com

reverse_proxy https://example.org:9000
""", None),
]


# ---- the recipes ----


def recipe_static(rig):
    static(rig)
    for path, status, cache in (("/assets/app.js", 200, FOR_EVER), ("/assets/none.js", 404, None),
                                ("/index.html", 200, None)):
        r = rig.tls(path)
        check_eq((status, cache), (r.status, r.field("Cache-Control")), path)


def recipe_pages(rig):
    is_page(rig.tls())
    is_page(rig.tls("/index"))
    is_page(rig.tls("/folder/index"))
    is_redirect(rig.tls("/folder/index.html"), 308, "/folder/index")
    is_redirect(rig.tls("/folder"), 308, "/folder/")
    check_eq(404, rig.tls("/none").status)


def recipe_files_first(rig):
    for path in ("/", "/assets/app.js", "/folder/", "/api/x"):
        is_page(rig.tls(path))
    is_redirect(rig.tls("/folder"), 308, "/folder/")
    for path in ("/none", "/assets/", "/api/none?x"):
        is_proxied(rig, rig.tls(path), "example.com")
    is_proxied(rig, rig.tls("/none", method="POST", body=b"x"), "example.com")


def recipe_browser(rig):
    for path in ("/", "/deep/link", "/folder", "/assets/app.js"):
        is_page(rig.tls(path))
    is_proxied(rig, rig.tls("/api/none"), "example.com")
    for path, status, cache in (("/deep/link", 200, "no-cache"), ("/", 200, "no-cache"),
                                ("/assets/app.js", 200, FOR_EVER), ("/assets/none.js", 404, None)):
        r = rig.tls(path)
        check_eq((status, cache), (r.status, r.field("Cache-Control")), path)


def recipe_php(rig):
    php(rig)
    for target in ("/.env", "/.git/config", "/wp-content/uploads/x.php", "/wp-content/uploads/X.PHP/y"):
        check_eq(404, rig.tls(target).status, target)
    check_eq(b"/index.php  /.well-known/x", rig.tls("/.well-known/x").body)


def recipe_names(rig):
    for name in ("example.com", "example.org"):
        is_redirect(rig.tls("/a?b", "www." + name), 301, "https://%s/a?b" % name)
        check_eq(b"This is " + name.encode(), rig.tls(host=name).body)


def recipe_wildcard(rig):
    is_proxied(rig, rig.tls("/x", "shop.example.com"), "shop.example.com")
    is_page(rig.tls(host="docs.example.com"))
    check_eq((404, b"no such site"), (rig.tls(host="x.example.com").status, rig.tls(host="x.example.com").body))


def recipe_password(rig):
    is_page(rig.tls())
    check_eq(401, rig.tls("/private/x").status)
    user = base64.b64encode(b"anna:change me").decode()
    is_page(rig.tls("/private/x", fields=[("Authorization", "Basic " + user)]))


def recipe_errors(rig):
    is_page(rig.tls())
    for fields in ([], [("Range", "bytes=0-1")], [("If-None-Match", "*")], [("If-Match", '"x"')]):
        r = rig.tls("/none", fields=fields)
        check_eq((404, b"our 404", "text/html; charset=utf-8"), (r.status, r.body, r.field("Content-Type")))
    check_eq((404, b"", "7"), (lambda r: (r.status, r.body, r.field("Content-Length")))(
        rig.tls("/none", method="HEAD")))
    r = rig.tls("/index.html", method="PUT", body=b"x" * 1000)
    check_eq((405, b"our 405 " * 20000), (r.status, r.body))


def recipe_downloads(rig):
    host = "files.example.com"
    is_page(rig.tls("/", host))
    rig.t.write("www/assets/big.part", "")
    r = rig.tls("/assets/", host, fields=[("Accept", "application/json")])
    check_eq(["app.js"], [e["name"] for e in json.loads(r.body)])
    check_eq(404, rig.tls("/assets/big.part", host).status)


def recipe_maintenance(rig):
    r = rig.tls("/x")
    check_eq((503, "3600"), (r.status, r.field("Retry-After")))
    check_eq(b"We are back in an hour.", r.body)


def recipe_closed(rig):
    is_page(rig.tls())
    page = rig.t.write("www/closed.html", "back soon")
    try:
        r = wait_for(10, lambda: (lambda r: r.status == 503 and r)(rig.tls("/x/y")), "the closed site")
        check_eq((b"back soon", "600", None), (r.body, r.field("Retry-After"), r.field("ETag")))
        check_eq(503, rig.tls("/", fields=[("If-None-Match", "*"), ("Range", "bytes=0-1")]).status)
    finally:
        os.unlink(page)
    is_page(rig.tls())


def recipe_limit(rig):
    host = "app.example.com"
    statuses = [rig.tls("/login", host, method="POST", body=b"x").status for _ in range(6)]
    check_eq([200] * 5 + [429], statuses)
    check_eq(200, rig.tls("/login", host).status)


def recipe_websocket(rig):
    is_page(rig.tls())
    r = rig.tls(fields=[("Connection", "keep-alive, Upgrade"), ("Upgrade", "websocket")])
    is_proxied(rig, r, "example.com")
    check(b"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" in r.body, r.body)


def recipe_balance(rig):
    for _ in range(4):
        is_proxied(rig, rig.tls("/x"), "example.com")


def recipe_sticky(rig):
    r = wait_for(10, lambda: (lambda r: r.field("Set-Cookie") and r)(rig.tls()), "the cookie")
    check(r.field("Set-Cookie").startswith("server="), r.field("Set-Cookie"))
    cookie = r.field("Set-Cookie").split(";")[0]
    r = rig.tls(fields=[("Cookie", cookie)])
    check_eq((200, None), (r.status, r.field("Set-Cookie")))


def recipe_unix(rig):
    is_proxied(rig, rig.tls("/x"), "example.com")
    check(rig.unix.requests, "the socket was not asked")


def recipe_tls_upstream(rig):
    is_proxied(rig, rig.tls("/x"), "127.0.0.1:%d" % rig.secure.port)


def recipe_away(rig):
    is_proxied(rig, rig.tls("/x"), "example.com")
    r = rig.tls("/broken")
    check_eq((503, b"back soon"), (r.status, r.body))
    r = rig.tls("/vanish")
    check_eq((502, b"back soon"), (r.status, r.body))


def recipe_login(field, to, own):
    def ask(rig):
        host = "app.example.com"
        r = rig.tls("/a?b", host, fields=[(field, "root")])
        is_redirect(r, 302, to.replace("HOST", host))
        r = rig.tls("/a?b", host, fields=[(field, "root"), ("Cookie", "a=b")])
        is_proxied(rig, r, host)
        check(b"\r\n%s: ann\r\n" % field.encode() in r.body and b"root" not in r.body, r.body)
        check_eq(b"the gateway", rig.tls(own[1], own[0]).body)
    return ask


RECIPES = {
    "WebSocket beside pages": recipe_websocket,
    "Several servers for one application": recipe_balance,
    "The same server for each visitor": recipe_sticky,
    "Behind a load balancer": proxy,
    "An application at a Unix socket": recipe_unix,
    "An application with TLS, by a CA of one's own": recipe_tls_upstream,
    "A page of one's own while the application is away": recipe_away,
    "A login before an application: Authelia":
        recipe_login("Remote-User", "/login?rd=/a?b", ("auth.example.com", "/")),
    "A login before an application: authentik":
        recipe_login("X-Authentik-Username", "/login?rd=/a?b",
                     ("app.example.com", "/outpost.goauthentik.io/start")),
    "A login before an application: oauth2-proxy":
        recipe_login("X-Auth-Request-User", "/oauth2/sign_in?rd=https://HOST/a?b",
                     ("app.example.com", "/oauth2/sign_in")),
    "A static site": recipe_static,
    "Pages without .html in their addresses": recipe_pages,
    "An application, and files beside it": proxy_api,
    "Files first, an application for the rest": recipe_files_first,
    "An application that runs in the browser": recipe_browser,
    "PHP": recipe_php,
    "One name for a site that has several": recipe_names,
    "Many names, one certificate": recipe_wildcard,
    "A password for a part of a site": recipe_password,
    "Error pages of one's own": recipe_errors,
    "A folder for downloads": recipe_downloads,
    "Closed for maintenance": recipe_maintenance,
    "Closed as long as a file is there": recipe_closed,
    "Guessing of passwords made slow": recipe_limit,
}


def recipes():
    with open(os.path.join(TOP, "doc/recipes.md")) as f:
        found = re.findall(r"^## ([^\n]*)\n\n```\n(.*?)^```$", f.read(), re.M | re.S)
    check_eq(sorted(RECIPES), sorted(title for title, _ in found), "titles in doc/recipes.md")
    return found


# ---- running ----


def validate(t, conf):
    path = t.write("pattern.conf", conf)
    done = subprocess.run([lib.LINTEL, "validate", "--config", path], capture_output=True, text=True,
                          env=t.env, timeout=30)
    check_eq(0 if done.stdout == "valid\n" else 1, done.returncode, done.stderr)
    return done.returncode == 0, done.stderr


def is_refused(name, words, errors):
    """Each error stands at one of these words, and says that it is not there, not that it is unknown."""
    messages = re.findall(r"^\S+:\d+:\d+: (.*)\n(.*)\n( *|.*)\^$", errors, re.M)
    check(messages, name, errors)
    for message, line, before in messages:
        check("not supported" in message and any(line[len(before):].startswith(w) for w in words), name,
              errors)


def run(rig, name, conf, ask):
    s = rig.t.lintel(rig.local(conf))
    try:
        ask(rig)
    except Exception as e:
        raise lib.Failure("%s: %r" % (name, e)) from e
    check_eq(0, s.stop(), name)


def main():
    with lib.Test() as t:
        lib.need("openssl")
        rig = Rig(t)
        ran = []
        for name, words, conf, ask in PATTERNS:
            valid, said = validate(t, conf)
            if not valid:
                is_refused(name, words, said)
            if ask and validate(t, rig.local(conf))[0]:  # with certificates of the local CA
                run(rig, name, conf, ask)
                ran.append(name)
        check(len(ran) >= 15, "only these have run:", ran)
        for name, conf in recipes():
            valid, said = validate(t, rig.local(conf))
            check(valid, name, said)
            run(rig, name, conf, RECIPES[name])


main()
