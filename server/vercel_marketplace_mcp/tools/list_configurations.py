"""list-configurations: which Marketplace integrations are installed for the team."""

from collections.abc import Mapping
from typing import Any

from vercel_marketplace_mcp.inputs import ListConfigurations
from vercel_marketplace_mcp.results import MAX_ITEMS, Answer, Listing, listing
from vercel_marketplace_mcp.settings import Team
from vercel_marketplace_mcp.text import clean, repeats
from vercel_marketplace_mcp.tools.context import NO_TEAM, Context
from vercel_marketplace_mcp.vercel import errors
from vercel_marketplace_mcp.vercel.models import Configuration, with_ids
from vercel_marketplace_mcp.vercel.operations import GET_CONFIGURATIONS, Call

_READY = frozenset({None, "ready", "resumed"})


async def handle(arguments: ListConfigurations, context: Context) -> Answer:
    """Answer the configurations and, for each, whether stores can be created in it."""
    team = context.team(arguments.team_id, arguments.slug)
    query = {
        "view": arguments.view,
        "installationType": arguments.installation_type,
        "integrationIdOrSlug": arguments.integration_id_or_slug,
    }
    answer = await context.client.read_recent(Call(operation=GET_CONFIGURATIONS, team=team, query=query))
    if not isinstance(answer, list):
        raise errors.unreadable("it lists no configurations")
    found = with_ids(answer)
    items = [_show(Configuration.model_validate(entry)) for entry in found[:MAX_ITEMS]]
    steps = _next_steps(items, team, are_all=len(items) == len(found))
    if len(found) < len(answer):
        steps.append(f"{len(answer) - len(found)} entries of Vercel's answer could not be read and are left out.")
    lines = [_line(item) for item in items]
    return listing(Listing(member="configurations", items=items, lines=lines, next_steps=steps, count=len(found)))


def _show(configuration: Configuration) -> dict[str, Any]:
    name, slug, problem = configuration.integration.name, configuration.slug, _problem(configuration)
    shown = {"slug": slug, "name": None if name is None or repeats(name, slug or "") else name, "problem": problem}
    item: dict[str, Any] = {"id": clean(configuration.id)}
    item |= {member: clean(text) for member, text in shown.items() if text is not None}
    if configuration.projects and problem is None:
        item["projects"] = [clean(project) for project in configuration.projects[:20]]
    return item


def _problem(configuration: Configuration) -> str | None:
    """Say why no store can be created in a configuration, or None if nothing speaks against it."""
    if configuration.deleted_at or configuration.delete_requested_at:
        return "being removed"
    if configuration.disabled_at or configuration.disabled_reason:
        return f"disabled ({configuration.disabled_reason or 'no reason given'})"
    if configuration.status not in _READY:
        return configuration.status
    if configuration.installation_type != "marketplace":
        return "not installed from the Marketplace"
    return None


def _line(item: Mapping[str, Any]) -> str:
    return f"{item['id']}: {item.get('name') or item.get('slug') or '?'}" + (
        f" (not usable: {item['problem']})" if "problem" in item else ""
    )


def _next_steps(items: list[dict[str, Any]], team: Team | None, *, are_all: bool) -> list[str]:
    steps = [] if team else [NO_TEAM]
    if any("problem" not in item for item in items):
        return [*steps, "Call list-products with the id of one."]
    if not are_all:
        narrower = "integrationIdOrSlug, or installationType marketplace"
        return [*steps, f"None of those listed can be used. To see others, call this again with {narrower}."]
    page = f"https://vercel.com/{team.slug}/~/integrations" if team and team.slug else "https://vercel.com/marketplace"
    install = f"No installed integration can be used. Ask a person to install one at {page}"
    return [*steps, f"{install}: only a person can accept a partner's terms. Then call list-configurations again."]
