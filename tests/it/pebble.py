#!/usr/bin/env python3
"""A certificate authority of one's own: Pebble, with pebble-challtestsrv as its DNS.

pebble.py prepare DIR HTTP_PORT TLS_PORT OWNER_PID
    makes DIR: a TLS certificate for Pebble, its configuration, ports, and DIR/env with
    PEBBLE_DIRECTORY, PEBBLE_CA, PEBBLE_MANAGEMENT, PEBBLE_DNS_MANAGEMENT, PEBBLE_ROOT in shell form.
    Pebble will validate at HTTP_PORT (http-01) and TLS_PORT (tls-alpn-01).
pebble.py run DIR
    runs both until SIGTERM; when Pebble answers, fetches the root of its certificates to
    DIR/root.pem. The DNS says 127.0.0.1 for every name.

Pebble's own knobs (PEBBLE_VA_NOSLEEP, PEBBLE_WFE_NONCEREJECT, PEBBLE_CHAIN_LENGTH, ...) pass through the
environment. Ours: PEBBLE_VALIDITY_S (certificateValidityPeriod), PEBBLE_EAB=1 (external account binding
required: key "kid-1", see EAB_KEY), PEBBLE_STRICT=1.
"""

import ctypes
import json
import os
import signal
import ssl
import subprocess
import sys
import time
import urllib.request

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from free_port import free_ports  # noqa: E402

EAB_KEY = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"


def prepare(folder, http_port, tls_port, owner):
    os.makedirs(folder, exist_ok=True)
    acme, management, dns, dns_management = free_ports(4, owner)
    cert, key = os.path.join(folder, "tls.pem"), os.path.join(folder, "tls.key")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-days", "30", "-subj", "/CN=localhost", "-addext",
         "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", key, "-out", cert],
        check=True, stderr=subprocess.DEVNULL)
    conf = {
        "listenAddress": "127.0.0.1:%d" % acme,
        "managementListenAddress": "127.0.0.1:%d" % management,
        "certificate": cert,
        "privateKey": key,
        "httpPort": http_port,
        "tlsPort": tls_port,
        "ocspResponderURL": "",
        "externalAccountBindingRequired": bool(os.environ.get("PEBBLE_EAB")),
    }
    if os.environ.get("PEBBLE_EAB"):
        conf["externalAccountMACKeys"] = {"kid-1": EAB_KEY}
    if os.environ.get("PEBBLE_VALIDITY_S"):
        conf["certificateValidityPeriod"] = int(os.environ["PEBBLE_VALIDITY_S"])
    with open(os.path.join(folder, "pebble.json"), "w") as f:
        json.dump({"pebble": conf}, f, indent=2)
    env = {
        "PEBBLE_DIRECTORY": "https://127.0.0.1:%d/dir" % acme,
        "PEBBLE_CA": cert,
        "PEBBLE_MANAGEMENT": "https://127.0.0.1:%d" % management,
        "PEBBLE_DNS_MANAGEMENT": "http://127.0.0.1:%d" % dns_management,
        "PEBBLE_ROOT": os.path.join(folder, "root.pem"),
        "PEBBLE_DNS": "127.0.0.1:%d" % dns,
    }
    with open(os.path.join(folder, "env"), "w") as f:
        f.writelines("%s='%s'\n" % item for item in env.items())
    return env


def read_env(folder):
    with open(os.path.join(folder, "env")) as f:
        return dict(line.rstrip("\n").replace("'", "").split("=", 1) for line in f)


def die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def start(folder):
    """Starts both programs; returns them once Pebble answers."""
    env = read_env(folder)
    try:
        os.unlink(env["PEBBLE_ROOT"])
    except FileNotFoundError:
        pass
    dns = subprocess.Popen(
        ["pebble-challtestsrv", "-defaultIPv6", "", "-dns01", env["PEBBLE_DNS"], "-http01", "",
         "-https01", "", "-tlsalpn01", "", "-management",
         env["PEBBLE_DNS_MANAGEMENT"][len("http://"):]],
        stdin=subprocess.DEVNULL, preexec_fn=die_with_parent)
    command = ["pebble", "-config", os.path.join(folder, "pebble.json"),
               "-dnsserver", env["PEBBLE_DNS"]]
    if os.environ.get("PEBBLE_STRICT"):
        command.append("-strict")
    pebble = subprocess.Popen(command, stdin=subprocess.DEVNULL, preexec_fn=die_with_parent)
    programs = [pebble, dns]
    trust = ssl.create_default_context(cafile=env["PEBBLE_CA"])
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}),
                                         urllib.request.HTTPSHandler(context=trust))
    deadline = time.monotonic() + 30
    while True:
        try:
            opener.open(env["PEBBLE_DIRECTORY"], timeout=5).read()
            root = opener.open(env["PEBBLE_MANAGEMENT"] + "/roots/0", timeout=5).read()
            break
        except OSError as e:
            if time.monotonic() > deadline or any(p.poll() is not None for p in programs):
                stop(programs)
                raise SystemExit("pebble did not start: %s" % e)
            time.sleep(0.05)
    temporary = env["PEBBLE_ROOT"] + ".new"
    with open(temporary, "wb") as f:
        f.write(root)
    os.rename(temporary, env["PEBBLE_ROOT"])
    return programs


def stop(programs):
    for p in programs:
        p.kill()
    for p in programs:
        p.wait()


def run(folder):
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    programs = start(folder)
    try:
        while all(p.poll() is None for p in programs):
            time.sleep(0.2)
        raise SystemExit("pebble or its DNS ended")
    finally:
        stop(programs)


if __name__ == "__main__":
    if sys.argv[1] == "prepare":
        prepare(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5]))
    else:
        run(sys.argv[2])
