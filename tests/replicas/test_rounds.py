"""A question of the era of 2026-07-28 is asked by one replica and answered at another: the answer carries all of it."""

from collections.abc import Callable

import anyio
import pytest
from mcp.shared.exceptions import MCPError

from ..approval.world import FROZEN, Person, Round, first_round
from .clients import PATIENCE, connected
from .town import PRINCIPALS, Replica, Town

pytestmark = pytest.mark.anyio

Record = Callable[[str, object], None]

OLD, NEW, FOREIGN = ("old" * 11, "new" * 11, "foreign" * 5)


async def asked(replica: Replica, name: str) -> Round:
    """The question about a store of this name, asked by a replica."""
    async with connected(replica.url, "auto", Person()) as client:
        return await first_round(client, name=name)


async def answered(replica: Replica, question: Round, *, principal: str = PRINCIPALS[0]) -> str:
    """What a replica answers to a yes: the status of the purchase, or why it takes none."""
    async with connected(replica.url, "auto", Person(), principal=principal) as client:
        try:
            return str((await question.end(client))["status"])
        except MCPError as error:
            return error.message


async def test_any_replica_takes_the_answer_to_a_question_of_another(town: Town, record_property: Record) -> None:
    """In both directions, and after the one that asked was killed, a yes makes one store; said again it repeats it."""
    here, there = town.start(2)
    with anyio.fail_after(PATIENCE):
        questions = [await asked(here, "one"), await asked(there, "two"), await asked(here, "three")]
        assert town.posts == []
        assert await answered(there, questions[0]) == "created"
        assert await answered(here, questions[1]) == "created"
        here.kill()
        assert await answered(there, questions[2]) == "created"
        assert [await answered(there, question) for question in questions] == ["created"] * 3
    record_property("questions asked by one replica and answered at another", len(questions))
    assert [post.json()["name"] for post in town.posts] == ["one", "two", "three"]
    assert await town.states() == dict.fromkeys(("one", "two", "three"), "created")
    assert await town.problem() is None


async def test_a_question_outlives_a_change_of_keys_and_is_worth_nothing_to_anybody_else(town: Town) -> None:
    """Replicas that share a key take each other's states, whichever of them seals; other keys and principals do not."""
    keys = (f"{NEW},{OLD}", f"{OLD},{NEW}", FOREIGN)
    new, old, foreign = town.start_with([town.environment(VERCEL_MCP_STATE_KEYS=each) for each in keys])
    with anyio.fail_after(PATIENCE):
        by_new, by_old = await asked(new, "by-new"), await asked(old, "by-old")
        for replica, principal in ((foreign, PRINCIPALS[0]), (new, PRINCIPALS[1]), (old, PRINCIPALS[1])):
            for question in (by_new, by_old):
                assert await answered(replica, question, principal=principal) == FROZEN
        assert town.posts == []
        assert await answered(old, by_new) == "created"
        assert await answered(new, by_old) == "created"
    assert [post.json()["name"] for post in town.posts] == ["by-new", "by-old"]
