"""What a client may send instead of a form's answer, line by line: nothing malformed, late or misdirected is a yes."""

from pathlib import Path
from typing import Any

import anyio
import pytest

from .wire import Wire, modern, wired
from .world import PRO, Json, World, a_world

pytestmark = pytest.mark.anyio

SHOWS_FORMS = [{}, {"form": {}}, {"form": {}, "url": {}}, {"form": {"anything": 1}}]
SHOWS_NONE: list[Any] = [None, {"url": {}}]
MALFORMED = [
    *("{}", "null", "[]", "true", '"20.00"', "20.00", '{"amount": "20.00"}', '{"content": {"amount": "20.00"}}'),
    *('{"action": null, "content": {"amount": "20.00"}}', '{"action": "yes", "content": {"amount": "20.00"}}'),
    *('{"action": "ACCEPT", "content": {"amount": "20.00"}}', '{"action": "accept "}', '{"action": ["accept"]}'),
    *('{"action": true, "content": {"amount": "20.00"}}', '{"action": "accept", "content": "20.00"}'),
    *('{"action": "accept", "content": ["amount", "20.00"]}', '{"action": "accept", "content": null}'),
    *('{"action": "accept", "content": {"amount": {"amount": "20.00"}}}', '{"action": "accept", "content": true}'),
    *('{"action": "accept", "content": {"amount": ["20.00"]}}', '{"action": "accept", "content": {"amount": 20.00}}'),
    *('{"action": "accept", "content": {"amount": null}}', '{"action": "accept", "content": {"amount": [[]]}}'),
    *('{"action": "accept", "content": {"amount": "19.00", "amount": "20.00"}}', '{"action": "accept"'),
    '{"action": "accept", "action": "decline", "content": {"amount": "20.00"}}',
    '{"action": "accept", "content": {"amount": "\\ud800"}}',
    '{"action": "accept", "content": {"amount": NaN}}',
    '{"action": "accept", "content": {"amount": "' + "2" * 1_100_000 + '"}}',
]


WAITING = {"progress": 0.0, "total": 5, "message": "Waiting for a person's answer."}


def result_of(message: Json) -> tuple[str, bool]:
    """The status of a tool's answer, and whether it counts as an error."""
    found = message["result"]
    return found["structuredContent"]["status"], found["isError"]


async def asked(wire: Wire, elicitation: Any = None) -> Json:
    """Open a connection and call until the form is shown; return the request that shows it."""
    await wire.open({} if elicitation is None else elicitation)
    request = await wire.call()
    assert request["method"] == "elicitation/create", request
    return request


def answer(request: Json | str, result: str) -> str:
    """The line that answers a request, or the one of this id, with this raw result."""
    number = request if isinstance(request, str) else request["id"]
    return f'{{"jsonrpc": "2.0", "id": {number}, "result": {result}}}'


EXACT = '{"action": "accept", "content": {"amount": "20.00"}}'
MISDIRECTED = [
    '{"jsonrpc": "2.0", "id": %s, "error": {"code": -32601, "message": "no such method"}}',
    '{"jsonrpc": "2.0", "id": %s, "error": {"code": 0, "message": "20.00", "data": {"amount": "20.00"}}}',
    '{"jsonrpc": "2.0", "id": "%s-", "result": ' + EXACT + "}",
    '{"jsonrpc": "2.0", "id": null, "result": ' + EXACT + "}",
    '{"jsonrpc": "2.0", "id": 999, "result": ' + EXACT + "}",
    '{"jsonrpc": "2.0", "id": %s, "result": ' + EXACT + ', "error": {"code": 1, "message": "and an error"}}',
    '{"jsonrpc": "2.0", "id": %s, "id": %s, "result": ' + EXACT + "}",
    '{"jsonrpc": "1.0", "id": %s, "result": ' + EXACT + "}",
]


async def test_the_form_has_one_required_text_that_nothing_fills_in(world: World) -> None:
    """T19: no default, no choice, no pattern and no constant: a client has nothing to answer with by itself."""
    async with wired(world.server()) as wire:
        request = await asked(wire)
        field = {"type": "string", "title": "Type 20.00 to buy", "description": "Anything else buys nothing."}
        assert request["params"]["requestedSchema"] == {
            "type": "object",
            "properties": {"amount": field},
            "required": ["amount"],
        }
        await wire.send(answer(request, EXACT))
        assert result_of(await wire.receive()) == ("created", False)
    assert world.bodies == [PRO]


