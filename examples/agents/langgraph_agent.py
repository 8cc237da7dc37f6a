"""LangGraph, through langchain-mcp-adapters: an agent with the server's tools, over one session.

It needs an environment of its own, since the adapters want an older MCP SDK than the server: `scripts/setup-agents`
makes it. Run it with `PATH=.venv/bin:$PATH .venv/langgraph/bin/python examples/agents/langgraph_agent.py [NAME]`.
With a key set, and langchain-anthropic or langchain-openai installed, a model decides, else the stand-in does.
"""

import asyncio
import sys
from typing import Any

from common import INSTRUCTIONS, PROJECT, model, report, server, task
from langchain.agents import create_agent
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_mcp_adapters.client import MultiServerMCPClient
from langchain_mcp_adapters.tools import load_mcp_tools
from stand_in import StandIn, provision


class ScriptedModel(BaseChatModel):  # type: ignore[misc]  # known in that environment only
    """A chat model that plays a script."""

    stand_in: Any

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, *_tools: Any, **_choices: Any) -> "ScriptedModel":
        """The script knows the tools."""
        return self

    def _generate(self, messages: list[BaseMessage], *_stop: Any, **_kwargs: Any) -> ChatResult:
        """The next step of the script, after what was heard last."""
        step = self.stand_in.next(answer_of(messages[-1]))
        if isinstance(step, str):
            message = AIMessage(step)
        else:
            called = {"name": step[0], "args": step[1], "id": str(len(messages)), "type": "tool_call"}
            message = AIMessage("", tool_calls=[called])
        return ChatResult(generations=[ChatGeneration(message=message)])


def answer_of(message: BaseMessage) -> Any:
    """What a tool answered: the structure where the adapters pass it on, which they do for a success, else the text."""
    artifact = getattr(message, "artifact", None) or {}
    return artifact.get("structured_content", message.content)


async def main(name: str) -> int:
    """Let the agent provision a free store. Returns 0 if it exists now."""
    client = MultiServerMCPClient({"marketplace": {"transport": "stdio", **server()}})
    async with client.session("marketplace") as session:
        chosen = model() or ScriptedModel(stand_in=StandIn(provision(name, "free", PROJECT)))
        agent = create_agent(chosen, await load_mcp_tools(session), system_prompt=INSTRUCTIONS)
        state = await agent.ainvoke({"messages": [("user", task(name, "free"))]}, {"recursion_limit": 100})
    heard = [message for message in state["messages"] if isinstance(message, ToolMessage)]
    return report([(message.name, answer_of(message)) for message in heard], state["messages"][-1].text)


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "langgraph-store")))
