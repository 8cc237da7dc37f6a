"""The tools of the conformance suite that ask somebody something, by our own forms where one form is all they want.

Up to 2025-11-25 they ask in the middle of the call; since 2026-07-28 the call ends with the question.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias

import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp.shared.message import ServerMessageMetadata

from vercel_marketplace_mcp.approval.asking import ClientForm
from vercel_marketplace_mcp.ledger.records import Question

from . import material

Asked: TypeAlias = ServerRequestContext[Any, Any]
Params: TypeAlias = types.CallToolRequestParams
Result: TypeAlias = types.CallToolResult | types.InputRequiredResult
Run: TypeAlias = Callable[[Asked, Params], Awaitable[Result]]

NAME = material.schema(name="string")
CONFIRM = material.schema(ok="boolean")
PERSON = material.schema(username="string", email="string")
COLOR = material.schema(color="string")


def answer(said: str) -> types.CallToolResult:
    """An answer in one text."""
    return types.CallToolResult(content=[material.text(said)])


def form(message: str, shape: dict[str, Any]) -> types.ElicitRequest:
    """A question for a person."""
    return types.ElicitRequest(params=types.ElicitRequestFormParams(message=message, requested_schema=shape))


def sampling(prompt: str) -> types.CreateMessageRequest:
    """A question for the client's model."""
    message = types.SamplingMessage(role="user", content=material.text(prompt))
    return types.CreateMessageRequest(params=types.CreateMessageRequestParams(messages=[message], max_tokens=100))


Questions: TypeAlias = Mapping[str, types.CreateMessageRequest | types.ListRootsRequest | types.ElicitRequest]

ROUNDS: Mapping[str, Questions] = {
    "test_input_required_result_elicitation": {"user_name": form("What is your name?", NAME)},
    "test_input_required_result_sampling": {"capital_question": sampling("What is the capital of France?")},
    "test_input_required_result_list_roots": {"client_roots": types.ListRootsRequest()},
    "test_input_required_result_multiple_inputs": {
        "user_name": form("What is your name?", NAME),
        "greeting": sampling("Generate a greeting"),
        "client_roots": types.ListRootsRequest(),
    },
}
"""What each of these tools asks, all at once."""
STEPS: tuple[Questions, ...] = (
    {"step1": form("Step 1: What is your name?", NAME)},
    {"step2": form("Step 2: What is your favorite color?", COLOR)},
)
CONTEXT: Questions = {"user_context": form("What context should the prompt use?", material.schema(context="string"))}


def missing(questions: Questions, given: Mapping[str, Any] | None, state: str | None = None) -> Any:
    """The result that asks whatever has not been answered; None if all has."""
    if questions.keys() <= (given or {}).keys():
        return None
    return types.InputRequiredResult(input_requests=dict(questions), request_state=state)


async def all_at_once(_asked: Asked, params: Params) -> Result:
    """Ask everything in one round."""
    return missing(ROUNDS[params.name], params.input_responses, "asked") or answer("Everything was answered.")


async def step_by_step(_asked: Asked, params: Params) -> Result:
    """Ask one thing a round; the state says which comes next."""
    step = int(params.request_state or 0)
    if step and missing(STEPS[step - 1], params.input_responses) is None:
        step += 1
    step = max(step, 1)
    if step > len(STEPS):
        return answer("Every step was answered.")
    return types.InputRequiredResult(input_requests=dict(STEPS[step - 1]), request_state=str(step))


async def whatever_is_declared(asked: Asked, _params: Params) -> Result:
    """Ask only what the client has said it can answer."""
    declared = asked.session.client_capabilities
    questions: Questions = {
        **({"question": sampling("What is the capital of France?")} if declared and declared.sampling else {}),
        **({"user_name": form("What is your name?", NAME)} if declared and declared.elicitation else {}),
    }
    return missing(questions, None) or answer("This client can be asked nothing.")


async def needs_sampling(asked: Asked, _params: Params) -> Result:
    """Refuse a client that has no model to ask."""
    declared = asked.session.client_capabilities
    if declared is None or declared.sampling is None:
        wanted: dict[str, dict[str, Any]] = {"requiredCapabilities": {"sampling": {}}}
        raise MCPError(types.MISSING_REQUIRED_CLIENT_CAPABILITY, "This tool asks the client's model.", wanted)
    return answer("The client has a model to ask.")


async def ask_the_model(asked: Asked, params: Params) -> Result:
    """Ask the client's model in the middle of the call."""
    request = sampling(str((params.arguments or {}).get("prompt", "")))
    related = ServerMessageMetadata(related_request_id=asked.request_id)
    said = await asked.session.send_request(request, types.CreateMessageResult, metadata=related)
    return answer(f"LLM response: {said.content.text if isinstance(said.content, types.TextContent) else ''}")


def ask_by_our_form(shape: dict[str, Any]) -> Run:
    """Return a tool that asks a person the way that purchases are asked for, in either era."""

    async def ask(asked: Asked, params: Params) -> Result:
        ours = ClientForm(asked, params, wait=10)
        message = str((params.arguments or {}).get("message", "Please confirm"))
        carried = ours.carried
        reply = carried.reply if carried else await ours.ask(_question(message), shape)
        return answer(f"Elicitation completed, state-ok: action={reply.action}, content={reply.content}")

    return ask


def _question(message: str) -> Question:
    return Question(
        id="question",
        code="code",
        principal="local",
        account="account",
        fingerprint="fingerprint",
        text=message,
        expected="yes",
        state="open",
        asked_at=0,
        expires_at=0,
    )
