"""Pydantic AI: an agent with the server as its toolset.

Run it with `python examples/agents/pydantic_ai_agent.py [NAME]`. With ANTHROPIC_API_KEY or OPENAI_API_KEY set a model
decides (AGENT_MODEL chooses it), else a FunctionModel does as the stand-in says.
"""

import sys
from typing import Any

import anyio
from common import INSTRUCTIONS, PROJECT, model, report, server, task
from fastmcp.client import Client
from fastmcp.client.transports import StdioTransport
from pydantic_ai import Agent
from pydantic_ai.mcp import MCPToolset
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ToolCallPart, ToolReturnPart
from pydantic_ai.models.function import AgentInfo, FunctionModel
from stand_in import Script, StandIn, provision


def toolset(elicitation_handler: Any = None, **settings: str) -> MCPToolset:
    """The server's tools. "failed": a refusal is an answer for the model to read, not an error to try again."""
    transport = StdioTransport(**server(**settings))
    client = Client(transport, elicitation_handler=elicitation_handler, timeout=120)
    return MCPToolset(client, tool_error_behavior="failed")


def scripted(script: Script) -> FunctionModel:
    """A model that plays a script."""
    agent = StandIn(script)

    def respond(messages: list[ModelMessage], _info: AgentInfo) -> ModelResponse:
        step = agent.next(getattr(messages[-1].parts[-1], "content", None))
        part = TextPart(step) if isinstance(step, str) else ToolCallPart(*step)
        return ModelResponse(parts=[part])

    return FunctionModel(respond)


def calls(messages: list[ModelMessage]) -> list[tuple[str, Any]]:
    """Every tool that was called, with what it answered."""
    parts = [part for message in messages for part in message.parts]
    return [(part.tool_name, part.content) for part in parts if isinstance(part, ToolReturnPart)]


async def main(name: str) -> int:
    """Let the agent provision a free store. Returns 0 if it exists now."""
    chosen = model() or scripted(provision(name, "free", PROJECT))
    agent = Agent(chosen, instructions=INSTRUCTIONS, toolsets=[toolset()])
    result = await agent.run(task(name, "free"))
    return report(calls(result.all_messages()), result.output)


if __name__ == "__main__":
    sys.exit(anyio.run(main, sys.argv[1] if len(sys.argv) > 1 else "pydantic-store"))
