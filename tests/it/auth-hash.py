#!/usr/bin/env python3
"""lintel hash-password: options, standard input, a terminal, and that others can use the hashes."""

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lib

BCRYPT = re.compile(r"^\$2a\$(\d\d)\$[./A-Za-z0-9]{53}\n$")


def run(*args, given=b""):
    done = subprocess.run([lib.LINTEL, "hash-password", *args], input=given,
                          capture_output=True, timeout=60, check=False)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def expect_hash(cost, *args, given=b""):
    status, out, err = run(*args, given=given)
    found = BCRYPT.match(out)
    lib.check(status == 0 and found and int(found[1]) == cost, f"{args}: {status} {out} {err}")
    return out.strip()


def expect_error(message, *args, given=b""):
    status, out, err = run(*args, given=given)
    lib.check(status == 1 and out == "" and message in err, f"{args}: {status} {out} {err}")


def matches(word, hashed):
    """By the C library itself, through another language."""
    code = "import ctypes, sys\n" \
           "crypt = ctypes.CDLL('libcrypt.so.1').crypt\n" \
           "crypt.restype = ctypes.c_char_p\n" \
           "sys.exit(crypt(sys.argv[1].encode(), sys.argv[2].encode()) != sys.argv[2].encode())"
    return subprocess.run([sys.executable, "-c", code, word, hashed], check=False).returncode == 0


class Terminal:
    """The command on a terminal of its own."""

    def __init__(self):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execv(lib.LINTEL, [lib.LINTEL, "hash-password", "--bcrypt-cost", "4"])
        self.seen = b""

    def read_until(self, end):
        limit = time.monotonic() + 30
        while end not in self.seen:
            lib.check(time.monotonic() < limit, f"no {end} in {self.seen}")
            if select.select([self.fd], [], [], 1)[0]:
                try:
                    self.seen += os.read(self.fd, 4096)
                except OSError:  # the other side has gone
                    break

    def type(self, data):
        os.write(self.fd, data)

    def end(self):
        self.read_until(b"no such thing")
        return os.waitpid(self.pid, 0)[1]


def test_options():
    hashed = expect_hash(4, "--bcrypt-cost", "4", "--plaintext", "a word")
    lib.check(matches("a word", hashed), hashed)
    expect_hash(5, "-p", "x", "--bcrypt-cost=5", "-a", "bcrypt")
    expect_hash(14, "-p", "x")
    expect_error("from 4 to 16", "-p", "x", "--bcrypt-cost", "3")
    expect_error("from 4 to 16", "-p", "x", "--bcrypt-cost", "17")
    expect_error("from 4 to 16", "-p", "x", "--bcrypt-cost", "many")
    expect_error("unknown algorithm 'md5'", "-p", "x", "-a", "md5")
    expect_error("for bcrypt only", "-p", "x", "-a", "argon2id", "--bcrypt-cost", "5")
    expect_error("first 72 bytes", "-p", "x" * 73)
    expect_error("unexpected argument", "x")


def test_standard_input():
    cheap = ("--bcrypt-cost", "4")
    lib.check(matches("a word ", expect_hash(4, *cheap, given=b"a word \nanother\n")), "line")
    lib.check(matches("word", expect_hash(4, *cheap, given=b"word")), "without a newline")
    expect_error("empty", *cheap, given=b"\n")
    expect_error("empty", *cheap)
    expect_error("longer than 1024", *cheap, given=b"x" * 1025)


def test_argon2id():
    status, out, err = run("-a", "argon2id", "-p", "x")
    if status != 0:
        lib.check("built without libargon2" in err, err)
    else:
        lib.check(re.match(r"\$argon2id\$v=19\$m=47104,t=1,p=1\$[^$]{22}\$[^$]{43}\n$", out), out)


def test_terminal():
    t = Terminal()
    t.read_until(b"Enter password: ")
    t.type(b"p\xc3\xa4ss\n")
    t.read_until(b"Confirm password: ")
    t.type(b"p\xc3\xa4ss\n")
    lib.check(t.end() == 0, "status")
    lines = t.seen.decode().replace("\r", "").split("\n")
    lib.check(b"ss\r" not in t.seen, f"echoed: {t.seen}")
    lib.check(matches("päss", lines[2]), t.seen)

    t = Terminal()
    t.read_until(b"Enter password: ")
    t.type(b"one\n")
    t.read_until(b"Confirm password: ")
    t.type(b"two\n")
    lib.check(os.WEXITSTATUS(t.end()) == 1 and b"differ" in t.seen, t.seen)

    t = Terminal()
    t.read_until(b"Enter password: ")
    t.type(b"\x03")
    lib.check(os.WTERMSIG(t.end()) == signal.SIGINT, t.seen)


def main():
    with lib.Test():
        test_options()
        test_standard_input()
        test_argon2id()
        test_terminal()


main()
