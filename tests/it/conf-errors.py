#!/usr/bin/env python3
"""lintel validate: broken configurations as people write them, each with its exact messages.

The cases are in conf-errors/*.txt: a configuration, then what is said of it, one line each:

    > 2:5: message       an error, with its line and column
    >? 2:5: message      a warning
    >! 2:5: message      an error in a line that is not shown, as it may hold a secret (">?!": a warning)
    > message            about the file as a whole

A line "----" begins a case.
"""

import glob
import os
import re
import subprocess

import lib
from lib import check, check_eq

CASES = os.path.join(lib.HERE, "conf-errors", "*.txt")
EXPECTED = re.compile(r"^>(\??!?) (?:(\d+):(\d+): )?(.*)$")
CASES_MIN = 100


def excerpt(text, line, column):
    """The line, and a caret below the place; tabs stay tabs, other control bytes are not shown."""
    shown = text.split("\n")[line - 1].lstrip("\ufeff")
    blank = "".join("\t" if c == "\t" else " " for c in shown[:column - 1])
    return "    %s\n    %s^\n" % (re.sub(r"[^\t -\x7e\x80-\U0010ffff]", "?", shown), blank)


def message(name, text, kind, line, column, what):
    what = ("warning: " if "?" in kind else "") + what
    if line is None:
        return "%s: %s\n" % (name, what)
    place = "%s:%s:%s: %s\n" % (name, line, column, what)
    return place + ("" if "!" in kind else excerpt(text, int(line), int(column)))


def validate(t, name):
    return subprocess.run([lib.LINTEL, "validate", "--config", name], cwd=t.work,
                          capture_output=True, text=True)


def read_cases(path):
    """Pairs: a configuration, the expectations as matches."""
    for case in open(path, encoding="utf-8").read().split("\n----\n")[1:]:
        lines = case.rstrip("\n").split("\n")
        yield ("".join(line + "\n" for line in lines if not EXPECTED.match(line)),
               [m for m in map(EXPECTED.match, lines) if m])


def run_case(t, path, text, expected):
    # Not t.write(): line ends are kept as they are.
    with open(os.path.join(t.work, "Caddyfile"), "w", encoding="utf-8", newline="") as f:
        f.write(text)
    out = validate(t, "Caddyfile")
    wanted = "".join(message("Caddyfile", text, *m.groups()) for m in expected)
    check(wanted == out.stderr,
          "%s:\n%swanted\n%s\ngot\n%s" % (os.path.basename(path), text, wanted, out.stderr))
    errors = [m for m in expected if "?" not in m.group(1)]
    check_eq((1, "") if errors else (0, "valid\n"), (out.returncode, out.stdout), text)


def all_files(t):
    """Errors of all files in one go, in the order of files and lines; each once."""
    t.write("sites/a.conf", "a.com {\n\trespnd hi\n\timport ../common\n}\n")
    t.write("sites/b.conf", "b.com {\n\timport ../common\n\timport ../none\n}\n")
    t.write("common", "# shared\nencode gzp\n")
    t.write("main", "{\n\tdebgu\n}\nimport sites/*.conf\nc.com {\n\troot\n}\n")
    out = validate(t, "main")
    places = re.findall(r"^(\S+?:\d+:\d+): (.*)$", out.stderr, re.M)
    check_eq([
        ("main:2:2", "unknown global option 'debgu'; did you mean 'debug'?"),
        ("main:6:2", "'root' needs 1 argument: root [matcher] <folder> [{ follow_symlinks }]: "
                     "where file_server finds the files"),
        ("sites/../common:2:8", "unknown format 'gzp'; did you mean 'gzip'?"),
        ("sites/a.conf:2:2", "unknown directive 'respnd'; did you mean 'respond'?"),
        ("sites/b.conf:3:9", "there is no snippet '../none' and no file 'sites/../none'"),
    ], places, "errors of all files")
    check_eq((1, ""), (out.returncode, out.stdout))


def cycle_of_files(t):
    t.write("one", "import two\n")
    t.write("two", "import one\n")
    out = validate(t, "one")
    check_eq("two:1:1: this import leads back to itself: one -> two (one:1:1) -> one\n"
             "    import one\n    ^\n", out.stderr)
    check_eq(1, out.returncode)


def many(t):
    """More than anybody wants to read are counted."""
    t.write("many", "a.com {\n" + "".join("\tx%d\n" % i for i in range(150)) + "}\n")
    out = validate(t, "many")
    check_eq(100, len(re.findall(r"^many:\d+:2: unknown directive", out.stderr, re.M)))
    check(out.stderr.endswith("... and 50 more\n"), out.stderr[-200:])


def main():
    with lib.Test() as t:
        n = 0
        for path in sorted(glob.glob(CASES)):
            for text, expected in read_cases(path):
                run_case(t, path, text, expected)
                n += 1
        check(n >= CASES_MIN, "%d cases" % n)
        all_files(t)
        cycle_of_files(t)
        many(t)


main()
