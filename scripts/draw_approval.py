"""Draws docs/images/approval.svg: the question about a paid store in the sandbox, letter for letter.

Exit codes: 0 drawn or up to date, 1 the picture is stale (--check).
"""

import sys
import tempfile
from html import escape
from pathlib import Path

import anyio
import mcp_types as types
from mcp import Client
from mcp.client import ClientRequestContext
from pydantic import SecretStr

from vercel_marketplace_mcp import app
from vercel_marketplace_mcp.ledger.sqlite import SqliteLedger
from vercel_marketplace_mcp.sandbox import SANDBOX_TEAM_ID, SANDBOX_TOKEN, Sandbox
from vercel_marketplace_mcp.settings import Settings, Team
from vercel_marketplace_mcp.tools.context import Context
from vercel_marketplace_mcp.vercel.client import VercelClient

PICTURE = Path(__file__).parents[1] / "docs" / "images" / "approval.svg"
STORE = {
    "name": "billing",
    "integrationConfigurationId": "icfg_BrindleData000000000001",
    "integrationProductIdOrSlug": "brindle-postgres",
    "billingPlanId": "pro",
    "metadata": {"region": "fra1"},
}
LINE, MARGIN, WIDTH = 20, 24, 900


async def question(folder: Path) -> str:
    """What a person is asked about the store."""
    asked: list[str] = []

    async def decline(
        context: ClientRequestContext,  # noqa: ARG001 - the SDK gives it by name
        params: types.ElicitRequestParams,
    ) -> types.ElicitResult:
        asked.append(params.message)
        return types.ElicitResult(action="decline")

    settings = Settings(token=SecretStr(SANDBOX_TOKEN), team=Team(id=SANDBOX_TEAM_ID), state_dir=folder)
    vercel, ledger = VercelClient(settings, Sandbox().app), SqliteLedger(folder)
    context = Context(settings=settings, client=vercel, ledger=ledger)
    server = app.build_server(lambda: context)
    async with Client(server, mode="legacy", elicitation_callback=decline) as client:
        await client.call_tool("create-store", STORE)
    await ledger.aclose()
    await vercel.aclose()
    return asked[0]


def drawn(text: str) -> str:
    """A terminal window with a question, and the answer being typed."""
    lines = ["$ vercel-marketplace-mcp approve", *text.splitlines(), "", "> 20.00"]
    height = 2 * MARGIN + LINE * len(lines)
    rows = (
        f'<text x="{MARGIN}" y="{MARGIN + LINE * number}" xml:space="preserve">{escape(line)}</text>'
        for number, line in enumerate(lines, start=1)
    )
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
            "<title>A question about a purchase, answered in a terminal</title>",
            f'<rect width="{WIDTH}" height="{height}" rx="10" fill="#16181d"/>',
            '<g font-family="ui-monospace, Menlo, Consolas, monospace" font-size="13" fill="#e6e8ec">',
            *rows,
            "</g>",
            "</svg>",
            "",
        ]
    )


def main() -> int:
    """Draw the picture, or say that it is stale."""
    with tempfile.TemporaryDirectory() as folder:
        picture = drawn(anyio.run(question, Path(folder, "state")))
    if PICTURE.is_file() and PICTURE.read_text("utf-8") == picture:
        return 0
    if "--check" in sys.argv[1:]:
        sys.stdout.write("docs/images/approval.svg is stale; run: python scripts/draw_approval.py\n")
        return 1
    PICTURE.write_text(picture, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
