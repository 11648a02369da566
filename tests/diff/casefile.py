"""A case of the differential test: tests/diff/cases/<area>-<what>.case.

    # What it shows.
    :$PORT {
        root * $ROOT
        file_server
    }
    ---- file docs/a.txt
    hello
    ---- requests
    GET /docs/a.txt
    GET /a.txt
        Accept: text/html
    POST /docs/a.txt
        Content-Type: text/plain
        | a body
    RAW
        | GET / HTTP/1.0
        |

First the Caddyfile. $PORT is the port of the server, $ROOT the folder of the case's files, $UPSTREAM
the port of the echo (echo.py), $FASTCGI that of the one by FastCGI, $CLOSED one where nobody listens.
Then sections:

    ---- file NAME [*N]    a file below $ROOT: these lines, without the last line end (N times)
    ---- folder NAME       an empty folder
    ---- env NAME=VALUE    an environment variable of both servers (all cases share them)
    ---- mask REGEXP       what may differ in values and bodies: both sides are compared without it
    ---- alone             a Caddy of its own: for global options, files beside $ROOT, no braces
    ---- newer WHERE       Caddy 2.6.2 cannot tell: the answers are written here, from this page of
                           Caddy's documentation
    ---- requests

A request is a line "METHOD target"; Host: localhost, Connection: close and a Content-Length are added
where it has none. Its fields and its body ("| ", joined by LF) are indented. RAW is sent as it is, each
line ended by CRLF. In all of them \\r \\n \\t \\\\ and \\xHH are bytes.
An expected answer ("newer"): "< 200" and perhaps "< Name: value" ("< Name:" for no such field) and body
lines, "<| text". In other cases such lines are checked against Caddy, too.
"""

import fnmatch
import glob
import os
import re

HERE = os.path.dirname(os.path.abspath(__file__))
MTIME = 1000000000  # of the first file; each next one is a day younger
ESCAPE = re.compile(rb"\\(r|n|t|\\|x[0-9a-fA-F]{2})")
BYTES = {b"r": b"\r", b"n": b"\n", b"t": b"\t", b"\\": b"\\"}


class BadCase(Exception):
    pass


def unescape(text):
    def byte(match):
        word = match.group(1)
        return BYTES.get(word) or bytes([int(word[1:], 16)])

    return ESCAPE.sub(byte, text.encode("utf-8"))


class Expected:
    """An answer written by hand: the status, the fields that are named, the body if there is one."""

    def __init__(self, status):
        self.status = status
        self.fields = {}
        self.body = None

    def add(self, line):
        if line.startswith("<|"):
            text = unescape(line[3:])
            self.body = text if self.body is None else self.body + b"\n" + text
        else:
            name, value = line[2:].split(":", 1)
            self.fields.setdefault(name.lower(), [])
            if value.strip():
                self.fields[name.lower()].append(value.strip())


class Request:
    def __init__(self, line, number):
        self.line = line
        self.number = number  # its line in the file
        self.fields = []
        self.body = []
        self.expected = None

    def add(self, text):
        if text.startswith("<") and self.expected is None:
            self.expected = Expected(int(text[2:]))
        elif text.startswith("<"):
            self.expected.add(text)
        elif text.startswith("|"):
            self.body.append(text[2:])
        else:
            self.fields.append(text)

    def text(self):
        """What the tables of differences look at: the first line and the fields."""
        return "\n".join([self.line] + self.fields + (self.body if self.line == "RAW" else []))

    def has(self, name):
        return any(f.lower().startswith(name + ":") for f in self.fields)

    def bytes(self):
        if self.line == "RAW":
            return b"".join(unescape(text) + b"\r\n" for text in self.body)
        fields = list(self.fields)
        if not self.has("host"):
            fields.insert(0, "Host: localhost")
        if not self.has("connection"):
            fields.append("Connection: close")
        body = unescape("\n".join(self.body))
        if self.body and not self.has("content-length") and not self.has("transfer-encoding"):
            fields.append("Content-Length: %d" % len(body))
        head = [unescape(text) for text in [self.line + " HTTP/1.1"] + fields]
        return b"\r\n".join(head) + b"\r\n\r\n" + body


def requests_of(lines, number):
    """The requests of some lines, of which the first has this number."""
    requests = []
    for i, line in enumerate(lines):
        if not line.strip() or line.startswith("#"):
            continue
        if not line.startswith("    "):
            requests.append(Request(line, number + i))
        else:
            requests[-1].add(line.strip())
    return requests


class Case:
    def __init__(self, path):
        self.name = os.path.basename(path)[:-len(".case")]
        self.files = []  # (name, bytes)
        self.folders = []
        self.env = {}
        self.masks = []
        self.alone = False
        self.newer = None
        self.requests = []
        with open(path, encoding="utf-8") as f:
            self._parse(f.read().split("\n"))
        if not self.requests:
            raise BadCase("%s has no requests" % self.name)
        for r in self.requests:
            if self.newer and not r.expected:
                raise BadCase("%s:%d: no expected answer" % (self.name, r.number))

    def _parse(self, lines):
        starts = [i for i, line in enumerate(lines) if line.startswith("---- ")]
        self.caddyfile = "\n".join(lines[:starts[0]]) + "\n"
        for start, end in zip(starts, starts[1:] + [len(lines)]):
            word, _, rest = lines[start][5:].partition(" ")
            section = getattr(self, "_section_" + word, None)
            if not section:
                raise BadCase("%s:%d: no such section: %s" % (self.name, start + 1, word))
            section(rest, lines[start + 1:end], start + 2)

    def _section_file(self, rest, lines, _):
        name, _, times = rest.partition(" *")
        self.files.append((name, "\n".join(lines).encode() * int(times or 1)))

    def _section_folder(self, rest, *_):
        self.folders.append(rest)

    def _section_env(self, rest, *_):
        name, value = rest.split("=", 1)
        self.env[name] = value

    def _section_mask(self, rest, *_):
        self.masks.append(re.compile(rest))

    def _section_alone(self, *_):
        self.alone = True

    def _section_newer(self, rest, *_):
        self.newer = rest

    def _section_requests(self, _, lines, number):
        self.requests += requests_of(lines, number)

    def make_files(self, root):
        os.makedirs(root)
        for name in self.folders:
            os.makedirs(os.path.join(root, name))
        for i, (name, content) in enumerate(self.files):
            path = os.path.join(root, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as f:
                f.write(content)
            os.utime(path, (MTIME + i * 86400,) * 2)

    def config(self, **values):
        return re.sub(r"\$(PORT|ROOT|UPSTREAM|FASTCGI|CLOSED)\b", lambda m: str(values[m.group(1)]),
                      self.caddyfile)


def load(patterns):
    """The cases whose names match one of the patterns, or all."""
    paths = sorted(glob.glob(os.path.join(HERE, "cases", "*.case")))
    cases = [Case(path) for path in paths]
    return [c for c in cases if not patterns or any(fnmatch.fnmatch(c.name, p) for p in patterns)]
