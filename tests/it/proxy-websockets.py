#!/usr/bin/env python3
"""Many WebSocket clients, half of them over TLS, that exchange messages with real WebSocket servers,
half of them over TLS, while the configuration is reloaded: none is dropped and every message comes
back.

    WEBSOCKETS=2000 RELOADS=20 tests/it/proxy-websockets.py     the full number; a tenth by default
"""

import asyncio
import os
import resource
import struct
import subprocess

import lib
from lib import Skip, check, check_eq, tls_context
from pki import Pki

CLIENTS = int(os.environ.get("WEBSOCKETS", "200"))
RELOADS = int(os.environ.get("RELOADS", "4"))
MASK = b"\x11\x22\x33\x44"
SIZES = (0, 125, 126, 65535, 65536, 1 << 20)
HERE = os.path.dirname(os.path.abspath(__file__))


def python_with_websockets():
    """An interpreter that has the package: Debian's, perhaps, and not the one that runs this."""
    for python in ("/usr/bin/python3", "python3"):
        if subprocess.run([python, "-c", "import websockets"], stderr=subprocess.DEVNULL,
                          check=False).returncode == 0:
            return python
    raise Skip("Python's websockets are not installed")


class Client:
    def __init__(self, number, port, target, context):
        self.number = number
        self.port = port
        self.target = target
        self.context = context
        self.sent = 0

    async def open(self):
        self.reader, self.writer = await asyncio.open_connection(
            "127.0.0.1", self.port, ssl=self.context,
            server_hostname="localhost" if self.context else None)
        self.writer.write(b"GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n"
                          b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                          b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n" % self.target)
        head = await self.reader.readuntil(b"\r\n\r\n")
        check(head.startswith(b"HTTP/1.1 101 "), head)
        check(b"\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" in head, head)

    async def talk(self):
        """One message and its echo (RFC 6455 5.2: text, masked by the client)."""
        text = b"client %d message %d" % (self.number, self.sent)
        masked = bytes(c ^ MASK[i % 4] for i, c in enumerate(text))
        self.writer.write(b"\x81" + bytes([0x80 | len(text)]) + MASK + masked)
        check_eq(b"\x81" + bytes([len(text)]) + text, await self.reader.readexactly(2 + len(text)))
        self.sent += 1

    async def talk_at_length(self):
        """Binary messages of sizes that are written in each of the three ways."""
        for size in SIZES:
            data = os.urandom(size // 4 + 1)[:size // 4] * 4 + b"." * (size % 4)
            short, more = ((size, b"") if size < 126 else (126, struct.pack(">H", size))
                           if size < 65536 else (127, struct.pack(">Q", size)))
            self.writer.write(b"\x82" + bytes([0x80 | short]) + more + bytes(4) + data)
            head = b"\x82" + bytes([short]) + more
            check_eq(head, await self.reader.readexactly(len(head)))
            check(data == await self.reader.readexactly(size), "a message of %d bytes" % size)

    async def chat(self, ended):
        while not ended.is_set():
            await self.talk()
            await asyncio.sleep(0.05)
        await self.talk()

    async def close(self):
        self.writer.close()


async def run(server, conf, clients):
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    gate = asyncio.Semaphore(50)  # of openings at once

    async def opened(c):
        async with gate:
            await c.open()

    await asyncio.gather(*[opened(c) for c in clients])
    for c in clients[:4]:
        await c.talk_at_length()
    chats = asyncio.gather(*[c.chat(ended) for c in clients])
    for i in range(RELOADS):
        await loop.run_in_executor(None, server.reload,
                                   conf + "http://other%d.test {\n}\n" % i)
        check(not chats.done(), "a client was dropped")
    ended.set()
    await chats
    for c in clients:
        await c.close()


with lib.Test() as t:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    python = python_with_websockets()
    plain_port, tls_port = t.free_ports(2)
    pki = Pki(t)
    ports = []
    for name, args in (("upstream", ()), ("tls-upstream", pki.server)):
        upstream = t.spawn(name, [python, "-u", os.path.join(HERE, "websockets_echo.py"), *args])
        ports.append(int(upstream.wait_log(rb"^(\d+)$").group(1)))
    conf = """{
    admin off
    auto_https disable_redirects
    skip_install_trust
    default_bind 127.0.0.1
    grace_period 100ms
}
http://:%d, https://localhost:%d {
    reverse_proxy /plain 127.0.0.1:%d
    reverse_proxy /tls https://127.0.0.1:%d {
        transport http {
            tls_trust_pool file %s
        }
    }
}
""" % (plain_port, tls_port, *ports, pki.root)
    server = t.lintel(conf)
    context = tls_context()
    clients = [Client(i, tls_port if i & 1 else plain_port, b"/tls" if i & 2 else b"/plain",
                      context if i & 1 else None) for i in range(CLIENTS)]
    asyncio.run(run(server, conf, clients))
    print("%d clients, %d messages, %d reloads" % (CLIENTS, sum(c.sent for c in clients), RELOADS))
