"""The command `approve --server`, run by a person in a real terminal. It holds no test."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeAlias

import anyio.to_thread

from ..approval.terminal import PROGRAM, Done, at_the_desk, variables
from .office import static_token

Approve: TypeAlias = Callable[..., Awaitable[Done]]
WARDEN = static_token("warden")
"""The token of a person who may answer for everybody."""
PREFIX = "vercel-marketplace-mcp: "
"""What every sentence about a failure begins with."""
NOTHING = "Nothing was answered."
IN_DOUBT = "It may have your answer: look again which questions wait."


async def approve_at(
    home: Path, server: str, *code: str, typed: bytes = b"", token: str | None = WARDEN, **more: Any
) -> Done:
    """Run it in a terminal, with this token in the environment; what is shown never holds it."""
    known = {"VERCEL_MCP_APPROVER_TOKEN": token} if token else {}
    env = variables(HOME=str(home), **known, **more.pop("env", {}))
    command = [*PROGRAM, "approve", *code, "--server", server]
    done = await anyio.to_thread.run_sync(lambda: at_the_desk(command, typed, env=env, **more))
    assert token is None or token not in done.shown
    return done
