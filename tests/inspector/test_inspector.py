"""Runs the server under the MCP Inspector's command line, in both protocol eras. It talks to the sandbox alone.

Node is needed for this and for nothing else: without it these tests are skipped, except in CI, where they fail.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from vercel_marketplace_mcp.specs import TOOL_NAMES

from .. import node_tools

ROOT = Path(__file__).parents[2]
TOOL_IS_ERROR = 5
NOT_PORTABLE = 6

SPECS = [json.loads((ROOT / "tool_specs" / f"{name}.json").read_text("utf-8")) for name in TOOL_NAMES]
FREE_STORE = {
    "name": "orders",
    "integrationConfigurationId": "icfg_BrindleData000000000001",
    "integrationProductIdOrSlug": "brindle-postgres",
    "metadata": {"region": "fra1"},
    "billingPlanId": "free",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """What one run of the Inspector ended with."""

    exit_code: int
    result: dict[str, Any]
    complaints: str


Inspect = Callable[..., Shown]


@pytest.fixture(scope="session")
def installed_inspector() -> Path:
    """The Inspector's command, installed from package-lock.json if it is not there yet."""
    return node_tools.program("mcp-inspector")


@pytest.fixture(params=["legacy", "modern"])
def inspect(request: pytest.FixtureRequest, installed_inspector: Path, tmp_path: Path) -> Inspect:
    """Run one method under the Inspector, against a server of its own, in one protocol era."""

    def run(
        method: str, *options: str, server: tuple[str, ...] = ("-m", "vercel_marketplace_mcp", "serve", "--sandbox")
    ) -> Shown:
        config = tmp_path / "mcp.json"
        entry = {"command": sys.executable, "args": list(server), "env": server_environment(tmp_path)}
        config.write_text(json.dumps({"mcpServers": {"store": entry}}), "utf-8")
        command = [str(installed_inspector), "--cli", "--config", str(config), "--server", "store"]
        command += ["--protocol-era", request.param, "--format", "json", "--quiet", "--method", method, *options]
        environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "MCP_INSPECTOR_SECRET_STORE": "memory"}
        done = subprocess.run(
            command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=120
        )
        result = json.loads(done.stdout)["result"] if done.stdout.strip() else {}
        return Shown(exit_code=done.returncode, result=result, complaints=done.stderr)

    return run


def server_environment(folder: Path) -> dict[str, str]:
    """What the server's process sees: this checkout's package and a state folder of its own."""
    return {"PYTHONPATH": str(ROOT / "server"), "VERCEL_MCP_STATE_DIR": str(folder / "state"), "VERCEL_TOKEN": ""}


def call(inspect: Inspect, tool: str, **arguments: Any) -> Shown:
    """Call a tool with these arguments, passed as they are."""
    return inspect("tools/call", "--tool-name", tool, "--tool-args-json", json.dumps(arguments))


def test_the_inspector_lists_the_tools_and_finds_nothing_to_mend(inspect: Inspect) -> None:
    """The raw answer equals tool_specs/, and the strict check of schema portability has no complaint."""
    shown = inspect("tools/list", "--strict")
    assert (shown.exit_code, shown.complaints) == (0, "")
    assert shown.result["tools"] == SPECS


@pytest.mark.parametrize(
    ("method", "member", "names"),
    [
        ("prompts/list", "prompts", ["provision-storage"]),
        ("resources/list", "resources", ["guide", "rules", "purchases"]),
        ("resources/templates/list", "resourceTemplates", ["openapi"]),
    ],
)
def test_the_inspector_lists_what_stands_beside_the_tools(
    inspect: Inspect, method: str, member: str, names: list[str]
) -> None:
    """Prompts, resources and templates are listed whole, and nothing is complained of."""
    shown = inspect(method)
    assert (shown.exit_code, shown.complaints) == (0, "")
    assert [one["name"] for one in shown.result[member]] == names


def test_the_inspector_fills_in_the_prompt(inspect: Inspect) -> None:
    """What is typed as `key=value` stands in the prompt as one quoted line."""
    shown = inspect("prompts/get", "--prompt-name", "provision-storage", "--prompt-args", "need=a queue for orders")
    assert (shown.exit_code, shown.complaints) == (0, "")
    (message,) = shown.result["messages"]
    assert '- What is needed: "a queue for orders"' in message["content"]["text"].splitlines()


