#!/usr/bin/env python3
"""lintel directives prints the rows of the code, and lintel.conf(5) has an item for each: three
lists that must agree."""

import glob
import os
import re
import subprocess

import lib
from lib import check, check_eq

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
PLACE = re.compile(r"\.places = ([A-Z_ |]+)")


def source_rows():
    """name -> places, of the tables of top-level directives in the sources."""
    rows = {}
    for path in glob.glob(os.path.join(TOP, "src/*/*.c")):
        with open(path) as f:
            text = f.read()
        for table in re.findall(r"^const struct directive [a-z_0-9]+(?<!_options)\[\] = "
                                r"\{(.*?)^\};", text, re.S | re.M):
            for row in re.findall(r"\{\s*\.name = \"([a-z_0-9]+)\",(.*?)\.help", table, re.S):
                rows.setdefault(row[0], set()).update(PLACE.findall(row[1]))
    return rows


def source_matchers():
    names = set()
    for path in glob.glob(os.path.join(TOP, "src/*/*.c")):
        with open(path) as f:
            names.update(re.findall(r"^(?:static )?const struct matcher_type \w+ = \{\s*\.row = \{\s*"
                                    r"\.name = \"([a-z_]+)\"[^;]*\.help", f.read(), re.M))
    return names


def printed():
    out = subprocess.run([lib.LINTEL, "directives"], capture_output=True, text=True, check=True)
    lists, title = {}, None
    for line in out.stdout.splitlines():
        if line.endswith(":") and not line.startswith(" "):
            title = line[:-1]
            lists[title] = []
        elif line.strip():
            lists[title].append(re.split(r"[ :\[]", line.strip())[0])
    return lists


def manual():
    with open(os.path.join(TOP, "doc/lintel.conf.5")) as f:
        text = f.read()
    lines = re.findall(r"^\.(?:It .*\b)?Ic .*", text, re.M)
    return {name for line in lines for name in re.findall(r"\bIc ([a-z_0-9]+)", line)}


def one(name):
    return subprocess.run([lib.LINTEL, "directives", name], capture_output=True, text=True)


def main():
    with lib.Test():
        lists = printed()
        check_eq(["Global options", "Directives of a site", "Handler directives", "Matchers"],
                 list(lists))
        rows = source_rows()
        check(len(rows) > 30, "the form of the tables in src/ has changed")
        check_eq(sorted(rows), sorted(set(sum(list(lists.values())[:3], []))), "directives")
        check_eq(sorted(source_matchers()), sorted(lists["Matchers"]), "matchers")
        for name in sorted(set(sum(lists.values(), []))):
            check(name in manual(), "lintel.conf(5) has no item for", name)
            out = one(name)
            check_eq(0, out.returncode, name)
            check(out.stdout.startswith(name), name, out.stdout)
        for names in lists.values():
            check_eq(sorted(names), names, "the order of a list")
        check(one("log").stdout.count("a global option") == 1 and
              "a directive of a site" in one("log").stdout, one("log").stdout)
        check("did you mean 'respond'?" in one("resond").stderr, one("resond").stderr)
        check_eq(1, one("resond").returncode)
        check("is not supported" in one("templates").stderr, one("templates").stderr)


main()
