"""Asks a person through the MCP client, in either protocol era. It decides nothing: it carries questions and replies.

Up to 2025-11-25 the question is a request in the middle of the call. From 2026-07-28 on the call ends with the
question, and the client repeats it with the reply and the state that was sealed into it.
"""

import json
import logging
import os
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import anyio
import mcp_types as types
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.request_state import RequestStateBoundary, RequestStateSecurity
from mcp.shared.exceptions import MCPError
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from pydantic import SecretStr

from vercel_marketplace_mcp.approval.question import Reply
from vercel_marketplace_mcp.callers import arrival
from vercel_marketplace_mcp.ledger.records import QUESTION_LIFETIME, Ledger, LedgerError, Now, Question

logger = logging.getLogger(__name__)

_PROGRESS_EVERY = 5.0
_KEY = "confirmation"


class AskedError(Exception):
    """The call ends here with a question; `result` carries it to the client."""

    def __init__(self, result: types.InputRequiredResult) -> None:
        super().__init__("a question was asked")
        self.result = result


class ClientForm:
    """One call's way to show a form, and the reply that the call may carry already."""

    def __init__(
        self,
        request: ServerRequestContext[Any, Any],
        params: types.CallToolRequestParams,
        wait: float,
        now: Now = time.time,
    ) -> None:
        self._request = request
        self._params = params
        self._wait = wait
        self._now = now
        self._is_modern = request.protocol_version in MODERN_PROTOCOL_VERSIONS

    @property
    def carried(self) -> "Carried | None":
        """The reply that came with the call, if any. Only the tool whose states are unsealed may ask for it."""
        return _carried(self._params, self._now()) if self._is_modern else None

    @property
    def is_supported(self) -> bool:
        """Whether the client has declared that it can show a form; an empty declaration means forms."""
        capabilities = self._request.session.client_capabilities
        declared = capabilities.elicitation if capabilities else None
        has_form = declared is not None and (declared.form is not None or declared.url is None)
        return has_form and (self._is_modern or self._request.session.can_send_request)

    @property
    def answers_within_the_call(self) -> bool:
        """Whether a call waits for the answer to its question; otherwise the client brings it with another call."""
        return not self._is_modern

    async def ask(self, question: Question, form: dict[str, Any]) -> Reply:
        """Show the form and return the reply, at the latest after the time that a form may stay open.

        Raises:
            AskedError: in the newer era; the reply comes with the client's next call.
        """
        if self._is_modern:
            raise AskedError(_with_question(question, form, self._now()))
        started = anyio.current_time()
        answer: types.ElicitResult | None = None
        try:
            with anyio.move_on_after(self._wait):
                async with self.waiting():
                    answer = await self._request.session.elicit_form(question.text, form, self._request.request_id)
        except* (MCPError, ValueError, RuntimeError) as group:
            logger.info("the client could not show the form: %s", type(group.exceptions[0]).__name__)
        return _reply(answer, anyio.current_time() - started)

    async def report_progress(self, done: float, total: float, message: str) -> None:
        """Tell a client that asked for it how far the call has come."""
        await self._request.session.report_progress(done, total, message)

    @asynccontextmanager
    async def waiting(self) -> AsyncIterator[None]:
        """Tell a client that asked for it, as long as the block runs, that a person is being waited for."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._report_progress)
            yield
            tasks.cancel_scope.cancel()

    async def _report_progress(self) -> None:
        waited = 0.0
        while True:
            await self.report_progress(waited, self._wait, "Waiting for a person's answer.")
            await anyio.sleep(_PROGRESS_EVERY)
            waited += _PROGRESS_EVERY


class Carried:
    """A reply that came with a call, and the question it belongs to."""

    def __init__(self, question_id: str, expected: str, reply: Reply) -> None:
        self.question_id = question_id
        self.expected = expected
        self.reply = reply


def _with_question(question: Question, form: dict[str, Any], now: float) -> types.InputRequiredResult:
    params = types.ElicitRequestFormParams(message=question.text, requested_schema=form)
    state = {"question": question.id, "expected": question.expected, "at": now}
    return types.InputRequiredResult(
        input_requests={_KEY: types.ElicitRequest(params=params)}, request_state=json.dumps(state)
    )


def _carried(params: types.CallToolRequestParams, now: float) -> Carried | None:
    """Return the reply that a call carries. Its state was unsealed before: nobody but this server wrote it."""
    if params.request_state is None:
        return None
    state = json.loads(params.request_state)
    answer = (params.input_responses or {}).get(_KEY)
    found = answer if isinstance(answer, types.ElicitResult) else None
    return Carried(state["question"], state["expected"], _reply(found, now - state["at"]))


def _reply(answer: types.ElicitResult | None, elapsed: float) -> Reply:
    if answer is None:
        return Reply(action=None, content=None, elapsed=elapsed)
    return Reply(action=answer.action, content=answer.content, elapsed=elapsed)


class SealedState:
    """Server middleware: seals what a question leaves with the client, under the ledger's own key.

    The key outlives the process and is shared by all that use the ledger, so a reply finds its question anywhere.
    The operator's own keys, if any, take its place: the first seals, all unseal. A state is bound to who asked for it.
    """

    def __init__(self, ledger: Ledger, keys: Sequence[SecretStr], tools: frozenset[str], audience: str) -> None:
        self._ledger = ledger
        self._keys = keys
        self._tools = tools
        self._audience = audience
        self._boundary: RequestStateBoundary | None = None

    async def __call__(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        """Unseal the state of a call and seal that of its answer; calls that can't ask pass through."""
        if ctx.method != "tools/call" or (ctx.params or {}).get("name") not in self._tools:
            return await call_next(ctx)
        if self._boundary is None:
            try:
                self._boundary = self._make_boundary(self._own_keys() or [await self._ledger.secret()])
            except LedgerError:  # nothing can be bought now, so nothing is asked either
                return await self._make_boundary([os.urandom(32)])(ctx, call_next)
        return await self._boundary(ctx, call_next)

    def _own_keys(self) -> list[str]:
        return [key.get_secret_value() for key in self._keys]

    def _make_boundary(self, keys: Sequence[str | bytes]) -> RequestStateBoundary:
        security = RequestStateSecurity(keys=keys, ttl=QUESTION_LIFETIME, bind_principal=_principal)
        return RequestStateBoundary(security, default_audience=self._audience)


def _principal(asked: ServerRequestContext[Any, Any]) -> str:
    return arrival(asked.request).caller.principal
