"""What a backup of the ledger in PostgreSQL brings back, and what not, and what the database tells by itself.

All of it by the commands of the page for operators.
"""

import json
import re
import subprocess
from pathlib import Path
from urllib.parse import quote

import pytest
from pydantic import SecretStr

from vercel_marketplace_mcp.ledger.postgres import PostgresLedger
from vercel_marketplace_mcp.ledger.records import Ledger, LedgerError, NotApproved

from .places import Database
from .support import Clock, approve, begin, buy, identity, needs_a_yes, purchase, send

pytestmark = pytest.mark.anyio

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "operate-for-a-team.md").read_text("utf-8")


@pytest.fixture
def kind() -> str:
    """These ledgers are kept in PostgreSQL."""
    return "postgres"


def documented(program: str) -> list[str]:
    """The options with which the page calls a program, but for those that say whom and where."""
    (line,) = re.findall(
        rf"^docker compose exec --no-TTY postgres {program} (.+?) [<>] ledger\.dump$", PAGE, re.MULTILINE
    )
    return re.sub(r"--(?:username|dbname) desk|(?<= )desk$", "", line).split()


def run(database: Database, program: str, *, given: bytes = b"") -> bytes:
    """What one of PostgreSQL's programs writes, run on this database as the page says."""
    where = f"--dbname={database.url.get_secret_value()}"
    command = [str(database.server.programs / program), *documented(program), where]
    return subprocess.run(command, input=given, capture_output=True, check=True, timeout=60).stdout


async def head(database: Database) -> list[tuple[object, ...]]:
    """What the page tells operators to note."""
    (statement,) = re.findall(r'--command "(SELECT .+ = \'audit_head\')"', PAGE)
    return await database.rows(statement)


async def test_a_restored_ledger_is_whole_and_knows_nothing_newer(ledger: Ledger, database: Database) -> None:
    """What was bought before the backup is there, down to the audit's head; what was bought since is forgotten."""
    kept = await buy(ledger, "one")
    await approve(ledger, identity("two"))
    noted, backup = await head(database), run(database, "pg_dump")
    used = await begin(ledger, purchase("two"))
    assert await ledger.start_sending(used)
    await ledger.finish(used, "unknown", {"status": "outcome_unknown"})
    lost = await send(ledger, "three")
    await ledger.aclose()
    run(database, "pg_restore", given=backup)
    assert await head(database) == noted
    assert await ledger.verify() is None
    assert [found.id for found in await ledger.purchases(10)] == [kept]
    assert (await ledger.purchase(lost), await ledger.open_unknowns()) == (None, 0)


async def test_a_yes_used_since_the_backup_counts_again_until_it_runs_out(
    ledger: Ledger, database: Database, clock: Clock
) -> None:
    """Why the replicas start no sooner than that: ten minutes after the yes nothing is left of it."""
    await approve(ledger, identity("one"))
    backup = run(database, "pg_dump")
    await begin(ledger, purchase("one"))
    await ledger.aclose()
    run(database, "pg_restore", given=backup)
    assert (await ledger.background(identity("one"), "")).approved
    clock.at += 600
    assert isinstance(await ledger.begin(purchase("one"), needs_a_yes), NotApproved)


async def test_the_page_finds_what_was_connected(ledger: Ledger, database: Database) -> None:
    """No list of the ledger has it: a row of the audit log names the project, and whose token it was."""
    change = await ledger.begin_change(identity(), {"projectId": "prj_one"}, needs_yes=False)
    (statement,) = re.findall(r"--command \"(SELECT .+ = 'changing')\"", PAGE)
    ((_, subject, detail),) = await database.rows(statement)
    assert subject == change
    assert {"projectId": "prj_one", "principal": identity().principal}.items() <= json.loads(str(detail)).items()


async def test_the_password_comes_from_a_file_that_is_read_anew(database: Database, tmp_path: Path) -> None:
    """As in compose.yaml: no password in the address; a new one needs no new address."""
    file = tmp_path / "passfile"
    server = database.server
    address = f"postgresql://ledger@127.0.0.1:{server.port}/{database.name}?passfile={quote(str(file))}"
    file.write_text("*:*:*:*:wrong\n", "utf-8")
    file.chmod(0o400)
    ledger = PostgresLedger(SecretStr(address))
    with pytest.raises(LedgerError, match="refuses the login"):
        await ledger.secret()
    file.chmod(0o600)
    file.write_text(f"*:*:*:*:{server.password}\n", "utf-8")
    assert len(await ledger.secret()) == 32
    await ledger.aclose()
