"""Faults of a whole answer, as data: a status that is no success, a body that can't be used, members of wrong types."""

import gzip
from collections.abc import Iterator
from functools import cache, partial
from typing import Any

from .faults_table import MAX_BODY, Fault, Sort, edited, framed, inserted, instead, said, status
from .faulty_vercel import Spoil


def statuses() -> Iterator[Fault]:
    """Every status that is no success, with a Location, and an error that repeats the token."""
    for number in (300, 301, 302, 303, 304, 307, 308):
        yield Fault(name=str(number), sort=Sort.REDIRECT, spoil=status(number), status=number, not_acted=True)
    for number in (400, 401, 402, 403, 404, 409, 410, 413, 422, 429):
        yield _refusal(str(number), number, status(number))
    for number in (408, 500, 501, 502, 503, 504):
        yield Fault(name=str(number), sort=Sort.FAILURE, spoil=status(number), status=number, not_acted=True)
    text = b'HTTP/1.1 %d No\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{"e'
    yield _refusal("403 cut", 403, said(text % 403))
    yield Fault(name="500 cut", sort=Sort.FAILURE, spoil=said(text % 500), status=500)
    yield _refusal("400 as HTML", 400, instead(lambda _: b"<html>", 400, content_type="text/html"))
    yield _refusal("402 without a body", 402, instead(lambda _: b"", 402))
    yield _refusal("409 of 3 MiB", 409, instead(lambda _: b" " * 3 * MAX_BODY, 409))
    for name, advice in RETRY_AFTER.items():
        yield _refusal(f"429 retry after {name}", 429, status(429, retry_after=advice))
        yield Fault(
            name=f"503 retry after {name}",
            sort=Sort.FAILURE,
            spoil=status(503, retry_after=advice),
            status=503,
            not_acted=True,
        )


RETRY_AFTER = {
    "seconds": "1",
    "a date": "Wed, 21 Oct 2015 07:28:00 GMT",
    "an age": "1000000000",
    "less than nothing": "-5",
    "soon": "soon",
    "a fraction": "1.5",
}


def _refusal(name: str, number: int, spoil: Spoil) -> Fault:
    """Return a refusal; the create request meets it only where nothing was done, or it would be a lie."""
    return Fault(name=name, sort=Sort.REFUSAL, spoil=spoil, status=number, not_acted=True, acted=False)


@cache
def _bomb() -> bytes:
    return gzip.compress(b" " * 50_000_000, mtime=0)


def unreadable() -> Iterator[Fault]:
    """A 2xx whose content can't be used: of another kind, too large, ambiguous, or out of range."""
    spoils: dict[str, Spoil] = {
        "gzip": instead(partial(gzip.compress, mtime=0), content_encoding="gzip"),
        "gzip in name only": instead(lambda body: body, content_encoding="gzip"),
        "gzip bomb": instead(lambda _: _bomb(), content_encoding="gzip"),
        "a byte over the cap": instead(lambda body: body.ljust(MAX_BODY + 1)),
        "chunks over the cap": framed(
            lambda _: (b"transfer-encoding: chunked", (b"10000\r\n" + b" " * 0x10000 + b"\r\n") * 40)
        ),
        "HTML": instead(lambda _: b"<html>Bad gateway</html>", content_type="text/html"),
        "empty": instead(lambda _: b""),
        "204": status(204),
        "plain text": instead(lambda body: body, content_type="text/plain"),
        "null": instead(lambda _: b"null"),
        "length too short": framed(lambda body: (f"content-length: {len(body) - 7}".encode(), body)),
        "cut within": instead(lambda body: body[:-1]),
        "two documents": instead(lambda body: body * 2),
        "a key twice": inserted('"twice": 1, "twice": 2'),
        "NaN": inserted('"odd": NaN'),
        "infinity": inserted('"odd": 1e999'),
        "nesting of 40": inserted(f'"odd": {"[" * 40}{"]" * 40}'),
        "nesting of 100000": inserted(f'"odd": {"[" * 100_000}{"]" * 100_000}'),
        "byte order mark": instead(lambda body: b"\xef\xbb\xbf" + body),
        "no UTF-8": instead(lambda body: body.replace(b"{", b'{"odd": "\xff",', 1)),
        "UTF-16": instead(lambda body: body.decode().encode("utf-16")),
    }
    for name, spoil in spoils.items():
        yield Fault(name=name, sort=Sort.UNREADABLE, spoil=spoil)


def _replaced(value: Any) -> Spoil:
    return edited(lambda answer, member: value if member is None else {**answer, member: value})


def wrong_types() -> Iterator[Fault]:
    """The member that matters, or the whole answer, is of another type."""
    values: dict[str, Any] = {"a text": "x", "a number": 7, "a fraction": 0.5, "true": True, "false": False}
    for name, value in values.items():
        yield Fault(name=f"what matters is {name}", sort=Sort.UNREADABLE, spoil=_replaced(value))
    yield Fault(name="what matters is null", sort=Sort.UNREADABLE, spoil=_replaced(None))
    other = edited(lambda answer, member: {} if member is None else {**answer, member: _other(answer[member])})
    yield Fault(name="what matters is of the other shape", sort=Sort.UNREADABLE, spoil=other)
    absent = edited(lambda answer, member: {name: answer[name] for name in answer if name != member} if member else {})
    yield Fault(name="what matters is absent", sort=Sort.UNREADABLE, spoil=absent)
    for name, value in (("a text", "x"), ("a number", 7), ("of the other shape", None)):
        whole = edited(lambda answer, _, value=value: _other(answer) if value is None else value)  # type: ignore[misc]
        yield Fault(name=f"the whole is {name}", sort=Sort.UNREADABLE, spoil=whole)


def _other(value: Any) -> Any:
    return {"0": value} if isinstance(value, list) else [value]
