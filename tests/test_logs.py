"""What is logged goes to standard error, and no secret is in it, however it got there."""

import base64
import io
import logging
from collections.abc import Iterator
from contextlib import redirect_stderr

import pytest

from vercel_marketplace_mcp import logs

SECRET = "canary_0123456789abcdefghij"
ENCODED = base64.b64encode(SECRET.encode()).decode()


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What the configured logging writes to standard error; the logging of the test run is put back afterwards."""
    root, before = logging.getLogger(), logging.getLogger().handlers[:]
    levels = {name: logging.getLogger(name).level for name in ("", "httpx", "httpcore")}
    stream = io.StringIO()
    with redirect_stderr(stream):
        logs.configure([SECRET, ""], logging.INFO)
    yield stream
    root.handlers[:] = before
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


@pytest.mark.parametrize(
    ("message", "arguments", "line"),
    [
        (f"the token is {SECRET}", (), "the token is [redacted]"),
        ("the token is %s", (SECRET,), "the token is [redacted]"),
        ("headers: %r", ({"Authorization": f"Bearer {SECRET}"},), "headers: {'Authorization': 'Bearer [redacted]'}"),
        (f"{SECRET}%s{SECRET}", (SECRET,), "[redacted][redacted][redacted]"),
        ("encoded: %s", (ENCODED,), "encoded: [redacted]"),
        ("raw: %s", (SECRET.encode(),), "raw: b'[redacted]'"),
        ("nothing to hide, %s", ("nothing lost",), "nothing to hide, nothing lost"),
    ],
)
def test_a_secret_is_redacted_wherever_it_stands(
    written: io.StringIO, message: str, arguments: tuple[object, ...], line: str
) -> None:
    """In the message, in its arguments, plain or in base64: the secret does not appear, the rest does."""
    logging.getLogger("some.module").warning(message, *arguments)
    assert written.getvalue().rstrip("=\n") == f"WARNING some.module: {line}"


def test_a_secret_is_redacted_in_a_traceback(written: io.StringIO) -> None:
    """The texts of an exception and of its cause are redacted; where it was raised is still told."""
    try:
        try:
            int(SECRET)
        except ValueError as error:
            raise RuntimeError(f"Bearer {SECRET}") from error
    except RuntimeError:
        logging.getLogger("some.module").exception("it failed", stack_info=True)
    text = written.getvalue()
    assert SECRET not in text
    assert "ValueError: invalid literal for int() with base 10: '[redacted]'" in text
    assert "RuntimeError: Bearer [redacted]" in text
    assert "test_a_secret_is_redacted_in_a_traceback" in text


def test_the_http_libraries_stay_silent_below_warnings(written: io.StringIO) -> None:
    """They log addresses and headers at lower levels, so those are never shown, not even when ours are."""
    for name in ("httpx", "httpcore.http11"):
        logging.getLogger(name).info("GET https://api.vercel.com/?teamId=team_1")
        logging.getLogger(name).debug("set-cookie")
    logging.getLogger("vercel_marketplace_mcp.vercel.client").info("GET /v1/integrations/configurations: status 200")
    assert written.getvalue() == (
        "INFO vercel_marketplace_mcp.vercel.client: GET /v1/integrations/configurations: status 200\n"
    )


def test_only_warnings_are_shown_by_default(written: io.StringIO) -> None:
    """Without a level, standard error holds what an operator must see and nothing else."""
    with redirect_stderr(written):
        logs.configure()
    logging.getLogger("some.module").info("small talk")
    logging.getLogger("some.module").warning("trouble")
    assert written.getvalue() == "WARNING some.module: trouble\n"


def test_configuring_again_does_not_write_twice(written: io.StringIO) -> None:
    """A second call replaces what the first one set up."""
    with redirect_stderr(written):
        logs.configure([SECRET])
    logging.getLogger("some.module").warning("once")
    assert written.getvalue() == "WARNING some.module: once\n"
