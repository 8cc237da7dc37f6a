"""The campaign's checks of replies, files and worlds can fail: each breach is made, past the server, and is counted."""

import base64
from collections.abc import Awaitable, Callable
from pathlib import Path

import anyio
import httpx
import mcp_types as types
import pytest
from mcp import MCPError

from vercel_marketplace_mcp.sandbox import SANDBOX_TEAM_ID

from ..approval.world import PRO, Json
from .hostile_call import Script
from .hostile_oracle import CANARY, complaints, leaks
from .hostile_tally import Tally
from .hostile_witness import CREATING, wish
from .hostile_world import GUARD, Arena
from .machine_time import FreeLoop, FreeTime


@pytest.mark.parametrize(
    "text",
    [
        f"Bearer {CANARY}",
        f"x{CANARY[:-2]}",
        base64.b64encode(CANARY.encode()).decode(),
        CANARY.encode() + b"\x00\xff",
    ],
)
def test_the_token_is_seen_wherever_it_stands(text: str | bytes, tmp_path: Path) -> None:
    """In a text, cut short, in base64, and amid the bytes of any file of a folder."""
    assert leaks(text)
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "ledger.sqlite3-wal").write_bytes(
        b"\xff\x00" + (text if isinstance(text, bytes) else text.encode())
    )
    tally = Tally()
    tally.search(tmp_path)
    assert tally.sightings == 1


GOOD: Json = {"status": "refused", "money": "Nothing was created.", "next_steps": []}
BAD_REPLIES: dict[str, tuple[Json, str]] = {
    "NaN": ({**GOOD, "more": float("nan")}, "fine"),
    "half a character": ({**GOOD, "money": "\ud800"}, "fine"),
    "an escape in the text": (GOOD, "\x1b[2Jfine"),
    "a return in the text": (GOOD, "fine\r\nwell"),
    "something invisible": ({**GOOD, "money": "no\u200bthing"}, "fine"),
    "too long a text": (GOOD, "x" * 200_001),
    "too long a member": ({**GOOD, "money": "x" * 2_000_001}, "fine"),
    "no foreseen failure": ({**GOOD, "error": {"code": "internal_error", "message": "?"}}, "fine"),
    "a status of its own": ({**GOOD, "status": "bought"}, "fine"),
    "no status": ({"money": "", "next_steps": []}, "fine"),
}


@pytest.mark.parametrize(("structured", "text"), BAD_REPLIES.values(), ids=BAD_REPLIES.keys())
def test_a_reply_that_breaks_a_rule_is_counted(structured: Json, text: str) -> None:
    """One that breaks none is not."""
    tally = Tally()
    for reply, words in ((GOOD, "fine\nwell"), (structured, text)):
        content = types.TextContent(type="text", text=words)
        tally.check("create-store", types.CallToolResult(content=[content], structured_content=reply, is_error=True))
    assert (tally.outside, len(tally.problems), tally.sightings) == (1, 1, 0)
    assert list(complaints(GOOD, "fine\nwell")) == []


def test_a_token_in_a_reply_or_a_refusal_is_counted_and_so_is_a_refusal_that_nobody_expected() -> None:
    """In the structure, in the text, in the error of the protocol."""
    tally = Tally()
    for reply, words in (({**GOOD, "money": CANARY}, ""), (GOOD, CANARY)):
        content = types.TextContent(type="text", text=words)
        tally.check("create-store", types.CallToolResult(content=[content], structured_content=reply, is_error=True))
    tally.refuse(MCPError(-32602, f"no {CANARY}"), None)
    tally.refuse(MCPError(-32602, "as agreed"), "as agreed")
    assert (tally.sightings, tally.outside, len(tally.problems)) == (3, 0, 1)


def in_an_arena(folder: Path, story: Callable[[Arena], Awaitable[None]]) -> Tally:
    """Let something happen in a world without calls, and look back at it."""
    time, tally = FreeTime(), Tally()

    async def live() -> None:
        arena = Arena(folder, Script(rules={}, changes=(), calls=()), "auto", time, tally)
        async with arena.open():
            await story(arena)
            await arena.look_back()

    anyio.run(live, backend_options={"loop_factory": lambda: FreeLoop(time)})
    return tally


async def silence() -> types.CallToolResult:
    """An answer that does not come."""
    await anyio.sleep_forever()
    raise AssertionError("nothing wakes it")


def test_a_call_that_is_never_answered_counts_as_hanging(tmp_path: Path) -> None:
    """The guard ends it, and the campaign goes on."""

    async def story(arena: Arena) -> None:
        before = arena.time.passed
        assert await arena.answered("create-store", silence()) == {}
        assert arena.time.passed - before >= GUARD

    tally = in_an_arena(tmp_path / "state", story)
    assert (tally.calls, tally.hangs) == (1, 1)


def test_a_world_in_which_somebody_bypasses_the_server_is_found_out(tmp_path: Path) -> None:
    """A purchase that no server made, and the token left in the state folder, are in the tally of that world."""

    async def story(arena: Arena) -> None:
        assert await arena.ledger.verify() is None
        transport = httpx.ASGITransport(app=arena.sandbox.app)
        async with httpx.AsyncClient(transport=transport, base_url="https://api.vercel.com") as client:
            allowed = {"Authorization": f"Bearer {CANARY}"}
            await client.post(CREATING, json=PRO, headers=allowed, params={"teamId": SANDBOX_TEAM_ID})
        assert len(arena.sandbox.stores) == 1
        (tmp_path / "state" / "debug.log").write_text(f"Authorization: Bearer {CANARY}")

    tally = in_an_arena(tmp_path / "state", story)
    assert (tally.posts, tally.charging, tally.unapproved) == (1, 1, [wish(CREATING, PRO)])
    assert tally.sightings == 1
