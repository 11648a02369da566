#!/usr/bin/env python3
"""file_server browse: what is listed, in each form, with each field, plain and over TLS."""

import base64
import email.utils
import hashlib
import html
import json
import os
import re
import shutil
import urllib.parse

import lib
from lib import check, check_eq, connect, connect_tls, request, tls_context
from upstream import rss_peak_kb, sanitized

CONF = """{
	http_port %d
	https_port %d
	skip_install_trust
}
http://localhost, https://localhost {
	root * %s
	@vary path /vary/*
	header @vary Vary X-Other
	@own path /own/*
	header @own Cache-Control max-age=5
	file_server /own/* {
		browse own.html {
			reveal_symlinks
			sort name desc
			file_limit 3
		}
	}
	handle_path /gone* {
		file_server browse
	}
	handle_path /stripped/* {
		file_server browse
	}
	rewrite /rewritten /www/sub/
	file_server /lax/* {
		browse
		disable_canonical_uris
	}
	file_server /plain/*
	handle_errors {
		respond "our {err.status_code}"
	}
	file_server browse {
		hide .git *.key %s/hidden
	}
}
"""

OWN = """<title>{{path}}</title>
{{#entries}}
<a href="{{url}}">{{name}}</a>{{#target}} to {{target}}{{/target}}
{{/entries}}
{{#limit}}only {{limit}}{{/limit}}
"""

HOSTILE = [b'"><script>alert(1)<', b"javascript:x", b"new\nline", b"bad\xff\xfe", b"a?b#c%25.txt", b"it's",
           b"&amp;", b"..x", b"\xe2\x80\xaegnp.exe", b"x" * 255, b" ", b"-", b"{{path}}", b"*[a]"]

HTML, JSON, TEXT = "text/html; charset=utf-8", "application/json; charset=utf-8", "text/plain; charset=utf-8"


class Rig:
    def __init__(self, t):
        self.t = t
        self.ports = t.free_ports(2)
        self.www = t.path("www")
        self.context = None

    def get(self, target, method="GET", tls=False, **fields):
        sock = (connect_tls(self.ports[1], "localhost", self.context) if tls else connect(self.ports[0]))
        with sock:
            return request(sock, target, method=method,
                           fields=[(k.replace("_", "-"), v) for k, v in fields.items()])

    def json(self, target, **fields):
        r = self.get(target, Accept="application/json", **fields)
        check_eq((200, JSON), (r.status, r.field("Content-Type")), target)
        return json.loads(r.body)

    def names(self, target):
        return [e["name"] for e in self.json(target)]


def put(path, content=b"", mtime=None):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(content)
    if mtime:
        os.utime(path, (mtime, mtime))


def make_folder(t):
    www = t.path("www").encode()
    for i, name in enumerate(("b.txt", "A.txt", "c.txt")):
        put(b"%s/www/%s" % (www, name.encode()), b"x" * (10 - i) * 300, 1000000000 + i)
    put(www + b"/www/sub/deep.txt")
    put(www + b"/www/.git/config")
    put(www + b"/www/a.key")
    put(www + b"/hidden/x")
    put(t.path("secret").encode(), b"secret")
    put(www + b"/indexed/index.html", b"index")
    for name in HOSTILE:
        put(www + b"/hostile/" + name, b"content of " + name[:20])
    for i in range(5):
        put(www + b"/own/%d" % i)
    os.symlink("4", www + b"/own/to")
    for target, name in (("b.txt", "inside"), ("sub", "folder"), ("../../secret", "outside"),
                         ("/etc/passwd", "absolute"), ("nothing", "broken"), ("loop", "loop")):
        os.symlink(target, www + b"/www/" + name.encode())
    os.mkfifo(www + b"/www/fifo")
    os.link(t.path("lintel.conf"), www + b"/www/conf")
    os.makedirs(www + b"/empty")
    put(www + b"/plain/x")
    put(www + b"/lax/x/y")
    put(www + b"/vary/x")
    os.makedirs(www + b"/locked")
    os.chmod(www + b"/locked", 0o311)


# ---- what is listed ----


