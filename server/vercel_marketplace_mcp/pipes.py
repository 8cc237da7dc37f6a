"""The process's standard streams as a transport needs them: taken for the protocol alone, and never waited for.

Both are asked before they are used, so that no thread has to block in them: to hand a line to a thread and back costs
more than to read it.
"""

import os
import select
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress

import anyio
import anyio.lowlevel

_CHUNK = 64 * 1024
_TAIL = 1024
"""Bytes that are kept of the end of a line that is too long."""


@contextmanager
def standard_streams() -> Iterator[tuple[int, int]]:
    """Take the standard streams for the protocol: a stray print goes to standard error, a stray read finds nothing."""
    sys.stdout.flush()
    stdin, stdout = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    try:
        yield stdin, stdout
    finally:
        with suppress(OSError):
            os.dup2(stdout, 1)
        os.close(stdout)
        os.close(stdin)


async def read_lines(stream: int, limit: int) -> AsyncIterator[bytes]:
    """Yield each line without its end. Of one longer than `limit`, yield its beginning and its end, still too long."""
    asked = _asked(stream, select.POLLIN)
    line = bytearray()
    while data := await _read(stream, asked):
        *ended, begun = data.split(b"\n")
        for part in ended:
            _add(line, part, limit)
            yield bytes(line)
            line.clear()
        _add(line, begun, limit)
    if line:
        yield bytes(line)


async def _read(stream: int, asked: select.poll) -> bytes:
    if asked.poll(0):  # always so of a file, which can't be waited for
        await anyio.lowlevel.checkpoint()
    else:
        await anyio.wait_readable(stream)
    return os.read(stream, _CHUNK)


def _add(line: bytearray, part: bytes, limit: int) -> None:
    line += part
    del line[limit + 1 : max(limit + 1, len(line) - _TAIL)]


async def write(stream: int, data: bytes) -> None:
    """Write all of `data`, in parts that a stream which is ready takes without blocking.

    Raises:
        BrokenPipeError: nobody reads any more.
    """
    asked = _asked(stream, select.POLLOUT)
    rest = memoryview(data)
    while rest:
        if not asked.poll(0):
            await anyio.wait_writable(stream)
        rest = rest[os.write(stream, rest[: select.PIPE_BUF]) :]


def _asked(stream: int, event: int) -> select.poll:
    asked = select.poll()
    asked.register(stream, event)
    return asked
