"""create-store: the only tool that can buy anything, and the one way a purchase takes through this server.

offer → price → rules → a person's yes → the ledger → one request → receipt. Each step ends the call if it must.
"""

import logging
from collections.abc import Mapping
from typing import Any

import anyio

from vercel_marketplace_mcp import telemetry
from vercel_marketplace_mcp.approval.asking import ClientForm
from vercel_marketplace_mcp.inputs import CreateStore
from vercel_marketplace_mcp.ledger.records import Begun, LedgerError, Meaning, Purchase, Question
from vercel_marketplace_mcp.purchase.policy import RULES, Refuse
from vercel_marketplace_mcp.purchase.receipt import why_not_the_confirmed_plan, why_not_the_free_plan
from vercel_marketplace_mcp.results import Answer, StopError
from vercel_marketplace_mcp.settings import Team
from vercel_marketplace_mcp.tools import confirm, receipts, stores
from vercel_marketplace_mcp.tools.context import Context, creating_team
from vercel_marketplace_mcp.tools.offer import OfferedProduct, fetch_offer, fetch_product
from vercel_marketplace_mcp.tools.order import Deal, identify, make_deal
from vercel_marketplace_mcp.tools.reconcile import find_store, is_gone
from vercel_marketplace_mcp.tools.refusals import refusal
from vercel_marketplace_mcp.vercel.errors import VercelError, unreadable
from vercel_marketplace_mcp.vercel.models import Store

logger = logging.getLogger(__name__)

MAX_QUESTIONS = 3
"""Questions in one call: each says that the terms have changed since the one before."""
RECEIPT_WAIT = 30.0
"""Seconds that a repeat waits for the receipt of the same purchase under way."""
_POLL = 0.2
_READS_LAG = 600.0
"""Seconds after a create in which a store that Vercel's reads do not show counts as not shown yet, not as gone."""


async def handle(arguments: CreateStore, context: Context, client_form: ClientForm) -> Answer:
    """Create the store if that is free for certain or a person has confirmed exactly this; otherwise say why not."""
    started = anyio.current_time()
    team = creating_team(arguments.team_id, arguments.slug, context)
    meaning, shown_form = await confirm.carried(context, client_form)
    if meaning is Meaning.NO:
        return receipts.not_confirmed()
    for _ in range(MAX_QUESTIONS):
        with telemetry.span("quote"):
            product = await fetch_product(arguments, context, team)
            try:
                offer = await fetch_offer(product, arguments, context, team)
                deal = make_deal(arguments, team, offer, context.settings, context.caller)
            except (StopError, VercelError):
                earlier = await _find_earlier(arguments, team, product, context)
                if earlier is None:
                    raise
                return receipts.earlier(await _ended(earlier, context), context)
        answer = await _conclude(deal, context, shown_form)
        if answer is not None:
            return await stores.until_ready(answer, team, context, client_form, started)
    message = "The plan's terms changed each time they were confirmed."
    raise StopError("refused", "the_terms_keep_changing", message, next_steps=["Ask the partner, or try again later."])


async def _find_earlier(
    arguments: CreateStore, team: Team, product: OfferedProduct, context: Context
) -> Purchase | None:
    """Return the purchase that answers for a request that could not be made now: its plan may be gone since."""
    try:
        return await context.ledger.earlier(identify(arguments, team, product, context.settings, context.caller))
    except (StopError, LedgerError):
        return None


async def _conclude(deal: Deal, context: Context, client_form: ClientForm | None) -> Answer | None:
    """Make the purchase, or ask about it; None after a yes, when the offer must be read afresh.

    Raises:
        StopError: a rule says no. AskedError: the question goes to the client with the answer of this call.
    """
    background = await context.ledger.background(deal.identity, deal.product)
    if background.earlier is not None:
        return await _answer_earlier(background.earlier, deal, context)
    verdict = deal.verdict(background.history, RULES)
    if isinstance(verdict, Refuse):
        raise refusal(verdict, deal, context)
    if deal.quote is None or background.approved:
        return await _buy(deal, context)
    match await confirm.ask(deal.matter(deal.quote, background), context, client_form):
        case Refuse() as broken:
            raise refusal(broken, deal, context)
        case Question() as question:
            return receipts.confirmation_required(question, deal, context)
        case Meaning.NO:
            return receipts.not_confirmed()
    return None


