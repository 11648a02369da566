#!/usr/bin/env python3
"""lintel fmt gives what "caddy fmt" gives, for text that means something; and where not, why."""

import glob
import os
import re
import subprocess

import lib

# Text that both bring into the same form.
SAME = [
    "localhost\n\nrespond   ok\n",
    "a.test,\nb.test   {\nroot * /srv\n    file_server    browse\n}\n",
    "a.test\n{\n  respond ok\n}\n",
    "# a file\n\n{\n    email me@a.test\n    # admin off\n}\n\n\n\n\n(x) {\n  header {\n    -Server\n  }\n}\n"
    "a.test {\n  import x\n}\n",
    "a.test {\n\n  @api   path /api/*\n  handle @api {\n reverse_proxy 127.0.0.1:1 127.0.0.1:2 {\n"
    "lb_policy   first\n}\n}   # api\n\n\n  handle {\n  error 404\n  }\n}\n# end\n",
    'a.test {\n  respond "two\n\n\n   lines"   200\n  header   X "a \\"b\\"  c"\n}\n',
    "a.test {\n  redir   /a{1,2}   /b{path}{query}   301\n  rewrite * {http.request.uri.path}/x\n}\n",
    "a.test {\n  log {\n    output   file   /x {\n      roll_size 1\n    }\n  }\n}\n",
    ":{$PORT}   {\n  respond {$TEXT}x   {$CODE:200}\n}\n",
    "a.test {\n  respond /x \\\n      ok   \\\n      200\n}\n",
    "a.test {\n# one\n\n\n\n# two   \n  abort   # now\n}\n",
    "a.test {\r\n  respond   ok\r\n\r\n\r\n  abort\r\n}\r\n",
    "a.test {\n  handle {\n    handle {\n      handle {\n      abort\n      }   # c\n    }\n  }\n}   # d\n",
    "a.test { # why\n  abort\n}\nb.test {\n}\n",
    "",
]

# What differs: the text, our form, that of Caddy 2.6.2, whether newer ones (as of 2.11) do as we do,
# and why.
HEREDOCS = "heredocs stay as they are"
BACKQUOTES = "text in backquotes stays as it is"
CR = "no CR stays in front of a line end: a text whose line ends differ is none of ours"
VALUE = "a default value is part of a word"
BRACE = "a brace within a word is part of it: the text had a meaning, and keeps it"
DIFFERENT = [
    ("a <<E\n  x  y\n  E\n", "a <<E\n  x  y\n  E\n", "a <<E\nx y\nE\n", True,
     HEREDOCS),
    ("a `b  c`\n", "a `b  c`\n", "a `b c`\n", True, BACKQUOTES),
    ("a b\n{x}\n", "a b\n{x}\n", "a b \n{x}\n", True, "no space stays at the end of a line"),
    ("import x\n{\n\tdebug\n}\n", "import x\n{\n\tdebug\n}\n", "import x {\n\tdebug\n}\n", True,
     "global options behind an import are not its block"),
    ("import x\n\n{\n\tdebug\n}\n", "import x\n{\n\tdebug\n}\n", "import x {\n\tdebug\n}\n", False,
     "nor are they with a blank line between"),
    ("# a\r\nb\r\n", "# a\nb\n", "# a\r\nb\n", False, CR),
    ('a "b\r\n"\n', 'a "b\n"\n', 'a "b\r\n"\n', False, CR),
    ("a {$B:c  d}\n", "a {$B:c  d}\n", "a {$B:c d}\n", False, VALUE),
    ("a b}\n", "a b}\n", "a b\n}\n", False, BRACE),
    ("a {\n\tb c{\n}\n", "a {\n\tb c{\n}\n", "a {\n\tb c {\n\t}\n", False, BRACE),
    ("a\n\\b\n", "a\n\\b\n", "a \\b\n", None, "a line may begin with a backslash"),
    ("a <<E \nb\n", "a <<E \nb\n", "a <<E\nb\n", False,
     "without the space it would begin a heredoc"),
]

# Files of the corpus that have one of these in them.
EXEMPT = {"heredoc": HEREDOCS, "quotes": BACKQUOTES}


def fmt(program, text):
    return subprocess.run([program, "fmt", "-"], input=text, capture_output=True, check=True).stdout


def same(what, text):
    ours, theirs = fmt(lib.LINTEL, text), fmt("caddy", text)
    theirs = re.sub(rb" (\n\t*\{)", rb"\1", theirs)  # the space at the end of a line, see above
    lib.check_eq(theirs, ours, what)
    lib.check_eq(ours, fmt(lib.LINTEL, ours), what + ", formatted twice")


def version():
    out = subprocess.run(["caddy", "version"], capture_output=True, check=True).stdout.decode()
    return tuple(int(n) for n in re.findall(r"\d+", out)[:2])


def is_well_formed(text):
    """What fuzzers bring into the corpus is not: control bytes, braces stuck to words."""
    return not re.search(rb"[^\t\n\r -~\x80-\xff]|[^\s{]\{\s*$", text, re.M)


def samples():
    for path in sorted(glob.glob(os.path.join(lib.TOP_SRCDIR, "tests/fuzz/corpus/conf/*"))):
        if os.path.basename(path) not in EXEMPT:
            yield path
    yield os.path.join(lib.TOP_SRCDIR, "contrib/lintel.conf.in")


def main():
    lib.need("caddy")
    for text in SAME:
        same(repr(text), text.encode())
    compared = 0
    for path in samples():
        with open(path, "rb") as f:
            text = f.read()
        if is_well_formed(text):
            compared += 1
            same(path, text)
    lib.check(compared >= 8, compared, "files compared")
    old = version() <= (2, 6)
    for text, ours, theirs, newer_is_same, why in DIFFERENT:
        lib.check_eq(ours.encode(), fmt(lib.LINTEL, text.encode()), why)
        if old:
            lib.check_eq(theirs.encode(), fmt("caddy", text.encode()), "Caddy's: " + why)
        elif newer_is_same:
            lib.check_eq(ours.encode(), fmt("caddy", text.encode()), "newer Caddy's: " + why)


with lib.Test():
    main()
