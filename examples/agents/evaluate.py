"""Runs the prompts of evals/prompts.toml with a model, against the sandbox only, and prints which it got right.

Run it with `python examples/agents/evaluate.py [ID...]` and ANTHROPIC_API_KEY or OPENAI_API_KEY set (AGENT_MODEL
chooses the model); `--scripted` plays the expected calls instead. Returns 0 if every prompt passed.
"""

import os
import re
import sys
from typing import Any

import anyio
from common import INSTRUCTIONS, Json, model, say
from evaluation import PROMPTS, judge, play
from pydantic_ai import Agent, UsageLimits
from pydantic_ai.exceptions import AgentRunError
from pydantic_ai.messages import ToolCallPart, ToolReturnPart
from pydantic_ai_agent import scripted, toolset

LIMITS = UsageLimits(request_limit=30)


async def agrees(question: str, _kind: Any, form: Any, _context: Any) -> dict[str, str]:
    """A person who types what the question asks for."""
    (field,) = form.requested_schema["properties"]
    return {field: re.findall(r"type (\S+) - anything", question)[-1]}


async def declines(_question: str, _kind: Any, form: Any, _context: Any) -> dict[str, str]:
    """A person who types something else."""
    (field,) = form.requested_schema["properties"]
    return {field: "no"}


PEOPLE = {"agrees": agrees, "declines": declines, None: None}


async def problems(prompt: Json, chosen: Any) -> list[str]:
    """Run one prompt on a sandbox of its own. Returns what was wrong."""
    marketplace = toolset(PEOPLE[prompt.get("person")], **prompt.get("settings", {}))
    agent = Agent(chosen, instructions=INSTRUCTIONS, toolsets=[marketplace])
    try:
        result = await agent.run(prompt["says"], usage_limits=LIMITS)
    except AgentRunError as error:
        return [f"the run ended early: {error}"]
    parts = [part for message in result.all_messages() for part in message.parts]
    asked = {part.tool_call_id: part.args_as_dict() for part in parts if isinstance(part, ToolCallPart)}
    told = [part for part in parts if isinstance(part, ToolReturnPart)]
    made = [(part.tool_name, asked[part.tool_call_id]) for part in told]
    return list(judge(prompt, made, [part.content for part in told]))


async def main(*arguments: str) -> int:
    """Run the prompts with these ids, or all of them."""
    by_script, ids = "--scripted" in arguments, [one for one in arguments if one != "--scripted"]
    if not by_script and model() is None:
        sys.exit("There is no key: set ANTHROPIC_API_KEY or OPENAI_API_KEY, or give --scripted.")
    for name in ("VERCEL_TOKEN", "VERCEL_API_URL", "VERCEL_TEAM_ID", "VERCEL_TEAM_SLUG"):
        os.environ.pop(name, None)  # a person who always agrees must not meet an account
    prompts, failed = [PROMPTS[one] for one in ids] or list(PROMPTS.values()), 0
    for prompt in prompts:
        wrong = await problems(prompt, scripted(play(prompt)) if by_script else model())
        say("\n     ".join([f"{'FAIL' if wrong else 'pass'} {prompt['kind']}: {prompt['id']}", *wrong]))
        failed += bool(wrong)
    say(f"{len(prompts) - failed} of {len(prompts)} prompts passed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(anyio.run(main, *sys.argv[1:]))
