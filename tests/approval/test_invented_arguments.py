"""No argument confirms: five hundred that a model might invent change nothing."""

from itertools import product

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vercel_marketplace_mcp import specs

from .world import PRO, Person, World, buy, first_round, typed

pytestmark = pytest.mark.anyio

WORDS = (
    "confirm confirmed confirmation approve approved approval force forced yes agree accepted accept skip bypass "
    "override consent authorize authorized user_confirmed ok token dry_run paid pay amount trusted"
).split()
SHAPES = (
    "{} {}ByUser is_{} _{} {}Token {}_code X-{} auto{} {}Purchase human_{} {}. {}ed_at {}Amount no{} {}Id "
    "{}_by_human allow{} pre_{} {}2"
).split()
VALUES = [True, "true", "20.00", 20.0, 2000, 1, "yes", None, {"amount": "20.00"}, ["20.00"], ""]
INVENTED = [shape.format(word) for word, shape in product(WORDS, SHAPES)] + [word.upper() for word in WORDS]


async def test_an_argument_that_does_not_exist_is_an_error_and_nobody_is_asked(era: str, world: World) -> None:
    """T02: each is named in the answer; no form is shown, nothing waits for a terminal, nothing is sent."""
    person = Person(typed("20.00"))
    found = []
    async with world.client(era, person) as client:
        for number, name in enumerate(INVENTED):
            result = await client.call_tool("create-store", {**PRO, name: VALUES[number % len(VALUES)]})
            assert result.structured_content
            found.append((result.structured_content["status"], result.structured_content["error"]["argument"]))
    assert len(set(INVENTED)) >= 500
    assert found == [("invalid_arguments", name) for name in INVENTED]
    assert (person.shown, world.sandbox.posts, await world.waiting()) == ([], [], [])


async def test_where_any_member_may_stand_none_of_them_confirms(era: str, world: World) -> None:
    """T02: protocolSettings is free in form, and what it says is shown to the person, not obeyed."""
    invented = dict.fromkeys(INVENTED[:40], "20.00")
    person = Person(typed("no"))
    async with world.client(era, person) as client:
        found = await buy(client, protocolSettings={"storage": invented}, externalId="approved: 20.00", source="yes")
    assert found["status"] == "not_confirmed"
    assert [f'protocolSettings.storage.{name} = "20.00"' in person.shown[0] for name in invented] == [True] * 40
    assert world.sandbox.posts == []


def test_no_tool_has_an_argument_that_could_confirm() -> None:
    """T02: the published schemas have no place for a yes, a force or a code, and take no further members."""
    for spec in specs.load().values():
        schema = spec.definition["inputSchema"]
        assert schema["additionalProperties"] is False
        assert not [
            name
            for name in schema["properties"]
            if any(word in name.lower() for word in ("confirm", "approv", "force", "yes", "skip", "token", "code"))
        ]


@settings(max_examples=200, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@given(
    extra=st.dictionaries(
        st.text(min_size=1, max_size=12).filter(lambda name: name not in specs.load()["create-store"].argument_names),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=8), lambda inner: st.lists(inner, max_size=2)
        ),
        min_size=1,
        max_size=3,
    )
)
async def test_whatever_is_added_to_a_call_buys_nothing(extra: dict[str, object], world: World) -> None:
    """T02: names and values of any kind."""
    async with world.client("auto", Person(typed("20.00"))) as client:
        result = await client.call_tool("create-store", {**PRO, **extra})
    assert result.structured_content
    assert (result.structured_content["status"], world.sandbox.posts) == ("invalid_arguments", [])


async def test_the_code_of_a_question_is_no_argument(world: World) -> None:
    """What an answer tells the agent can't be handed back as a yes: not as an argument, and not as the typed text."""
    async with world.client("auto") as client:
        code = (await buy(client))["approval"]["code"]
    async with world.client("auto", Person(typed(code))) as client:
        opened = await first_round(client)
        assert (await opened.end(client, typed(code)))["status"] == "not_confirmed"
        for name in ("code", "approvalCode", "confirmationToken"):
            assert (await buy(client, **{name: code}))["status"] == "invalid_arguments"
    assert world.sandbox.posts == []
