"""A person settles what is unclear: in a terminal, with the store's name typed, and once."""

from pathlib import Path
from typing import Any

import pytest

from vercel_marketplace_mcp.ledger.records import Begun, Identity, NewPurchase
from vercel_marketplace_mcp.purchase.policy import Proceed

from .approval.stories import happened, lost, mismatched, one_of_each
from .approval.terminal import PROGRAM, Done, InProcess, at_the_desk, variables, without_a_terminal
from .approval.world import FREE, PRO, Json, Person, World, buy, typed


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The state folder."""
    return tmp_path / "state"


@pytest.fixture
def run(folder: Path, capsys: pytest.CaptureFixture[str]) -> InProcess:
    """Run a command on the state folder, in this process."""
    return InProcess(folder, capsys)


@pytest.mark.parametrize(
    ("story", "flag", "state"),
    [
        (lost, "--created", "created"),
        (lost, "--not-created", "not_created"),
        (mismatched, "--created", "mismatch"),
        (mismatched, "--not-created", "not_created"),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_resolve_records_what_a_person_found_out(
    story: Any, flag: str, state: str, folder: Path, run: InProcess
) -> None:
    """In a terminal, with the store's name typed: a wrong name records nothing, the right one settles it, once."""
    purchase = happened(folder, story)
    command = [*PROGRAM, "ledger", "resolve", purchase, flag, "--state-dir", str(folder)]
    wrong = at_the_desk(command, b"order\n")
    right = at_the_desk(command, b" orders \n")
    again = run("ledger", "list")
    assert (wrong.code, wrong.shown.endswith("That is not its name. Nothing was recorded.\n")) == (1, True)
    assert (right.code, f"  {state}, settled by a person  " in right.shown) == (0, True)
    assert f"{purchase}  " in again.shown
    assert again.shown.count("settled by a person") == 1
    assert at_the_desk(command, b"orders\n") == Done(
        code=1, shown="There is nothing to settle: no such purchase, or its outcome is known.\n"
    )
    assert run("ledger", "verify").code == 0


def test_after_not_created_the_next_call_asks_anew(folder: Path) -> None:
    """The purchase is free again, with a new yes; what was sent before was sent once."""
    purchase = happened(folder, lost)
    command = [*PROGRAM, "ledger", "resolve", purchase, "--not-created", "--state-dir", str(folder)]
    assert at_the_desk(command, b"orders\n").code == 0

    async def again(world: World) -> list[Json]:
        person = Person(typed("20.00"))
        async with world.client("auto", person) as client:
            assert (await buy(client))["status"] == "created"
        assert len(person.shown) == 1
        return world.bodies

    assert happened(folder, again) == [PRO]


def test_acknowledging_a_mismatch_lets_creates_go_on(folder: Path) -> None:
    """Until then every create is refused; afterwards the store's own call is still answered from the ledger."""
    purchase = happened(folder, mismatched)

    async def attempts(world: World) -> tuple[str, str, bool, int]:
        async with world.client("auto") as client:
            another, same = await buy(client, **{**FREE, "name": "next"}), await buy(client)
        stopped = "No other is created until it is settled." in same["next_steps"][0]
        return another["status"], same["status"], stopped, len(world.bodies)

    assert happened(folder, attempts) == ("refused", "billing_mismatch", True, 0)
    command = [*PROGRAM, "ledger", "resolve", purchase, "--created", "--state-dir", str(folder)]
    assert at_the_desk(command, b"orders\n").code == 0
    assert happened(folder, attempts) == ("created", "billing_mismatch", False, 1)


@pytest.mark.parametrize("name", ["a <b>bold</b> [name](x)", "Über-ストア"])
def test_resolve_accepts_the_name_as_it_is_shown(name: str, folder: Path) -> None:
    """What stands on the screen is what a person can type, even where the name itself can't be shown as it is."""

    async def story(world: World) -> str:
        return await lost(world, name=name)

    purchase = happened(folder, story)
    command = [*PROGRAM, "ledger", "resolve", purchase, "--created", "--state-dir", str(folder)]
    shown = at_the_desk(command, b"\n").shown
    on_screen = shown.split(" / ", 1)[1].split("  plan ")[0]
    assert at_the_desk(command, f"{on_screen}\n".encode()).code == 0


def test_what_is_known_or_does_not_exist_can_not_be_settled(folder: Path) -> None:
    """A purchase that was made, one that was rejected, and an invented id: nobody is asked, nothing is recorded."""
    found = happened(folder, one_of_each)
    said = "There is nothing to settle: no such purchase, or its outcome is known.\n"
    for purchase in (found["ids"]["paid"], found["ids"]["rejected"], "purchase_0"):
        command = [*PROGRAM, "ledger", "resolve", purchase, "--not-created", "--state-dir", str(folder)]
        assert at_the_desk(command, b"paid\n") == Done(code=1, shown=said)


def test_what_is_still_under_way_can_not_be_settled_yet(folder: Path) -> None:
    """A process may have ended in the middle: nobody can know for two minutes, and the answer says so."""

    async def cut_off(world: World) -> str:
        ledger = world.ledger()
        identity = Identity(account="a", principal="local", key="k", request="r", fingerprint="f")
        new = NewPurchase(identity=identity, product="brindle/db", name="orders", plan="free", counts=0)
        begun = await ledger.begin(new, lambda _: Proceed())
        assert isinstance(begun, Begun)
        assert await ledger.start_sending(begun.purchase_id)
        return begun.purchase_id

    purchase = happened(folder, cut_off)
    command = [*PROGRAM, "ledger", "resolve", purchase, "--created", "--state-dir", str(folder)]
    said = "It is still under way. Try again in two minutes: by then its outcome is known, or can be settled.\n"
    assert at_the_desk(command, b"orders\n") == Done(code=1, shown=said)


def test_a_mismatch_is_told_before_it_is_settled(folder: Path) -> None:
    """Whoever types the name has read which plan Vercel has named, and what differs."""
    purchase = happened(folder, mismatched)
    command = [*PROGRAM, "ledger", "resolve", purchase, "--created", "--state-dir", str(folder)]
    shown = at_the_desk(command, b"\n").shown
    assert "store.billingPlan.cost: $99.00/month" in shown
    assert "error.message: The returned plan differs: " in shown


def test_resolve_needs_a_terminal_and_a_person(folder: Path) -> None:
    """Through a pipe, or where an agent announces itself, nothing is settled."""
    purchase = happened(folder, lost)
    command = [*PROGRAM, "ledger", "resolve", purchase, "--not-created", "--state-dir", str(folder)]
    piped = without_a_terminal(command, b"orders\n")
    agents = at_the_desk(command, b"orders\n", env=variables(CODEX_SANDBOX="seatbelt"))
    assert (piped.code, "This needs a terminal" in piped.shown) == (2, True)
    assert (agents.code, "(CODEX_SANDBOX is set)" in agents.shown) == (2, True)


@pytest.mark.parametrize("flags", [[], ["--created", "--not-created"], ["--yes"], ["--force", "--created"]], ids=str)
def test_resolve_must_be_told_one_of_two_things(flags: list[str], run: InProcess) -> None:
    """No flag, both, or an invented one: wrong usage."""
    found = run("ledger", "resolve", "purchase_1", *flags)
    assert (found.code, found.shown.startswith("usage: ")) == (2, True)
