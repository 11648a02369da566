#!/usr/bin/env python3
"""contrib/bench with the rows that have most parts: proxied, over TLS, and WebSocket. It compares what comes
through Lintel with what was sent; the figures are nobody's here."""

import glob
import os
import re
import subprocess
import sys
import tempfile

import lib
from lib import check, check_eq, need

ROWS = {"proxy": "1 KB, proxied", "tlsproxy": "1 KB, TLS, proxied", "echo": "WebSocket echo of 64 bytes",
        "tlsecho": "WebSocket echo of 64 bytes, TLS"}

with lib.Test() as t:
    need("wrk", "nginx", "openssl", "cc", "pkg-config")
    bench = subprocess.Popen(
        [sys.executable, "-B", os.path.join(lib.TOP_SRCDIR, "contrib/bench"), "--lintel", lib.LINTEL,
         "--workers", "2", "--rounds", "1", "--seconds", "1", "--only", "lintel," + ",".join(ROWS)],
        env=t.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    out, err = bench.communicate()
    print(out, err[-2000:])
    check_eq(0, bench.returncode)
    for title in ROWS.values():
        check(re.search("^%s +[1-9][0-9,.]*/s, [0-9,.]+ us$" % title, out, re.M), title)
        check(re.search(r"^%s +[0-9,.]+ \+ [0-9,.]+ us .*: (server|upstream|load|others|nobody)$" % title,
                        out, re.M), "where the time of %s went" % title)
    check_eq([], glob.glob(os.path.join(tempfile.gettempdir(), "lintel-bench-%d.*" % bench.pid)))
