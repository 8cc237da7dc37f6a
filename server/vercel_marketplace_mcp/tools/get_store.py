"""get-store: how a store is doing. It only reads."""

from vercel_marketplace_mcp.inputs import GetStore
from vercel_marketplace_mcp.results import Answer, store_answer
from vercel_marketplace_mcp.tools import stores
from vercel_marketplace_mcp.tools.context import NO_TEAM, Context, fetch_store
from vercel_marketplace_mcp.vercel.models import Store


async def handle(arguments: GetStore, context: Context) -> Answer:
    """Return the store with its status as its partner says it is now.

    Raises:
        VercelError: it could not be read.
    """
    team = context.team(arguments.team_id, arguments.slug)
    store = Store.model_validate(await fetch_store(context.client, team, arguments.id))
    shown = {"id": arguments.id, **stores.show(store)}
    steps = [stores.next_step(shown), *([] if team else [NO_TEAM])]
    return store_answer(shown, steps, ready=store.status == stores.READY)
