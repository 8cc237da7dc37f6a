"""The commands for people, run as processes of their own: in a pseudo terminal, or without one."""

import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from vercel_marketplace_mcp import cli

ROOT = Path(__file__).parents[2]
PROGRAM = (sys.executable, "-m", "vercel_marketplace_mcp")
PROMPT = b"\r\n\r\n> "
GUARD = 60
"""Seconds after which a test gives up on a process; none comes near it unless something hangs."""


@dataclass(frozen=True, kw_only=True)
class Done:
    """How a command ended, and all that it showed, line ends as it wrote them."""

    code: int
    shown: str


class InProcess:
    """Runs commands on a state folder in this process; what a command shows is both of its streams."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self._folder = folder
        self._capsys = capsys

    def __call__(self, *arguments: str, state_dir: str | None = None) -> Done:
        """Run one."""
        self._capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main([*arguments, "--state-dir", state_dir or str(self._folder)])
        said = self._capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return Done(code=ended.value.code, shown=said.out + said.err)


def variables(**more: str) -> dict[str, str]:
    """What a person's shell passes on: this checkout, a home, and no token."""
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
    return {**kept, "HOME": "/nonexistent", "PYTHONPATH": str(ROOT / "server"), **more}


def at_the_desk(
    command: Sequence[str],
    answer: bytes | signal.Signals = b"",
    *,
    env: dict[str, str] | None = None,
    prompt: bytes = PROMPT,
) -> Done:
    """Run a command in a terminal. `answer` is typed once it has shown its question, which ends with `prompt`."""
    screen, side = pty.openpty()
    _without_echo(side)
    with subprocess.Popen(command, env=env or variables(), stdin=side, stdout=side, stderr=side) as child:
        os.close(side)
        try:
            shown = _read(screen, until=prompt)
            if isinstance(answer, signal.Signals):
                child.send_signal(answer)
            elif shown.endswith(prompt):
                os.write(screen, answer)
            shown += _read(screen)
            return Done(code=child.wait(timeout=GUARD), shown=shown.decode().replace("\r\n", "\n"))
        finally:
            child.kill()
            os.close(screen)


def without_a_terminal(command: Sequence[str], answer: bytes = b"", env: dict[str, str] | None = None) -> Done:
    """Run a command with pipes for its streams, as a program would run it."""
    done = subprocess.run(
        command,
        env=env or variables(),
        input=answer,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
        timeout=GUARD,
    )
    return Done(code=done.returncode, shown=done.stdout.decode())


def _without_echo(side: int) -> None:
    """Show what the program writes and nothing else; lines are still edited and delivered whole."""
    modes = termios.tcgetattr(side)
    modes[3] &= ~termios.ECHO
    termios.tcsetattr(side, termios.TCSANOW, modes)


def _read(screen: int, until: bytes | None = None) -> bytes:
    """Read until these bytes stand at the end, or the last process has left the terminal."""
    shown, deadline = b"", time.monotonic() + GUARD
    with suppress(OSError):  # Linux says so when the last process has left
        while not (until and shown.endswith(until)):
            ready, _, _ = select.select([screen], [], [], max(0, deadline - time.monotonic()))
            assert ready, f"nothing more came after {shown!r}"
            part = os.read(screen, 65536)
            if not part:
                break
            shown += part
    return shown
