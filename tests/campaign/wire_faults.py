"""Faults of the connection, as data: it is not made, it breaks off, it falls silent, or it carries no HTTP."""

from collections.abc import Callable, Iterator
from itertools import chain, repeat

from ..sockets import Said
from .faults_table import OK, Fault, Sort, cut, framed, said
from .faulty_vercel import Line, Spoil


def lines() -> Iterator[Fault]:
    """Nobody listens, or nobody who may be spoken to."""
    kinds: tuple[Line, ...] = ("closed", "untrusted", "another host")
    for line in kinds:
        yield Fault(name=f"line {line}", sort=Sort.NO_LINE, line=line, not_acted=True, acted=False)


def broken() -> Iterator[Fault]:
    """The connection ends too soon, by a reset or an early end, or what comes is no HTTP."""
    parts: dict[str, Callable[[bytes, bytes], bytes]] = {
        "within the head": lambda head, _: head[:20],
        "after the head": lambda head, _: head,
        "within the body": lambda head, body: head + body[: len(body) // 2],
    }
    for then in ("reset", "close"):
        yield Fault(name=f"{then} before the head", sort=Sort.BROKEN, spoil=said(then=then), not_acted=True)
        for where, part in parts.items():
            yield Fault(name=f"{then} {where}", sort=Sort.BROKEN, spoil=cut(part, then))
    frames: dict[str, Callable[[bytes], tuple[bytes, bytes]]] = {
        "length too long": lambda body: (f"content-length: {len(body) + 9}".encode(), body),
        "two lengths": lambda body: (f"content-length: {len(body)}\r\ncontent-length: 3".encode(), body),
        "negative length": lambda body: (b"content-length: -1", body),
        "chunk cut": lambda body: (b"transfer-encoding: chunked", b"%x\r\n" % (len(body) + 9) + body),
        "no last chunk": lambda body: (b"transfer-encoding: chunked", b"%x\r\n" % len(body) + body + b"\r\n"),
        "chunk of no size": lambda body: (b"transfer-encoding: chunked", b"many\r\n" + body),
        "endless head": lambda body: (b"x: " + b"y" * 200_000, body),
    }
    for name, frame in frames.items():
        yield Fault(name=name, sort=Sort.BROKEN, spoil=framed(frame))
    for name, text in (("no status", b"HTTP/1.1 fine\r\n\r\n"), ("ssh", b"SSH-2.0-x\r\n"), ("alert", b"\x15\x03\x01")):
        yield Fault(name=name, sort=Sort.BROKEN, spoil=said(text), not_acted=name == "ssh")


def slow() -> Iterator[Fault]:
    """Nothing more comes, or something comes now and then, for ever."""

    def drip(start: bytes, drop: bytes) -> Spoil:
        return lambda _: Said(pieces=chain([start], repeat(drop)), pause=0.02)

    yield Fault(name="silence", sort=Sort.SILENT, spoil=said(then="stay silent"), not_acted=True)
    half = cut(lambda head, body: head + body[:1], "stay silent")
    yield Fault(name="silence within the body", sort=Sort.SILENT, spoil=half)
    yield Fault(name="drops of a head", sort=Sort.SILENT, spoil=drip(OK, b"x: y\r\n"))
    yield Fault(name="drops of a body", sort=Sort.SILENT, spoil=drip(OK + b"content-length: 999999\r\n\r\n", b" "))
    yield Fault(name="drops of 1xx", sort=Sort.SILENT, spoil=drip(b"", b"HTTP/1.1 102 Wait\r\n\r\n"), not_acted=True)
