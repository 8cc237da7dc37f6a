"""The OpenAI Agents SDK: an agent with the server over stdio.

Run it with `python examples/agents/openai_agents_sdk.py [NAME]`. With OPENAI_API_KEY set a model decides (AGENT_MODEL
chooses it), else the SDK's ScriptedModel does as the stand-in says.
"""

import os
import sys
from typing import Any

import anyio
from agents import Agent, RunConfig, Runner, RunResult, ToolCallItem, ToolCallOutputItem
from agents.mcp import MCPServerStdio
from agents.testing import ModelCall, ModelStep, ScriptedModel, assistant_message, function_call
from common import INSTRUCTIONS, PROJECT, report, server, task
from stand_in import Script, StandIn, provision

MOST_TURNS = 40
QUIET = RunConfig(tracing_disabled=True)


def tools(**settings: str) -> MCPServerStdio:
    """The server. A call may take longer than the SDK's five seconds: a new store is waited for."""
    return MCPServerStdio(
        params=server(**settings),  # type: ignore[arg-type]
        client_session_timeout_seconds=120,
        use_structured_content=True,
        custom_data_extractor=lambda context: {"answer": dict(context.structured_content or {})},
    )


def scripted(script: Script) -> ScriptedModel:
    """A model that plays a script."""
    agent = StandIn(script)

    def respond(call: ModelCall) -> list[Any]:
        step = agent.next(call.input[-1].get("output"))
        if isinstance(step, str):
            return [assistant_message(step)]
        return [function_call(*step, call_id=f"call-{len(call.input)}")]

    return ScriptedModel([ModelStep.respond(respond)] * MOST_TURNS)


def calls(result: RunResult) -> list[tuple[str, Any]]:
    """Every tool that was called, with what it answered, also where the model is shown its text only."""
    items = result.new_items
    names = {item.call_id: str(item.tool_name) for item in items if isinstance(item, ToolCallItem)}
    answers = [item for item in items if isinstance(item, ToolCallOutputItem)]
    return [(names[item.call_id], (item.custom_data or {}).get("answer", item.output)) for item in answers]


def storage_agent(script: Script, *servers: MCPServerStdio) -> Agent[None]:
    """An agent on a real model if there is a key (the SDK's default, or AGENT_MODEL), else on the script."""
    chosen = os.environ.get("AGENT_MODEL", "").removeprefix("openai:") or None
    model = chosen if os.environ.get("OPENAI_API_KEY") else scripted(script)
    return Agent("Storage", instructions=INSTRUCTIONS, model=model, mcp_servers=list(servers))


async def main(name: str) -> int:
    """Let the agent provision a free store. Returns 0 if it exists now."""
    async with tools() as marketplace:
        agent = storage_agent(provision(name, "free", PROJECT), marketplace)
        result = await Runner.run(agent, task(name, "free"), max_turns=MOST_TURNS, run_config=QUIET)
    return report(calls(result), result.final_output)


if __name__ == "__main__":
    sys.exit(anyio.run(main, sys.argv[1] if len(sys.argv) > 1 else "openai-store"))