@pytest.mark.parametrize("uri", ["purchases", "openapi/create-store"])
def test_the_inspector_reads_a_resource_and_a_template_filled_in(inspect: Inspect, uri: str) -> None:
    """Each comes under its own address, as text."""
    shown = inspect("resources/read", "--uri", f"vercel-marketplace://{uri}")
    assert (shown.exit_code, shown.complaints) == (0, "")
    (content,) = shown.result["contents"]
    assert (content["uri"], bool(content["text"])) == (f"vercel-marketplace://{uri}", True)


def test_the_inspector_is_told_of_an_unknown_resource(inspect: Inspect) -> None:
    """An error of the protocol, in our words."""
    shown = inspect("resources/read", "--uri", "vercel-marketplace://secrets")
    assert (shown.exit_code != 0, "There is no resource vercel-marketplace://secrets" in shown.complaints) == (
        True,
        True,
    )


def test_the_strict_check_can_fail(inspect: Inspect) -> None:
    """A server whose schema is not portable ends with another exit code: the check above is awake."""
    shown = inspect("tools/list", "--strict", server=(str(Path(__file__).with_name("unportable_server.py")),))
    assert (shown.exit_code, "unportable" in shown.complaints) == (NOT_PORTABLE, True), shown


def test_an_agent_finds_its_way_from_configuration_to_plan(inspect: Inspect) -> None:
    """Each list answers what the next one needs, with plain `key=value` arguments as a person types them."""
    configurations = inspect(
        "tools/call", "--tool-name", "list-configurations", "--tool-arg", "integrationIdOrSlug=brindle"
    )
    (configuration,) = configurations.result["structuredContent"]["configurations"]
    products = inspect("tools/call", "--tool-name", "list-products", "--tool-arg", f"id={configuration['id']}")
    slugs = [product["slug"] for product in products.result["structuredContent"]["products"]]
    options = ["--tool-arg", "integrationIdOrSlug=brindle", f"productIdOrSlug={slugs[0]}"]
    plans = inspect("tools/call", "--tool-name", "list-plans", *options)
    billing = {plan["id"]: plan["billing"] for plan in plans.result["structuredContent"]["plans"]}
    assert [shown.exit_code for shown in (configurations, products, plans)] == [0, 0, 0]
    assert slugs == ["brindle-postgres", "brindle-preview"]
    assert billing == {"free": "free", "pro": "may_charge", "pro-yearly": "may_charge", "scale": "may_charge"}


def test_a_free_store_is_created(inspect: Inspect) -> None:
    """create-store with a free plan ends well and says so in its structured answer."""
    shown = call(inspect, "create-store", **FREE_STORE)
    assert (shown.exit_code, shown.result["structuredContent"]["status"]) == (0, "created")
    assert shown.result["structuredContent"]["store"]["name"] == "orders"


def test_a_paid_store_waits_for_a_person(inspect: Inspect) -> None:
    """The Inspector's command line shows no forms: the answer is an error that says what a person has to run."""
    shown = call(inspect, "create-store", **FREE_STORE | {"billingPlanId": "pro"})
    answer = shown.result["structuredContent"]
    assert (shown.exit_code, answer["status"], "store" in answer) == (TOOL_IS_ERROR, "confirmation_required", False)
    assert f"approve {answer['approval']['code']}" in answer["approval"]["command"]
    assert "$20.00/month" in json.dumps(answer["quote"])


def test_a_misspelled_argument_is_an_error_of_the_tool(inspect: Inspect) -> None:
    """The mistake reaches the agent as the tool's answer, where it can be mended, and names the right argument."""
    shown = call(inspect, "create-store", **FREE_STORE | {"billingPlan": "pro"})
    assert (shown.exit_code, shown.result["structuredContent"]["status"]) == (TOOL_IS_ERROR, "invalid_arguments")
    assert "billingPlanId" in json.dumps(shown.result["structuredContent"]["error"])
