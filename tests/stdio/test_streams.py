"""Standard streams may be pipes, sockets or files, and a client may read late or not at all."""

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from .conftest import GUARD, SERVE

Json: TypeAlias = dict[str, Any]
Start: TypeAlias = Callable[..., "subprocess.Popen[bytes]"]

LIST: Json = {"jsonrpc": "2.0", "method": "tools/list"}
META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": {"name": "a client", "version": "1"},
}
DISCOVER: Json = {"jsonrpc": "2.0", "method": "server/discover", "params": {"_meta": META}}
MAX = 1024 * 1024


@pytest.fixture
def start(variables: dict[str, str]) -> Start:
    """Start a server on any streams."""

    def started(**streams: Any) -> "subprocess.Popen[bytes]":
        return subprocess.Popen([sys.executable, *SERVE], env=variables, bufsize=0, **streams)

    return started


def lines(*messages: Json) -> bytes:
    """Messages as they stand on the wire."""
    return b"".join(json.dumps(message).encode() + b"\n" for message in messages)


def ids(answers: bytes) -> list[Any]:
    """The ids of all answers; each line must be one."""
    assert answers.endswith(b"\n")
    return [json.loads(line)["id"] for line in answers.splitlines()]


def test_requests_from_a_file_are_answered_into_a_file(start: Start, initialize: Json, tmp_path: Path) -> None:
    """Which no event loop can wait for: every one is answered, and the end of the file ends the process."""
    asked, answered = tmp_path / "asked.jsonl", tmp_path / "answered.jsonl"
    asked.write_bytes(lines(initialize, *({**LIST, "id": number} for number in range(30))))
    with asked.open("rb") as requests, answered.open("wb") as answers, start(stdin=requests, stdout=answers) as server:
        assert server.wait(GUARD) == 0
    assert ids(answered.read_bytes()) == ["opening", *range(30)]


def test_without_any_input_the_process_ends_at_once(start: Start) -> None:
    """As under a service manager that gives it none."""
    with start(stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as server:
        answers, _ = server.communicate(timeout=GUARD)
        assert (answers, server.returncode) == (b"", 0)


def test_a_host_may_speak_over_sockets(start: Start, initialize: Json) -> None:
    """Node gives its child processes these instead of pipes."""
    ours, theirs = socket.socketpair()
    with ours, start(stdin=theirs, stdout=theirs) as server:
        theirs.close()
        ours.sendall(lines(initialize, *({**LIST, "id": number} for number in range(30))))
        ours.shutdown(socket.SHUT_WR)
        with ours.makefile("rb") as answers:
            assert ids(answers.read()) == ["opening", *range(30)]
        assert server.wait(GUARD) == 0


def test_a_client_that_reads_late_finds_every_answer_whole(start: Start, initialize: Json) -> None:
    """More than a pipe holds waits for it, in order, and nothing is torn."""
    with start(stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        assert server.stdin
        assert server.stdout
        server.stdin.write(lines(initialize, *({**LIST, "id": number} for number in range(100))))
        first = server.stdout.readline()
        rest = b"".join(server.stdout.readline() for _ in range(100))
        assert len(rest) > 1024 * 1024
        assert ids(first + rest) == ["opening", *range(100)]
        server.stdin.close()
        assert (server.stdout.read(), server.wait(GUARD)) == (b"", 0)


UNREAD = {
    "requests": [{**LIST, "id": number} for number in range(100)],
    "questions before the opening": [{**DISCOVER, "id": number} for number in range(300)],
    "no messages": [{"no": "message"}] * 2000,
}


@pytest.mark.parametrize("ending", ["the end of input", "a signal"])
@pytest.mark.parametrize("asked", UNREAD.values(), ids=UNREAD.keys())
def test_a_client_that_never_reads_holds_no_process(start: Start, asked: list[Json], ending: str) -> None:
    """Once it is time to end, what nobody reads is dropped after a moment."""
    with start(stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        assert server.stdin
        assert server.stdout
        server.stdin.write(lines(asked[0]))
        assert server.stdout.readline()
        server.stdin.write(lines(*asked))
        if ending == "a signal":
            server.send_signal(signal.SIGTERM)
        else:
            server.stdin.close()
        assert server.wait(GUARD) == 0


def test_a_client_that_leaves_before_the_opening_ends_it_quietly(start: Start) -> None:
    """Its last questions are answered to nobody, without a word about it."""
    with start(stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as server:
        assert server.stdin
        assert server.stdout
        assert server.stderr
        server.stdin.write(lines({**DISCOVER, "id": 1}))
        assert server.stdout.readline()
        server.stdout.close()
        server.stdin.write(lines({**DISCOVER, "id": 2}, {**DISCOVER, "id": 3}))
        server.stdin.close()
        assert (server.stderr.read(), server.wait(GUARD)) == (b"", 0)


@pytest.mark.parametrize("beyond", [0, 1])
def test_the_longest_line_that_is_read(start: Start, initialize: Json, beyond: int) -> None:
    """As many bytes as a message may have, its line's end not counted; one more is too long."""
    head, tail = b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":"', b'"}}'
    line = head + b"x" * (MAX + beyond - len(head) - len(tail)) + tail + b"\n"
    with start(stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        answers, _ = server.communicate(lines(initialize) + line, timeout=GUARD)
    assert [("error" in json.loads(answer)) for answer in answers.splitlines()] == [False, bool(beyond)]
