"""The upstream of the differential test. It answers with what it was sent: the request line and the
body as body, each field as a field of the answer, with "Up-" before its name. The request may say
more: "Answer: 404" is the status, "Answer-Fields: A: b|C: d" more fields, "Answer-Body: x" the body."""

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
