#!/usr/bin/env python3
"""The differential test of static files: Lintel, Caddy and nginx serve one folder, get the same bytes,
and have to answer the same but for what files_differences.py lists with a reason.

    tests/diff/files.py [-v] [PATTERN...]    only requests with these words in them; -v shows all answers

The folder is files_folder.py's, the requests are those of files.requests.
"""

import os
import re
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "it"))

import casefile  # noqa: E402
import compare  # noqa: E402
import files_differences as differences  # noqa: E402
import files_folder  # noqa: E402
import lib  # noqa: E402
import servers  # noqa: E402
import wire  # noqa: E402

VERBOSE = "-v" in sys.argv
MIME_TYPES = "/etc/nginx/mime.types"
# Root reads what nobody may read, unless it gives this up.
UNPRIVILEGED = ["setpriv", "--bounding-set=-dac_override,-dac_read_search",
                "--inh-caps=-dac_override,-dac_read_search"]
DATE = "Sun, 09 Sep 2001 01:46:40 GMT"

CADDYFILE = """
:%(port)d {
    root * %(root)s
    encode /encoded/* gzip
    file_server
}
"""

NGINX = """
daemon off;
master_process off;
pid %(work)s/nginx.pid;
error_log stderr notice;
events { worker_connections 64; }
http {
    access_log off;
    include %(mime_types)s;
    default_type application/octet-stream;
    charset utf-8;
    charset_types text/css text/plain text/xml application/javascript;
    index index.html index.txt;
    absolute_redirect off;
    if_modified_since before;
    client_body_temp_path %(work)s/body;
    proxy_temp_path %(work)s/proxy;
    fastcgi_temp_path %(work)s/fastcgi;
    uwsgi_temp_path %(work)s/uwsgi;
    scgi_temp_path %(work)s/scgi;
    server {
        listen 127.0.0.1:%(port)d;
        root %(root)s;
        location /encoded/ {
            gzip on;
            gzip_vary on;
            gzip_http_version 1.0;
            gzip_types text/plain text/css;
        }
    }
}
"""


class Server:
    """One of the three: its port, and the form of its tags."""

    def __init__(self, name, port, etag):
        self.name = name
        self.port = port
        self.etag = re.compile('(W/)?"%s"' % etag)
        self.tags = {}

    def _tag(self, data):
        """The tag of the first request's target."""
        target = data.split(b"\r\n")[0].split(b" ")[1]
        if target not in self.tags:
            answer = wire.ask(self.port, b"HEAD %s HTTP/1.1\r\nHost: localhost\r\nConnection: close"
                                         b"\r\n\r\n" % target)[0]
            self.tags[target] = answer.fields.get("etag", ['"none"'])[0].encode()
        return self.tags[target]

    def ask(self, data):
        if b"$ETAG" in data:
            data = data.replace(b"$ETAG", self._tag(data))
        answers = wire.ask(self.port, data.replace(b"$DATE", DATE.encode()))
        for answer in answers:
            self._normalise(answer)
        return answers

    def _normalise(self, answer):
        """What cannot be the same: the value of a tag, the boundary of parts, the port."""
        fields = answer.fields
        if "etag" in fields:
            tag = fields["etag"][0]
            lib.check(self.etag.fullmatch(tag), "%s's tag is" % self.name, tag)
            fields["etag"] = [self.etag.sub(r'\1"TAG"', tag)]
        if fields.get("content-type", [""])[0].startswith("multipart/byteranges"):
            if answer.body:  # not so of HEAD
                answer.body = parts_of(fields["content-type"][0], answer.body)
            fields["content-type"] = ["multipart/byteranges"]
            del fields["content-length"]
        for values in fields.values():
            values[:] = [v.replace(":%d" % self.port, ":$PORT") for v in values]


def parts_of(content_type, body):
    """The parts of a multipart body, their fields sorted; how a line ends before the first boundary
    and the boundary itself are the server's choice."""
    boundary = re.fullmatch(r"multipart/byteranges; ?boundary=([0-9A-Za-z'+_.-]{1,70})", content_type)
    lib.check(boundary, "a Content-Type of several ranges is", content_type)
    pieces = (b"\r\n" + body).split(b"\r\n--" + boundary.group(1).encode())
    lib.check(pieces[0] in (b"", b"\r\n") and pieces[-1] in (b"--", b"--\r\n"), "bad multipart", body)
    parts = []
    for piece in pieces[1:-1]:
        head, content = piece.split(b"\r\n\r\n", 1)
        fields = sorted(head.split(b"\r\n")[1:], key=bytes.lower)
        parts.append(b"\n".join(fields) + b"\n\n" + content)
    return b"\n--\n".join(parts)


