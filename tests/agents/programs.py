"""How tests run the programs of examples/agents. It fakes nothing and holds no test."""

import os
import sys
from pathlib import Path

import pytest

from ..approval.terminal import Done, without_a_terminal
from ..hosts.installation import environment

ROOT = Path(__file__).parents[2]
AGENTS = ROOT / "examples" / "agents"
LANGGRAPH = ROOT / ".venv" / "langgraph" / "bin" / "python"


def variables(folder: Path) -> dict[str, str]:
    """An environment whose PATH holds the server's command; it has no key and no token, and keeps its state apart."""
    return environment(folder) | {"PYDANTIC_AI_NO_BANNER": "1"}


def command(program: str, *arguments: str) -> list[str]:
    """How to run a program: with this Python, or with the one whose environment it needs."""
    python = sys.executable
    if program == "langgraph_agent.py":
        python = str(LANGGRAPH)
        if not LANGGRAPH.exists():
            missing = "the environment that scripts/setup-agents makes is not here"
            pytest.fail(missing) if os.environ.get("CI") == "true" else pytest.skip(missing)
    return [python, str(AGENTS / program), *arguments]


def run(program: str, *arguments: str, env: dict[str, str]) -> Done:
    """Run a program where nobody answers."""
    return without_a_terminal(command(program, *arguments), env=env)
