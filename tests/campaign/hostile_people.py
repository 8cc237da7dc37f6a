"""The people of a hostile world: they know their errand, read the question, and answer it in every way there is.

Whatever they type that means yes is noted, for the oracle; they look at Vercel's prices with their own eyes.
"""

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from typing import Any

import anyio
import mcp_types as types
from mcp.client import ClientRequestContext

from vercel_marketplace_mcp.approval import desk
from vercel_marketplace_mcp.ledger.records import Ledger

from ..approval.world import clicked
from .hostile_call import HostileCall, Person
from .hostile_oracle import headline, leaks
from .hostile_witness import ODD, Json, Offered, Said, Witness, canonical, wish

LAST = re.compile(r"To (?:buy|connect), type (\S+) - anything else (?:buys|changes) nothing\.")
UNPRICED = re.compile(r"UNPRICED-[0-9A-F]{4}")
PRODUCTION = re.compile(r"PRODUCTION-[0-9A-F]{4}")
IDENTIFIER = re.compile(r"[A-Za-z0-9_./:-]{1,128}")
MAX_QUESTION = 40_000
TAKES: dict[Person, float] = {"declines": 2.0, "closes it": 2.0, "answers late": 100.0}
"""Seconds, of the world's time: long enough to have read a question, and longer than any form is open."""
MEANS: dict[Person, bool] = {
    "types it": True,
    "types it with spaces": True,
    "answers late": True,
    "types something else": False,
    "declines": False,
    "closes it": False,
}
"""What people have said who answered so; of the others nobody knows whether they have read the question."""
CLICKS: dict[Person, str] = {"declines": "decline", "closes it": "cancel", "declines at once": "decline"}
NEAR: tuple[Callable[[str], str], ...] = (
    *(lambda text: f"{text}0", lambda text: f"${text}", lambda text: f"{text} USD", lambda text: text.lower()),
    *(lambda text: text.replace("0", "\u0660"), lambda text: f"{text}\u200b", lambda text: text[:-1], lambda _: "yes"),
    *(lambda text: text.replace(".", ","), lambda _: "0.00", lambda _: "UNPRICED", lambda text: f'"{text}"'),
)


@dataclass(kw_only=True, slots=True)
class Seen:
    """What a world's people noticed: how many questions they read, and what was wrong with them."""

    questions: int = 0
    leaked: int = 0
    problems: list[str] = field(default_factory=list)


class People:
    """Answers the forms of a client, and the questions in a terminal, as the errand of the moment says."""

    def __init__(self, witness: Witness, clock: Callable[[], float], *, is_modern: bool) -> None:
        self.seen = Seen()
        self.errand = HostileCall(tool="", arguments={})
        self._witness = witness
        self._clock = clock
        self._is_modern = is_modern
        self._chance = Random(1)

    async def __call__(
        self,
        context: ClientRequestContext | None,  # noqa: ARG002 - the SDK gives it by name
        params: types.ElicitRequestParams,
    ) -> types.ElicitResult | types.ErrorData:
        """Read a form and answer it."""
        assert isinstance(params, types.ElicitRequestFormParams)
        person, about = self.errand.person, self._about()
        phrase = self._read(params.message, params.requested_schema)
        await anyio.sleep(TAKES.get(person, 0))
        if person in MEANS and (self._is_modern or person != "answers late"):  # of an older form nobody hears any more
            self._say(about, yes=MEANS[person])
        if person == "fails" and not self._is_modern:
            return types.ErrorData(code=-32603, message="no form today")
        if person in CLICKS:
            return clicked(CLICKS[person])
        typed = {
            "types it": phrase,
            "types it with spaces": f"  {phrase}\n",
            "answers late": phrase,
            "types something else": self._near(phrase),
        }
        return _filled_in(params.requested_schema, typed.get(person), by_itself=person == "sends defaults")

    async def at_the_terminal(self, code: str, ledger: Ledger, ttl: float) -> None:
        """Answer the question of a code in a terminal."""
        question = desk.choose(await ledger.pending(), code)
        phrase = self._read(question.text, {})
        yes = self.errand.person == "types it in a terminal"
        self._say(self._about(), yes=yes)
        await desk.answer(question, phrase if yes else self._near(phrase), ledger, ttl)

    def _told(self) -> list[tuple[Offered, Json]]:
        """Who was last told a plan of the errand, and the plan; several only if calls were made at once."""
        found = []
        for offered in self._witness.offers.latest:
            with suppress(*ODD):
                found.append((offered, offered.plan(self.errand.body)))
        return found if self.errand.manner == "at once" else found[:1]

    def _about(self) -> tuple[str, frozenset[str]]:
        """What a question of this moment is about: the request, and the plan as it was told."""
        told = self._told()
        body = told[0][0].resolved(self.errand.body) if told else self.errand.body
        return wish(self.errand.path, body), frozenset(canonical(plan) for _, plan in told)

    def _say(self, about: tuple[str, frozenset[str]], *, yes: bool) -> None:
        self._witness.note(Said(wish=about[0], plans=about[1], yes=yes, at=self._clock()))

    def _near(self, phrase: str) -> str:
        made = self._chance.choice(NEAR)(phrase)
        return "no" if made.strip() == phrase else made

    def _read(self, text: str, form: Json) -> str:
        """Check that a question is about the errand, and return what it asks for."""
        self.seen.questions += 1
        self.seen.leaked += leaks(text) + leaks(str(form))
        lines = text.split("\n")
        found = LAST.fullmatch(lines[-1])
        phrase = found[1] if found else ""
        if not all(line.isprintable() for line in lines) or len(text) > MAX_QUESTION:
            self.seen.problems.append(f"a question is unprintable or too long: {text[:200]!r}")
        if missing := [part for part in _must_say(self.errand) if not any(part in line for line in lines)]:
            self.seen.problems.append(f"a question lacks {missing}: {text[:400]!r}")
        if any(name in str(form) for name in ("default", "enum", "const")):
            self.seen.problems.append(f"a form fills itself in: {form}")
        if not self._is_right(phrase):
            self.seen.problems.append(
                f"a question asks for {phrase!r}: {str([plan for _, plan in self._told()])[:400]}"
            )
        return phrase

    def _is_right(self, phrase: str) -> bool:
        """Whether this is what the errand's question must ask for: the price that Vercel names, where there is one."""
        if self.errand.tool == "connect-store":
            return PRODUCTION.fullmatch(phrase) is not None
        amounts = [headline(plan, self.errand.body) for _, plan in self._told()]
        return phrase in amounts or (None in amounts and UNPRICED.fullmatch(phrase) is not None)


def _must_say(errand: HostileCall) -> list[str]:
    """What a question must name, as it was given; markup and odd spaces of a name are shown otherwise."""
    given = errand.arguments
    if errand.tool == "connect-store":
        return [f"project {given['projectId']} in production", f"({given['resourceId']})"]
    plan, name = given["billingPlanId"], given["name"]
    shown = [f"Billing plan: {plan if IDENTIFIER.fullmatch(plan) else chr(34) + plan + chr(34)}"]
    return shown if re.search(r"<|\]\(|[^\S ]|  |^ | $", name) else [*shown, f'Store name: "{name}"']


def _filled_in(form: Any, text: str | None, *, by_itself: bool) -> types.ElicitResult:
    """The form with a text in its one field; or as a client sends it that accepts by itself; or empty."""
    content: Json = {}
    for name, rules in form["properties"].items():
        if text is not None or by_itself:
            content[name] = rules.get("default", rules.get("enum", [""])[0]) if text is None else text
    return types.ElicitResult.model_construct(action="accept", content=content)
