"""Two people at one desk: what one asks, approves and buys is never the other's, in either protocol era."""

import json
from collections.abc import AsyncIterator

import httpx
import pytest

from vercel_marketplace_mcp.ledger.records import AuditRow

from ..approval.world import FREE, FROZEN, PRO, Json, Person, World, buy, first_round, typed
from .issuing import an_issuer
from .office import AGENT, Office, an_office, http_variables, static_token, token_file

pytestmark = pytest.mark.anyio

SCOPES = {
    "alice": AGENT,
    "bob": AGENT,
    "carol": ("stores:read", "stores:create"),
    "warden": ("stores:approve-all",),
}
ALICE, BOB, CAROL, WARDEN = (static_token(name) for name in ("alice", "bob", "carol", "warden"))
ALICE_HERSELF, BOB_HIMSELF = static_token("alice-in-person"), static_token("bob-in-person")


@pytest.fixture
async def office(world: World) -> AsyncIterator[Office]:
    """A server for two agents, their two people, one without money, and one who approves for all."""
    lines = [" ".join((name, static_token(name), *granted)) for name, granted in SCOPES.items()]
    lines += [f"alice {ALICE_HERSELF} stores:approve", f"bob {BOB_HIMSELF} stores:approve"]
    variables = {"VERCEL_MCP_HTTP_TOKENS_FILE": token_file(world.folder.parent, *lines)}
    async with an_office(world, variables) as made:
        yield made


async def asked(office: Office, era: str, token: str, **changes: object) -> str:
    """Make a call that must be approved by a person, and return its code."""
    async with office.client(era, token) as client:
        found = await buy(client, **changes)
    assert found["status"] == "confirmation_required", found
    return str(found["approval"]["code"])


async def bought(office: Office, era: str, token: str, person: Person | None = None, **changes: object) -> Json:
    """Make a call and return its answer."""
    async with office.client(era, token, person) as client:
        return await buy(client, **changes)


async def rows(world: World) -> list[tuple[str, AuditRow]]:
    """The audit log of all questions and purchases, each row with the principal of its subject."""
    with world.database() as database:
        subjects = database.execute("SELECT id, principal FROM questions UNION SELECT id, principal FROM purchases")
        known = dict(subjects.fetchall())
    ledger = world.ledger()
    return [(known[subject], row) for subject in known for row in await ledger.audit(subject)]


async def test_a_yes_of_ones_own_person_buys(era: str, office: Office) -> None:
    """The question names who asked; the person's yes counts for the same call of the same principal."""
    code = await asked(office, era, ALICE)
    (question,) = await office.waiting(ALICE_HERSELF)
    assert (question["code"], question["principal"]) == (code, "alice")
    assert (await office.answer(code.lower(), " 20.00 ", ALICE_HERSELF)).json() == {"status": "approved"}
    assert (await bought(office, era, ALICE))["status"] == "created"
    assert office.world.bodies == [PRO]


async def test_a_yes_does_not_count_for_somebody_elses_identical_call(era: str, office: Office) -> None:
    """T56: Bob's agent makes the very call that Alice's person has approved: Bob's person is asked."""
    code = await asked(office, era, ALICE)
    await office.answer(code, "20.00", ALICE_HERSELF)
    assert await asked(office, era, BOB) != code
    assert office.world.bodies == []
    assert (await bought(office, era, ALICE))["status"] == "created"
    found = await bought(office, era, BOB)
    assert (found["status"], found["error"]["code"]) == ("refused", "it_conflicts_with_an_earlier_purchase")
    assert office.world.bodies == [PRO]


async def test_a_form_of_ones_own_agent_answers_only_ones_own_call(era: str, office: Office) -> None:
    """Bob's form says yes while Alice's question waits: Bob buys his store, and Alice's question waits on."""
    code = await asked(office, era, ALICE, name="alices")
    assert (await bought(office, era, BOB, Person(typed("20.00")), name="bobs"))["status"] == "created"
    assert [one["code"] for one in await office.waiting(WARDEN)] == [code]
    assert [body["name"] for body in office.world.bodies] == ["bobs"]


