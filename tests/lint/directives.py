#!/usr/bin/env python3
"""Every directive of the tables in src/ has an item in lintel.conf(5)."""

import glob
import os
import re
import sys

os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))

TABLE = re.compile(r"const struct directive [a-z_0-9]+\[\] = \{(.*?)\n\};", re.S)
ROW = re.compile(r'\{\s*(?:\.name\s*=\s*)?"([a-z_]+)",')


def rows():
    names = set()
    for path in glob.glob("src/*/*.c"):
        with open(path) as f:
            for table in TABLE.findall(f.read()):
                names.update(ROW.findall(table))
    return names


def items():
    """What the page names in the head of an item, or alone at the start of a line."""
    with open("doc/lintel.conf.5") as f:
        lines = re.findall(r"^\.(?:It .*\b)?Ic .*", f.read(), re.M)
    return {name for line in lines for name in re.findall(r"\bIc ([a-z_]+)", line)}


known, documented = rows(), items()
if not known:
    sys.exit("no directive tables found in src/: has their form changed?")
for name in sorted(known - documented):
    print("doc/lintel.conf.5 has no item for", name)
sys.exit(1 if known - documented else 0)
