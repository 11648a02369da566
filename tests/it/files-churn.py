#!/usr/bin/env python3
"""Files that are created, replaced, cut short, rewritten, deleted and swapped by links at random,
while several clients ask for them: each answer has to be one that the file could give at that time.

Each line of a file names the file, the version, the version's length and the line's number. What is
replaced whole has to come whole and of one version, not older than the cache may be; of what is
changed in place each byte must be one that belongs there, and the framing must hold or the
connection be closed. CHURN_SECONDS: how long (default 5)."""

import gzip
import os
import random
import re
import shutil
import socket
import ssl
import subprocess
import threading
import time
import zlib

import lib
from lib import Reader, check, check_eq, connect, connect_tls, wait_for

SECONDS = float(os.environ.get("CHURN_SECONDS", "5"))
STALE_S = 1 + 4  # what the cache may believe, and what a slow machine may add
LINE = 32
MOST = 3 << 20
NUMBERS = [b"%08d\n" % i for i in range(MOST // LINE + 1)]
TEMPLATE = b"tttt vvvvvvvv llllllll ".join([b""] + NUMBERS)
FOLDER, ABSENT = "folder", "absent"


def content(tag, version, length):
    head = b"%s %08d %08d " % (tag, version, length)
    return head.join([b""] + NUMBERS[:length // LINE + 1])[:length]


class Name:
    """A file that one thread changes, and what has become of it: (from, until at least, state);
    a state is a version, FOLDER or ABSENT."""

    count = 0

    def __init__(self, test, kind, sizes):
        Name.count += 1
        self.tag = b"%04d" % Name.count
        self.kind = kind
        self.target = "/%s/%d.txt" % (kind, Name.count)
        self.path = test.path("www" + self.target)
        self.other = test.path("www/v/%d" % Name.count)
        self.sizes = sizes
        self.version = 0
        self.states = []
        self.etags = {}
        os.makedirs(os.path.dirname(self.path), exist_ok=True)

    def becomes(self, state, change):
        entry = [time.monotonic(), float("inf"), state]
        self.states.append(entry)
        change()
        entry[1] = time.monotonic()

    def next(self):
        """A new version; no two of a file are of the same length."""
        self.version += 1
        low, high = self.sizes
        length = low + self.version * 7919 % (high - low)
        return self.version, content(self.tag, self.version, length)

    def possible(self, begin, end):
        """The states that an answer to a request from begin to end may tell of."""
        states = list(self.states)
        first = 0
        for i, (_, done, _) in enumerate(states):
            if done <= begin - STALE_S:
                first = i
        return [s for at, _, s in states[first:] if at <= end]


# ---- changes ----


def write_beside(name, data):
    with open(name.path + "~", "wb") as f:
        f.write(data)


def remove(path):
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    elif os.path.lexists(path):
        os.unlink(path)


def replace(name, rng):
    """At times with a sidecar, which is there before the file that it was made of."""
    version, data = name.next()
    side = name.path + ".gz"
    write_beside(name, data)
    has_side = name.kind == "replaced" and rng.random() < 0.5
    if has_side:
        with gzip.open(side + "~", "wb", 1) as f:
            f.write(data)

    def change():
        if has_side:
            os.rename(side + "~", side)
        else:
            remove(side)
        os.rename(name.path + "~", name.path)

    name.becomes(version, change)


def come_and_go(name, rng):
    if name.states and name.states[-1][2] != ABSENT:
        name.becomes(ABSENT, lambda: remove(name.path))
    else:
        replace(name, rng)


def file_or_folder(name, rng):
    """Also a folder with the file in it."""
    name.becomes(ABSENT, lambda: remove(name.path))
    if rng.random() < 0.5:
        replace(name, rng)
        return
    version, data = name.next()
    os.mkdir(name.path + "~")
    with open(name.path + "~/index.html", "wb") as f:
        f.write(data)
    name.becomes(FOLDER, lambda: os.rename(name.path + "~", name.path))


def swap_link(name, rng):
    """A link to the new version, or out of the root."""
    old = os.path.realpath(name.path) if os.path.lexists(name.path) else None
    if rng.random() < 0.2:
        state, target = ABSENT, rng.choice(["../../secret", "/etc/passwd", "loop.txt", "."])
        if target == ".":
            state = FOLDER
            target = "../empty"
    else:
        state, data = name.next()
        target = "../v/%s-%d" % (name.tag.decode(), state)
        with open(os.path.join(os.path.dirname(name.path), target), "wb") as f:
            f.write(data)
    os.symlink(target, name.path + "~")
    name.becomes(state, lambda: os.rename(name.path + "~", name.path))
    if old and "/www/v/" in old:
        os.unlink(old)


def change_in_place(name, rng):
    version, data = name.next()
    how = rng.randrange(6)
    mode = "r+b" if os.path.exists(name.path) else "w+b"
    with open(name.path, mode, buffering=0) as f:
        size = os.fstat(f.fileno()).st_size
        if how == 0:
            f.truncate(size // 3)
        elif how == 1:
            f.truncate(0)
        elif how == 2 and size < len(data):
            f.seek(size)
            f.write(data[size:])
        elif how == 3:
            f.truncate(0)
            f.write(data)
        else:
            f.write(data)
            f.truncate(len(data))
    name.version = version


CHANGES = {"replaced": replace, "gone": come_and_go, "either": file_or_folder, "link": swap_link,
           "inplace": change_in_place}


# ---- answers ----


class Wrong(Exception):
    pass


def ensure(condition, *what):
    if not condition:
        raise Wrong(" ".join(map(str, what)))


def version_in(body, offset):
    """The version told by the first whole line of what begins at offset of a file."""
    at = -offset % LINE
    line = body[at:at + LINE]
    found = re.fullmatch(rb"\d{4} (\d{8}) (\d{8}) \d{8}\n", line)
    ensure(found, "no whole line in", len(body), "bytes:", line)
    return int(found.group(1)), int(found.group(2))


def one_version(name, body, offset, total):
    """What is replaced whole: every byte of one version."""
    version, length = version_in(body, offset)
    ensure(total == length, name.target, "has", total, "bytes, its version", length)
    ensure(content(name.tag, version, length)[offset:offset + len(body)] == body,
           name.target, "is not all of version", version)
    return version


def plausible(name, body, offset):
    """What is changed in place: every byte in a place where it was written; or NUL, as the kernel
    shows of a page that is being cut off."""
    model = TEMPLATE[offset:offset + len(body)]
    for i in range(LINE):
        column, expected = body[i::LINE], model[i::LINE]
        place = (offset + i) % LINE
        if expected[:1] == b"t":
            wrong = column.translate(None, name.tag[place:place + 1] + b"\0")
        elif expected[:1].isalpha():
            wrong = column.translate(None, b"0123456789\0")
        else:
            wrong = column != expected and [
                (a, b) for a, b in zip(column, expected) if a not in (b, 0)]
        ensure(not wrong and len(column) == len(expected), name.target, "column", place, wrong)


def parts_of(r):
    """(offset, bytes, total) of a 206, of one part or several."""
    def place(text):
        found = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+)", text)
        ensure(found, "Content-Range", text)
        return [int(n) for n in found.groups()]

    if r.field("Content-Range"):
        first, last, total = place(r.field("Content-Range"))
        ensure(len(r.body) == last + 1 - first, "length of a range")
        return [(first, r.body, total)]
    boundary = b"--" + r.field("Content-Type").split("boundary=")[1].encode()
    ensure(r.body.startswith(boundary) and r.body.endswith(boundary + b"--\r\n"), "boundaries")
    parts = []
    for part in r.body[:-len(boundary) - 4].split(boundary + b"\r\n")[1:]:
        head, body = part.split(b"\r\n\r\n", 1)
        body = body[:-2]
        first, last, total = place(re.search(rb"Content-Range: ([^\r]*)", head).group(1).decode())
        ensure(len(body) == last + 1 - first, "length of a part")
        parts.append((first, body, total))
    return parts


def decoded(r):
    if r.field("Content-Encoding") is None:
        return r.body
    ensure(r.field("Content-Encoding") == "gzip", r.field("Content-Encoding"))
    d = zlib.decompressobj(31)
    body = d.decompress(r.body) + d.flush()
    ensure(d.eof and not d.unused_data, "gzip data without their end")
    return body


def state_of(name, r, asked):
    """What an answer tells of a file that is replaced whole."""
    if r.status == 404:
        return ABSENT
    if r.status == 308:
        ensure(r.field("Location") == name.target + "/", "Location", r.field("Location"))
        return FOLDER
    if r.status == 304:
        return name.etags[asked]
    ensure(r.status in (200, 206), "status", r.status)
    if r.status == 206:
        versions = {one_version(name, body, first, total) for first, body, total in parts_of(r)}
        ensure(len(versions) == 1, name.target, "parts of versions", versions)
        version = versions.pop()
    else:
        body = decoded(r)
        version = one_version(name, body, 0, len(body))
    tag = r.field("ETag")
    ensure(tag, "no ETag")
    known = name.etags.setdefault(tag, version)
    ensure(known == version, "one ETag,", tag, "for versions", known, "and", version)
    return version


def look_at(name, r, asked, begin, end):
    if name.kind == "inplace":
        ensure(r.status in (200, 206, 304, 416, 503), "status", r.status)
        for first, body, _ in parts_of(r) if r.status == 206 else []:
            plausible(name, body, first)
        if r.status == 200:
            plausible(name, decoded(r), 0)
        return
    state = state_of(name, r, asked)
    possible = name.possible(begin, end)
    if state == ABSENT and name.kind == "link":
        return  # the link was read, and its old target removed before it was looked up
    ensure(state in possible, name.target, "is told to be", state, "and was", possible[-8:])


# ---- clients ----


def random_fields(rng, name):
    kind = rng.randrange(8)
    low = name.sizes[0]
    if kind == 0:
        return [("Range", "bytes=%d-%d" % (rng.randrange(low // 2), low * 2))]
    if kind == 1:
        return [("Range", "bytes=0-%d,%d-" % (low // 3, low // 2))]
    if kind == 2:
        return [("Range", "bytes=-%d" % low)]
    if kind == 3:
        return [("Accept-Encoding", "gzip")]
    tags = list(name.etags)
    if kind == 4 and tags:
        return [("If-None-Match", tags[-1])]
    return []


class Client(threading.Thread):
    def __init__(self, world, number, open_socket, slow=False):
        super().__init__()
        self.world = world
        self.open_socket = open_socket
        self.slow = slow
        self.rng = random.Random(number)
        self.sock = None
        self.answers = {}

    def read_slowly(self, reader):
        self.sock.settimeout(0.1)
        try:
            for _ in range(20):
                time.sleep(0.02)
                part = self.sock.recv(20000)
                if not part:
                    break
                reader.buffer += part
        except TimeoutError:
            pass  # that was all of it
        self.sock.settimeout(30)

    def ask(self, name):
        fields = random_fields(self.rng, name)
        if self.sock is None:
            self.sock = self.open_socket()
            self.reader = Reader(self.sock)
        lines = ["GET %s HTTP/1.1" % name.target, "Host: localhost"]
        lines += ["%s: %s" % f for f in fields]
        begin = time.monotonic()
        self.sock.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        try:
            if self.slow:
                self.read_slowly(self.reader)
            r = self.reader.response()
        except (EOFError, ConnectionResetError, ssl.SSLError) as e:
            self.close()
            # The file has become shorter meanwhile.
            ensure(name.kind == "inplace" and name.sizes[1] > 65536, name.target, "broke off:", e)
            self.count("cut")
            return
        look_at(name, r, dict(fields).get("If-None-Match"), begin, time.monotonic())
        self.count(r.status)
        if r.status == 200 and r.field("ETag").endswith('.gz"'):
            self.count("sidecar")
        if r.field("Connection") == "close":
            self.close()

    def count(self, what):
        self.answers[what] = self.answers.get(what, 0) + 1

    def close(self):
        if self.sock is not None:
            self.sock.close()
        self.sock = None

    def run(self):
        names = [n for n in self.world.names if not self.slow or n.sizes[1] > 65536]
        try:
            while not self.world.over.is_set():
                self.ask(self.rng.choice(names))
        except BaseException as e:
            self.world.failures.append(e)
            self.world.over.set()
        self.close()


class Mutator(threading.Thread):
    def __init__(self, world, number, names):
        super().__init__()
        self.world = world
        self.names = names
        self.rng = random.Random(1000 + number)

    def run(self):
        try:
            while not self.world.over.is_set():
                name = self.rng.choice(self.names)
                CHANGES[name.kind](name, self.rng)
                time.sleep(self.rng.random() * 0.02)
        except BaseException as e:
            self.world.failures.append(e)
            self.world.over.set()


class World:
    def __init__(self, test):
        small, large, huge = (200, 20000), (80000, 400000), (2 << 20, MOST)
        self.over = threading.Event()
        self.failures = []
        self.names = [Name(test, kind, sizes) for kind in CHANGES for sizes in
                      (small, small, small, large)]
        self.names += [Name(test, kind, huge) for kind in ("replaced", "inplace", "inplace")]
        rng = random.Random(0)
        for folder in ("www/v", "www/empty", "www/link"):
            os.makedirs(test.path(folder), exist_ok=True)
        os.symlink("loop.txt", test.path("www/link/loop.txt"))
        test.write("secret", b"SECRET")
        for name in self.names:
            CHANGES[name.kind](name, rng)


def settle(world, port):
    """When nothing changes any more, each file is told as it is."""
    with connect(port) as s:
        reader = Reader(s)

        def is_so(name):
            r = lib.request(s, name.target, reader=reader)
            if name.kind == "inplace":
                with open(name.path, "rb") as f:
                    return r.status == 200 and r.body == f.read()
            expected = name.states[-1][2]
            if expected == FOLDER and name.kind == "link":
                expected = ABSENT  # it is empty
            return state_of(name, r, None) == expected

        for name in world.names:
            wait_for(10, lambda n=name: is_so(n), name.target)


def descriptors(server):
    return len(os.listdir("/proc/%d/fd" % server.pid))


def churn(test, server, plain, tls):
    context = lib.tls_context(test.local_root)
    world = World(test)
    before = descriptors(server)

    def open_plain():
        return connect(plain)

    def open_tls():
        return connect_tls(tls, "localhost", context)

    def open_narrow():
        """So that a file is not all in the kernel's buffers before it changes."""
        s = socket.socket()
        s.settimeout(30)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        s.connect(("127.0.0.1", plain))
        return s

    threads = [Mutator(world, i, world.names[i::3]) for i in range(3)]
    clients = [Client(world, i, open_plain) for i in range(4)]
    clients += [Client(world, 10 + i, open_tls) for i in range(2)]
    clients += [Client(world, 20, open_narrow, True), Client(world, 22, open_narrow, True), Client(world, 21, open_tls, True)]
    for t in threads + clients:
        t.start()
    load = None
    if shutil.which("wrk"):
        load = subprocess.run(["wrk", "-t1", "-c8", "-d%ds" % max(1, SECONDS),
                               "http://127.0.0.1:%d%s" % (plain, world.names[0].target)],
                              env=test.env, stdout=subprocess.PIPE, check=True)
    else:
        world.over.wait(SECONDS)
    world.over.set()
    for t in threads + clients:
        t.join()
    totals = {}
    for c in clients:
        for what, n in c.answers.items():
            totals[what] = totals.get(what, 0) + n
    changes = sum(len(n.states) or n.version for n in world.names)
    print("%d changes; answers: %s" % (changes, sorted(totals.items(), key=str)))
    if world.failures:
        raise world.failures[0]
    if load:
        print(load.stdout.decode().strip().splitlines()[-2])
        check(b"Socket errors" not in load.stdout and b"Non-2xx" not in load.stdout, load.stdout)
    check(totals.get(200, 0) > 20 * SECONDS, "too few answers to tell", totals)
    check_eq(set(), {200, 206, "sidecar"} - set(totals), "kinds of answers that never came")
    settle(world, plain)
    # The cache may hold as many as it is allowed, and nobody else any.
    wait_for(30, lambda: descriptors(server) < before + 130, "descriptors to be closed")


def main(test):
    os.mkdir(test.path("www"))
    plain, tls = test.free_ports(2)
    server = test.lintel("""
{
    admin off
    http_port %d
    auto_https disable_redirects
    workers 2
}
http://:%d, https://localhost:%d {
    tls internal
    root %s
    encode gzip
    file_server {
        precompressed gzip
    }
}
""" % (plain, plain, tls, test.path("www")))
    wait_for(30, lambda: os.path.exists(test.local_root), "the local CA")
    churn(test, server, plain, tls)
    check(server.alive(), "the server is still there")


if __name__ == "__main__":
    with lib.Test() as t:
        main(t)
