"""connect-store: sets a store's secrets as variables of a project; for production a person must agree first.

store as it is now → a person's yes if need be → the ledger → one request → what has changed.
"""

import logging
import re

import anyio

from vercel_marketplace_mcp.approval.asking import ClientForm
from vercel_marketplace_mcp.inputs import ConnectStore
from vercel_marketplace_mcp.ledger.records import LedgerError, Meaning, Question
from vercel_marketplace_mcp.purchase.policy import Refuse
from vercel_marketplace_mcp.results import NOTHING_CHANGED, Answer, StopError, connect_answer
from vercel_marketplace_mcp.text import clean
from vercel_marketplace_mcp.tools import confirm
from vercel_marketplace_mcp.tools.context import Context, creating_team, fetch_store
from vercel_marketplace_mcp.tools.link import Link, read_link
from vercel_marketplace_mcp.tools.receipts import ASK_THE_PERSON
from vercel_marketplace_mcp.vercel.errors import NotSentError, RefusedError, VercelError, unreadable
from vercel_marketplace_mcp.vercel.models import Store

logger = logging.getLogger(__name__)

MAX_QUESTIONS = 3
"""Questions in one call: each says that the store has changed since the one before."""
_TAKEN = re.compile(r"environment variable with name \W?(\w+)", re.ASCII)


async def handle(arguments: ConnectStore, context: Context, client_form: ClientForm) -> Answer:
    """Connect the store if production stays untouched or a person has confirmed exactly this; otherwise say why not."""
    team = creating_team(arguments.team_id, arguments.slug, context)
    meaning, shown_form = await confirm.carried(context, client_form)
    if meaning is Meaning.NO:
        return _not_confirmed()
    for _ in range(MAX_QUESTIONS):
        link = await read_link(arguments, team, context)
        answer = await _conclude(link, context, shown_form)
        if answer is not None:
            return answer
    message = "The store changed each time its connection was confirmed."
    raise StopError("refused", "the_store_keeps_changing", message, next_steps=["Try again later."])


async def _conclude(link: Link, context: Context, client_form: ClientForm | None) -> Answer | None:
    """Connect, or ask about it; None after a yes, when the store must be read afresh.

    Raises:
        StopError: nobody may be asked now. AskedError: the question goes to the client with the answer of this call.
    """
    if link.stands(link.store):
        return _connected(link, "The project has been connected to the store before; this call changed nothing.")
    if not link.needs_yes:
        return await _connect(link, context)
    background = await context.ledger.background(link.identity, "")
    if background.approved:
        return await _connect(link, context)
    match await confirm.ask(link.matter(context.settings), context, client_form):
        case Refuse() as broken:
            steps = ["Leave the person in peace for ten minutes, or ask them yourself what they want."]
            raise StopError("refused", ", ".join(broken.rules), broken.explanation, next_steps=steps)
        case Question() as question:
            shown, step = confirm.approval(question, context)
            steps = [step, "When they have approved, call connect-store again with the same arguments."]
            return connect_answer("confirmation_required", NOTHING_CHANGED, steps, approval=shown)
        case Meaning.NO:
            return _not_confirmed()
    return None


async def _connect(link: Link, context: Context) -> Answer | None:
    """Use up the approval, if one is needed, and send the request; None if there is no approval left to use."""
    with context.purchases.one(), anyio.CancelScope(shield=True):
        change_id = await context.ledger.begin_change(link.identity, link.shown(), needs_yes=link.needs_yes)
        if change_id is not None:
            return await _change(change_id, link, context)
    return None


async def _change(change_id: str, link: Link, context: Context) -> Answer:
    outcome, answer = await _send(link, context)
    try:
        await context.ledger.end_change(change_id, outcome, answer.structured)
    except LedgerError:
        logger.exception("the outcome of %s (%s) could not be recorded", change_id, outcome)
    return answer


async def _send(link: Link, context: Context) -> tuple[str, Answer]:
    given = link.arguments
    path = {"integrationConfigurationId": given.integration_configuration_id, "resourceId": given.resource_id}
    try:
        await context.client.connect(path, given.body(), link.team)
    except NotSentError as error:
        steps = [error.next_step, *(["The person's yes still holds for a while."] if link.needs_yes else [])]
        return "never_sent", _failed("unavailable", NOTHING_CHANGED, error, steps)
    except RefusedError as error:
        return "rejected", _refused(link, error)
    except VercelError as error:
        return await _unclear(link, error, context)
    except Exception:
        logger.exception("the connect request failed in an unforeseen way")
        return await _unclear(link, unreadable("the server failed while handling it"), context)
    return "connected", _connected(link, _set(link))


async def _unclear(link: Link, error: VercelError, context: Context) -> tuple[str, Answer]:
    """Look at the store after a request that may or may not have been acted on."""
    if await _stands_now(link, context):
        return "connected", _connected(link, _set(link))
    changes = "Vercel did not answer clearly: the project's variables may have been set."
    store_id = link.arguments.resource_id
    steps = [f"Call get-store with id {store_id}: if it lists the project, it is done; if not, call again."]
    return "unknown", _failed("outcome_unknown", changes, error, steps)


async def _stands_now(link: Link, context: Context) -> bool:
    try:
        found = await fetch_store(context.client, link.team, link.arguments.resource_id)
    except VercelError:
        return False
    return link.stands(Store.model_validate(found))


def _set(link: Link) -> str:
    where = ", ".join(clean(name) for name in link.environments)
    return f"The store's variables were set in the project, in: {where}."


def _connected(link: Link, changes: str) -> Answer:
    steps = ["Deploy the project again: a deployment that runs keeps the variables it was made with."]
    return connect_answer("connected", changes, steps, connection=link.shown())


def _not_confirmed() -> Answer:
    error = {"code": "not_confirmed", "message": "The client declined, or something else than the phrase was typed."}
    return connect_answer("not_confirmed", NOTHING_CHANGED, [ASK_THE_PERSON], error=error)


def _failed(status: str, changes: str, error: VercelError, steps: list[str]) -> Answer:
    return connect_answer(status, changes, steps, error={"code": error.code, "message": error.message})


def _refused(link: Link, error: RefusedError) -> Answer:
    """Return the answer to a refusal; of a name that is taken it says which variable, and what can be done."""
    name = _taken_name(link, error.message)
    if name is None:
        return _failed("rejected", NOTHING_CHANGED, error, [error.next_step])
    message = f"The project has a variable {name} in one of these environments already. {error.message}"
    steps = [
        f"A person can rename or remove {name} in the project's settings, Environment Variables; then call again.",
        "Or name other environments in envVarEnvironments, or another project.",
    ]
    details = {"code": "variable_exists", "message": message, "argument": "envVarEnvironments"}
    return connect_answer("rejected", NOTHING_CHANGED, steps, error=details, connection=link.shown())


def _taken_name(link: Link, message: str) -> str | None:
    """Return the variable that Vercel's message names, in its own phrase or as one of the store's."""
    if found := _TAKEN.search(message):
        return found[1]
    words = set(re.findall(r"\w+", message))
    return next((name for name in link.variables if name in words), None)
