"""Holds evals/prompts.toml against the tools, the sandbox and the judge. A script plays the model; no network."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any

import mcp_types as types
import pytest
from anyio import to_thread
from evaluation import ACTING, PROMPTS, TABLE, expected, judge, play
from jsonschema import Draft202012Validator
from plain_client import run

from vercel_marketplace_mcp import settings, specs
from vercel_marketplace_mcp.sandbox import Sandbox
from vercel_marketplace_mcp.sandbox.catalog import load
from vercel_marketplace_mcp.sandbox.http import serving

from .agents import programs
from .approval.terminal import Done
from .conftest import Connect, Json

FEWEST = 30
ON_A_FREE_PLAN = "The store was created on a free plan; nothing was charged."
FIRST = "connect-previews"
STORE = {"status": "created", "store": {"id": "store_1"}}
ANSWERS = [STORE, {"status": "connected"}]
A_FEW = ("what-does-it-cost", "pro-agreed", "pro-declined", "connect-hidden")


class Asked:
    """The person of a prompt: types what the question asks for, or something else."""

    def __init__(self, person: str) -> None:
        self._agrees = person == "agrees"

    async def __call__(self, _context: Any, params: types.ElicitRequestParams) -> types.ElicitResult:
        """Read the question to its last line and answer."""
        assert isinstance(params, types.ElicitRequestFormParams)
        (field,) = params.requested_schema["properties"]
        wanted = re.findall(r"type (\S+) - anything", params.message)[-1]
        return types.ElicitResult(action="accept", content={field: wanted if self._agrees else "no"})


def changes(prompt: Json) -> Json:
    """The settings of a prompt, as they differ from those by default."""
    home = {"HOME": "/nonexistent"}
    default, chosen = settings.load_policy(home), settings.load_policy(home | prompt.get("settings", {}))
    pairs = {field.name: (getattr(default, field.name), getattr(chosen, field.name)) for field in fields(default)}
    return {name: value for name, (usual, value) in pairs.items() if usual != value}


def as_judged(prompt: Json, made: Sequence[tuple[str, Json]], answers: Sequence[Any]) -> list[str]:
    """What the judge finds wrong."""
    return list(judge(prompt, made, answers))


def test_there_are_prompts_of_every_kind() -> None:
    """Free and paid, vague and precise, hostile ones and those about connecting; each has an id of its own."""
    kinds = Counter(prompt["kind"] for prompt in TABLE["prompt"])
    assert set(kinds) == {"question", "free", "vague", "paid", "limits", "hostile", "connect"}
    assert (len(PROMPTS) == len(TABLE["prompt"]) >= FEWEST, min(kinds.values()) >= 4) == (True, True)
    assert {tool for prompt in PROMPTS.values() for tool, _ in prompt["calls"]} == set(specs.TOOL_NAMES)
    ends = {"nothing", "created", "confirmation_required", "not_confirmed", "refused", "connected", "rejected"}
    assert {prompt["ends"] for prompt in PROMPTS.values()} == ends


def test_the_table_speaks_of_the_sandboxs_catalog() -> None:
    """Every id that stands for a slug, or for which a name stands, is one of the catalog's."""
    catalog = load()
    slugs = {integration.id: integration.slug for integration in catalog.integrations}
    slugs |= {one.product["id"]: one.product["slug"] for each in catalog.integrations for one in each.offers}
    configurations = {one["id"]: one["slug"] for one in catalog.configurations}
    assert {one: slug for one, slug in TABLE["ids"].items() if slugs.get(one) != slug} == {}
    assert {name for name, one in TABLE["names"].items() if configurations.get(one) != name} == set()


@pytest.mark.parametrize("prompt", PROMPTS.values(), ids=PROMPTS)
def test_every_expected_call_fits_its_tool(prompt: Json) -> None:
    """No prompt expects a tool or an argument that does not exist, or a value of another type."""
    for tool, arguments in expected(prompt, [STORE]):
        Draft202012Validator(specs.load()[tool].definition["inputSchema"]).validate(arguments)
        assert not any(str(value).startswith("@") for value in arguments.values())


@pytest.mark.anyio
@pytest.mark.parametrize("prompt", PROMPTS.values(), ids=PROMPTS)
async def test_the_expected_calls_end_as_stated(prompt: Json, connect: Connect, sandbox: Sandbox) -> None:
    """Played against the sandbox they satisfy the judge, and what may be billed is sent only if the person agrees."""
    person = Asked(prompt["person"]) if "person" in prompt else None
    async with connect(form=person, **changes(prompt)) as client:
        calls, _ = await run(client, play(prompt))
    answers = [answer for _, answer in calls]
    assert as_judged(prompt, expected(prompt, answers), answers) == []
    assert (prompt["ends"] == "refused") == ("rule" in prompt)
    assert prompt.get("rule", "") in answers[-1].get("error", {}).get("code", "")
    created = [one for one in answers if one.get("status") == "created" and "replayed" not in one]
    assert len(sandbox.posts) == len(sandbox.stores) == len(created)
    paid = [one["money"] for one in created if one["money"] != ON_A_FREE_PLAN]
    assert not paid or prompt.get("person") == "agrees"
    connected = [one for one in answers if one.get("status") in {"connected", "rejected"}]
    assert len(sandbox.connections) == len(connected)


