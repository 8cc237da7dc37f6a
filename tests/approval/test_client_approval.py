"""A person answers through the client's form, in both protocol eras: only the exact text buys, and it buys once."""

from typing import Any

import mcp_types as types
import pytest

from .world import PRO, Person, World, buy, clicked, first_round, typed

pytestmark = pytest.mark.anyio

NOTHING = "This call created nothing and charged nothing."
A_MOMENT = 0.35
"""Seconds: longer than a client needs that shows the form to nobody."""
NEAR_MISSES = [
    *("20", "20.0", "20.000", "020.00", "+20.00", "-20.00", "$20.00", "20.00$", "20.00 USD", "20,00", "2 0.00", "2000"),
    *("20.00.", "'20.00'", '"20.00"', "20.00\n20.00", "19.99", "20.01", "2O.00", "20․00", "２０.００", "٢٠.٠٠"),
    *("\u200b20.00", "20.00\u200d", "20.00\0", "yes", "y", "true", "ok", "confirm", "I agree", "UNPRICED-0000"),
]
UNUSABLE = [None, "", " \t\n", True, False, 20, 20.0, 2000, 0, ["20.00"], []]


@pytest.mark.parametrize("text", ["20.00", " 20.00", "20.00\n", "\t20.00 \r\n", "\u00a020.00\u3000"])
async def test_the_exact_amount_buys_exactly_what_was_asked_for(era: str, text: str, world: World) -> None:
    """One request leaves, its body is the arguments as given, and white space around the amount does not matter."""
    person = Person(typed(text))
    async with world.client(era, person) as client:
        found = await buy(client, externalId="order-7", protocolSettings={"storage": {"note": "x"}})
    body = {**PRO, "externalId": "order-7", "protocolSettings": {"storage": {"note": "x"}}}
    assert (found["status"], len(person.shown), world.bodies) == ("created", 1, [body])
    assert found["money"] == (
        "The store was created and is billed as confirmed. Every month: 20.00 USD, until the store is removed."
    )
    assert person.shown[0].endswith("To buy, type 20.00 - anything else buys nothing.")


async def test_an_instant_exact_answer_counts_and_the_ledger_says_how_fast_it_came(era: str, world: World) -> None:
    """It is the client that answers: nothing proves a person, so the evidence is kept."""
    async with world.client(era, Person(typed("20.00"))) as client:
        assert (await buy(client))["status"] == "created"
    ledger = world.ledger()
    (purchase,) = await ledger.purchases(10)
    question = (await ledger.audit(purchase.id))[0].detail["question"]
    (answer,) = [row.detail for row in await ledger.audit(question) if row.kind == "approved"]
    assert {**answer, "seconds": 0} == {"by": "client", "action": "accept", "typed": "20.00", "seconds": 0}
    assert 0 <= answer["seconds"] < 0.3
    assert await ledger.verify() is None


async def test_anything_but_the_exact_amount_buys_nothing(era: str, world: World) -> None:
    """T22: no text that a person or a program might take for the amount is one, and each burns its question."""
    found = []
    for text in NEAR_MISSES:
        world.clock.now += 700  # nobody is asked that often within ten minutes
        async with world.client(era, Person(typed(text))) as client:
            answer = await buy(client)
        found.append((text, answer["status"], answer["money"], len(await world.waiting())))
    assert found == [(text, "not_confirmed", NOTHING, 0) for text in NEAR_MISSES]
    assert world.sandbox.posts == []


@pytest.mark.parametrize("action", ["decline", "cancel"])
@pytest.mark.parametrize("content", [None, {"amount": "20.00"}], ids=["empty", "with the amount"])
async def test_a_person_who_declines_buys_nothing(era: str, action: str, content: Any, world: World) -> None:
    """T21: a form that is declined or closed after a moment is a no, whatever stands in its field."""
    answer = clicked(action).model_copy(update={"content": content})
    async with world.client(era, Person(answer, after=A_MOMENT)) as client:
        found = await buy(client)
    assert (found["status"], found["money"], "approval" in found) == ("not_confirmed", NOTHING, False)
    assert (world.sandbox.posts, await world.waiting()) == ([], [])


