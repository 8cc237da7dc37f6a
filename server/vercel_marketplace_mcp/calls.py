"""Runs calls of tools: each is checked, worked on in its turn, and answered. No failure leaves a call as an exception.

It knows no transport and lists nothing.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPError

from vercel_marketplace_mcp import arguments, inputs, specs, telemetry
from vercel_marketplace_mcp.approval.asking import AskedError, ClientForm
from vercel_marketplace_mcp.callers import NEEDED, READ, Caller, arrival
from vercel_marketplace_mcp.ledger.records import LedgerError
from vercel_marketplace_mcp.results import (
    FAILED,
    Answer,
    StopError,
    failed_listing,
    failed_store,
    stopped_connect,
    stopped_create,
)
from vercel_marketplace_mcp.text import clean, nearest
from vercel_marketplace_mcp.tools import (
    connect_store,
    create_store,
    get_store,
    list_configurations,
    list_plans,
    list_products,
)
from vercel_marketplace_mcp.tools.context import NO_TEAM, Context
from vercel_marketplace_mcp.turns import Turns
from vercel_marketplace_mcp.vercel.errors import VercelError

logger = logging.getLogger(__name__)

MAX_CALLS = 8
"""Calls that are worked on at once, of those that may ask a person and of the others each."""
MAX_WAITING = 256
"""Calls that may wait for their turn; further ones are answered at once."""
ASKING = frozenset({"create-store", "connect-store"})
"""The tools that may ask a person."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """One call of a tool: its arguments as given, what the transport found in them, and the way to ask its client."""

    spec: specs.ToolSpec
    given: Mapping[str, Any]
    duplicate_keys: Sequence[str]
    client_form: ClientForm


@dataclass(frozen=True, kw_only=True, slots=True)
class _Tool:
    """How a call is run, and how it is answered when it ends early."""

    run: Callable[[Call, Context], Awaitable[Answer]]
    stopped: Callable[[StopError], Answer]


def _listing_tool(
    model: type[arguments.ArgumentsT], handle: Callable[[arguments.ArgumentsT, Context], Awaitable[Answer]], member: str
) -> _Tool:
    async def run(call: Call, context: Context) -> Answer:
        return await handle(arguments.read(call.spec, model, call.given, call.duplicate_keys), context)

    return _Tool(run=run, stopped=partial(failed_listing, member))


async def _run_create_store(call: Call, context: Context) -> Answer:
    checked = arguments.read(call.spec, inputs.CreateStore, call.given, call.duplicate_keys)
    return await create_store.handle(checked, context, call.client_form)


async def _run_get_store(call: Call, context: Context) -> Answer:
    return await get_store.handle(arguments.read(call.spec, inputs.GetStore, call.given, call.duplicate_keys), context)


async def _run_connect_store(call: Call, context: Context) -> Answer:
    checked = arguments.read(call.spec, inputs.ConnectStore, call.given, call.duplicate_keys)
    return await connect_store.handle(checked, context, call.client_form)


_TOOLS: Mapping[str, _Tool] = {
    "list-configurations": _listing_tool(inputs.ListConfigurations, list_configurations.handle, "configurations"),
    "list-products": _listing_tool(inputs.ListProducts, list_products.handle, "products"),
    "list-plans": _listing_tool(inputs.ListPlans, list_plans.handle, "plans"),
    "create-store": _Tool(run=_run_create_store, stopped=stopped_create),
    "get-store": _Tool(run=_run_get_store, stopped=failed_store),
    "connect-store": _Tool(run=_run_connect_store, stopped=stopped_connect),
}


class Desk:
    """Takes the calls of tools for one account, a bounded number at once."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._turns = Turns(MAX_CALLS, MAX_WAITING)
        self._asking = Turns(MAX_CALLS, MAX_WAITING)  # calls that wait for a person hold up no read

    async def call(
        self, asked: ServerRequestContext[Any, Any], params: types.CallToolRequestParams
    ) -> types.CallToolResult | types.InputRequiredResult:
        """Return what a tool answers, or the question that the client must answer first.

        Raises:
            MCPError: there is no such tool.
        """
        spec = specs.load().get(params.name)
        if spec is None:
            raise MCPError(types.INVALID_PARAMS, _unknown_tool(params.name))
        arrived = arrival(asked.request)
        form = ClientForm(asked, params, self._context.settings.form_wait)
        call = Call(spec=spec, given=params.arguments or {}, duplicate_keys=arrived.duplicate_keys, client_form=form)
        try:
            turns = self._asking if spec.name in ASKING else self._turns
            answer = await _answer(call, replace(self._context, caller=arrived.caller), turns)
        except AskedError as question:
            telemetry.answered(spec.name, "asked")
            return question.result
        telemetry.answered(spec.name, answer.structured.get("status", "failed" if answer.is_error else "ok"))
        return types.CallToolResult(
            content=[types.TextContent(type="text", text=answer.text)],
            structured_content=dict(answer.structured),
            is_error=answer.is_error,
        )


async def _answer(call: Call, context: Context, turns: Turns) -> Answer:
    """Run one call. Whatever goes wrong becomes an answer of the tool, in our words."""
    tool = _TOOLS[call.spec.name]
    try:
        _require_scope(call.spec.name, context.caller)
        async with turns.next():
            return await tool.run(call, context)
    except StopError as stop:
        return tool.stopped(stop)
    except VercelError as error:
        steps = [error.next_step] if _names_team(call, context) else [error.next_step, NO_TEAM]
        return tool.stopped(StopError("unavailable", error.code, error.message, next_steps=steps))
    except LedgerError as error:
        steps = ["Ask the operator to mend it. Reading goes on; nothing is created without a ledger."]
        return tool.stopped(StopError("unavailable", "ledger_unavailable", str(error), next_steps=steps))
    except AskedError:
        raise
    except Exception:
        logger.exception("%s failed in an unforeseen way", call.spec.name)
        return tool.stopped(
            StopError("unavailable", "internal_error", FAILED, next_steps=["Ask the operator to look at the log."])
        )


def _require_scope(tool: str, caller: Caller) -> None:
    needed = NEEDED.get(tool, READ)
    if not caller.may(needed):
        message = f"The token of this call lacks the scope {needed}, which {tool} needs."
        steps = ["Ask the operator for a token with that scope."]
        raise StopError("refused", "the_token_lacks_a_scope", message, next_steps=steps)


def _names_team(call: Call, context: Context) -> bool:
    return context.settings.team is not None or bool({"teamId", "slug"} & set(call.given))


def _unknown_tool(name: str) -> str:
    return f"There is no tool {clean(name)}. Did you mean {nearest(name, specs.TOOL_NAMES, 1)[0]}?"
