"""Ends servers of asyncio, so that whoever connects at that moment is hung up on and not left waiting."""

import asyncio


async def stop_listening(server: asyncio.Server) -> None:
    """Take no further connections, and make those whole that asyncio is just taking.

    It takes one in two turns of its loop. A server that closes in between loses the socket, which stays open.
    """
    loop = asyncio.get_running_loop()
    for listening in server.sockets:
        loop.remove_reader(listening)
    for _ in range(2):
        await asyncio.sleep(0)
    server.close()
