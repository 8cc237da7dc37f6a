"""Misbehaviour on demand: what may go wrong between an operation and the answer that its caller reads.

Touches no store: whether the operation took place first is the caller's to arrange, by `Fault.acts`.
"""

import json
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import anyio
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

CODES = {
    401: "forbidden",
    402: "payment_failed",
    403: "forbidden",
    404: "not_found",
    409: "conflict",
    410: "gone",
    429: "rate_limited",
    500: "internal_server_error",
}
LIMIT = {"limit": {"remaining": 0, "reset": 1893456000, "resetMs": 1893456000000, "total": 10}}


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """One way for an answer to go wrong; members combine.

    latency   seconds that pass before the answer leaves
    until     awaited before the answer leaves: `event.wait` holds it back without a clock
    drop      tear the connection: without an answer, "before" or "after" the operation took place,
              or "midway" through the answer's body
    status    stands in for the answer's status; with `headers` and `body`, or an error envelope of its own
    headers   added to the answer; a `content-length` may lie
    body      stands in for the answer's body, byte for byte
    acted     with `status` or `body`: the operation took place all the same
    drip      the body leaves a byte at a time, this many seconds apart
    edit      applied to the operation's own answer
    """

    latency: float = 0
    until: Callable[[], Awaitable[object]] | None = None
    drop: Literal["before", "after", "midway"] | None = None
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    acted: bool = False
    drip: float | None = None
    edit: Callable[[Any], Any] | None = None

    @property
    def answers(self) -> bool:
        """Whether at least a part of an answer leaves."""
        return self.drop not in ("before", "after")

    @property
    def acts(self) -> bool:
        """Whether the operation takes place before the fault shows."""
        if not self.answers:
            return self.drop == "after"
        return self.acted or (self.status is None and self.body is None)


class FaultyAnswer(Response):
    """An answer, or the operation's own, given the way its fault says."""

    def __init__(self, fault: Fault, answer: Response | None) -> None:
        status = fault.status or (answer.status_code if answer else 200)
        headers = {"content-type": "application/json", **{k.lower(): v for k, v in fault.headers.items()}}
        super().__init__(_body(fault, answer, status), status, headers)
        self.fault = fault

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Wait, then answer whole, in drops, in part, or not at all."""
        await anyio.sleep(self.fault.latency)
        if self.fault.until:
            await self.fault.until()
        if not self.fault.answers:
            await _tear(scope, receive, reset=True)
            return
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        for piece in self._pieces():
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            if self.fault.drip is not None:
                await anyio.sleep(self.fault.drip)
        if self.fault.drop:
            await _tear(scope, receive, reset=False)
        else:
            await send({"type": "http.response.body", "body": b""})

    def _pieces(self) -> Iterator[bytes]:
        body = bytes(self.body)
        body = body[: len(body) // 2] if self.fault.drop else body
        size = 1 if self.fault.drip is not None else max(len(body), 1)
        return (body[start : start + size] for start in range(0, len(body), size))


def _body(fault: Fault, answer: Response | None, status: int) -> bytes:
    if fault.body is not None:
        return fault.body
    if answer is None:
        return json.dumps(_envelope(status)).encode()
    body = bytes(answer.body)
    return json.dumps(fault.edit(json.loads(body))).encode() if fault.edit else body


def _envelope(status: int) -> dict[str, Any]:
    code = CODES.get(status, "bad_request")
    more = LIMIT if code == "rate_limited" else {}
    return {"error": {"code": code, "message": f"The sandbox was told to answer {status}", **more}}


async def _tear(scope: Scope, receive: Receive, *, reset: bool) -> None:
    """Break the connection: through the server's transport, or in process by an exception."""
    tear: Callable[[bool], None] | None = scope.get("state", {}).get("tear")
    if tear is None:
        raise ConnectionResetError("The sandbox tore the connection")
    tear(reset)
    while (await receive())["type"] != "http.disconnect":
        pass


class Faults:
    """The faults that wait for their operation, first in, first out."""

    def __init__(self) -> None:
        self._waiting: dict[str, list[Fault]] = {}

    def add(self, operation_id: str, fault: Fault, times: int) -> None:
        """Let the next calls of the operation go wrong."""
        self._waiting.setdefault(operation_id, []).extend([fault] * times)

    def take(self, operation_id: str) -> Fault | None:
        """The fault for this call, if one waits."""
        waiting = self._waiting.get(operation_id)
        return waiting.pop(0) if waiting else None