async def _answer_earlier(purchase: Purchase, deal: Deal, context: Context) -> Answer | None:
    """Answer from the ledger, after waiting a while for a purchase that is under way; None if its store is gone."""
    purchase = await _ended(purchase, context)
    if purchase.state == "unknown":
        purchase = await _reconcile(purchase, deal, context)
    elif purchase.state == "created" and await _is_gone(purchase, deal, context):
        await context.ledger.forget(purchase.id)
        return None
    return receipts.earlier(purchase, context)


async def _ended(purchase: Purchase, context: Context) -> Purchase:
    """Return a purchase once it is not under way any more, or as it stands after a while."""
    with anyio.move_on_after(RECEIPT_WAIT):
        while purchase.state in {"prepared", "sending"}:
            await anyio.sleep(_POLL)
            purchase = await context.ledger.purchase(purchase.id) or purchase
    return purchase


async def _reconcile(purchase: Purchase, deal: Deal, context: Context) -> Purchase:
    """Return an unknown purchase as it stands after a look at the team's stores.

    Once the offer has changed, nothing is left to hold a store against: what was confirmed is not what is read now.
    """
    if deal.identity.fingerprint != purchase.fingerprint:
        return purchase
    found = await find_store(context, deal.team, deal.wanted(since=purchase.created_at))
    if found is None:
        return purchase
    store = Store.model_validate(found)
    state, answer = receipts.created(store, deal.quote, _doubts(store, deal, context), purchase.id, context)
    await context.ledger.finish(purchase.id, state, answer.structured)
    return await context.ledger.purchase(purchase.id) or purchase


async def _is_gone(purchase: Purchase, deal: Deal, context: Context) -> bool:
    store_id = ((purchase.receipt or {}).get("store") or {}).get("id")
    made = purchase.finished_at or purchase.created_at
    if store_id is None or context.now().timestamp() - made < _READS_LAG:
        return False
    return await is_gone(context, deal.team, deal.wanted(since=purchase.created_at), store_id)


async def _buy(deal: Deal, context: Context) -> Answer | None:
    """Use up the approval and make the purchase; None if there is no approval left to use.

    From the first byte on disk to the recorded outcome nothing interrupts it; every step has a deadline of its own.
    """
    with context.purchases.one(), anyio.CancelScope(shield=True):
        start = await context.ledger.begin(deal.new_purchase(), deal.allow(RULES))
        if isinstance(start, Begun):
            return await _send(start.purchase_id, deal, context)
    if isinstance(start, Refuse):
        raise refusal(start, deal, context)
    return await _answer_earlier(start, deal, context) if isinstance(start, Purchase) else None


async def _send(purchase_id: str, deal: Deal, context: Context) -> Answer:
    if not await context.ledger.start_sending(purchase_id):
        message = "Preparing the purchase took too long, so it was given up before anything was sent."
        raise StopError("unavailable", "given_up", message, next_steps=["Call again with the same arguments."])
    try:
        store = _read_store(await context.client.create(deal.arguments.body(), deal.team))
        state, answer = receipts.created(store, deal.quote, _doubts(store, deal, context), purchase_id, context)
    except VercelError as error:
        state, answer = receipts.failed(error, deal.quote, purchase_id, context)
    except Exception:
        logger.exception("the create request failed in an unforeseen way")
        unforeseen = unreadable("the server failed while handling it")
        state, answer = receipts.failed(unforeseen, deal.quote, purchase_id, context)
    try:
        await context.ledger.finish(purchase_id, state, answer.structured)
    except LedgerError:
        logger.exception("the outcome of %s (%s) could not be recorded", purchase_id, state)
    telemetry.purchase(answer.structured["status"], paid=deal.quote is not None)
    return answer


def _read_store(answer: Any) -> Store:
    """Return the created store.

    Raises:
        UnclearError: the answer names no store.
    """
    found = answer.get("store") if isinstance(answer, Mapping) else None
    if not isinstance(found, Mapping):
        raise unreadable("it names no store")
    return Store.model_validate(found)


def _doubts(store: Store, deal: Deal, context: Context) -> tuple[str, ...]:
    """Return what speaks against the plan of a created store being the one that was meant."""
    if deal.quote is None:
        return why_not_the_free_plan(store.billing_plan, deal.plans, context.now())
    return why_not_the_confirmed_plan(store.billing_plan, deal.plans[0])
