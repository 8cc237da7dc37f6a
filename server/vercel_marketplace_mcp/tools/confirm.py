"""Asks a person about something, in whichever way the client allows, and records the answer. It does nothing else."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from vercel_marketplace_mcp import telemetry
from vercel_marketplace_mcp.approval.asking import ClientForm
from vercel_marketplace_mcp.approval.question import Reply, read
from vercel_marketplace_mcp.ledger.records import Channel, Identity, Meaning, Question, Wording
from vercel_marketplace_mcp.purchase.policy import History, Refuse, Verdict
from vercel_marketplace_mcp.results import moment
from vercel_marketplace_mcp.text import clean
from vercel_marketplace_mcp.tools.context import Context, Outcome


@dataclass(frozen=True, kw_only=True, slots=True)
class Matter:
    """What a person is asked about: what identifies it, the question, its form, and whether one may be asked now."""

    identity: Identity
    wording: Wording
    form: Mapping[str, Any]
    allow: Callable[[History], Verdict]


async def carried(context: Context, client_form: ClientForm) -> tuple[Meaning | None, ClientForm | None]:
    """Record the reply that came with a call, if any; return what it means, and the form if one may be shown now."""
    if not client_form.is_supported or context.settings.approval == "terminal":
        return None, None
    brought = client_form.carried
    if brought is None:
        return None, client_form
    meaning = await _settle(brought.question_id, brought.reply, brought.expected, context)
    return meaning, client_form if meaning is Meaning.YES else None


async def ask(matter: Matter, context: Context, client_form: ClientForm | None) -> Outcome:
    """Ask, through the form if there is one. A yes may also be one that somebody gave elsewhere meanwhile.

    Raises:
        AskedError: the question goes to the client with the answer of this call.
    """
    if client_form is None or not client_form.answers_within_the_call:
        return await _ask(matter, context, client_form)
    form = context.form(matter.identity)
    if form.lock.locked():
        async with client_form.waiting(), form.lock:  # what comes of the question holds for this call, too
            outcome = form.outcome
        return outcome or Meaning.YES
    async with form.lock:
        form.outcome = await _ask(matter, context, client_form)
        return form.outcome


async def _ask(matter: Matter, context: Context, client_form: ClientForm | None) -> Outcome:
    channel: Channel = "terminal" if client_form is None else "form"
    question = await context.ledger.ask(matter.identity, matter.wording, channel, matter.allow)
    if isinstance(question, Refuse):
        return question
    if question.state == Meaning.YES:  # somebody has just answered it elsewhere
        return Meaning.YES
    if client_form is None or question.missing == ("terminal",):
        return question
    reply = await client_form.ask(question, dict(matter.form))
    meaning = await _settle(question.id, reply, question.expected, context)
    return question if meaning is Meaning.UNSEEN else meaning


async def _settle(question_id: str, reply: Reply, expected: str, context: Context) -> Meaning:
    """Record a reply. An answer to a question that is settled, void or too old counts as it was settled."""
    meaning = read(reply, expected)
    typed = "" if reply.typed is None else clean(str(reply.typed), 60)
    note = {"by": "client", "action": reply.action, "typed": typed, "seconds": round(reply.elapsed, 3)}
    settled = await context.ledger.answer(
        question_id, context.caller.principal, meaning, note, context.settings.approval_ttl, "form"
    )
    telemetry.question("expired" if settled == "expired" else meaning, "form")
    if settled in {"approved", "used"}:  # a yes stands, here or from elsewhere, or has been used already
        return Meaning.YES
    if settled == "declined":
        return Meaning.NO
    if settled == "pending":  # nobody may have seen it, or a yes from a terminal is still needed
        return Meaning.UNSEEN
    return meaning if meaning is Meaning.YES else Meaning.UNSEEN


def approval(question: Question, context: Context) -> tuple[dict[str, Any], str]:
    """Return what an answer says of a question that waits in a terminal, and the first of its next steps."""
    command = context.approve_command(question.code)
    shown = {"code": question.code, "command": command, "expires_at": moment(question.expires_at)}
    if question.missing == ("form",):
        return shown, "A person has approved in a terminal. A form must be answered too: use a client that shows forms."
    if context.server_url is None and context.settings.ledger_url is not None:
        command = f"{command} (with the server's VERCEL_MCP_LEDGER_URL set)"
    step = f"Ask the person to run this in a terminal of their own, and do not run it yourself: {command}"
    return shown, f"This takes a yes in a client that shows forms, too. {step}" if "form" in question.missing else step