async def test_a_sealed_state_is_nothing_in_other_hands(office: Office) -> None:
    """T15: what Alice's client was given to bring back says nothing when Bob's client brings it, and is hers still."""
    async with (
        office.client("auto", ALICE, Person()) as alice,
        office.client("auto", BOB, Person()) as bob,
    ):
        opened = await first_round(alice)
        with pytest.raises(Exception, match=FROZEN):
            await opened.end(bob)
        assert office.world.bodies == []
        assert (await opened.end(alice))["status"] == "created"
    assert office.world.bodies == [PRO]


def plain(answer: httpx.Response) -> tuple[int, bytes, dict[str, str]]:
    """Everything of an answer but the date."""
    return answer.status_code, answer.content, {name: text for name, text in answer.headers.items() if name != "date"}


async def test_a_session_is_nothing_in_other_hands(office: Office) -> None:
    """Alice's session is answered to Bob as one that does not exist; it goes on for her."""
    opening = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}},
    }
    accept = {"accept": "application/json, text/event-stream"}
    opened = await office.ask("POST", "/mcp", ALICE, json=opening, headers=accept)
    session = opened.headers["mcp-session-id"]
    ping = {"jsonrpc": "2.0", "id": 2, "method": "ping"}
    messages = [ping, {"jsonrpc": "2.0", "id": 5, "result": {"action": "accept", "content": {"amount": "20.00"}}}]

    async def use(method: str, token: str, of: str, message: Json | None) -> httpx.Response:
        return await office.ask(method, "/mcp", token, json=message, headers={**accept, "mcp-session-id": of})

    for method, message in [("POST", messages[0]), ("POST", messages[1]), ("GET", None), ("DELETE", None)]:
        his, unknown = [await use(method, BOB, of, message) for of in (session, "0" * 32)]
        assert (plain(his), his.status_code) == (plain(unknown), 404)
    assert (await use("POST", ALICE, session, ping)).status_code == 200


async def test_somebody_elses_code_is_one_that_does_not_exist(era: str, office: Office) -> None:
    """T56: byte for byte, whatever is typed, and in the list as well; the question waits on for its own person."""
    code = await asked(office, era, ALICE)
    nobodys = "A" * len(code)
    for body in ({"typed": "20.00"}, {"typed": "no"}, {"typed": ""}, {"typed": 20}, {}, {"typed": "x", "more": 1}):
        his, unknown = [
            await office.ask("POST", f"/approvals/{one}", BOB_HIMSELF, json=body) for one in (code, nobodys)
        ]
        assert plain(his) == plain(unknown)
    assert (await office.answer(code, "20.00", BOB_HIMSELF)).status_code == 404
    assert (await office.waiting(BOB_HIMSELF), len(await office.waiting(ALICE_HERSELF))) == ([], 1)
    assert (await bought(office, era, ALICE))["status"] == "confirmation_required"
    assert office.world.bodies == []


async def test_who_may_approve_for_all_answers_both(office: Office) -> None:
    """The list holds everybody's questions, oldest first; the audit log names who asked, who answered, who bought."""
    world = office.world
    codes = [await asked(office, "auto", ALICE, name="alices")]
    world.clock.now += 1
    codes.append(await asked(office, "auto", BOB, name="bobs"))
    assert [(one["code"], one["principal"]) for one in await office.waiting(WARDEN)] == [
        (codes[0], "alice"),
        (codes[1], "bob"),
    ]
    answers = [await office.answer(codes[0], "20.00", WARDEN), await office.answer(codes[1], "no", WARDEN)]
    assert [answer.json() for answer in answers] == [{"status": "approved"}, {"status": "declined"}]
    assert (await bought(office, "auto", ALICE, name="alices"))["status"] == "created"
    told = {(who, row.kind, row.detail.get("approver")) for who, row in await rows(world)}
    assert {("alice", "approved", "warden"), ("bob", "declined", "warden"), ("alice", "sending", None)} <= told
    assert [(one.principal, one.name) for one in await world.ledger().purchases(10)] == [("alice", "alices")]
    assert await world.ledger().verify() is None


