"""The committed configuration of the load balancer, run by the real one: sessions stay, streams flow, replicas go."""

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from .balancer import CADDY, CADDYFILE, GUARD, Replica, balancing, replica

MIB = 1024 * 1024


@pytest.fixture
def two() -> Iterator[tuple[Replica, Replica]]:
    """Two replicas that are ready."""
    with replica() as first, replica() as second:
        yield first, second


@pytest.fixture
def desk(two: tuple[Replica, Replica], tmp_path: Path) -> Iterator[httpx.Client]:
    """A client of the load balancer in front of the two."""
    with balancing(tmp_path, *two) as address, httpx.Client(base_url=address, timeout=GUARD) as client:
        yield client


def as_caller(number: int) -> dict[str, str]:
    """The header of one of many callers."""
    return {"authorization": f"Bearer token-of-caller-{number}"}


def served_by(client: httpx.Client, number: int) -> str:
    """Which replica a caller reaches; empty if it is none."""
    answer = client.post("/mcp", headers=as_caller(number), content=b"{}")
    return str(answer.json()["replica"]) if answer.is_success else ""


def until(holds: Callable[[], bool]) -> None:
    """Wait for something that the load balancer finds out by itself."""
    end = time.monotonic() + GUARD
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.parametrize("arguments", [("validate", "--config"), ("fmt", "--diff")], ids=lambda part: part[0])
def test_the_configuration_is_valid_and_formatted(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """Caddy itself has nothing to say about it."""
    environment = {"DESK_ADDRESS": "desk.example.com", "HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path)}
    command = (str(CADDY), *arguments, str(CADDYFILE))
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
    changed = [line for line in done.stdout.splitlines() if line.startswith(("+", "-"))]
    assert (done.returncode, changed) == (0, []), done.stdout + done.stderr


def test_each_session_stays_with_the_replica_that_made_it(desk: httpx.Client, two: tuple[Replica, Replica]) -> None:
    """The id that a replica assigns in its first answer leads back to it, for every caller; both have some."""
    for number in range(20):
        opened = desk.post("/mcp", headers=as_caller(number), content=b"initialize")
        session = {**as_caller(number), "mcp-session-id": opened.headers["mcp-session-id"]}
        found = [desk.post("/mcp", headers=session, content=b"call").status_code for _ in range(4)]
        assert found == [200] * 4
    assert sum(len(one.posts) for one in two) == 100
    assert min(len(one.sessions) for one in two) >= 4


def test_a_session_without_its_token_is_told_so(desk: httpx.Client, two: tuple[Replica, Replica]) -> None:
    """With another token it may reach the other replica, whose answer is a 404: its client begins anew."""
    opened = desk.post("/mcp", headers=as_caller(0), content=b"initialize")
    (owner,) = (one for one in two if one.sessions)
    other = next(number for number in range(1, 100) if served_by(desk, number) != owner.address)
    strayed = {**as_caller(other), "mcp-session-id": opened.headers["mcp-session-id"]}
    assert desk.post("/mcp", headers=strayed, content=b"call").status_code == 404


def test_what_a_caller_sends_arrives_as_it_was_sent(desk: httpx.Client, two: tuple[Replica, Replica]) -> None:
    """Token, host and body; no cookie is added for a client that would not keep it."""
    answer = desk.post("/mcp", headers=as_caller(1), content=b'{"a": 1}')
    (head,) = (head for one in two for head in one.heads)
    assert (head["authorization"], head["host"]) == (as_caller(1)["authorization"], desk.base_url.netloc.decode())
    assert ("cookie" in head, "set-cookie" in answer.headers) == (False, False)
    assert [body for one in two for body in one.posts] == [b'{"a": 1}']


def test_an_event_reaches_the_client_while_the_stream_goes_on(desk: httpx.Client, two: tuple[Replica, Replica]) -> None:
    """A question is shown before there is an answer: nothing waits in a buffer."""
    with desk.stream("GET", "/events", headers=as_caller(1)) as answer:
        lines = answer.iter_lines()
        assert next(lines) == "data: the question"
        for one in two:
            one.goes_on.set()
        assert [line for line in lines if line] == ["data: the end"]


def test_the_health_of_a_replica_is_not_for_everybody(desk: httpx.Client) -> None:
    """Outside, the endpoints of health do not exist."""
    assert [desk.get(path).status_code for path in ("/healthz", "/readyz", "/readyz?x=1")] == [404] * 3


def test_a_body_that_is_too_long_is_refused(desk: httpx.Client) -> None:
    """A mebibyte passes, which is what a replica takes; one byte more does not."""
    assert desk.post("/mcp", headers=as_caller(1), content=b"x" * MIB).status_code == 200
    assert desk.post("/mcp", headers=as_caller(1), content=b"x" * (MIB + 1)).status_code == 413


def test_a_replica_that_is_gone_is_missed_by_nobody(tmp_path: Path) -> None:
    """Its callers reach the other one, those whose connection broke by trying again, and no request arrives twice."""
    with ExitStack() as gone, replica() as stays:
        goes = gone.enter_context(replica())
        with balancing(tmp_path, goes, stays) as address, httpx.Client(base_url=address, timeout=GUARD) as client:
            theirs = [number for number in range(20) if served_by(client, number) == goes.address]
            assert 4 <= len(theirs) <= 16
            gone.close()
            before = len(stays.posts)
            found = [served_by(client, number) for number in theirs]
            assert found.count(stays.address) == len(stays.posts) - before
            assert set(found) <= {stays.address, ""}
            until(lambda: {served_by(client, number) for number in theirs} == {stays.address})


def test_a_replica_that_is_not_ready_is_spared_and_comes_back(desk: httpx.Client, two: tuple[Replica, Replica]) -> None:
    """One without its database gets no calls; once it is ready again its callers return to it."""
    theirs = [number for number in range(20) if served_by(desk, number) == two[0].address]
    two[0].is_ready = False
    until(lambda: {served_by(desk, number) for number in theirs} == {two[1].address})
    two[0].is_ready = True
    until(lambda: {served_by(desk, number) for number in theirs} == {two[0].address})


def test_where_none_is_ready_those_that_live_answer(desk: httpx.Client, two: tuple[Replica, Replica]) -> None:
    """While the database is away, reading goes on, and sessions stay where they are."""
    before = [served_by(desk, number) for number in range(4)]
    for one in two:
        one.is_ready = False
    until(lambda: all(one.looks[-2:] == [503, 503] for one in two))
    until(lambda: [served_by(desk, number) for number in range(4)] == before)
