"""People who read questions and answer them in their own way, and clients that carry that. They judge nothing."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

import anyio
import mcp_types as types
from mcp import Client
from mcp.client import ClientRequestContext
from pydantic import TypeAdapter

from ..approval.world import clicked, typed
from .machine_model import Asked
from .machine_prices import Json
from .machine_time import FreeTime

Mind: TypeAlias = Literal["right", "wrong", "blank", "decline", "close", "late"]
Result: TypeAlias = types.CallToolResult | types.InputRequiredResult

READING = 1.0
"""Seconds it takes to read a question, of the world's own time."""
TOO_LONG = 100.0
"""Seconds after which no form is open any more."""
_EITHER: TypeAdapter[Result] = TypeAdapter(Result)


def answer(mind: Mind, asked: Asked, now: float) -> types.ElicitResult:
    """Fill in the form, send it off or close it, and note what has been said by that."""
    match mind:
        case "right" | "late":
            asked.say("yes", now)
            _, _, rest = asked.text.splitlines()[-1].partition("type ")
            return typed(f" {rest.partition(' ')[0]} ")
        case "wrong":
            asked.say("no", now)
            return typed("1.00")
        case "blank":
            return typed(" ")
        case _:
            asked.say("no", now)
            return clicked("cancel" if mind == "close" else mind)


@dataclass(frozen=True, kw_only=True)
class Visitor:
    """Somebody of a certain mind before a client; `meanwhile` happens while a form is open."""

    mind: Mind
    time: FreeTime
    read: Callable[[str], Awaitable[Asked]]
    meanwhile: Callable[[], object]

    async def __call__(
        self,
        context: ClientRequestContext,  # noqa: ARG002 - the SDK gives it by name
        params: types.ElicitRequestParams,
    ) -> types.ElicitResult:
        """Answer the form of a call that waits for it, if it is still open then."""
        return await self.answer(await self.read(params.message))

    async def answer(self, asked: Asked) -> types.ElicitResult:
        """Answer a question, after a while."""
        self.meanwhile()
        await anyio.sleep(TOO_LONG if self.mind == "late" else READING)
        return answer(self.mind, asked, self.time.now)


@dataclass(frozen=True, kw_only=True)
class Opened:
    """A call in the newer era that ended with a question, and what it left with the client."""

    given: Json
    state: str
    asked: Asked


async def call(
    client: Client, tool: str, given: Json, opened: Opened | None = None, words: types.ElicitResult | None = None
) -> Result:
    """Call a tool, with an answer to the question that an earlier round ended with.

    Unlike the SDK's own call it leaves the result's schema alone: to compile that anew takes longer than the call.
    """
    params = types.CallToolRequestParams(
        name=tool,
        arguments=given,
        input_responses={"confirmation": words} if words else None,
        request_state=opened.state if opened else None,
    )
    return await client.session.send_request(types.CallToolRequest(params=params), _EITHER)


def content(result: types.CallToolResult) -> Json:
    """What a call answered, as structure."""
    assert isinstance(result.structured_content, dict)
    return result.structured_content


def text_of(result: types.InputRequiredResult) -> str:
    """The question that a call ended with."""
    (form,) = (result.input_requests or {}).values()
    assert isinstance(form, types.ElicitRequest)
    return form.params.message
