"""What a server process writes on standard error when its log is to be JSON."""

import json
import subprocess
import sys

import pytest

from vercel_marketplace_mcp.sandbox import SANDBOX_TOKEN

from ..approval.terminal import variables

KEY = "collector-key-0123456789"


@pytest.mark.parametrize("log_format", ["json", "text"])
def test_a_server_logs_as_its_operator_has_chosen(log_format: str) -> None:
    """Libraries' warnings go the same way; a key that one of them repeats is taken out, in either format."""
    env = variables(
        VERCEL_MCP_LOG_FORMAT=log_format,
        OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9",
        OTEL_EXPORTER_OTLP_HEADERS=KEY,
        OTEL_METRICS_EXPORTER="none",
    )
    command = (sys.executable, "-m", "vercel_marketplace_mcp", "serve", "--sandbox")
    done = subprocess.run(command, env=env, input="", capture_output=True, text=True, check=True, timeout=60)
    first = done.stderr.splitlines()[0]
    assert (KEY in done.stderr, SANDBOX_TOKEN in done.stderr) == (False, False)
    if log_format == "text":
        assert first.startswith("WARNING opentelemetry.util.re: Header format invalid!")
        return
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert {"time", "level", "logger", "message"} <= set.intersection(*map(set, lines))
    assert (lines[0]["level"], lines[0]["logger"]) == ("WARNING", "opentelemetry.util.re")
    assert lines[0]["message"].endswith("[redacted]")
