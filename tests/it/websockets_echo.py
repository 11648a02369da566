"""An upstream for proxy-websockets.py: a WebSocket server, by Python's package websockets, that sends
every message back. Prints its port.

    websockets_echo.py [CERTIFICATE KEY]     with them it speaks TLS
"""

import asyncio
import resource
import ssl
import sys

import websockets


async def echo(socket, *_):
    async for message in socket:
        await socket.send(message)


async def main():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    tls = None
    if len(sys.argv) > 1:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(*sys.argv[1:])
    async with websockets.serve(echo, "127.0.0.1", 0, ping_interval=None, compression=None,
                                backlog=1024, max_size=None, ssl=tls) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await asyncio.Future()


asyncio.run(main())
