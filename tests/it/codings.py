"""Content codings for the tests: what the binary has, and how to read it."""

import shutil
import subprocess
import zlib

import lib


def built_in(test):
    """The formats of encode that were compiled in, in the order of preference."""
    names = []
    for name in ("zstd", "br", "gzip"):
        conf = test.write("probe-%s.conf" % name, "http://localhost:8080 {\n encode %s\n}\n" % name)
        probe = subprocess.run([lib.LINTEL, "validate", "--config", conf], env=test.env,
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        lib.check(probe.returncode == 0 or b"was not compiled in" in probe.stderr, probe.stderr)
        if probe.returncode == 0:
            names.append(name)
    if not names:
        raise lib.Skip("no format of encode was compiled in")
    return names


def readable(name):
    """Whether decode() knows it on this machine."""
    return name == "gzip" or (name == "zstd" and shutil.which("zstd") is not None)


def decode(name, data):
    """The whole content; fails if the stream is not complete."""
    if name == "zstd":
        return subprocess.run(["zstd", "-dcq"], input=data, stdout=subprocess.PIPE, check=True).stdout
    d = zlib.decompressobj(31)
    content = d.decompress(data)
    lib.check(d.eof and not d.unused_data, "not a whole gzip stream")
    return content


def curl_reads(name):
    """Whether curl decodes it: for brotli, which no program of Debian's base does."""
    version = subprocess.run(["curl", "--version"], stdout=subprocess.PIPE, check=True).stdout
    return {"br": b"brotli", "zstd": b"zstd", "gzip": b"libz"}[name] in version.split()
