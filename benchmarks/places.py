"""Where things lie, and what every process is told. It starts nothing."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[1]
HERE = ROOT / "benchmarks"
BUILD = ROOT / "build" / "benchmarks"
RESULTS = HERE / "results"
SPECS = ROOT / "tool_specs"
TEAM = "team_1a2b3c4d5e6f7g8h9i0j1k2l"
TOKEN = "sandbox-token-not-a-secret"  # noqa: S105 - opens nothing but the sandbox
OURS = (sys.executable, "-m", "vercel_marketplace_mcp")


def environment(**more: str) -> Mapping[str, str]:
    """Return the variables that every contestant is started with: the same few, and none of the caller's settings."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    return {**kept, "PYTHONPATH": str(ROOT / "server"), **more}


def account(api_url: str, folder: Path) -> Mapping[str, str]:
    """Return the variables for a server that speaks to the fake Vercel at `api_url`."""
    return environment(
        VERCEL_API_URL=api_url,
        VERCEL_TOKEN=TOKEN,
        VERCEL_TEAM_ID=TEAM,
        VERCEL_MCP_STATE_DIR=str(folder),
        VERCEL_MCP_MAX_CREATES_PER_HOUR="10000",
    )
