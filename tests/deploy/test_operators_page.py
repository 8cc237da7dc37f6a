"""Holds the operators' page against the code and compose.yaml: what may be set for serving, where, and the limits."""

import re

from vercel_marketplace_mcp.http import app, serving
from vercel_marketplace_mcp.http import settings as http_settings
from vercel_marketplace_mcp.ledger.records import QUESTION_LIFETIME

from ..test_docs import Recording, table
from .balancer import ROOT

PAGE = (ROOT / "docs" / "how-to" / "operate-for-a-team.md").read_text("utf-8")
COMPOSE = (ROOT / "compose.yaml").read_text("utf-8")


def cells(heading: str, column: int) -> list[str]:
    """A column of the table under a heading, without the table's head."""
    rows = table(PAGE.split(f"\n### {heading}\n", 1)[1])[2:]
    return [row.strip("|").split("|")[column].strip().strip("`") for row in rows]


def test_the_settings_of_serving_are_those_that_the_code_reads() -> None:
    """Every variable that is read stands in the table, and nothing else does."""
    environment = Recording({})
    http_settings.load("127.0.0.1:8000", environment)
    assert sorted(cells("Settings of serving", 0)) == sorted(environment.asked)


def test_compose_sets_all_of_them_but_one() -> None:
    """The one is what pages of other origins would need."""
    left_out = {name for name in cells("Settings of serving", 0) if f" {name}: " not in COMPOSE}
    assert left_out == {"VERCEL_MCP_HTTP_ALLOWED_ORIGINS"}


def test_the_limits_are_the_codes() -> None:
    """Sessions, their end, connections, and how long a question waits."""
    seconds = [f"{time:g} seconds" for time in (app.SESSION_IDLE, QUESTION_LIFETIME)]
    assert cells("Limits", 1)[:4] == [str(app.MAX_SESSIONS), seconds[0], str(serving.MAX_CONNECTIONS), seconds[1]]


def test_whatever_the_page_puts_into_the_env_file_reaches_a_container() -> None:
    """A variable that compose.yaml does not hand on would change nothing, and nobody would notice."""
    (block,) = re.findall(r"```text\n( *DESK_HOST=.+?)```", PAGE, re.DOTALL)
    said = " ".join(line for line in PAGE.splitlines() if "`.env`" in line)
    named = {*re.findall(r"^ *(\w+)=", block, re.MULTILINE), *re.findall(r"`([A-Z][A-Z_]+)(?:=\w+)?`", said)}
    assert {"VERCEL_MCP_PAID", "VERCEL_MCP_APPROVAL", "DESK_HOST"} <= named
    assert named - set(re.findall(r"\$\{(\w+)", COMPOSE)) == set()