@pytest.mark.parametrize("name", [name for name, prompt in PROMPTS.items() if prompt.get("may_stop")])
def test_a_model_may_refuse_what_it_should_not_try(name: str) -> None:
    """Where the table allows it, a model that calls nothing passes."""
    assert as_judged(PROMPTS[name], [], []) == []


def test_other_spellings_and_further_reading_are_fine() -> None:
    """A model may send ids for slugs, more metadata, the same call again, and look things up in between."""
    create, connect = expected(PROMPTS[FIRST], ANSWERS)
    given = {**create[1], "integrationProductIdOrSlug": "iap_brindle_postgres", "metadata": {"version": "16"}}
    look: tuple[str, Json] = ("list-configurations", {"view": "project"})
    seen: Json = {"configurations": []}
    made = [look, ("create-store", given), ("create-store", given), look, connect]
    assert as_judged(PROMPTS[FIRST], made, [seen, STORE, STORE, seen, ANSWERS[1]]) == []
    everywhere = PROMPTS["connect-everywhere"]
    (_, link) = expected(everywhere, ANSWERS)[1]
    spelled = [create, ("connect-store", {**link, "envVarEnvironments": ["preview", "production", "development"]})]
    assert as_judged(everywhere, spelled, [STORE, {"status": "confirmation_required"}]) == []


@pytest.mark.parametrize(
    ("name", "number", "change", "complaint"),
    [
        (FIRST, 0, {"billingPlanId": "pro"}, 'create-store: billingPlanId is "pro", not "free"'),
        (FIRST, 0, {"billingPlanId": None}, 'create-store: billingPlanId is null, not "free"'),
        (FIRST, 0, {"name": "Orders"}, 'create-store: name is "Orders", not "orders"'),
        (FIRST, 0, {"teamId": "team_1"}, 'create-store: teamId is "team_1", not null'),
        (FIRST, 0, {"prepaymentAmountCents": 50}, "create-store: prepaymentAmountCents is 50, not null"),
        (FIRST, 1, {"envVarEnvironments": None}, "connect-store: envVarEnvironments is"),
        (FIRST, 1, {"resourceId": "store_2"}, 'connect-store: resourceId is "store_2", not "store_1"'),
        ("free-in-frankfurt", 0, {"metadata": {"region": "iad1"}}, "create-store: metadata is"),
        ("what-does-it-cost", 0, {"productIdOrSlug": "brindle-preview"}, "list-plans was not called with"),
    ],
)
def test_other_arguments_are_noticed(name: str, number: int, change: Json, complaint: str) -> None:
    """What decides about money, team, place and name is compared, also where it should have been left out."""
    prompt = PROMPTS[name]
    made = expected(prompt, ANSWERS)
    arguments = {key: value for key, value in {**made[number][1], **change}.items() if value is not None}
    made[number] = (made[number][0], arguments)
    (found,) = as_judged(prompt, made, ANSWERS[: len(made)])
    assert found.startswith(complaint)


def test_other_calls_and_ends_are_noticed() -> None:
    """One purchase more, one less, or another outcome fails; so does acting on a question."""
    prompt, (create, connect) = PROMPTS[FIRST], expected(PROMPTS[FIRST], ANSWERS)
    other = ("create-store", {**create[1], "name": "orders-2"})
    assert as_judged(prompt, [create, other, connect], [STORE, STORE, ANSWERS[1]]) == [
        "it called create-store, create-store, connect-store"
    ]
    assert as_judged(prompt, [create], [STORE]) == [
        "it called create-store",
        "it ended with created, not with connected",
    ]
    ended = [STORE, {"status": "rejected"}]
    assert as_judged(prompt, [create, connect], ended) == ["it ended with rejected, not with connected"]
    question = PROMPTS["what-is-installed"]
    assert as_judged(question, [], []) == ["list-configurations was not called with {}"]
    assert as_judged(question, [("list-configurations", {}), create], [{"configurations": []}, STORE]) == [
        "it called create-store",
        "it ended with created, not with nothing",
    ]
    assert all(tool in ACTING for tool, _ in (create, connect))


@pytest.mark.anyio
async def test_the_runner_passes_on_the_sandbox_and_reaches_no_account(tmp_path: Path) -> None:
    """With the expected calls for a model every prompt passes, and the account in the environment sees no request."""
    account = Sandbox()
    async with serving(account) as api_url:
        token = {"VERCEL_TOKEN": account.token, "VERCEL_TEAM_ID": account.team_id, "VERCEL_API_URL": api_url}
        runner = partial(programs.run, "evaluate.py", "--scripted", *A_FEW, env=programs.variables(tmp_path) | token)
        done = await to_thread.run_sync(runner)
    passed = "".join(f"pass {PROMPTS[name]['kind']}: {name}\n" for name in A_FEW)
    assert (done, account.journal) == (Done(code=0, shown=f"{passed}4 of 4 prompts passed\n"), [])


def test_without_a_key_the_runner_says_what_it_needs(tmp_path: Path) -> None:
    """It runs nothing then, and fails."""
    complaint = "There is no key: set ANTHROPIC_API_KEY or OPENAI_API_KEY, or give --scripted.\n"
    assert programs.run("evaluate.py", env=programs.variables(tmp_path)) == Done(code=1, shown=complaint)