async def after(line: str, folder: Path, found: dict[str, Any]) -> None:
    """Answer a form with this line, and keep the status, the requests that left, and the questions that wait."""
    async with a_world(folder) as world, wired(world.server(form_wait=1)) as wire:
        request = await asked(wire)
        await wire.send(line.replace("%s", str(request["id"])))
        status, _ = result_of(await wire.answer_to(2))
        found[line] = (status, len(world.sandbox.posts), len(await world.waiting()))


@pytest.mark.parametrize("lines", [[answer("%s", result) for result in MALFORMED], MISDIRECTED], ids=len)
async def test_a_malformed_or_misdirected_answer_buys_nothing(lines: list[str], tmp_path: Path) -> None:
    """T19: whatever is not an answer to this form decides nothing, and the question waits for a terminal."""
    found: dict[str, Any] = {}
    async with anyio.create_task_group() as tasks:
        for number, line in enumerate(lines):
            tasks.start_soon(after, line, tmp_path / str(number), found)
    assert found == dict.fromkeys(lines, ("confirmation_required", 0, 1))


async def test_an_answer_that_comes_too_late_buys_nothing(world: World) -> None:
    """The form was open for as long as it may be: the terminal decides, and the late answer finds nobody."""
    async with wired(world.server(form_wait=1)) as wire:
        request = await asked(wire)
        assert result_of(await wire.answer_to(2)) == ("confirmation_required", True)
        await wire.send(answer(request, EXACT))
        await wire.send({"jsonrpc": "2.0", "id": 3, "method": "ping"})
        await wire.answer_to(3)
    assert (world.sandbox.posts, len(await world.waiting())) == ([], 1)


async def test_of_two_answers_the_first_counts(world: World) -> None:
    """A no that is followed by a yes is a no that nobody took back."""
    async with wired(world.server()) as wire:
        request = await asked(wire)
        await wire.send(answer(request, '{"action": "accept", "content": {"amount": "no"}}'))
        await wire.send(answer(request, EXACT))
        assert result_of(await wire.receive()) == ("not_confirmed", True)
    assert (world.sandbox.posts, await world.waiting()) == ([], [])


@pytest.mark.parametrize("elicitation", SHOWS_FORMS, ids=str)
async def test_a_client_that_declares_forms_is_shown_one(elicitation: Any, world: World) -> None:
    """An empty declaration means forms, in both eras."""
    async with wired(world.server()) as wire:
        request = await asked(wire, elicitation)
        assert request["params"]["message"].startswith("Buy a store for 20.00 USD")
    async with wired(world.server()) as wire:
        found = await wire.call(_meta=modern(elicitation))
    assert found["result"]["resultType"] == "input_required"
    assert found["result"]["inputRequests"]["confirmation"]["params"]["message"] == request["params"]["message"]
    assert world.sandbox.posts == []


@pytest.mark.parametrize("elicitation", SHOWS_NONE, ids=str)
async def test_a_client_that_declares_none_is_sent_to_the_terminal(elicitation: Any, world: World) -> None:
    """T20: neither a page to open nor nothing at all is a form, in both eras."""
    async with wired(world.server()) as wire:
        await wire.open(elicitation)
        assert result_of(await wire.call()) == ("confirmation_required", True)
    async with wired(world.server()) as wire:
        assert result_of(await wire.call(_meta=modern(elicitation))) == ("confirmation_required", True)
    assert (world.sandbox.posts, len(await world.waiting())) == ([], 1)


async def test_a_handshake_era_call_can_not_bring_its_own_answer(world: World) -> None:
    """The newer era's members mean nothing in the older one: the form is shown all the same, and may be declined."""
    smuggled: Json = {"inputResponses": {"confirmation": {"action": "accept", "content": {"amount": "20.00"}}}}
    async with wired(world.server()) as wire:
        sealed = (await wire.call(_meta=modern({})))["result"]["requestState"]
    states: list[Json] = [{}, {"requestState": sealed}]
    for state in states:
        async with wired(world.server()) as wire:
            await wire.open({})
            request = await wire.call(**smuggled, **state)
            assert request["method"] == "elicitation/create", request
            await wire.send(answer(request, '{"action": "accept", "content": {"amount": "no"}}'))
            assert result_of(await wire.answer_to(2)) == ("not_confirmed", True)
    assert world.sandbox.posts == []