def lists_what_is_served(rig):
    entries = rig.json("/www/")
    names = [e["name"] for e in entries]
    check_eq(["folder/", "sub/", "A.txt", "b.txt", "c.txt", "inside"], names, "the list")
    for e in entries:  # and each of it can be had
        check_eq(200, rig.get("/www/" + urllib.parse.urljoin("/", e["url"])[1:]).status, e["name"])
    check_eq({"name": "b.txt", "size": 3000, "url": "./b.txt", "mod_time": "2001-09-09T01:46:40Z",
              "mode": 0o644, "is_dir": False, "is_symlink": False}, entries[3], "an entry")
    link = os.lstat(os.path.join(rig.www, "www/inside"))
    check_eq((3000, True, (1 << 27) | 0o777), (entries[5]["size"], entries[5]["is_symlink"], entries[5]["mode"]))
    check(entries[5]["mod_time"].startswith("20") and link.st_mtime > 1000000002, entries[5])
    check_eq((1 << 31) | 0o755, entries[1]["mode"])
    check("hidden/" not in rig.names("/"), "a hidden folder is listed")


def is_asked_for_folders_only(rig):
    check_eq(404, rig.get("/hidden/").status)
    check_eq(404, rig.get("/www/.git/").status)
    check_eq(404, rig.get("/missing/").status)
    check_eq(404, rig.get("/www/outside/").status)
    check_eq(404, rig.get("/plain/").status)
    check_eq(b"index", rig.get("/indexed/").body)
    r = rig.get("/www?sort=name")
    check_eq((308, "/www/?sort=name"), (r.status, r.field("Location")))
    r = rig.get("/lax/x")
    check_eq((308, "/lax/x/"), (r.status, r.field("Location")))
    r = rig.get("/gone?a")
    check_eq((308, "/gone/?a"), (r.status, r.field("Location")))
    check_eq(200, rig.get("/gone/").status)
    r = rig.get("/rewritten")
    check_eq(200, r.status)
    check(b"<title>/www/sub/</title>" in r.body, r.body)
    if os.geteuid() != 0:
        check_eq(403, rig.get("/locked/").status)
    for method in ("POST", "PUT", "DELETE"):
        r = rig.get("/www/", method)
        check_eq((405, "GET, HEAD, OPTIONS"), (r.status, r.field("Allow")), method)


def sorts_and_cuts(rig):
    plain = ["A.txt", "b.txt", "c.txt", "inside"]
    for query, want in [
            ("sort=name", plain[:3] + ["folder/", "inside", "sub/"]),
            ("sort=name&order=desc", ["sub/", "inside", "folder/", "c.txt", "b.txt", "A.txt"]),
            ("sort=size", ["folder/", "sub/", "c.txt", "A.txt", "b.txt", "inside"]),
            ("sort=time&limit=3", ["b.txt", "A.txt", "c.txt"]),
            ("order=desc", ["inside", "c.txt", "b.txt", "A.txt", "sub/", "folder/"]),
            ("sort=nonsense&order=up&limit=x&offset=-1", ["folder/", "sub/"] + plain),
            ("limit=2", ["folder/", "sub/"]), ("offset=4", ["c.txt", "inside"]),
            ("offset=1&limit=1", ["sub/"]), ("offset=6", []), ("offset=99999999999999999999", ["folder/", "sub/"] + plain),
            ("offset=18446744073709551615", []), ("limit=0", ["folder/", "sub/"] + plain),
            ("filter=TXT", plain[:3]), ("filter=.txt&offset=1", ["b.txt", "c.txt"]), ("filter=%00", []),
            ("filter=" + "x" * 300, []), ("filter=in&sort=name", ["inside"]), ("filter=", ["folder/", "sub/"] + plain)]:
        check_eq(want, rig.names("/www/?" + query), query)


def survives_names(rig):
    entries = rig.json("/hostile/")
    check_eq(len(HOSTILE), len(entries))
    want = {urllib.parse.quote_from_bytes(b"./" + n, safe="/$&+,:;=@"): n for n in HOSTILE}
    for e in entries:
        name = want.pop(e["url"])
        check_eq(name.decode(errors="replace").replace("\ufffd" * 2, "\ufffd" * 2), e["name"])
        r = rig.get("/hostile/" + e["url"][2:])
        check_eq((200, b"content of " + name[:20]), (r.status, r.body), e["name"])
    page = rig.get("/hostile/").body.decode()
    rows = re.findall(r'<tr><td><a href="\./([^"<>]*)"><svg><use href="#[a-z]+"/></svg><bdi>([^<>"]*)</bdi></a>', page)
    check_eq(len(HOSTILE), len(rows), page)
    hrefs = {urllib.parse.unquote_to_bytes(html.unescape(href)) for href, _ in rows}
    check_eq(set(HOSTILE), hrefs)
    check("<script>alert" not in page and "\n".join(re.findall("href=\"javascript", page)) == "", page)
    check("new\ufffdline" in page and "bad\ufffd\ufffd" in page, page)
    text = rig.get("/hostile/", Accept="text/plain").body.decode()
    check_eq(len(HOSTILE) + 2, text.count("\n"), "lines of the text")
    page = rig.get("/hostile/?filter=%22%3E%3Cscript%3E&sort=%22&order=%3C").body.decode()
    check('value="&#34;&gt;&lt;script&gt;"' in page and "><script>&" not in page, page)


