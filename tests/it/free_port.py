#!/usr/bin/env python3
"""Prints N free ports of the loopback (TCP and UDP), one a line: free_port.py N OWNER_PID.

A port the kernel picks for bind(0) may be handed to somebody's outgoing connection a moment later.
So ports are looked for below the range of outgoing connections, tried with bind, and reserved by a
file named after the port that holds the pid of the test. A file of a dead owner counts for nothing.
"""

import os
import random
import socket
import sys
import tempfile

RESERVED = os.path.join(tempfile.gettempdir(), "lintel-test-ports.%d" % os.getuid())


def candidates():
    low = 32768
    try:
        with open("/proc/sys/net/ipv4/ip_local_port_range") as f:
            low = int(f.read().split()[0])
    except OSError:
        pass
    ports = list(range(10000, low)) if low > 12000 else list(range(10000, 60000))
    random.SystemRandom().shuffle(ports)
    return ports


def is_free(port):
    tries = [(socket.AF_INET, "0.0.0.0")]
    if socket.has_ipv6:
        tries.append((socket.AF_INET6, "::1"))
    for family, host in tries:
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            try:
                with socket.socket(family, kind) as s:
                    s.bind((host, port))
            except OSError as e:
                if family == socket.AF_INET or e.errno == 98:  # EADDRINUSE
                    return False
    return True


def owner_lives(path):
    try:
        with open(path) as f:
            os.kill(int(f.read()), 0)
    except (OSError, ValueError):
        return False
    return True


def reserve(port, owner):
    path = os.path.join(RESERVED, str(port))
    temporary = "%s.%d" % (path, os.getpid())
    with open(temporary, "w") as f:
        f.write(str(owner))
    try:
        if os.path.exists(path) and not owner_lives(path):
            os.unlink(path)
        os.link(temporary, path)  # atomic, and with its content
        return True
    except OSError:
        return False
    finally:
        os.unlink(temporary)


def free_ports(count, owner):
    os.makedirs(RESERVED, mode=0o700, exist_ok=True)
    found = []
    for port in candidates():
        if len(found) == count:
            break
        if reserve(port, owner):
            if is_free(port):
                found.append(port)
            else:
                os.unlink(os.path.join(RESERVED, str(port)))
    if len(found) < count:
        raise SystemExit("no free port found")
    return found


def give_back(owner):
    """Forgets every port of a test that ends."""
    try:
        names = os.listdir(RESERVED)
    except OSError:
        return
    for name in names:
        path = os.path.join(RESERVED, name)
        try:
            with open(path) as f:
                mine = f.read() == str(owner)
            if mine:
                os.unlink(path)
        except OSError:
            pass


if __name__ == "__main__":
    if sys.argv[1] == "--give-back":
        give_back(int(sys.argv[2]))
    else:
        print("\n".join(map(str, free_ports(int(sys.argv[1]), int(sys.argv[2])))))
