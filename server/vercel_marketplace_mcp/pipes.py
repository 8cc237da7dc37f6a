"""The process's standard streams as a transport needs them: taken for the protocol alone, and read in bounded lines."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO


@contextmanager
def standard_streams() -> Iterator[tuple[BinaryIO, BinaryIO]]:
    """Take the standard streams for the protocol: a stray print goes to standard error, a stray read finds nothing."""
    sys.stdout.flush()
    stdin, stdout = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    try:
        yield stdin, stdout
    finally:
        with suppress(OSError):
            os.dup2(stdout.fileno(), 1)
        with suppress(OSError):  # what nobody reads any more is dropped without a word
            stdout.close()


def read_capped(stdin: BinaryIO, limit: int) -> bytes:
    """Return the next line. Of one longer than `limit`, return its beginning and its end, still too long."""
    line = stdin.readline(limit + 1)
    if len(line) <= limit or line.endswith(b"\n"):
        return line
    tail = b""
    while part := stdin.readline(limit):
        tail = (tail + part)[-1024:]
        if part.endswith(b"\n"):
            break
    return line + tail
