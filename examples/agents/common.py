"""What the programs beside it share: how the server is started, what an agent is asked for, how its calls are told.

It imports no framework and calls no tool.
"""

import json
import os
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

Json = dict[str, Any]

PROJECT = os.environ.get("VERCEL_PROJECT_ID") or "prj_sandboxStorefront"
MODELS = {"ANTHROPIC_API_KEY": "anthropic:claude-sonnet-5-5", "OPENAI_API_KEY": "openai:gpt-6-luna"}
INSTRUCTIONS = "You provision storage. Follow next_steps, tell the user what money says, and never run a command."


def server(**settings: str) -> Json:
    """How to start the server: beside this Python if it is installed there, else as found on the PATH.

    It gets this environment's VERCEL_ variables and these settings; without a token it is the sandbox.
    """
    places = [str(Path(sys.executable).parent), None]
    command = next(filter(None, (shutil.which("vercel-marketplace-mcp", path=place) for place in places)), None)
    if command is None:
        sys.exit("vercel-marketplace-mcp is not installed here, nor on the PATH")
    env = {name: value for name, value in os.environ.items() if name.startswith("VERCEL_")} | settings
    return {"command": command, "args": ["serve"] if env.get("VERCEL_TOKEN") else ["serve", "--sandbox"], "env": env}


def model() -> str | None:
    """The model to use: AGENT_MODEL, or one of the provider whose key is set; none means the stand-in."""
    keys = [key for key in MODELS if os.environ.get(key)]
    return (os.environ.get("AGENT_MODEL") or MODELS[keys[0]]) if keys else None


def task(name: str, kind: str) -> str:
    """What the agent is asked for, in a person's words."""
    return f"Create a {kind} database called {name}, then connect it to {PROJECT} for preview deployments only."


def understand(told: Any) -> Json:
    """A tool's answer, however a framework passes it on: as a structure, or as text, whose first word is the status."""
    if isinstance(told, dict) and "text" not in told:
        return told
    parts = told if isinstance(told, list) else [told]
    text = "".join(part["text"] if isinstance(part, dict) else str(part) for part in parts)
    try:
        answer: Json = json.loads(text)
    except ValueError:
        return {"status": text.partition(":")[0], "changes": text}
    return answer


def say(text: str) -> None:
    """Print a line at once: a person may be waiting for it."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def report(calls: Iterable[tuple[str, Any]], last_words: str) -> int:
    """Print every call with what it did, and the agent's last words. Returns 0 if a store exists now."""
    created = False
    for tool, told in calls:
        answer = understand(told)
        why = answer.get("error", {}).get("message")
        outcome = answer.get("status") or ("failed" if why else "listed")
        say(": ".join(filter(None, [tool, outcome, answer.get("money") or answer.get("changes"), why])))
        created = created or (tool, outcome) == ("create-store", "created")
    say(f"agent: {last_words}")
    return 0 if created else 1
