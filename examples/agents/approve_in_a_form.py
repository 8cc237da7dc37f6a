"""A person confirms a paid store in this terminal, while the agent waits: the server's question is shown as a form.

The server asks the client, not the model; the model never sees the question, and nothing it says can answer it.
Run it with `python examples/agents/approve_in_a_form.py [NAME]`, and type the amount that the question asks for.
Where standard input is no terminal nobody is asked, and nothing is bought.
"""

import sys
from typing import Any

import anyio
from common import INSTRUCTIONS, PROJECT, model, report, say, task
from fastmcp.client.elicitation import ElicitResult
from pydantic_ai import Agent
from pydantic_ai_agent import calls, scripted, toolset
from stand_in import provision


async def ask(question: str, _kind: Any, form: Any, _context: Any) -> Any:
    """Show the question, and pass on what the person types into its one field. Ctrl-D declines."""
    (field,) = form.requested_schema["properties"]
    say(f"\n{question}\n")
    try:
        typed = await anyio.to_thread.run_sync(input, "> ", abandon_on_cancel=True)
    except EOFError:
        return ElicitResult(action="decline")
    return {field: typed}


async def main(name: str) -> int:
    """Let the agent buy a store. Returns 0 if it exists now."""
    marketplace = toolset(ask if sys.stdin.isatty() else None)
    chosen = model() or scripted(provision(name, "may_charge", PROJECT))
    agent = Agent(chosen, instructions=INSTRUCTIONS, toolsets=[marketplace])
    result = await agent.run(task(name, "paid"))
    return report(calls(result.all_messages()), result.output)


if __name__ == "__main__":
    sys.exit(anyio.run(main, sys.argv[1] if len(sys.argv) > 1 else "paid-store"))