async def test_the_ledger_names_the_issuer_with_the_subject(world: World) -> None:
    """A subject is unique at its issuer alone, so a token of the file can't be taken for a person of the issuer's."""
    async with an_issuer() as issuer:
        variables = {**http_variables(world.folder.parent, {"alice": AGENT}), **issuer.variables()}
        async with an_office(world, variables) as office:
            code = await asked(office, "auto", issuer.token())
            assert await asked(office, "auto", ALICE) != code
            herself = issuer.token(scope="stores:approve", client_id="a terminal")
            (question,) = await office.waiting(herself)
            assert (question["code"], question["principal"]) == (code, f"{issuer.url}|alice")
            await office.answer(code, "20.00", herself)
            assert (await bought(office, "auto", issuer.token()))["status"] == "created"
        told = [row.detail["approver"] for _, row in await rows(world) if row.kind == "approved"]
        assert told == [f"{issuer.url}|alice"]
    assert world.bodies == [PRO]


async def test_the_list_of_purchases_is_ones_own(era: str, office: Office) -> None:
    """T56: what Alice bought is nothing that Bob's agent can read."""
    assert (await bought(office, era, ALICE, **{**FREE, "name": "alices"}))["status"] == "created"
    listed = {}
    for token in (ALICE, BOB):
        async with office.client(era, token) as client:
            (content,) = (await client.read_resource("vercel-marketplace://purchases")).contents
            listed[token] = [one["name"] for one in json.loads(content.model_dump()["text"])["purchases"]]
    assert listed == {ALICE: ["alices"], BOB: []}


async def test_without_the_scope_for_money_only_what_is_free_is_created(era: str, office: Office) -> None:
    """The rule is named, nobody is asked, and not even an answered form helps; a free store is created at once."""
    person = Person(typed("20.00"))
    found = await bought(office, era, CAROL, person)
    assert (found["status"], found["error"]["code"]) == ("refused", "the_caller_may_not_ask_for_paid_stores")
    assert (person.shown, await office.waiting(WARDEN), office.world.bodies) == ([], [], [])
    assert (await bought(office, era, CAROL, **{**FREE, "name": "free"}))["status"] == "created"
    assert [body["name"] for body in office.world.bodies] == ["free"]


async def test_attention_is_counted_for_each_and_money_for_all(world: World) -> None:
    """Alice's three open questions don't keep Bob from asking; what Bob buys is gone from the team's budget."""
    variables = http_variables(world.folder.parent, {"alice": AGENT, "bob": AGENT, "warden": ("stores:approve-all",)})
    async with an_office(world, variables, max_per_day=3000) as office:
        for number in range(3):
            await asked(office, "auto", ALICE, name=f"alices-{number}")
        fourth = await bought(office, "auto", ALICE, name="alices-3")
        code = await asked(office, "auto", BOB, name="bobs")
        await office.answer(code, "20.00", WARDEN)
        assert (await bought(office, "auto", BOB, name="bobs"))["status"] == "created"
        first = await office.answer((await office.waiting(WARDEN))[0]["code"], "20.00", WARDEN)
        hers = await bought(office, "auto", ALICE, name="alices-0")
    assert fourth["error"]["code"] == "too_many_questions_are_open"
    assert first.json() == {"status": "approved"}
    assert (hers["status"], hers["error"]["code"]) == ("refused", "it_costs_more_than_is_left_today")
    assert [body["name"] for body in world.bodies] == ["bobs"]


async def test_unanswered_questions_are_counted_for_each_and_creates_for_all(world: World) -> None:
    """Alice has five noes in ten minutes and is not asked any more; Bob is; the team's creates are one number."""
    variables = http_variables(world.folder.parent, {"alice": AGENT, "bob": AGENT, "warden": ("stores:approve-all",)})
    async with an_office(world, variables, max_creates_per_hour=1) as office:
        for number in range(5):
            code = await asked(office, "auto", ALICE, name=f"alices-{number}")
            await office.answer(code, "no", WARDEN)
        sixth = await bought(office, "auto", ALICE, name="alices-5")
        await asked(office, "auto", BOB, name="bobs")
        free = [await bought(office, "auto", token, **{**FREE, "name": f"free-{token[:3]}"}) for token in (BOB, ALICE)]
    assert sixth["error"]["code"] == "too_many_questions_went_unanswered"
    assert [one["status"] for one in free] == ["created", "refused"]
    assert free[1]["error"]["code"] == "too_many_stores_were_created"
    assert [body["name"] for body in world.bodies] == ["free-bob"]
