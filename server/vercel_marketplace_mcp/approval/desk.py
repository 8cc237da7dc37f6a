"""Where a person answers in a terminal. It needs no token, and no agent may sit at it.

It can't prove that a person types: an agent with a shell on the same account could. It refuses where an agent says
that it is one, and leaves evidence either way.
"""

import io
import signal
import sys
from collections.abc import Mapping, Sequence
from typing import Protocol, TextIO, TypeVar

from vercel_marketplace_mcp import telemetry
from vercel_marketplace_mcp.approval.question import AMOUNT, Reply, read
from vercel_marketplace_mcp.ledger.records import Ledger, Meaning, Question
from vercel_marketplace_mcp.text import clean

AGENT_MARKERS = (
    "AI_AGENT",
    "AIDER_CHAT",
    "CLAUDECODE",
    "CLAUDE_CODE",
    "CODEX_SANDBOX",
    "CODEX_SANDBOX_NETWORK_DISABLED",
    "COPILOT_AGENT",
    "CURSOR_AGENT",
    "GEMINI_CLI",
    "OPENCODE",
    "REPLIT_AGENT",
)
"""Environment variables that agents set for the commands they run."""


class Coded(Protocol):
    """A question that has a code to name it by."""

    @property
    def code(self) -> str:
        """The code."""


QuestionT = TypeVar("QuestionT", bound=Coded)


class NotAtDeskError(Exception):
    """Nobody may answer here; the message says why."""


def require_person(environment: Mapping[str, str], *streams: TextIO) -> None:
    """Make sure that a terminal is there on every stream and no agent has announced itself.

    Raises:
        NotAtDeskError: one of these does not hold.
    """
    found = next((name for name in AGENT_MARKERS if environment.get(name)), None)
    if found is not None:
        raise NotAtDeskError(f"This runs inside an agent ({found} is set). A person must run it in their own terminal.")
    if not all(stream.isatty() for stream in streams):
        raise NotAtDeskError("This needs a terminal, for a person to read the question and type the answer.")


def choose(questions: Sequence[QuestionT], code: str | None) -> QuestionT:
    """Return the question with this code, or the only one there is.

    Raises:
        NotAtDeskError: there is none, or several and no code tells them apart.
    """
    wanted = [question for question in questions if code is None or question.code == code.strip().upper()]
    if not wanted:
        which = f"the code {clean(code, 20)}" if code else "any code"
        raise NotAtDeskError(f"No question with {which} waits here. It may be answered, replaced or too old.")
    if len(wanted) > 1:
        codes = ", ".join(question.code for question in wanted)
        raise NotAtDeskError(f"Several questions wait. Name one of them: {codes}")
    return wanted[0]


async def answer(question: Question, typed: str, ledger: Ledger, ttl: float, **who: str | int) -> Meaning:
    """Record what a person typed, and return how the question stands then; anything but the exact text declines.

    `who` goes into the audit log. `UNSEEN`: it was a yes, and another one is still needed.
    """
    reply = Reply(action="accept", content={AMOUNT: typed}, elapsed=float("inf"))
    meaning = Meaning.YES if read(reply, question.expected) is Meaning.YES else Meaning.NO
    note = {"by": "terminal", "typed": clean(typed, 60), **who}
    settled = await ledger.answer(question.id, question.principal, meaning, note, ttl, "terminal")
    telemetry.question("expired" if settled == "expired" else meaning, "terminal")
    if meaning is Meaning.YES and settled == "pending":
        return Meaning.UNSEEN
    return Meaning.YES if meaning == settled == Meaning.YES else Meaning.NO


def outcome(meaning: Meaning) -> str:
    """Return what to tell a person about their answer."""
    match meaning:
        case Meaning.YES:
            return "Approved. Tell the assistant to make the same call again; that must happen soon."
        case Meaning.UNSEEN:
            return "Noted. It also wants a yes in the assistant's form: tell it to make the same call again."
    return "Not approved. Nothing is bought."


def take_any_character() -> None:
    """Let the standard streams carry what they have no character for, written out: a partner's text may hold it."""
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def prompt(text: str) -> str:
    """Show `text` and return the line that is typed after it.

    Ctrl-C ends the wait at once: an event loop's own handler would first let the line be finished.
    """
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
        return sys.stdin.readline()
    finally:
        signal.signal(signal.SIGINT, handler)
