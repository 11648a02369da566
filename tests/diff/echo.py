"""The upstream of the differential test. It answers with what it was sent: the request line and the
body as body, each field as a field of the answer, with "Up-" before its name. The request may say
more: "Answer: 404" is the status, "Answer-Fields: A: b|C: d" more fields, "Answer-Body: x" the body. That by
FastCGI answers with its variables as fields, with "Env-" before their names, and the body."""

import fastcgi
from upstream import Upstream


def _first(connection, name, default=None):
    values = connection.fields(name)
    return values[0] if values else default


def _serve(c):
    c.read_body()
    lines = c.head.decode("latin-1").split("\r\n")
    fields = ["Up-" + line for line in lines[1:] if line and not line.lower().startswith("answer")]
    fields += _first(c, "Answer-Fields", "Content-Type: text/x-echo").split("|")
    body = _first(c, "Answer-Body")
    body = body.encode() if body is not None else lines[0].encode("latin-1") + b"\n" + c.body
    status = int(_first(c, "Answer", "200"))
    if status in (204, 304):
        body = b""
    c.reply(status, body, [f for f in fields if f])


def start():
    return Upstream(_serve)


def _serve_fastcgi(c):
    c.read_body()
    lines = ["Env-%s: %s" % (name, value) for name, value in sorted(c.params.items()) if value]
    lines.append("Status: " + c.params.get("HTTP_ANSWER", "200"))
    lines += c.params.get("HTTP_ANSWER_FIELDS", "Content-Type: text/x-echo").split("|")
    c.out("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + c.body)
    c.end()
    return False


def start_fastcgi():
    return fastcgi.Server(_serve_fastcgi)
