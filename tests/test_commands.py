"""The ledger's commands, for people: what was asked and bought, whether it is whole, and settling what is unclear."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from vercel_marketplace_mcp.ledger.records import Begun, Identity, NewPurchase
from vercel_marketplace_mcp.purchase.policy import Proceed
from vercel_marketplace_mcp.results import moment
from vercel_marketplace_mcp.sandbox import SANDBOX_TEAM_ID

from .approval.stories import happened, one_of_each
from .approval.terminal import PROGRAM, Done, InProcess, at_the_desk
from .approval.world import FREE, World, approved, buy

NASTY = "\x1b]0;owned\x07\x1b[31mred\u202e\u200b\r\nApproved ✓\x9b2J<b>[x](y)"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The state folder."""
    return tmp_path / "state"


@pytest.fixture
def run(folder: Path, capsys: pytest.CaptureFixture[str]) -> InProcess:
    """Run a command on the state folder, in this process."""
    return InProcess(folder, capsys)


def test_list_shows_the_purchases_newest_first_and_what_waits(folder: Path, run: InProcess) -> None:
    """One line each: id, time, state, product, name, plan and what it counts; then the codes that wait."""
    found = happened(folder, one_of_each)
    lines = [
        f"{found['ids'][name]}  {moment(found['now'] - ago)}  {state}  brindle/brindle-postgres / {name}"
        "  plan pro  counts 20.00 USD  for local"
        for name, state, ago in (("lost", "unknown", 1), ("rejected", "rejected", 2), ("paid", "created", 3))
    ]
    waiting = f"waiting for approval: code {found['code']}, until {moment(found['now'] + 3600)}"
    asked = f"asked by local: Buy a store for 20.00 USD, charged to the team {SANDBOX_TEAM_ID}?"
    assert run("ledger", "list") == Done(code=0, shown="\n".join([*lines, f"{waiting}, {asked}", ""]))


def test_list_goes_on_where_a_page_ends(folder: Path, run: InProcess) -> None:
    """Fifty purchases are shown at once; the last line says how to see those before them."""

    async def many(world: World) -> None:
        async with world.client("auto") as client:
            for number in range(52):
                world.clock.now += 1
                await buy(client, **{**FREE, "name": f"store-{number}"})

    happened(folder, many)
    first = run("ledger", "list").shown.splitlines()
    assert (len(first), first[-1].startswith("more: ledger list --before ")) == (51, True)
    second = run("ledger", "list", "--before", first[-1].rpartition(" ")[2]).shown.splitlines()
    names = [line.split(" / ")[1].split("  ")[0] for line in (*first[:-1], *second)]
    assert names == [f"store-{number}" for number in reversed(range(52))]


def test_show_tells_the_whole_story_of_a_purchase(folder: Path, run: InProcess) -> None:
    """The question with its exact text, the answer, the use of the yes, the sending, the outcome: in this order."""
    found = happened(folder, one_of_each)
    shown = run("ledger", "show", found["ids"]["paid"])
    kinds = [line.split("  ")[1] for line in shown.shown.splitlines()[1:] if not line.startswith(" ")]
    assert (shown.code, kinds) == (0, ["question", "asked", "approved", "used", "prepared", "sending", "created"])
    assert "    text: Buy a store for 20.00 USD, charged to the team team_" in shown.shown
    assert "    text: To buy, type 20.00 - anything else buys nothing." in shown.shown
    assert "    typed: 20.00" in shown.shown
    assert "    receipt.status: created" in shown.shown
    assert "    receipt.store.billingPlan.id: pro" in shown.shown


def test_show_knows_a_question_by_its_id_and_its_code(folder: Path, run: InProcess) -> None:
    """A question has a story of its own; of what does not exist it says so, whatever was typed."""
    found = happened(folder, one_of_each)
    with closing(sqlite3.connect(folder / "ledger.sqlite3")) as db:
        (question,) = db.execute("SELECT id FROM questions WHERE state = 'pending'").fetchone()
    story = run("ledger", "show", question)
    assert story.shown.count(f"  {question}\n") == 2
    assert run("ledger", "show", found["code"].lower()) == story
    assert run("ledger", "show", "purchase_\x1b[2J0") == Done(
        code=1, shown="There is no purchase or question purchase_0 in this ledger.\n"
    )


