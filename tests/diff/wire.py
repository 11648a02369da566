"""Sends the bytes of a request and reads the answers, strictly: what is left over is an error."""

import re
import socket

import codings
import lib

REQUEST = re.compile(rb"^([A-Z]+) [^\r\n]* HTTP/1\.[01]\r$", re.M)  # each one of a connection
MAGIC = {"gzip": b"\x1f\x8b", "zstd": b"\x28\xb5\x2f\xfd"}


class Answer:
    """What came back: status None is a connection closed without an answer."""

    def __init__(self, status=None, fields=None, body=b""):
        self.status = status
        self.fields = fields or {}  # lower-case name: list of values
        self.body = body

    def __str__(self):
        if self.status is None:
            return "closed"
        fields = "".join("\n  %s: %s" % (n, v) for n in sorted(self.fields) for v in self.fields[n])
        return "%d%s\n  | %r" % (self.status, fields, self.body[:2000])


def _fields(lines):
    fields = {}
    for line in lines:
        name, colon, value = line.partition(b":")
        lib.check(colon and re.fullmatch(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name), "bad field", line)
        fields.setdefault(name.decode().lower(), []).append(value.strip().decode("latin-1"))
    return fields


def _chunks(data):
    body = b""
    while True:
        size, data = data.split(b"\r\n", 1)
        n = int(size.split(b";")[0], 16)
        if n == 0:
            return body, data[data.index(b"\r\n") + 2:]
        body += data[:n]
        lib.check(data[n:n + 2] == b"\r\n", "bad end of a chunk")
        data = data[n + 2:]


def _decode(body, coding):
    if coding not in MAGIC or not body.startswith(MAGIC[coding]):
        return body  # identity, or a sidecar file of a test that is none
    return codings.decode(coding, body) if codings.readable(coding) else b"cannot be decoded here"


def _one(data, head):
    """One answer and what follows it."""
    lib.check(b"\r\n\r\n" in data, "no answer, but", data[:200])
    top, data = data.split(b"\r\n\r\n", 1)
    lines = top.split(b"\r\n")
    lib.check(re.match(rb"HTTP/1\.[01] [1-5]\d\d ", lines[0] + b" "), "bad status line", lines[0])
    a = Answer(int(lines[0].split()[1]), _fields(lines[1:]))
    if head or a.status < 200 or a.status in (204, 304):
        return a, data
    if "transfer-encoding" in a.fields:
        a.body, data = _chunks(data)
    elif "content-length" in a.fields:
        n = int(a.fields["content-length"][0])
        lib.check(len(data) >= n, "the body ends early: %d of %d bytes" % (len(data), n))
        a.body, data = data[:n], data[n:]
    else:
        a.body, data = data, b""
    a.body = _decode(a.body, a.fields.get("content-encoding", [""])[-1])
    return a, data


def ask(port, request):
    """The answers to the bytes of one connection; a list with one closed Answer if there was none."""
    with lib.connect(port, 20) as sock:
        try:
            sock.sendall(request)
        except OSError:
            pass  # refused early; the answer may be there all the same
        try:
            data = lib.read_all(sock)
        except socket.timeout:
            raise lib.Failure("no end of the answer within 20 s") from None
    answers, methods = [], iter(REQUEST.findall(request))
    method = next(methods, b"")
    while data:
        answer, data = _one(data, method == b"HEAD")
        answers.append(answer)
        if answer.status >= 200:
            method = next(methods, b"")
    return answers or [Answer()]