# ---- how it is answered ----


def negotiates(rig):
    for accept, want in [("text/html", HTML), ("*/*", HTML), ("application/json", JSON), ("text/plain", TEXT),
                         ("application/json, text/plain, */*", JSON), ("text/html;q=0.5, text/plain;q=0.6", TEXT),
                         ("image/png", HTML), ("application/json;q=0, text/*", HTML)]:
        r = rig.get("/www/", Accept=accept)
        check_eq((200, want, "Accept"), (r.status, r.field("Content-Type"), r.field("Vary")), accept)
    check_eq(HTML, rig.get("/www/").field("Content-Type"))
    check_eq("X-Other, Accept", rig.get("/vary/").field("Vary"))
    text = rig.get("/www/?filter=.txt", Accept="text/plain").body
    check_eq(b"Name\tSize\tModified\n----\t----\t--------\nA.txt\t2.6 KiB\tSeptember 9, 2001 at 01:46:41\n"
             b"b.txt\t2.9 KiB\tSeptember 9, 2001 at 01:46:40\nc.txt\t2.3 KiB\tSeptember 9, 2001 at 01:46:42\n", text)
    check_eq(b"[]\n", rig.get("/empty/", Accept="application/json").body)
    check(b"0 folders, 0 files, 0 B" in rig.get("/empty/").body, "totals")
    check(b"2 folders, 4 files, 11 KiB" in rig.get("/www/").body, rig.get("/www/").body)


def has_its_fields(rig, tls):
    r = rig.get("/www/", tls=tls)
    check_eq(["cache-control", "content-length", "content-security-policy", "content-type", "date", "etag",
              "last-modified", "server", "vary", "x-content-type-options"],
             sorted(set(r.fields) - {"strict-transport-security"}))
    newest = max(os.lstat(os.path.join(rig.www, "www", n)).st_mtime
                 for n in (".", "b.txt", "A.txt", "c.txt", "inside", "sub", "folder"))
    check_eq(email.utils.formatdate(int(newest), usegmt=True), r.field("Last-Modified"))
    check_eq("no-cache", r.field("Cache-Control"))
    check_eq("nosniff", r.field("X-Content-Type-Options"))
    head = rig.get("/www/", "HEAD", tls=tls)
    check_eq(dict(r.fields, date=0), dict(head.fields, date=0), "HEAD")
    check_eq((200, b""), (head.status, head.body))
    tags = {r.field("ETag")}
    for accept in ("application/json", "text/plain"):
        for query in ("", "?order=desc"):
            other = rig.get("/www/" + query, tls=tls, Accept=accept)
            check_eq((200, None), (other.status, other.field("Content-Security-Policy")))
            tags.add(other.field("ETag"))
    check_eq(5, len(tags), "each has an ETag of its own")


def has_a_policy(rig):
    r = rig.get("/www/")
    policy = r.field("Content-Security-Policy")
    for element in ("style", "script"):
        parts = re.findall(rb"<%s>(.*?)</%s>" % (element.encode(), element.encode()), r.body, re.S)
        check_eq(1, len(parts), element)
        digest = base64.b64encode(hashlib.sha256(parts[0]).digest()).decode()
        check("%s-src 'sha256-%s';" % (element, digest) in policy,
              "src/handlers/browse.c has another hash of the %s: it is sha256-%s" % (element, digest))
    check("default-src 'none'" in policy and "unsafe" not in policy, policy)
    check(b" style=" not in r.body and b" on" not in re.sub(rb"<script>.*?</script>", b"", r.body, flags=re.S)
          .replace(b" one", b""), "nothing is inline besides")
    check(len(r.body) < 8000, "the page is small", len(r.body))


