"""What one hostile call is: who asks for what, who answers, and what goes wrong. It makes nothing happen."""

from dataclasses import dataclass, replace
from typing import Literal

from vercel_marketplace_mcp.sandbox import Fault

from .hostile_witness import CONNECTING, CREATING, Json

Person = Literal[
    "types it",
    "types it with spaces",
    "types something else",
    "declines",
    "closes it",
    "declines at once",
    "sends {}",
    "sends defaults",
    "fails",
    "answers late",
    "types it in a terminal",
    "declines in a terminal",
    "nobody",
]
Manner = Literal["once", "at once", "under way", "replayed", "altered"]
"""Once; three times at the same time; again while Vercel takes its time; with one answer presented again and again, for
the same request or also for others."""
STORE, OWNER = "the latest store", "its configuration"
"""What stands in arguments until a world has a store."""


@dataclass(frozen=True, kw_only=True, slots=True)
class HostileCall:
    """One call; `faults` and methods that are `down` wait for the next requests, `pause` passes before it.

    `turns` are members by which its plan changes for good once the plans were told `after` times more.
    """

    tool: str
    arguments: Json
    person: Person = "nobody"
    manner: Manner = "once"
    faults: tuple[tuple[str, Fault], ...] = ()
    down: frozenset[str] = frozenset()
    turns: Json | None = None
    after: int = 0
    pause: float = 0.0
    settles: bool = True

    @property
    def body(self) -> Json:
        """The body of the request that is asked for, if the arguments are sound."""
        beside = {"integrationConfigurationId", "resourceId"} if self.tool == "connect-store" else set()
        return {name: value for name, value in self.arguments.items() if name not in {"teamId", "slug", *beside}}

    @property
    def path(self) -> str:
        """Where that request goes."""
        owner, store = self.arguments.get("integrationConfigurationId"), self.arguments.get("resourceId")
        return CREATING if self.tool == "create-store" else CONNECTING.format(owner, store)

    def about(self, store: Json) -> "HostileCall":
        """The same call, with this store and its configuration where their marks stand."""
        real = {STORE: store["id"], OWNER: store["product"]["integrationConfigurationId"]}
        marked = {name: value for name, value in self.arguments.items() if value in (STORE, OWNER)}
        return replace(self, arguments={**self.arguments, **{name: real[value] for name, value in marked.items()}})


@dataclass(frozen=True, kw_only=True, slots=True)
class Script:
    """One world: the operator's rules, how plans differ for good, and the calls."""

    rules: Json
    changes: tuple[tuple[str, str, Json], ...]
    calls: tuple[HostileCall, ...]