def answers_that_nobody_gave() -> list[Any]:
    """What clients send that have shown the form to nobody."""
    contents: list[Any] = [
        None,
        {},
        *({"amount": value} for value in UNUSABLE),
        {"answer": "20.00"},
        {"Amount": "20.00"},
    ]
    contents += [{"ok": True}, {"confirm": "20.00", "action": "accept"}, {"amount ": "20.00"}]
    answers = [types.ElicitResult.model_construct(action="accept", content=content) for content in contents]
    return [*answers, clicked("decline"), clicked("cancel")]


@pytest.mark.parametrize("answer", answers_that_nobody_gave(), ids=str)
async def test_a_form_that_nobody_saw_leads_to_the_terminal(era: str, answer: types.ElicitResult, world: World) -> None:
    """T19: an empty, a mistyped or an instantly declined form decides nothing; the question waits for a terminal."""
    person = Person(answer)
    async with world.client(era, person) as client:
        found = await buy(client)
    (question,) = await world.waiting()
    assert (found["status"], found["money"]) == ("confirmation_required", NOTHING)
    assert (found["approval"]["code"], person.shown) == (question.code, [question.text])
    assert question.code in found["approval"]["command"]
    assert world.sandbox.posts == []


async def test_an_exact_answer_counts_beside_other_members(era: str, world: World) -> None:
    """A client may add what it likes: only the one field is read."""
    answer = types.ElicitResult(action="accept", content={"amount": "20.00", "confirm": False, "note": "no"})
    async with world.client(era, Person(answer)) as client:
        assert (await buy(client))["status"] == "created"
    assert world.bodies == [PRO]


async def test_a_client_that_fails_while_it_is_asked_buys_nothing(era: str, world: World) -> None:
    """A callback that raises is no answer: the call ends without a purchase."""

    def fail() -> None:
        raise RuntimeError("the host's window is gone")

    async with world.client(era, Person(typed("20.00"), meanwhile=fail)) as client:
        if era == "legacy":
            assert (await buy(client))["status"] == "confirmation_required"
        else:
            with pytest.RaisesGroup(RuntimeError):
                await buy(client)
    assert (world.sandbox.posts, len(await world.waiting())) == ([], 1)


async def test_a_client_without_forms_is_told_what_a_person_can_run(era: str, world: World) -> None:
    """T01, T20: nothing is sent; the answer holds the price, a code, the command, and when the question ends."""
    async with world.client(era) as client:
        found = await buy(client)
    (question,) = await world.waiting()
    command = f"vercel-marketplace-mcp approve {question.code} --state-dir {world.folder}"
    assert found["approval"] == {"code": question.code, "command": command, "expires_at": "2027-01-15T09:00:00+00:00"}
    assert (found["status"], found["money"]) == ("confirmation_required", NOTHING)
    assert (found["quote"]["recurring_cents"], found["quote"]["billing"]) == (2000, "may_charge")
    assert question.expected not in str({**found, "quote": None})
    assert world.sandbox.posts == []


async def test_in_terminal_mode_even_the_right_answer_of_a_form_counts_for_nothing(era: str, world: World) -> None:
    """VERCEL_MCP_APPROVAL=terminal shows no form, and believes none."""
    person = Person(typed("20.00"))
    async with world.client(era, person, approval="terminal") as client:
        found = [(await buy(client))["status"] for _ in range(2)]
    assert (found, person.shown, world.sandbox.posts) == (["confirmation_required"] * 2, [], [])


async def test_in_terminal_mode_an_answer_that_comes_with_the_call_counts_for_nothing(era: str, world: World) -> None:
    """Not even with the sealed state of a question that this ledger has asked: the terminal alone decides."""
    async with world.client("auto", Person(typed("20.00"))) as asked:
        opened = await first_round(asked)
    async with world.client(era, Person(typed("20.00")), approval="terminal") as client:
        found = await client.session.call_tool(
            "create-store",
            PRO,
            input_responses={"confirmation": typed("20.00")},
            request_state=opened.state,
            allow_input_required=True,
        )
    assert isinstance(found, types.CallToolResult)
    assert found.structured_content
    assert (found.structured_content["status"], world.sandbox.posts) == ("confirmation_required", [])
    assert [question.text for question in await world.waiting()] == [opened.text]