def knows_conditions(rig):
    for accept in ("text/html", "application/json", "text/plain"):
        r = rig.get("/www/", Accept=accept)
        tag, date = r.field("ETag"), r.field("Last-Modified")
        for fields, want in [({"If_None_Match": tag}, 304), ({"If_None_Match": '"x"'}, 200),
                             ({"If_None_Match": "*"}, 304), ({"If_Modified_Since": date}, 304),
                             ({"If_Modified_Since": "Sun, 09 Sep 2001 01:46:40 GMT"}, 200),
                             ({"If_Match": '"x"'}, 412), ({"If_Match": tag}, 200), ({"Range": "bytes=0-1"}, 200),
                             ({"If_Unmodified_Since": "Sun, 09 Sep 2001 01:46:40 GMT"}, 412)]:
            c = rig.get("/www/", Accept=accept, **fields)
            check_eq(want, c.status, fields)
            if want == 304:
                check_eq((tag, "Accept", b"", None), (c.field("ETag"), c.field("Vary"), c.body, c.field("Content-Type")))
    before = rig.get("/own/").field("ETag")
    put(os.path.join(rig.www, "own/0").encode(), b"longer")
    lib.wait_for(10, lambda: rig.get("/own/").field("ETag") != before, "the change of a file in a list")
    put(os.path.join(rig.www, "new/x").encode())
    lib.wait_for(10, lambda: "new/" in rig.names("/"), "a new folder in the list")


def has_own_pages(rig):
    r = rig.get("/own/")
    check_eq((200, HTML, "max-age=5", None), (r.status, r.field("Content-Type"), r.field("Cache-Control"),
                                              r.field("Content-Security-Policy")))
    lines = r.body.decode().splitlines()
    check_eq("<title>/own/</title>", lines[0])
    check_eq(5, len(lines), r.body)
    check_eq("only 3", lines[4])
    check_eq(sorted(lines[1:4], reverse=True), lines[1:4])
    entries = rig.json("/own/")
    check_eq(3, len(entries))
    for e in entries:
        check_eq("4" if e["name"] == "to" else None, e.get("symlink_path"))
    page = rig.get("/stripped/www/sub/").body
    check(b'<a href="../../"><bdi>/</bdi></a>' in page and b"deep.txt" in page, page)


def reports_errors(t):
    put(t.path("bad.html").encode(), b"a\n{{#entries}}{{nmae}}{{/entries}}")
    put(t.path("go.html").encode(), b"{{range .Items}}{{.Name}}{{end}}")
    for browse, message in [
            ("browse none.html", r":5:10: the template cannot be read: .*none.html.*No such file"),
            ("browse bad.html", r":5:10: .*/bad.html, line 2: '\{\{nmae\}\}' is no value of a list; did you mean 'name'\?"),
            ("browse go.html", r":5:10: .*line 1: '\{\{range .Items\}\}' is no value .*\(this is no Go template"),
            ("browse {\nsort nmae\n}", r":6:6: unknown sort 'nmae'; did you mean 'name'\?"),
            ("browse {\nsort name up\n}", r":6:11: unknown order 'up'"),
            ("browse {\nfile_limit 0\n}", r":6:12: a list of nothing is of no use: 1 to 1000000"),
            ("browse {\nfile_limit 1000001\n}", r":6:12: "),
            ("browse\nbrowse", r":6:1: 'browse'"),
            ("browse {\nlimit 1\n}", r":6:1: ")]:
        path = t.write("bad.conf", ":80 {\nroot * /\n\nfile_server {\n%s\n}\n}\n" % browse.replace("browse ", "  browse ", 1)
                       .replace("  browse {", "browse {"))
        done = lib.subprocess.run([lib.LINTEL, "validate", "--config", path], capture_output=True, text=True,
                                  env=t.env, timeout=30, cwd=t.work)
        check(done.returncode == 1 and re.search(message, done.stderr), browse, done.stderr)
    path = t.write("bad.conf", ":80 {\nfile_server browse {\nbrowse\n}\n}\nb.test {\nfile_server brwose\n}\n")
    done = lib.subprocess.run([lib.LINTEL, "validate", "--config", path], capture_output=True, text=True,
                              env=t.env, timeout=30)
    check(":3:1: 'browse' stands behind 'file_server' already" in done.stderr and
          ":7:13: 'file_server' takes no argument but 'browse'" in done.stderr, done.stderr)


