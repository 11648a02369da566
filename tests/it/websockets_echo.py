"""An upstream for proxy-websockets.py: a WebSocket server, by Python's package websockets, that sends
every message back. Prints its port."""

import asyncio
import resource

import websockets


async def echo(socket, *_):
    async for message in socket:
        await socket.send(message)


async def main():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    async with websockets.serve(echo, "127.0.0.1", 0, ping_interval=None, compression=None,
                                backlog=1024) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await asyncio.Future()


asyncio.run(main())
