"""What must hold of purchases, judged from what the wire saw and people said. It knows no code of the server."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from .machine_prices import FREE, Json, Price, chosen, key, price, resolved
from .machine_time import FreeTime
from .machine_town import Seen, Wire

HOUR, DAY = 3600.0, 86_400.0
NOTHING = "This call created nothing and charged nothing."
SENT_NOTHING = ("confirmation_required", "not_confirmed", "refused", "invalid_arguments", "unavailable")
UNFINISHED = ("asked", "frozen", "listed")
UNSENT = ("prepared", "never_sent")
ENDED = ("created", "rejected", "mismatch", "gone")


@dataclass(kw_only=True)
class Asked:
    """A question, what it was about, and what somebody said to it. `is_sure`: the server must have heard that."""

    request: Json
    plan: Json
    text: str
    said: Literal["yes", "no"] | None = None
    at: float = 0
    is_sure: bool = True
    is_used: bool = False
    yeses: int = 0

    def say(self, word: Literal["yes", "no"], now: float) -> None:
        """Answer it. The first answer counts, and a no takes a yes back."""
        if self.said is None or not self.is_sure or word == "no":
            self.said, self.at, self.is_sure = word, now, True
            self.yeses += word == "yes"


@dataclass(kw_only=True)
class Post:
    """A create request that left. `found`: what a person recorded of it; `is_known`: an answer said what became."""

    seen: Seen
    at: float
    plan: Json | None
    price: Price
    found: bool | None = None
    is_known: bool = False
    is_removed: bool = False
    is_alarming: bool = False

    @property
    def is_refused(self) -> bool:
        """Whether Vercel said no to it, and so made nothing."""
        return self.seen.status is not None and 400 <= self.seen.status < 500 and self.seen.status != 408

    @property
    def is_as_meant(self) -> bool:
        """Whether the store came on the plan as it was served before, or somebody knows otherwise already."""
        made = self.seen.made_on
        return made is None or self.found is not None or (self.plan or {}).get("cost") == made.get("cost")

    @property
    def counts(self) -> int:
        """What it counts against the day as long as nobody knows that nothing was made."""
        return 0 if self.is_refused or self.found is False else self.price.counts

    def blocks(self, now: float) -> bool:
        """Whether another request for the same store would risk a second one."""
        if self.is_refused or self.found is False or self.is_removed:
            return False
        return not (self.is_known or self.found) or now - self.at < DAY


@dataclass(kw_only=True)
class Model:
    """All questions and requests of one run, the operator's limits, and what was broken.

    `killed` are the stores of which a process was making a purchase, or may have, when it died.
    """

    time: FreeTime
    max_per_day: int
    max_creates_per_hour: int
    approval_ttl: int
    asked: dict[str, Asked] = field(default_factory=dict)
    posts: list[Post] = field(default_factory=list)
    killed: set[tuple[str, str, str]] = field(default_factory=set)
    broken: list[str] = field(default_factory=list)

    def check(self, holds: bool, otherwise: str) -> None:
        """Note what was broken, if something was."""
        if not holds:
            self.broken.append(otherwise)

    def ask(self, question: str, request: Json, plan: Json, text: str) -> None:
        """Note that somebody is asked; the question names the price."""
        self.asked[question] = Asked(request=resolved(request), plan=plan, text=text)
        headline = price(request, plan).headline
        expected = f"type {headline} " if headline else "type UNPRICED-"
        self.check(expected in text.splitlines()[-1], f"a question names another price than {headline}")

    def posting(self, seen: Seen, plans: list[Json] | None) -> None:
        """Judge a create request before Vercel acts on it, by the plans last served to its sender."""
        plan = chosen(seen.request, plans) if plans else None
        cost = FREE if plan is None else price(seen.request, plan)
        post = Post(seen=seen, at=self.time.now, plan=plan, price=cost)
        if plan is None:
            self.broken.append("a request was sent without a look at the plans")
        elif not post.price.is_free:
            self._use_a_yes(resolved(seen.request), plan)
        self.posts.append(post)
        self.broken += self._exceeded(post)

    def _use_a_yes(self, request: Json, plan: Json) -> None:
        now = self.time.now
        fresh = [one for one in self.asked.values() if one.said == "yes" and not one.is_used]
        fitting = [one for one in fresh if (one.request, one.plan) == (request, plan)]
        for one in fitting:
            if now - one.at < self.approval_ttl:
                one.is_used = True
                return
        self.broken.append("a request that may be billed was sent, and nobody had said yes to it")

    def _exceeded(self, post: Post) -> Iterator[str]:
        *earlier, _ = self.posts
        if any(one.blocks(post.at) for one in earlier if key(one.seen.request) == key(post.seen.request)):
            yield "a second request was sent for a store that may exist"
        if any(one.is_alarming for one in earlier):
            yield "a request was sent after a mismatch that nobody had acknowledged"
        if sum(one.at > post.at - HOUR for one in self.posts) > self.max_creates_per_hour:
            yield "more requests were sent in an hour than the operator allows"
        spent = sum(one.counts for one in self.posts if one.at > post.at - DAY)
        if post.counts and spent > self.max_per_day:
            yield "more was spent in a day than the operator allows"

    def lost(self, request: Json, since: float) -> None:
        """A call ended without an answer: nobody knows what it heard of people since then, nor what it would say."""
        for one in self.asked.values():
            if one.said and one.at >= since:
                one.is_sure = False
        for post in self.posts:
            if post.seen.acted and key(post.seen.request) == key(request):
                post.is_known = True

    def sent_by(self, sender: Wire, start: int) -> list[Post]:
        """The requests that a process sent, of those after the first `start` of all."""
        return [post for post in self.posts[start:] if post.seen.sender is sender]

    def told(self, request: Json, found: Json, sent: Sequence[Post]) -> None:
        """Hold the answer of a call against what the wire saw of it."""
        earlier = [post for post in self.posts if key(post.seen.request) == key(request) and post not in sent]
        if not _is_true(found, sent, earlier, was_killed=key(request) in self.killed):
            saw = [(post.seen.status, post.seen.acted) for post in sent]
            self.broken.append(f"the answer {found['status']} ({found['money']}) is not what happened: {saw}")
        if found["status"] in ("created", "billing_mismatch"):
            for post in (*earlier, *sent)[-1:]:
                passes = found["status"] == "created" and "names no plan" not in found["money"]
                self.check(post.is_as_meant or not passes, "a store on another plan than was meant passes for it")
                post.is_known = True
                post.is_alarming = found["status"] == "billing_mismatch" and post.found is None

    def recorded(self, purchases: Sequence[tuple[str, float, str]]) -> None:
        """Hold the ledger's purchases (name, time and state) against the requests that the wire saw."""
        sent = Counter((post.seen.request["name"], post.at) for post in self.posts)
        unsent = Counter((name, at) for name, at, state in purchases if state in UNSENT)
        all_of_it = Counter((name, at) for name, at, _ in purchases)
        if any(count > all_of_it[one] - unsent[one] for one, count in sent.items()):
            self.broken.append("a request that was sent is not on record as sent")
        ended = Counter((name, at) for name, at, state in purchases if state in ENDED)
        if any(count > sent[one] for one, count in ended.items()):
            self.broken.append("a request that was not sent is on record as sent")


def _is_true(found: Json, sent: Sequence[Post], earlier: Sequence[Post], *, was_killed: bool) -> bool:
    """Whether an answer tells what the call has done, or repeats what an earlier one has."""
    status = found["status"]
    if status in SENT_NOTHING and found["money"] != NOTHING:
        return False
    if found.get("replayed"):
        is_excused = status == "in_progress" or (status == "outcome_unknown" and was_killed)
        return not sent and (is_excused or any(_may_end(status, post) for post in earlier))
    if status in (*SENT_NOTHING, *UNFINISHED):
        return not sent
    return len(sent) == 1 and _may_end(status, sent[0])


def _may_end(status: str, post: Post) -> bool:
    """Whether a request may have this outcome."""
    match status:
        case "rejected":
            return post.is_refused
        case "outcome_unknown":
            return post.seen.trouble is not None and post.seen.trouble.is_unclear
    return post.seen.acted or post.found is True
