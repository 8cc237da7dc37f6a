"""What every tool handler is given, and the team a call is made for."""

import shlex
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from weakref import WeakValueDictionary

import anyio

from vercel_marketplace_mcp.callers import LOCAL, Caller
from vercel_marketplace_mcp.ledger.records import Identity, Ledger, Meaning, Question
from vercel_marketplace_mcp.purchase.policy import Refuse
from vercel_marketplace_mcp.results import StopError
from vercel_marketplace_mcp.settings import Settings, Team
from vercel_marketplace_mcp.vercel import errors
from vercel_marketplace_mcp.vercel.client import VercelClient
from vercel_marketplace_mcp.vercel.models import ProductList
from vercel_marketplace_mcp.vercel.operations import GET_PLANS, GET_PRODUCTS, GET_STORE, Call

NO_TEAM = (
    "No team is set, so this shows what the token sees by default, which is often a personal account. "
    "To pick a team, pass teamId or slug, or ask the operator to set VERCEL_TEAM_ID."
)
READY_WAIT = 20.0
"""Seconds that create-store waits until its store is ready."""
CALLS_MAY_TAKE = 2.0
"""Seconds that calls which buy nothing may still take when the process is asked to end."""


class Ongoing:
    """Counts what is going on, so that the process does not end in the middle of it."""

    def __init__(self) -> None:
        self.is_closing = False
        """Set when the process has been asked to end: whoever only waits should stop."""
        self._count = 0
        self._idle: anyio.Event | None = None

    @contextmanager
    def one(self) -> Iterator[None]:
        """Count one for as long as the block runs."""
        self._count += 1
        try:
            yield
        finally:
            self._count -= 1
            if self._count == 0 and self._idle is not None:
                self._idle.set()

    async def idle(self) -> None:
        """Wait until nothing is going on."""
        while self._count:
            self._idle = anyio.Event()
            await self._idle.wait()


Outcome = Meaning | Question | Refuse
"""What comes of asking: a yes or a no; the question, if it now waits in a terminal; or what spares attention."""


class Form:
    """The form for a purchase: one call at a time shows it, and whoever waits for it learns what came of it."""

    def __init__(self) -> None:
        self.lock = anyio.Lock()
        self.outcome: Outcome | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Context:
    """The operator's settings, the way to Vercel, the ledger, the clock, and who calls.

    `program` is how this server was started: the commands that answers print begin with it. `ready_wait` is in seconds.
    `server_url` is where people who are elsewhere answer questions; None where only a terminal on this machine can.
    """

    settings: Settings
    client: VercelClient
    ledger: Ledger
    program: Sequence[str] = ("vercel-marketplace-mcp",)
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ready_wait: float = READY_WAIT
    caller: Caller = LOCAL
    server_url: str | None = None
    forms: WeakValueDictionary[tuple[str, str], Form] = field(default_factory=WeakValueDictionary)
    calls: Ongoing = field(default_factory=Ongoing)
    purchases: Ongoing = field(default_factory=Ongoing)

    def form(self, identity: Identity) -> Form:
        """Return the form of a caller for a purchase."""
        return self.forms.setdefault((identity.principal, identity.fingerprint), Form())

    async def drain(self) -> None:
        """Let every purchase finish (each has a deadline of its own), and other calls for a moment."""
        self.calls.is_closing = True
        with anyio.move_on_after(CALLS_MAY_TAKE):
            await self.calls.idle()
        await self.purchases.idle()

    def approve_command(self, code: str) -> str:
        """Return the command with which a person answers a question."""
        if self.server_url is None:
            return self.command("approve", code)
        return shlex.join(["vercel-marketplace-mcp", "approve", code, "--server", self.server_url])

    def command(self, *arguments: str) -> str:
        """Return a command for a person; where it must be run says `place`."""
        if self.settings.ledger_url is not None:  # it holds a password, so it is not part of a command
            return shlex.join([*self.program, *arguments])
        return shlex.join([*self.program, *arguments, "--state-dir", str(self.settings.state_dir)])

    @property
    def place(self) -> str:
        """Where `command` works: in a person's terminal, or on the machine that people reach from elsewhere."""
        where = "in a terminal" if self.server_url is None else "at the server"
        return where if self.settings.ledger_url is None else f"{where}, with its VERCEL_MCP_LEDGER_URL set"

    def team(self, team_id: str | None, slug: str | None) -> Team | None:
        """Return the team of a call: the operator's, else the one that the arguments name, else none.

        Raises:
            StopError: the arguments name another team than the operator's, or two at once.
        """
        ours = self.settings.team
        if ours is None and team_id and slug:
            raise StopError("invalid_arguments", "invalid_arguments", "Pass teamId or slug, not both.", argument="slug")
        if ours is None:
            return Team(id=team_id, slug=slug) if team_id or slug else None
        if (team_id is not None and team_id != ours.id) or (slug is not None and slug != ours.slug):
            raise StopError(
                "refused",
                "the_team_is_not_the_operators",
                f"This server works for the team {ours} only; the arguments name another one.",
                argument="teamId" if team_id is not None and team_id != ours.id else "slug",
                next_steps=["Leave teamId and slug out, or ask the operator to change VERCEL_TEAM_ID."],
            )
        return ours


def creating_team(team_id: str | None, slug: str | None, context: Context) -> Team:
    """Return the operator's team, for a call that changes something at Vercel.

    Raises:
        StopError: the operator has set none, or the arguments name another one.
    """
    team = context.team(team_id, slug)
    if team is None or context.settings.team is None:
        message = "Stores are only created for a team that the operator has chosen."
        steps = ["Ask the operator to set VERCEL_TEAM_ID or VERCEL_TEAM_SLUG, then call again."]
        raise StopError("refused", "no_team_is_set", message, next_steps=steps)
    return team


Read = Callable[[Call], Awaitable[Any]]
"""How something is read: `client.read`, or `client.read_recent` where nothing is decided by it."""


async def fetch_products(read: Read, team: Team | None, configuration_id: str) -> ProductList:
    """Fetch the products of a configuration.

    Raises:
        VercelError: they could not be read.
    """
    answer = await read(Call(operation=GET_PRODUCTS, team=team, path={"id": configuration_id}))
    try:
        return ProductList.model_validate(answer)
    except ValueError:
        raise errors.unreadable("it lists no products") from None


async def fetch_plans(
    read: Read, team: Team | None, *, integration: str, product: str, **query: str | None
) -> list[Any]:
    """Fetch the billing plans of a product, each as received.

    Raises:
        VercelError: they could not be read.
    """
    path = {"integrationIdOrSlug": integration, "productIdOrSlug": product}
    answer = await read(Call(operation=GET_PLANS, team=team, path=path, query=query))
    plans = answer.get("plans") if isinstance(answer, dict) else None
    if not isinstance(plans, list):
        raise errors.unreadable("it lists no plans")
    return plans


async def fetch_store(client: VercelClient, team: Team | None, store_id: str) -> Mapping[str, Any]:
    """Fetch a store as Vercel shows it by itself, asked of its partner.

    Raises:
        VercelError: it could not be read.
    """
    answer = await client.read(Call(operation=GET_STORE, team=team, path={"id": store_id}))
    found = answer.get("store", answer) if isinstance(answer, Mapping) else None
    if not isinstance(found, Mapping):
        raise errors.unreadable("it names no store")
    return found
