"""Suggests values for what a person fills in: storage products of the team, and names of tools. It only reads.

Bounded in number and time; an error of Vercel's means fewer suggestions, and is never passed on.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import anyio
import mcp_types as types
from mcp.server.context import ServerRequestContext

from vercel_marketplace_mcp import inputs, prompts, resources, specs
from vercel_marketplace_mcp.results import StopError
from vercel_marketplace_mcp.text import clean, is_identifier
from vercel_marketplace_mcp.tools import list_configurations, list_products
from vercel_marketplace_mcp.tools.context import Context
from vercel_marketplace_mcp.vercel.errors import VercelError

logger = logging.getLogger(__name__)

MAX_VALUES = 100
"""Suggestions in one answer: the protocol allows no more."""
MAX_CONFIGURATIONS = 20
"""Configurations whose products are read."""
_AT_ONCE = 4
LOOK_LASTS = 5.0
"""Seconds that one look at Vercel may take: a person is typing."""
KEPT = timedelta(seconds=60)
"""How long one look is good for."""
KEPT_IN_PART = timedelta(seconds=10)
"""The same of a look that did not see everything: soon enough to try again, and not at every key."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Seen:
    """What one look at Vercel has found, and when that was."""

    names: tuple[str, ...]
    is_whole: bool
    at: datetime

    def is_fresh(self, now: datetime) -> bool:
        """Say whether it is still good; a clock that was set back does not make it last."""
        return abs(now - self.at) < (KEPT if self.is_whole else KEPT_IN_PART)


class Completions:
    """Answers completion/complete for one account."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._seen: _Seen | None = None
        self._one = anyio.Lock()

    async def complete(
        self, _asked: ServerRequestContext[Any, Any], params: types.CompleteRequestParams
    ) -> types.CompleteResult:
        """Return the values that fit what was typed, those that begin with it first.

        Raises:
            MCPError: there is no such prompt, template or argument.
        """
        name = params.argument.name
        if isinstance(params.ref, types.ResourceTemplateReference):
            resources.check_template(params.ref.uri, name)
            return _answer(params.argument.value, specs.TOOL_NAMES)
        prompts.check_name(params.ref.name)
        prompts.check_argument(name)
        if name != "product":
            return _answer(params.argument.value, ())
        seen = await self._products()
        return _answer(params.argument.value, seen.names, is_whole=seen.is_whole)

    async def _products(self) -> _Seen:
        """Return the team's storage products; whoever asks while they are being read waits for the same look."""
        async with self._one:
            now = self._context.now()
            if self._seen is None or not self._seen.is_fresh(now):
                names, is_whole = await self._look()
                self._seen = _Seen(names=tuple(sorted(names)), is_whole=is_whole, at=now)
            return self._seen

    async def _look(self) -> tuple[set[str], bool]:
        """Return the products that Vercel names now, and whether they are all."""
        names: set[str] = set()
        missed: list[str] = []
        turns = anyio.CapacityLimiter(_AT_ONCE)

        async def look_into(configuration_id: str) -> None:
            async with turns:
                try:
                    names.update(await self._products_of(configuration_id))
                except (VercelError, ValueError):
                    missed.append(configuration_id)

        with anyio.move_on_after(LOOK_LASTS):
            try:
                usable, are_all = await self._usable_configurations()
            except (VercelError, StopError) as error:
                logger.info("no products can be suggested: %s", error)
                return names, False
            async with anyio.create_task_group() as tasks:
                for configuration_id in usable[:MAX_CONFIGURATIONS]:
                    tasks.start_soon(look_into, configuration_id)
            return names, are_all and not missed and len(usable) <= MAX_CONFIGURATIONS
        return names, False

    async def _usable_configurations(self) -> tuple[list[str], bool]:
        """Return the usable configurations that are listed, and whether all are listed."""
        found = (await list_configurations.handle(inputs.ListConfigurations(), self._context)).structured
        return [one["id"] for one in found["configurations"] if "problem" not in one], not found["truncated"]

    async def _products_of(self, configuration_id: str) -> set[str]:
        """Return the storage products of a configuration that the operator allows, as integration/product."""
        answer = await list_products.handle(inputs.ListProducts(id=configuration_id), self._context)
        integration = answer.structured["integration"].get("slug", "")
        found = {f"{integration}/{one.get('slug', '')}" for one in answer.structured["products"] if one["storage"]}
        allowed = self._context.settings.allowed_products
        return {name for name in found if _is_name(name) and (allowed is None or name in allowed)}


def _is_name(text: str) -> bool:
    """Say whether a partner's text is integration-slug/product-slug and nothing else."""
    return is_identifier(text) and all(text.split("/")) and text.count("/") == 1


def _answer(typed: str, choices: tuple[str, ...], *, is_whole: bool = True) -> types.CompleteResult:
    wanted = clean(typed).casefold()
    fitting = [choice for choice in choices if wanted in choice.casefold()]
    fitting.sort(key=lambda choice: not choice.casefold().startswith(wanted))
    completion = types.Completion(
        values=fitting[:MAX_VALUES],
        total=len(fitting) if is_whole else None,
        has_more=len(fitting) > MAX_VALUES or not is_whole,
    )
    return types.CompleteResult(completion=completion)
