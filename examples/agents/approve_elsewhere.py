"""A person confirms a paid store in another terminal: for hosts that can show no form, as the OpenAI Agents SDK.

The agent's call answers confirmation_required with a command. The program shows it, waits for the person, and lets the
agent make the same call again. The command is taken from the server's answer, never from the model's words.
Run it with `python examples/agents/approve_elsewhere.py [NAME]`.
"""

import sys

import anyio
from agents import Runner
from common import PROJECT, report, say, task
from openai_agents_sdk import MOST_TURNS, QUIET, calls, storage_agent, tools
from stand_in import provision


async def main(name: str) -> int:
    """Let the agent buy a store, with a pause for the person. Returns 0 if it exists now."""
    async with tools() as marketplace:
        agent = storage_agent(provision(name, "may_charge", PROJECT), marketplace)
        result = await Runner.run(agent, task(name, "paid"), max_turns=MOST_TURNS, run_config=QUIET)
        _, answer = calls(result)[-1]
        if answer.get("status") == "confirmation_required":
            report(calls(result), result.final_output)
            say(f"\nIn another terminal, run:\n\n{answer['approval']['command']}\n\nThen press Return here.")
            await anyio.to_thread.run_sync(sys.stdin.readline)
            heard = result.to_input_list()
            heard.append({"role": "user", "content": "I have answered it. Make the call again."})
            result = await Runner.run(agent, heard, max_turns=MOST_TURNS, run_config=QUIET)
    return report(calls(result), result.final_output)


if __name__ == "__main__":
    sys.exit(anyio.run(main, sys.argv[1] if len(sys.argv) > 1 else "paid-store"))
