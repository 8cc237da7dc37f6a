"""Lays over our server what the conformance suite wants of each server it tests: its tools, prompts and resources.

Our own handlers stay beneath: they list first, and they answer for every name that is not the suite's.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias

import mcp_types as types
from mcp.server.lowlevel import Server
from mcp.server.subscriptions import (
    InMemorySubscriptionBus,
    ListenHandler,
    PromptsListChanged,
    ServerEvent,
    ToolsListChanged,
)

from vercel_marketplace_mcp.app import NAME
from vercel_marketplace_mcp.approval.asking import AskedError, SealedState
from vercel_marketplace_mcp.ledger.records import Ledger

from . import material, rounds
from .rounds import Asked, Params, Result, Run

Ours: TypeAlias = Callable[[Asked, Any], Awaitable[Any]]
Over: TypeAlias = Callable[[Asked, Any, Ours], Awaitable[Any]]

BUS = InMemorySubscriptionBus()
"""Who listens for changes of the lists."""


async def _contents(_asked: Asked, params: Params) -> Result:
    return types.CallToolResult(content=material.CONTENTS[params.name])


async def _done(_asked: Asked, _params: Params) -> Result:
    return rounds.answer("Done.")


async def _fail(_asked: Asked, _params: Params) -> Result:
    said = material.text("This tool intentionally returns an error for testing")
    return types.CallToolResult(content=[said], is_error=True)


async def _log(asked: Asked, _params: Params) -> Result:
    for said in ("Tool execution started", "Tool processing data", "Tool execution completed"):
        # The way through the SDK is the one that asks whether this request may be sent logs.
        await asked.session.send_log_message("info", said, None, asked.request_id)  # type: ignore[deprecated]
    return rounds.answer("It was logged.")


async def _progress(asked: Asked, _params: Params) -> Result:
    for done in (0, 50, 100):
        await asked.session.report_progress(done, 100)
    return rounds.answer("It went on.")


async def _cut_the_stream(asked: Asked, _params: Params) -> Result:
    if asked.close_sse_stream is not None:
        await asked.close_sse_stream()
    return rounds.answer("It was answered after the stream was cut.")


def _announce(event: ServerEvent) -> Run:
    async def announce(_asked: Asked, _params: Params) -> Result:
        await BUS.publish(event)
        return rounds.answer("The list has changed.")

    return announce


TOOLS: Mapping[str, Run] = {
    **dict.fromkeys(material.CONTENTS, _contents),
    **dict.fromkeys(rounds.ROUNDS, rounds.all_at_once),
    "test_custom_header": _done,
    "json_schema_2020_12_tool": _done,
    "test_error_handling": _fail,
    "test_tool_with_logging": _log,
    "test_logging_tool": _log,
    "test_tool_with_progress": _progress,
    "test_reconnection": _cut_the_stream,
    "test_trigger_tool_change": _announce(ToolsListChanged()),
    "test_trigger_prompt_change": _announce(PromptsListChanged()),
    "test_missing_capability": rounds.needs_sampling,
    "test_sampling": rounds.ask_the_model,
    "test_elicitation": rounds.ask_by_our_form(rounds.PERSON),
    "test_elicitation_sep1034_defaults": rounds.ask_by_our_form(material.DEFAULTS),
    "test_elicitation_sep1330_enums": rounds.ask_by_our_form(material.ENUMS),
    "test_streaming_elicitation": rounds.ask_by_our_form(rounds.NAME),
    "test_input_required_result_request_state": rounds.ask_by_our_form(rounds.CONFIRM),
    "test_input_required_result_tampered_state": rounds.ask_by_our_form(rounds.CONFIRM),
    "test_input_required_result_multi_round": rounds.step_by_step,
    "test_input_required_result_capabilities": rounds.whatever_is_declared,
}
SCHEMAS = {
    "test_custom_header": material.HEADER_SCHEMA,
    "json_schema_2020_12_tool": material.SCHEMA_2020_12,
    "test_sampling": material.schema(prompt="string"),
    "test_elicitation": material.schema(message="string"),
}
"""The arguments of the few tools that have any."""


async def _list_tools(asked: Asked, params: Any, ours: Ours) -> types.ListToolsResult:
    mine = [
        types.Tool(name=name, description="A tool of the suite's.", input_schema=SCHEMAS.get(name, {"type": "object"}))
        for name in TOOLS
    ]
    return types.ListToolsResult(tools=[*(await ours(asked, params)).tools, *mine])


async def _call_tool(asked: Asked, params: Params, ours: Ours) -> Result:
    run = TOOLS.get(params.name, ours)
    try:
        result: Result = await run(asked, params)
    except AskedError as question:
        return question.result
    return result


async def _list_prompts(asked: Asked, params: Any, ours: Ours) -> types.ListPromptsResult:
    mine = [
        types.Prompt(
            name=name,
            description="A prompt of the suite's.",
            arguments=[types.PromptArgument(name=one, required=True) for one in arguments],
        )
        for name, arguments in material.PROMPTS.items()
    ]
    return types.ListPromptsResult(prompts=[*(await ours(asked, params)).prompts, *mine])


async def _get_prompt(asked: Asked, params: types.GetPromptRequestParams, ours: Ours) -> Any:
    if params.name not in material.PROMPTS:
        return await ours(asked, params)
    if params.name == "test_input_required_result_prompt":
        question = rounds.missing(rounds.CONTEXT, params.input_responses)
        if question:
            return question
    said = material.messages(params.name, params.arguments or {})
    return types.GetPromptResult(messages=[types.PromptMessage(role="user", content=one) for one in said])


async def _complete(asked: Asked, params: types.CompleteRequestParams, ours: Ours) -> Any:
    if isinstance(params.ref, types.PromptReference) and params.ref.name in material.PROMPTS:
        return types.CompleteResult(completion=types.Completion(values=["paris", "park", "party"]))
    return await ours(asked, params)


async def _list_resources(asked: Asked, params: Any, ours: Ours) -> types.ListResourcesResult:
    mine = [
        types.Resource(uri=uri, name=uri, description="A resource of the suite's.", mime_type=one.mime_type)
        for uri, one in material.RESOURCES.items()
    ]
    return types.ListResourcesResult(resources=[*(await ours(asked, params)).resources, *mine])


async def _list_templates(asked: Asked, params: Any, ours: Ours) -> types.ListResourceTemplatesResult:
    mine = types.ResourceTemplate(uri_template=material.TEMPLATE, name="data", description="A template of the suite's.")
    theirs = (await ours(asked, params)).resource_templates
    return types.ListResourceTemplatesResult(resource_templates=[*theirs, mine])


async def _read(asked: Asked, params: types.ReadResourceRequestParams, ours: Ours) -> Any:
    found = material.RESOURCES.get(str(params.uri)) or material.filled_in(str(params.uri))
    return types.ReadResourceResult(contents=[found]) if found else await ours(asked, params)


async def _accept(_asked: Asked, _params: Any) -> types.EmptyResult:
    return types.EmptyResult()


OVER: Mapping[str, Over] = {
    "tools/list": _list_tools,
    "tools/call": _call_tool,
    "prompts/list": _list_prompts,
    "prompts/get": _get_prompt,
    "completion/complete": _complete,
    "resources/list": _list_resources,
    "resources/templates/list": _list_templates,
    "resources/read": _read,
}
"""What our server does as well."""


def lay_over(server: Server[Any], ledger: Ledger) -> None:
    """Add what the suite wants to a server of ours; what its tools leave with the client is sealed as ours is."""
    for method, over in OVER.items():
        _lay(server, method, over)
    server.get_tool_input_schema = None  # the suite's tools have schemas too, and they stand in the list
    server.add_request_handler("logging/setLevel", types.SetLevelRequestParams, _accept)
    server.add_request_handler("resources/subscribe", types.SubscribeRequestParams, _accept)
    server.add_request_handler("resources/unsubscribe", types.UnsubscribeRequestParams, _accept)
    server.add_request_handler("subscriptions/listen", types.SubscriptionsListenRequestParams, ListenHandler(BUS))
    server.middleware.append(SealedState(ledger, (), frozenset(TOOLS), NAME))


def _lay(server: Server[Any], method: str, over: Over) -> None:
    beneath = server.get_request_handler(method)
    assert beneath is not None, method

    async def handle(asked: Asked, params: Any) -> Any:
        return await over(asked, params, beneath.handler)

    server.add_request_handler(method, beneath.params_type, handle)
