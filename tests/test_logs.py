"""What is logged goes to standard error, and no secret is in it, however it got there."""

import base64
import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from datetime import UTC, datetime
from typing import Any, NoReturn
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry import trace

from vercel_marketplace_mcp import logs
from vercel_marketplace_mcp.settings import LogFormat

SECRET = "canary_0123456789abcdefghij"
ENCODED = base64.b64encode(SECRET.encode()).decode()
ESCAPED = "".join(f"\\u{ord(char):04x}" for char in SECRET)
LIBRARIES = ("httpx", "httpcore", "urllib3", "asyncpg", "opentelemetry", "uvicorn", "stamina")
UNUSUAL = 'pass"wörd\\/'


@contextmanager
def logging_to(log_format: LogFormat = "text") -> Iterator[io.StringIO]:
    """What the configured logging writes to standard error; the logging of the test run is put back afterwards."""
    root, before = logging.getLogger(), logging.getLogger().handlers[:]
    levels = {name: logging.getLogger(name).level for name in ("", *LIBRARIES)}
    stream = io.StringIO()
    with redirect_stderr(stream):
        logs.configure([SECRET, UNUSUAL, ""], logging.INFO, log_format)
    yield stream
    root.handlers[:] = before
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What is written as text."""
    with logging_to() as stream:
        yield stream


@pytest.fixture
def as_json() -> Iterator[io.StringIO]:
    """What is written as JSON."""
    with logging_to("json") as stream:
        yield stream


def fail(text: str) -> NoReturn:
    """End with an exception of this text."""
    raise RuntimeError(text)


def read(stream: io.StringIO) -> list[dict[str, Any]]:
    """What was written, an object a line."""
    text = stream.getvalue()
    assert text.endswith("\n")
    return [json.loads(line) for line in text[:-1].split("\n")]


@pytest.mark.parametrize(
    ("message", "arguments", "line"),
    [
        (f"the token is {SECRET}", (), "the token is [redacted]"),
        ("the token is %s", (SECRET,), "the token is [redacted]"),
        ("headers: %r", ({"Authorization": f"Bearer {SECRET}"},), "headers: {'Authorization': 'Bearer [redacted]'}"),
        (f"{SECRET}%s{SECRET}", (SECRET,), "[redacted][redacted][redacted]"),
        ("encoded: %s", (ENCODED,), "encoded: [redacted]"),
        ("raw: %s", (SECRET.encode(),), "raw: b'[redacted]'"),
        ("escaped: %s", (ESCAPED,), "escaped: [redacted]"),
        ("escaped in part: %s", (SECRET[:9] + ESCAPED[54:].upper().replace("U", "u"),), "escaped in part: [redacted]"),
        ("escaped twice: %s", (json.dumps(ESCAPED),), 'escaped twice: "[redacted]"'),
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
    for name in (
        "httpx",
        "httpcore.http11",
        "urllib3.connectionpool",
        "opentelemetry.sdk",
        "uvicorn.access",
        "asyncpg",
    ):
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


@pytest.mark.parametrize("spelled", [UNUSUAL, quote(UNUSUAL, safe=""), json.dumps(UNUSUAL), repr(UNUSUAL)], ids=ascii)
def test_a_secret_of_unusual_characters_is_redacted_as_it_is_quoted(written: io.StringIO, spelled: str) -> None:
    """A password in an address, in JSON or in a representation is spelled in other ways; each is known."""
    logging.getLogger("some.module").warning("it is %s.", spelled)
    assert written.getvalue().replace('"', "").replace("'", "") == "WARNING some.module: it is [redacted].\n"


def test_json_is_one_object_a_line(as_json: io.StringIO) -> None:
    """Time in UTC, level, logger and message; a line end in a message or a traceback ends no line."""
    before = datetime.now(UTC)
    logging.getLogger("some.module").warning("two\r\nlines of %s", "text\u2028 and \x1b[31m")
    try:
        int("x\ny")
    except ValueError:
        logging.getLogger("some.module").exception("it failed", stack_info=True)
    first, second = read(as_json)
    assert before.replace(microsecond=0) <= datetime.fromisoformat(first.pop("time")) <= datetime.now(UTC)
    assert first == {
        "level": "WARNING",
        "logger": "some.module",
        "message": "two\r\nlines of text\u2028 and \x1b[31m",
    }
    assert (second["level"], second["message"]) == ("ERROR", "it failed")
    assert second["exception"].startswith("Traceback (most recent call last):\n")
    assert second["exception"].endswith("ValueError: invalid literal for int() with base 10: 'x\\ny'")
    assert "test_json_is_one_object_a_line" in second["stack"]


@pytest.mark.parametrize("spelled", [SECRET, ENCODED.rstrip("="), ESCAPED, UNUSUAL, json.dumps(UNUSUAL)[1:-1]])
def test_json_holds_no_secret_wherever_it_stands(as_json: io.StringIO, spelled: str) -> None:
    """In the message, in an exception, in a stack: not as it is, and not once a reader has taken the escapes away."""
    try:
        fail(f"Bearer {spelled}")
    except RuntimeError:
        logging.getLogger(f"module.{spelled}").exception("%s and %r", spelled, [spelled])
    (told,) = read(as_json)
    for hidden in (spelled, SECRET, UNUSUAL):
        assert hidden not in as_json.getvalue()
        assert {name for name, value in told.items() if hidden in value} == set()
    assert told["message"].startswith("[redacted] and ['")
    assert told["exception"].endswith("RuntimeError: Bearer [redacted]")


@settings(max_examples=300, derandomize=True, database=None)
@given(st.text(), st.text())
def test_any_text_is_one_line_of_json_and_keeps_the_rest(before: str, after: str) -> None:
    """Whatever stands around a secret, the line can be read, the secret is gone, and all else is there."""
    with logging_to("json") as stream:
        logging.getLogger("some.module").warning("%s", f"{before}{SECRET}{after}")
    (told,) = read(stream)
    assert told["message"] == f"{before}[redacted]{after}"


def test_a_line_of_json_names_the_span_that_is_open(as_json: io.StringIO) -> None:
    """Whoever looks at a trace finds its lines; outside of one there are no such members."""
    span = trace.SpanContext(trace_id=0xABC, span_id=0xDEF, is_remote=True)
    with trace.use_span(trace.NonRecordingSpan(span)):
        logging.getLogger("some.module").warning("within")
    logging.getLogger("some.module").warning("outside")
    within, outside = read(as_json)
    assert (within["trace_id"], within["span_id"]) == ("00000000000000000000000000000abc", "0000000000000def")
    assert {"trace_id", "span_id"} & set(outside) == set()


def test_what_uvicorn_logs_goes_the_same_way(as_json: io.StringIO) -> None:
    """Its loggers hand their lines on, as long as its own configuration of logging is left out."""
    logging.getLogger("uvicorn.error").warning("Invalid HTTP request received: %s", SECRET)
    (told,) = read(as_json)
    assert (told["logger"], told["message"]) == ("uvicorn.error", "Invalid HTTP request received: [redacted]")