# ---- many ----


def bears_many(rig, server):
    many = os.path.join(rig.www, "many")
    os.makedirs(many)
    for i in range(10010):
        os.close(os.open("%s/a file of some length %05d.txt" % (many, i), os.O_WRONLY | os.O_CREAT, 0o644))
    before = rss_peak_kb(server.pid)
    socks = [connect(rig.ports[0]) for _ in range(30)]
    for sock in socks:  # all wait for the one that reads it
        sock.sendall(b"GET /many/ HTTP/1.1\r\nHost: localhost\r\n\r\n")
    pages = [lib.Reader(sock).response() for sock in socks]
    for sock, page in zip(socks, pages):
        sock.close()
        check_eq(200, page.status)
        check_eq(10000, page.body.count(b"<tr><td>"))
        check(b": only 10000 of them are listed" in page.body, page.body[:9000])
    size = int(pages[0].field("Content-Length"))
    check(size > 1500000 and size == len(pages[0].body), size)
    check_eq(str(size), rig.get("/many/", "HEAD").field("Content-Length"))
    check_eq(304, rig.get("/many/", If_None_Match=pages[0].field("ETag")).status)
    check_eq(10000, len(rig.json("/many/?sort=time&order=desc")))
    check_eq(10000 + 2, rig.get("/many/", Accept="text/plain").body.count(b"\n"))
    if not sanitized():
        used = rss_peak_kb(server.pid) - before
        check(used < 30 * size / 1024 / 2, "for 30 pages of %d bytes: %d KB" % (size, used))
    for _ in range(5):  # a client that goes while its list is read
        os.utime(many)
        sock = connect(rig.ports[0])
        sock.sendall(b"GET /many/?order=desc HTTP/1.1\r\nHost: localhost\r\n\r\n")
        sock.close()
    check_eq(200, rig.get("/www/").status)


def is_as_caddys(rig):
    """The same members and values, for what both list."""
    if not shutil.which("caddy"):
        return
    port = rig.t.free_port()
    path = rig.t.write("Caddyfile", "{\n admin off\n auto_https off\n}\nhttp://localhost:%d {\n root * %s\n file_server {\n"
                       "  browse\n  hide .git *.key\n }\n}\n" % (port, rig.www))
    caddy = rig.t.spawn("caddy", ["caddy", "run", "--adapter", "caddyfile", "--config", path])
    lib.wait_for(30, lambda: not lib.socket.socket().connect_ex(("127.0.0.1", port)), "Caddy")
    for target in ("/www/", "/www/?sort=name&order=desc", "/www/?sort=size", "/www/sub/", "/hostile/?sort=name",
                   "/www/?sort=time&limit=3"):
        with connect(port) as sock:
            theirs = json.loads(request(sock, target, fields=[("Accept", "application/json")]).body)
        ours = {e["name"]: e for e in rig.json(target)}
        check_eq(ours, {e["name"]: e for e in theirs if e["name"] in ours}, target)
        if "hostile" not in target:  # equal names are in no order
            check_eq(list(ours), [e["name"] for e in theirs if e["name"] in ours], target)
    caddy.stop()


def main():
    with lib.Test() as t:
        lib.need("openssl")
        rig = Rig(t)
        t.write("own.html", OWN)
        t.write("lintel.conf", "")
        make_folder(t)
        os.chdir(t.work)
        reports_errors(t)
        conf = CONF % (*rig.ports, rig.www, rig.www)
        with open(t.path("lintel.conf"), "w") as f:
            f.write(conf)
        server = lib.Process("lintel", [lib.LINTEL, "run", "--config", t.path("lintel.conf")],
                             os.path.join(t.logs, "lintel.log"), t.env, cwd=t.work)
        t.processes.append(server)
        server.wait_log(rb" server: ready$", 60)
        lib.wait_for(30, lambda: os.path.exists(t.local_root), "the local CA")
        rig.context = tls_context(t.local_root)
        lists_what_is_served(rig)
        is_asked_for_folders_only(rig)
        sorts_and_cuts(rig)
        survives_names(rig)
        negotiates(rig)
        has_its_fields(rig, False)
        has_its_fields(rig, True)
        has_a_policy(rig)
        knows_conditions(rig)
        has_own_pages(rig)
        is_as_caddys(rig)
        bears_many(rig, server)
        check_eq(0, server.stop(), "exit status")


main()
