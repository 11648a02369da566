"""Compares two answers and looks up each difference in the table of those that are wanted."""

import differences

# The body is compared decoded: how it was framed is the server's choice (RFC 9112 6). The time goes on.
NEVER = {"transfer-encoding", "date"}


class Difference:
    """item is "status", "body" or the lower-case name of a field; the values are texts: the peer's or
    what is written in the case, and Lintel's."""

    def __init__(self, item, theirs, lintel, peer="Caddy"):
        self.item = item
        self.theirs = theirs
        self.lintel = lintel
        self.peer = peer

    def __str__(self):
        return "%s: %s %r, Lintel %r" % (self.item, self.peer, self.theirs[:2000],
                                         self.lintel[:2000])


def _mask(text, masks):
    for regexp in masks:
        text = regexp.sub("", text)
    return text


def _field(answer, name):
    values = answer.fields.get(name)
    return differences.ABSENT if values is None else "\n".join(values)


def _names(a, b):
    names = (set(a.fields) | set(b.fields)) - NEVER
    lengths = "content-length" in a.fields and "content-length" in b.fields
    encoded = "content-encoding" in a.fields and "content-encoding" in b.fields
    if a.body != b.body or not lengths or encoded:  # no two encoders make the same of a text
        names.discard("content-length")
    return sorted(names)


def answers(theirs, lintel, masks, peer="Caddy"):
    """All Differences of two Answers."""
    pairs = [("status", str(theirs.status), str(lintel.status)),
             ("body", theirs.body.decode("latin-1"), lintel.body.decode("latin-1"))]
    pairs += [(name, _field(theirs, name), _field(lintel, name)) for name in _names(theirs, lintel)]
    pairs = [(item, _mask(a, masks), _mask(b, masks)) for item, a, b in pairs]
    return [Difference(item, a, b, peer) for item, a, b in pairs if a != b]


def expected(want, answer):
    """What of an answer written by hand does not hold."""
    pairs = [("status", str(want.status), str(answer.status))]
    if want.body is not None:
        pairs.append(("body", want.body.decode("latin-1"), answer.body.decode("latin-1")))
    for name, values in want.fields.items():
        pairs.append((name, "\n".join(values) if values else differences.ABSENT,
                      _field(answer, name)))
    return [Difference(item, a, b) for item, a, b in pairs if a != b]


class Table:
    """The rows of a table, and which of them came up."""

    def __init__(self, rows):
        self.rows = rows
        self.seen = set()

    def allows(self, case, request, theirs, difference):
        """case is the name of one, request its text."""
        for i, row in enumerate(self.rows):
            if row.matches(case, request, theirs.status, difference):
                self.seen.add(i)
                return True
        return False

    def unseen(self):
        return [row for i, row in enumerate(self.rows) if i not in self.seen]