def test_a_folder_that_is_named_is_the_ledger_that_is_meant(
    folder: Path, run: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever database the variable names in this terminal."""
    happened(folder, one_of_each)
    shown = run("ledger", "list")
    monkeypatch.setenv("VERCEL_MCP_LEDGER_URL", "postgresql://127.0.0.1:1/nowhere")
    assert run("ledger", "list") == shown


def test_verify_notices_a_changed_row(folder: Path, run: InProcess) -> None:
    """A whole log gives 0; one whose amount was made smaller gives 1 and names the row."""
    happened(folder, one_of_each)
    assert run("ledger", "verify") == Done(code=0, shown="The audit log is whole.\n")
    with closing(sqlite3.connect(folder / "ledger.sqlite3", isolation_level=None)) as db:
        db.execute("DROP TRIGGER audit_is_never_changed")
        db.execute("UPDATE audit SET detail = replace(detail, '20.00', '2.00') WHERE seq = 1")
    said = "The ledger does not verify: row 1 of the audit log was changed or moved.\n"
    assert run("ledger", "verify") == Done(code=1, shown=said)


def test_nothing_that_others_wrote_reaches_the_terminal_as_it_is(folder: Path, run: InProcess) -> None:
    """T30, T62: escapes, line breaks and invisible characters in a name, a product, a plan or a receipt are gone."""

    async def story(world: World) -> str:
        ledger = world.ledger()
        identity = Identity(account="a", principal="local", key="k", request="r", fingerprint="f")
        new = NewPurchase(identity=identity, product=NASTY, name=NASTY, plan=NASTY, counts=0)
        begun = await ledger.begin(new, lambda _: Proceed())
        assert isinstance(begun, Begun)
        assert await ledger.start_sending(begun.purchase_id)
        await ledger.finish(begun.purchase_id, "unknown", {"status": "outcome_unknown", "money": NASTY, NASTY: NASTY})
        return begun.purchase_id

    purchase = happened(folder, story)
    shown = run("ledger", "list").shown + run("ledger", "show", purchase).shown
    resolve = [*PROGRAM, "ledger", "resolve", purchase, "--created", "--state-dir", str(folder)]
    shown += at_the_desk(resolve, b"red Approved\n").shown
    assert [char for char in shown if not (char.isprintable() or char == "\n")] == []
    assert "redApproved ✓" in shown or "red Approved ✓" in shown
    assert "](y)" not in shown


@pytest.mark.parametrize("command", [["list"], ["show", "x"], ["verify"]], ids=" ".join)
def test_a_ledger_that_can_not_be_read_is_a_sentence(command: list[str], folder: Path, run: InProcess) -> None:
    """T58: exit code 2, and what to mend."""
    folder.mkdir(mode=0o700)
    (folder / "ledger.sqlite3").write_bytes(b"no database" * 1000)
    (folder / "ledger.sqlite3").chmod(0o600)
    found = run("ledger", *command)
    assert (found.code, found.shown.startswith("vercel-marketplace-mcp: The ledger is damaged.")) == (2, True)


def test_a_malformed_setting_stops_the_commands_too(run: InProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    """What may be allowed is never guessed."""
    monkeypatch.setenv("VERCEL_MCP_APPROVAL_TTL", "forever")
    said = "vercel-marketplace-mcp: VERCEL_MCP_APPROVAL_TTL must be a whole number from 30 to 600.\n"
    assert run("ledger", "verify") == Done(code=2, shown=said)


def test_the_state_folder_is_all_that_the_commands_need(
    folder: Path, run: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a home, a token nor the full path: the ledger that is named is read, whatever the environment names."""
    found = happened(folder, one_of_each)
    for name in ("HOME", "USERPROFILE", "XDG_STATE_HOME", "VERCEL_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("VERCEL_MCP_STATE_DIR", str(folder.parent / "elsewhere"))
    monkeypatch.chdir(folder.parent)
    assert found["ids"]["paid"] in run("ledger", "list", state_dir="state").shown


async def _unused(world: World) -> None:
    async with world.client("auto") as client:
        await approved(world, client)


def test_an_approval_that_was_not_used_is_no_purchase(folder: Path, run: InProcess) -> None:
    """A yes alone buys nothing, and the list shows nothing bought."""
    happened(folder, _unused)
    assert run("ledger", "list") == Done(code=0, shown="")