async def test_an_answer_without_a_sealed_state_answers_nothing(world: World) -> None:
    """In the newer era an answer that belongs to no question is not looked at: the question is asked."""
    smuggled = {"confirmation": {"action": "accept", "content": {"amount": "20.00"}}}
    async with wired(world.server()) as wire:
        states: list[Json] = [{}, {"requestState": None}]
        for state in states:
            found = await wire.call(_meta=modern({}), inputResponses=smuggled, **state)
            assert found["result"]["resultType"] == "input_required"
    assert world.sandbox.posts == []


@pytest.mark.parametrize("replies", [None, {}, {"other": None}, {"other": "confirmation"}], ids=str)
async def test_a_state_that_comes_back_without_its_answer_leads_to_the_terminal(replies: Any, world: World) -> None:
    """The final round must hold the answer to the question that was asked, under its own name."""
    exact = {"action": "accept", "content": {"amount": "20.00"}}
    async with wired(world.server()) as wire:
        state = (await wire.call(_meta=modern({})))["result"]["requestState"]
        more = {} if replies is None else {"inputResponses": dict.fromkeys(replies, exact)}
        found = await wire.call(3, _meta=modern({}), requestState=state, **more)
    assert (result_of(found), world.sandbox.posts) == (("confirmation_required", True), [])


async def test_a_client_that_dies_while_it_is_asked_buys_nothing(world: World) -> None:
    """T44: the connection ends with the form open; the question waits, and a later call can still be confirmed."""
    async with wired(world.server()) as wire:
        await asked(wire)
        await wire.hang_up()
    assert (world.sandbox.posts, len(await world.waiting())) == ([], 1)
    async with wired(world.server()) as wire:
        await wire.send(answer(await asked(wire), EXACT))
        assert result_of(await wire.receive()) == ("created", False)
    assert world.bodies == [PRO]


async def test_a_call_that_is_cancelled_while_it_asks_buys_nothing(world: World) -> None:
    """T44: the person's answer to the form of a cancelled call finds nobody, and the server serves on."""
    async with wired(world.server()) as wire:
        request = await asked(wire)
        await wire.send({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 2}})
        await wire.send(answer(request, EXACT))
        await wire.send({"jsonrpc": "2.0", "id": 3, "method": "ping"})
        await wire.answer_to(3)
    assert (world.sandbox.posts, len(await world.waiting())) == ([], 1)


async def test_progress_is_reported_to_who_waits_for_somebody_elses_form(world: World) -> None:
    """The same call a second time shows no second form; its host hears that it waits, and gets what came of it."""
    async with wired(world.server()) as wire:
        request = await asked(wire)
        progress = await wire.call(3, _meta={"progressToken": "second"})
        assert progress["params"] == {**WAITING, "progressToken": "second"}
        await wire.send(answer(request, EXACT))
        answers = [await wire.receive(), await wire.receive()]
    assert sorted(message["id"] for message in answers) == [2, 3]
    found = [message["result"]["structuredContent"] for message in answers]
    assert sorted(("replayed" in one, one["status"]) for one in found) == [(False, "created"), (True, "created")]
    assert len(world.sandbox.posts) == 1


async def test_progress_is_reported_while_the_form_is_open(world: World) -> None:
    """A host that counts the seconds of a call hears that a person is being waited for."""
    async with wired(world.server()) as wire:
        await wire.open({})
        messages = [await wire.call(_meta={"progressToken": "t"}), await wire.receive()]
        progress = next(message for message in messages if message["method"] == "notifications/progress")
        request = next(message for message in messages if message["method"] == "elicitation/create")
        await wire.send(answer(request, EXACT))
        assert result_of(await wire.receive()) == ("created", False)
    assert progress["params"] == {**WAITING, "progressToken": "t"}
