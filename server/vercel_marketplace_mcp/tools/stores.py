"""What agents read of a store, and the wait until it can be used. It changes nothing at Vercel."""

from collections.abc import Mapping
from typing import Any

import anyio

from vercel_marketplace_mcp.approval.asking import ClientForm
from vercel_marketplace_mcp.results import Answer, create_answer
from vercel_marketplace_mcp.settings import Team
from vercel_marketplace_mcp.text import clean, named, repeats
from vercel_marketplace_mcp.tools.context import Context, fetch_store
from vercel_marketplace_mcp.vercel.errors import VercelError
from vercel_marketplace_mcp.vercel.models import ConnectedProject, Store

STORES_PAGE = "https://vercel.com/dashboard/stores"
READY = "available"
COMING = frozenset({"initializing", "onboarding"})
"""Statuses of a store that is not ready yet, and will be."""
CALL_LASTS = 45.0
"""Seconds after which a call waits no longer: many hosts cut one at 60."""
_PAUSES = (0.5, 1.0, 2.0)


def show(store: Store) -> dict[str, Any]:
    """Return a store as an agent reads it: names of secrets only, every text cleaned."""
    texts = {"id": store.id, "name": store.name, "status": store.status}
    texts |= {"externalResourceId": store.external_resource_id, "product": store.product.slug}
    texts |= {"integrationConfigurationId": store.product.integration_configuration_id}
    shown: dict[str, Any] = {name: clean(text) for name, text in texts.items() if text is not None}
    if isinstance(store.billing_plan, Mapping):
        texts = {name: store.billing_plan.get(name) for name in ("id", "name", "cost")}
        plan = {name: clean(text) for name, text in texts.items() if isinstance(text, str)}
        if repeats(plan.get("name", ""), plan.get("id", "")):
            plan.pop("name", None)
        shown["billingPlan"] = plan
    if store.projects_metadata:
        shown["projects"] = [_show_project(project) for project in store.projects_metadata]
    if names := secret_names(store):
        shown["secrets"] = names
    return shown


_LATER = ("externalResourceId", "product", "secrets")


def brief(shown: Mapping[str, Any]) -> dict[str, Any]:
    """Return what create-store answers of a store: what comes next needs no more, and get-store tells the rest."""
    return {name: value for name, value in shown.items() if name not in _LATER}


def _show_project(project: ConnectedProject) -> dict[str, Any]:
    texts = {"id": project.project_id, "name": project.name}
    shown: dict[str, Any] = {name: clean(text) for name, text in texts.items() if text is not None}
    return {**shown, "environments": [clean(name) for name in project.environments]}


def secret_names(store: Store) -> list[str]:
    """Return the names of a store's secrets: what its variables will be called."""
    return [clean(secret.name) for secret in store.secrets if secret.name]


def next_step(store: Mapping[str, Any]) -> str:
    """Return what comes next for a store, given as `show` shows it."""
    store_id, status = store.get("id"), store.get("status")
    if store_id is None:
        return f"A person can connect the store to a project at {STORES_PAGE}."
    if status in COMING or status is None:
        return "It is not ready yet: call get-store with its id in half a minute, then connect-store."
    if status != READY:
        return f"Its status is {named(status)}: a person can see why at {STORES_PAGE}."
    return "Connect it to a project: call connect-store with its id as resourceId."


async def until_ready(answer: Answer, team: Team, context: Context, client_form: ClientForm, since: float) -> Answer:
    """Return the answer of a create once its store is ready, or as it stands after a bounded wait.

    The outcome is on disk already: whatever ends the wait loses nothing.
    """
    store = answer.structured.get("store") or {}
    limit = min(context.ready_wait, since + CALL_LASTS - anyio.current_time())
    is_new = not answer.is_error and "replayed" not in answer.structured
    if limit <= 0 or not is_new or store.get("status") not in COMING or "id" not in store:
        return answer
    status = await _watch(store["id"], store["status"], team, context, client_form, limit)
    now = {**store, "status": status}
    money = answer.structured["money"]
    return create_answer("created", money, [next_step(now)], store=now)


async def _watch(
    store_id: str, status: str, team: Team, context: Context, client_form: ClientForm, limit: float
) -> str:
    """Look at a store until it is ready, it will never be, the time is over, or the process is asked to end."""
    waited, looks = 0.0, 0
    with anyio.move_on_after(limit):
        while status in COMING and not context.calls.is_closing:
            try:
                found = Store.model_validate(await fetch_store(context.client, team, store_id))
            except VercelError:
                break
            status = clean(found.status) if found.status else status
            if status in COMING:
                pause = _PAUSES[min(looks, len(_PAUSES) - 1)]
                waited, looks = waited + pause, looks + 1
                await client_form.report_progress(waited, limit, "The store was created and is being set up.")
                await anyio.sleep(pause)
    return status