class LongRequest(casefile.Request):
    """One that would be no help to the reader of a file. what stands for it in the table."""

    def __init__(self, what, target, *fields):
        super().__init__("GET " + target, 0)
        self.fields = list(fields)
        self.what = what

    def text(self):
        return self.what


LONG = [
    LongRequest("GET longest name", "/" + "x" * 255),
    LongRequest("GET name too long", "/" + "x" * 256),
    LongRequest("GET path too long", "/" + "x/" * 2100),
    LongRequest("GET steep path", "/" + "../" * 300 + "etc/passwd"),
    LongRequest("GET 40 ranges", "/large.txt",
                "Range: bytes=" + ",".join("%d-%d" % (i, i + 1) for i in range(0, 4000, 100))),
    LongRequest("GET 600 ranges", "/a.txt", "Range: bytes=" + ",".join(["0-0"] * 600)),
]


def load(patterns):
    with open(os.path.join(HERE, "files.requests"), encoding="utf-8") as f:
        requests = casefile.requests_of(f.read().split("\n"), 1) + LONG
    return [r for r in requests if not patterns or any(p in r.text() for p in patterns)]


def can_be_unprivileged():
    """Whether a server can be started that may not read what nobody may."""
    if os.geteuid() != 0:
        return True
    return bool(shutil.which("setpriv")) and subprocess.call(
        UNPRIVILEGED + ["true"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) == 0


def start(test, root, prefix):
    """All three, on the same folder."""
    ports = test.free_ports(3)
    starter = servers.Servers(test, {}, prefix)
    starter.lintel("files", test.work, CADDYFILE % {"port": ports[0], "root": root})
    starter.caddy("files", test.work, CADDYFILE % {"port": ports[1], "root": root})
    starter.nginx("files", test.work, NGINX % {
        "port": ports[2], "root": root, "work": test.work, "mime_types": MIME_TYPES})
    return [Server("Lintel", ports[0], "[0-9a-z]+-[0-9a-z]+(-gzip)?"),
            Server("Caddy", ports[1], "[0-9a-z]+"), Server("nginx", ports[2], "[0-9a-f]+-[0-9a-f]+")]


def differ(request, lintel, peer, ours, table):
    """The differences of a peer's answers that the table does not have."""
    text = request.text()
    if table.is_unasked(peer.name, text):
        return
    theirs = peer.ask(request.bytes())
    if VERBOSE:
        print("%s %s" % (peer.name, "\n".join(map(str, theirs))))
    if len(theirs) != len(ours):
        if not table.allows_count(peer.name, text):
            yield "%s gave %d answers, %s %d" % (peer.name, len(theirs), lintel.name, len(ours))
        return
    for a, b in zip(theirs, ours):
        found = compare.answers(a, b, [], peer.name)
        if a.status != b.status:
            found = found[:1]  # all else follows from that, and is compared with whom has the same
        for d in found:
            if not table.allows(peer.name, text, a, d):
                yield str(d)


def compare_all(requests, lintel, peers, table):
    problems = []
    for request in requests:
        where = "files.requests:%d: %s" % (request.number, request.text().replace("\n", " | "))
        try:
            ours = lintel.ask(request.bytes())
            if VERBOSE:
                print("== %s\nLintel %s" % (where, "\n".join(map(str, ours))))
            for peer in peers:
                problems += ["%s\n    %s" % (where, text)
                             for text in differ(request, lintel, peer, ours, table)]
        except (lib.Failure, OSError) as e:
            problems.append("%s\n    %s" % (where, e))
    return problems


def main(test):
    lib.need("caddy", "nginx")
    if not os.path.exists(MIME_TYPES):
        raise lib.Skip("there is no %s" % MIME_TYPES)
    requests = load([a for a in sys.argv[1:] if not a.startswith("-")])
    everything = len(sys.argv) == 1
    prefix = []
    if not can_be_unprivileged():
        requests = [r for r in requests if not re.search("unreadable|closed", r.text())]
        everything = False
    elif os.geteuid() == 0:
        prefix = UNPRIVILEGED
    root = test.path("root")
    files_folder.make(root)
    table = differences.Table()
    lintel, *peers = start(test, root, prefix)
    problems = compare_all(requests, lintel, peers, table)
    if everything and not problems:
        problems += ["files_differences.py: no longer so: %s" % row for row in table.unseen()]
    print("\n".join(problems), end="\n" if problems else "")
    print("%d requests, %d rows of differences, %d problems" % (
        len(requests), len(table.rows), len(problems)))
    files_folder.open_again(root)
    for name in ("caddy-files.log", "nginx-files.log"):  # what matters of them has been said
        os.unlink(os.path.join(test.logs, name))
    lib.check(not problems, "the answers differ")


if __name__ == "__main__":
    with lib.Test() as t:
        main(t)
