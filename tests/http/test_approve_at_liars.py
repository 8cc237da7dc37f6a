"""The command `approve --server` at a server that makes no sense, or means harm: a person is never misled."""

from collections.abc import Mapping

import anyio
import pytest

from ..approval.terminal import Done
from ..sockets import Said, as_http
from .approving import IN_DOUBT, NOTHING, PREFIX, WARDEN, Approve
from .speaking import Speaker, speaking, told

pytestmark = pytest.mark.anyio

QUESTION = {"code": "AAAAAA", "principal": "alice", "text": "Buy?", "asked_at": "", "expires_at": ""}
UNREADABLE = f"The server's answer can't be read. Look whether --server names it. {NOTHING}"
LISTS: dict[str, tuple[Said, str]] = {
    "no JSON": (told(b"<html>"), UNREADABLE),
    "thousands of levels": (told(b"[" * 100_000), UNREADABLE),
    "a list": (told([QUESTION]), UNREADABLE),
    "half a question": (told({"questions": [{"code": "AAAAAA"}]}), UNREADABLE),
    "a code that is a path": (told({"questions": [{**QUESTION, "code": "../../mcp"}]}), UNREADABLE),
    "a code that is a number": (told({"questions": [{**QUESTION, "code": 7}]}), UNREADABLE),
    "sent elsewhere": (told({}, 307, location="/other"), f"The server answered with status 307. {NOTHING}"),
    "not there": (
        told({}, 404),
        f"No questions are answered at this address. Look whether it is right. {NOTHING}",
    ),
    "closing": (told({}, 503), f"The server answered with status 503. {NOTHING}"),
    "hung up": (Said(then="close"), f"The server can't be reached (RemoteProtocolError). {NOTHING}"),
    "too long": (told(b" " * (1024 * 1024 + 1)), "The server can't be reached (an answer of more than 1048576 bytes)."),
    "compressed": (told(b"\x1f\x8b\x08\x00", content_encoding="gzip"), UNREADABLE),
}


async def approved_at(approve: Approve, servers: Mapping[str, Speaker], typed: bytes) -> dict[str, Done]:
    """How the command ends at each of these servers, two at a time."""
    found: dict[str, Done] = {}
    places = anyio.Semaphore(2)

    async def ask(name: str, speaker: Speaker) -> None:
        async with places, speaking(speaker):
            found[name] = await approve(speaker.url, "AAAAAA", typed=typed)

    async with anyio.create_task_group() as tasks:
        for name, speaker in servers.items():
            tasks.start_soon(ask, name, speaker)
    return found


async def test_a_server_that_makes_no_sense_gets_no_answer(approve: Approve) -> None:
    """Whatever it says instead of its questions: exit code 2, one sentence, and no second request anywhere."""
    servers = {name: Speaker(says={"/approvals": said}) for name, (said, _) in LISTS.items()}
    found = await approved_at(approve, servers, b"")
    assert {name: done.code for name, done in found.items()} == dict.fromkeys(LISTS, 2)
    wrong = {name: done.shown for name, done in found.items() if not done.shown.startswith(PREFIX + LISTS[name][1])}
    assert wrong == {}
    seen = {name: [(one.target, one.all("authorization")) for one in speaker.seen] for name, speaker in servers.items()}
    assert seen == {key: [("/approvals", [f"Bearer {WARDEN}"])] for key in LISTS}


ANSWERS: dict[str, tuple[Said, str]] = {
    "no JSON": (told(b"approved"), f"The server's answer can't be read. {IN_DOUBT}"),
    "a list": (told(["approved"]), f"The server's answer can't be read. {IN_DOUBT}"),
    "another word": (told({"status": "\x1b[2Jyes"}), f"The server's answer can't be read. {IN_DOUBT}"),
    "broken": (told({"status": "approved"}, 502), f"The server answered with status 502. {IN_DOUBT}"),
    "hung up": (Said(then="close"), f"The server can't be reached (RemoteProtocolError). {IN_DOUBT}"),
    "settled meanwhile": (told({}, 404), "No question with this code waits for you. It may be answered or too old."),
}


async def test_what_is_not_known_to_be_answered_is_in_doubt(approve: Approve) -> None:
    """The answer left, and nobody knows what came of it: the person is told to look, and never that it is approved."""
    listed = told({"questions": [QUESTION]})
    servers = {
        name: Speaker(says={"/approvals": listed, "/approvals/AAAAAA": said}) for name, (said, _) in ANSWERS.items()
    }
    found = await approved_at(approve, servers, b"20.00\n")
    told_them = {name: (done.code, done.shown.partition("> ")[2]) for name, done in found.items()}
    assert told_them == {name: (2, f"{PREFIX}{said}\n") for name, (_, said) in ANSWERS.items()}
    assert {speaker.seen[1].body for speaker in servers.values()} == {b'{"typed":"20.00"}'}


async def test_a_terminal_is_not_taken_over(approve: Approve) -> None:
    """T30: colours, titles, new lines without an end, other directions of writing: only visible text is shown."""
    text = "Buy\x1b[2J a \x1b]0;title\x07store\r\x9b31m\u202e\u200b\x00\nfor 20.00\u2028USD <b>now</b>"
    speaker = Speaker()
    async with speaking(speaker):
        listed = told({"questions": [{**QUESTION, "principal": "al\x1b[31mice\n\n> ", "text": text}]})
        answered = as_http(200, {"status": "approved"}, x_more="\x1b[2J")
        speaker.says = {"/approvals": listed, "/approvals/AAAAAA": Said(pieces=[answered])}
        done = await approve(speaker.url, typed=b"20.00\n", env={"LC_ALL": "C.UTF-8"})
    assert done.code == 0
    assert done.shown.startswith("Asked by alice >:\n\nBuy a store\nfor 20.00 USD ‹b>now‹/b>\n\n> Approved.")
    assert {char for char in done.shown if not char.isprintable()} == {"\n"}
