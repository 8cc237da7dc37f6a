"""Where people answer questions from elsewhere: lists those that wait for the caller, and takes a typed answer.

Whoever may approve answers what their own agent raised; approving for others is a scope of its own. A question of
somebody else is answered exactly as one that does not exist.
"""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from vercel_marketplace_mcp import strict_json
from vercel_marketplace_mcp.approval import desk
from vercel_marketplace_mcp.callers import APPROVE_ALL
from vercel_marketplace_mcp.http.doors import BODY_SECONDS, caller, read_body, refusal
from vercel_marketplace_mcp.ledger.records import Question
from vercel_marketplace_mcp.results import moment
from vercel_marketplace_mcp.tools.context import Context

_MAX_BODY = 4096


class Approvals:
    """The endpoints of one server's questions."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def listed(self, request: Request) -> Response:
        """Answer with the questions that the caller may answer, oldest first."""
        questions = await self._waiting(request)
        return JSONResponse({"questions": [_show(question) for question in questions]})

    async def answered(self, request: Request) -> Response:
        """Record what a person typed under a question, and answer how it stands then."""
        code = request.path_params["code"].upper()
        question = next((one for one in await self._waiting(request) if one.code == code), None)
        typed = await _typed(request)
        if isinstance(typed, Response):
            return typed
        if question is None:
            words = "No question with this code waits for you. It may be answered, replaced or too old."
            return refusal(404, "not_found", words)
        ttl = self._context.settings.approval_ttl
        who = caller(request).principal
        meaning = await desk.answer(question, typed, self._context.ledger, ttl, approver=who)
        return JSONResponse({"status": meaning})

    async def _waiting(self, request: Request) -> list[Question]:
        who = caller(request)
        return await self._context.ledger.pending(None if who.may(APPROVE_ALL) else who.principal)


async def _typed(request: Request) -> str | Response:
    body = await read_body(request.scope, request.receive, _MAX_BODY, BODY_SECONDS)
    if isinstance(body, Response):
        return body
    wanted = refusal(400, "invalid_request", 'The body must be {"typed": "..."}, and no more.')
    try:
        document = strict_json.parse(body)
    except strict_json.NotJsonError:
        return wanted
    value: Any = document.value
    if not isinstance(value, dict) or set(value) != {"typed"} or document.duplicate_keys:
        return wanted
    typed = value["typed"]
    return typed if isinstance(typed, str) and strict_json.is_unicode(typed) else wanted


def _show(question: Question) -> dict[str, Any]:
    return {
        "code": question.code,
        "principal": question.principal,
        "text": question.text,
        "asked_at": moment(question.asked_at),
        "expires_at": moment(question.expires_at),
    }
