#!/usr/bin/env python3
"""Every example of a configuration in the manual pages and in the other documents is valid, as it
stands, in a site, or among the global options; and there is no example that is none of these."""

import glob
import os
import re
import subprocess

import lib
from lib import check, check_eq

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
FRAMES = (
    "%s",
    "%shttp://example.com {\n}\n",  # snippets and named routes
    "http://example.com {\n%s}\n",
    "{\n%s}\n",
)

# What begins so is no configuration.
OTHERS = (
    "<!DOCTYPE html>",   # a template of browse
    "lintel.conf:3:5: ", # what an error looks like
)


def of_page(text):
    """The displays of a manual page, as they are shown."""
    for body in re.findall(r"^\.Bd -literal[^\n]*\n(.*?)^\.Ed$", text, re.M | re.S):
        lines = [line for line in body.split("\n") if not line.startswith(".")]
        yield re.sub(r"\\(e|&|-)", lambda m: {"e": "\\", "&": "", "-": "-"}[m.group(1)],
                     "\n".join(lines))


def of_document(text):
    """The blocks of a Markdown file that are not said to be of another language."""
    for language, body in re.findall(r"^```(\w*)\n(.*?)^```$", text, re.M | re.S):
        if not language:
            yield body


def examples():
    for path in sorted(glob.glob(os.path.join(TOP, "doc", "*.[15]"))):
        with open(path) as f:
            yield from ((os.path.basename(path), e) for e in of_page(f.read()))
    for path in [os.path.join(TOP, "README.md"), os.path.join(TOP, "doc", "recipes.md")]:
        with open(path) as f:
            yield from ((os.path.basename(path), e) for e in of_document(f.read()))


class Files:
    """Those that the examples name, so that only their language is looked at."""

    def __init__(self, t):
        self.t = t
        key, cert = t.path("any.key"), t.path("any.crt")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", cert, "-days",
                        "2", "-subj", "/CN=any"], check=True, capture_output=True)
        t.write("sites/any.conf", "")

    def put_in(self, text):
        text = re.sub(r"/\S+\.(key|crt|pem)\b",
                      lambda m: self.t.path("any." + m.group(1).replace("pem", "crt")), text)
        return text


def validate(t, text):
    path = t.write("example.conf", text)
    done = subprocess.run([lib.LINTEL, "validate", "--config", path], capture_output=True,
                          text=True, env=t.env, timeout=60, check=False)
    return None if done.returncode == 0 else done.stderr


def first_valid(t, files, text):
    said = []
    for frame in FRAMES:
        errors = validate(t, frame % files.put_in(text if text.endswith("\n") else text + "\n"))
        if errors is None:
            return None
        said.append(errors)
    return "\n".join(said)


with lib.Test() as t:
    lib.need("openssl")
    files = Files(t)
    wrong, n, others = [], 0, set()
    for name, text in examples():
        other = [o for o in OTHERS if text.startswith(o)]
        if other:
            others.add(other[0])
            continue
        n += 1
        said = first_valid(t, files, text)
        if said:
            wrong.append("%s:\n%s%s" % (name, text, said))
    check(not wrong, "\n\n".join(wrong))
    check_eq(set(OTHERS), others, "what is no configuration")
    check(n >= 30, "only", n, "examples were found")
    print("%d examples" % n)
