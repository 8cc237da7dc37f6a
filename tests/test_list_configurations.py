"""list-configurations: what is installed, what of it can be used, and what to do where nothing is."""

import json
from typing import Any

import pytest
from mcp import Client

from vercel_marketplace_mcp.sandbox import SANDBOX_TEAM_ID, SANDBOX_TEAM_SLUG, Fault, Sandbox
from vercel_marketplace_mcp.settings import Team

from .conftest import Call, Clock, Connect, Json

pytestmark = pytest.mark.anyio

TOOL, OPERATION = "list-configurations", "getConfigurations"
NEXT = "Call list-products with the id of one."
INSTALL = (
    "No installed integration can be used. Ask a person to install one at {}: only a person can accept a partner's "
    "terms. Then call list-configurations again."
)
NO_TEAM = (
    "No team is set, so this shows what the token sees by default, which is often a personal account. "
    "To pick a team, pass teamId or slug, or ask the operator to set VERCEL_TEAM_ID."
)


def answering(configurations: Any) -> Fault:
    """Vercel answers these configurations."""
    return Fault(body=json.dumps(configurations).encode())


def item(**members: Any) -> Json:
    """A configuration as Vercel answers it: usable, with members changed."""
    return {"id": "icfg_1", "slug": "brindle", "integrationId": "oac_1", "installationType": "marketplace", **members}


async def test_one_integration_is_told_whole(call: Call, client: Client, sandbox: Sandbox) -> None:
    """The whole answer, its text, and the request that it came from."""
    reply = await call(client, TOOL, {"integrationIdOrSlug": "brindle"})
    assert reply.structured == {
        "configurations": [{"id": "icfg_BrindleData000000000001", "slug": "brindle"}],
        "count": 1,
        "truncated": False,
        "next_steps": [NEXT],
    }
    assert reply.text == f"1 configurations\nicfg_BrindleData000000000001: brindle\n{NEXT}"
    assert [(one.method, one.path, one.query) for one in sandbox.journal] == [
        (
            "GET",
            "/v1/integrations/configurations",
            {"view": "account", "integrationIdOrSlug": "brindle", "teamId": SANDBOX_TEAM_ID},
        )
    ]


async def test_every_installation_is_listed_with_what_speaks_against_it(call: Call, client: Client) -> None:
    """Suspended, disabled, removed, not from the Marketplace: no store can be made there, and the answer says why."""
    reply = await call(client, TOOL)
    assert reply["configurations"] == [
        {"id": "icfg_BrindleData000000000001", "slug": "brindle"},
        {"id": "icfg_MarrowCache000000000002", "slug": "marrow"},
        {"id": "icfg_cuwj0AdCdH3BwWT4LPijCC7t", "slug": "quarry"},
        {"id": "icfg_FernholdDocs00000000004", "slug": "fernhold"},
        {"id": "icfg_TollgateStore0000000005", "slug": "tollgate"},
        {"id": "icfg_GloamTrickery0000000006", "slug": "gloam", "name": "Gloam (verified by Vercel)"},
        {"id": "icfg_LanternWatch00000000007", "slug": "lantern"},
        {"id": "icfg_WickerCaches00000000008", "slug": "wicker", "problem": "suspended"},
        {"id": "icfg_DunlinBlobs000000000009", "slug": "dunlin", "problem": "disabled (original-owner-left-the-team)"},
        {"id": "icfg_PetrelSql0000000000010", "slug": "petrel", "problem": "being removed"},
        {"id": "icfg_OldHarbor0000000000012", "slug": "oldharbor", "problem": "not installed from the Marketplace"},
        {"id": "icfg_OldHarbor0000000000013", "slug": "oldharbor", "problem": "not installed from the Marketplace"},
    ]
    assert (reply["count"], reply["truncated"], reply.is_error) == (12, False, False)


async def test_a_partners_name_is_cleaned(call: Call, client: Client) -> None:
    """T30: escapes for terminals do not survive."""
    reply = await call(client, TOOL, {"integrationIdOrSlug": "gloam"})
    assert [one["name"] for one in reply["configurations"]] == ["Gloam (verified by Vercel)"]


@pytest.mark.parametrize(
    ("members", "problem"),
    [
        ({}, None),
        ({"status": None}, None),
        ({"status": "resumed", "disabledAt": None, "deletedAt": None}, None),
        ({"status": 5}, None),
        *[
            ({"status": status}, status)
            for status in ("error", "onboarding", "pending", "suspended", "uninstalled", "?", "")
        ],
        ({"installationType": "external"}, "not installed from the Marketplace"),
        ({"installationType": "provisioning"}, "not installed from the Marketplace"),
        ({"installationType": None}, "not installed from the Marketplace"),
        ({"disabledAt": 1780777600000}, "disabled (no reason given)"),
        ({"disabledReason": "account-plan-downgrade"}, "disabled (account-plan-downgrade)"),
        ({"deletedAt": 0}, "being removed"),
        ({"deleteRequestedAt": "soon"}, "being removed"),
    ],
)
async def test_a_configuration_is_usable_only_if_nothing_speaks_against_it(
    members: Json, problem: str | None, call: Call, client: Client, sandbox: Sandbox
) -> None:
    """Absent members mean ready and external, as documented; what is unknown is no yes, and projects are not told."""
    sandbox.misbehave(OPERATION, answering([item(projects=["prj_1"], **members)]))
    reply = await call(client, TOOL)
    told = {"projects": ["prj_1"]} if problem is None else {"problem": problem}
    assert reply["configurations"] == [{"id": "icfg_1", "slug": "brindle", **told}]
    name = "brindle" if problem is None else f"brindle (not usable: {problem})"
    assert reply.text.splitlines()[:2] == ["1 configurations", f"icfg_1: {name}"]
    assert (reply["next_steps"] == [NEXT]) is (problem is None)


@pytest.mark.parametrize(
    ("members", "told"),
    [
        ({"integration": {"name": "Brindle"}}, {"slug": "brindle"}),
        ({"integration": {"name": "Brindle Data"}}, {"slug": "brindle", "name": "Brindle Data"}),
        ({"slug": None, "integration": {"name": "Brindle"}}, {"name": "Brindle"}),
    ],
)
async def test_a_name_is_told_where_it_tells_more_than_the_slug(
    members: Json, told: Json, call: Call, client: Client, sandbox: Sandbox
) -> None:
    """Nobody has to read the same twice."""
    sandbox.misbehave(OPERATION, answering([item(**members)]))
    assert (await call(client, TOOL))["configurations"] == [{"id": "icfg_1", **told}]


@pytest.mark.parametrize("installed", [[], [item(status="suspended")], [item(installationType="external")]])
async def test_where_nothing_can_be_used_the_page_to_open_is_given(
    installed: list[Json], call: Call, connect: Connect, sandbox: Sandbox
) -> None:
    """Installing needs a person: the page of the team where its slug is known, else the Marketplace."""
    sandbox.misbehave(OPERATION, answering(installed), times=2)
    async with connect() as client:
        reply = await call(client, TOOL)
        assert reply["next_steps"] == [INSTALL.format("https://vercel.com/marketplace")]
    async with connect(team=Team(slug=SANDBOX_TEAM_SLUG)) as client:
        reply = await call(client, TOOL)
        assert reply["next_steps"] == [INSTALL.format(f"https://vercel.com/{SANDBOX_TEAM_SLUG}/~/integrations")]
    assert (reply["count"], reply.is_error) == (len(installed), False)


async def test_filters_and_the_view_are_passed_on(call: Call, client: Client, sandbox: Sandbox) -> None:
    """As they were given, and nothing else."""
    arguments = {"view": "project", "installationType": "external", "integrationIdOrSlug": "oldharbor"}
    reply = await call(client, TOOL, arguments)
    assert [one["slug"] for one in reply["configurations"]] == ["oldharbor", "oldharbor"]
    assert sandbox.journal[0].query == {**arguments, "teamId": SANDBOX_TEAM_ID}


async def test_an_entry_that_can_not_be_read_is_left_out_and_counted(
    call: Call, client: Client, sandbox: Sandbox
) -> None:
    """One broken entry does not hide the others."""
    sandbox.misbehave(OPERATION, answering([item(), None, "icfg_2", {"slug": "no id"}, {"id": 5}, item(id="icfg_3")]))
    reply = await call(client, TOOL)
    assert [one["id"] for one in reply["configurations"]] == ["icfg_1", "icfg_3"]
    assert reply["next_steps"] == [NEXT, "4 entries of Vercel's answer could not be read and are left out."]


async def test_members_of_unexpected_types_count_as_absent(call: Call, client: Client, sandbox: Sandbox) -> None:
    """An answer that changes its shape is still of use."""
    odd = item(slug=5, integrationId=[], integration="Brindle", projects={"a": 1}, scopes=None, later={"x": [1]})
    sandbox.misbehave(OPERATION, answering([odd]))
    reply = await call(client, TOOL)
    assert reply["configurations"] == [{"id": "icfg_1"}]
    assert "icfg_1: ?" in reply.text


async def test_a_list_of_absurd_length_is_cut_and_says_so(call: Call, client: Client, sandbox: Sandbox) -> None:
    """T48: two hundred are shown, and the count stays true."""
    sandbox.misbehave(OPERATION, answering([item(id=f"icfg_{number}") for number in range(1000)]))
    reply = await call(client, TOOL)
    assert [one["id"] for one in reply["configurations"]] == [f"icfg_{number}" for number in range(200)]
    assert (reply["count"], reply["truncated"]) == (1000, True)
    assert reply["next_steps"] == [NEXT, "Only the first 200 of 1000 are listed."]


async def test_where_none_of_those_listed_is_of_use_there_is_a_way_to_the_others(
    call: Call, client: Client, sandbox: Sandbox
) -> None:
    """The one that can be used may stand further down: nobody is sent to install what is there."""
    external = [item(id=f"icfg_{number}", installationType="external") for number in range(200)]
    sandbox.misbehave(OPERATION, answering([*external, item(id="icfg_usable")]))
    reply = await call(client, TOOL)
    assert {one["problem"] for one in reply["configurations"]} == {"not installed from the Marketplace"}
    assert reply["next_steps"][0] == (
        "None of those listed can be used. To see others, call this again with integrationIdOrSlug, or "
        "installationType marketplace."
    )


async def test_the_operators_team_is_sent_by_what_it_was_set_by(
    call: Call, connect: Connect, sandbox: Sandbox, clock: Clock
) -> None:
    """T50: its id or its slug, never both; naming the same team in the call changes nothing."""
    async with connect() as client:
        await call(client, TOOL, {"teamId": SANDBOX_TEAM_ID})
    async with connect(team=Team(slug=SANDBOX_TEAM_SLUG)) as client:
        await call(client, TOOL)
        clock.advance(60)
        await call(client, TOOL, {"slug": SANDBOX_TEAM_SLUG})
    by_slug = {"view": "account", "slug": SANDBOX_TEAM_SLUG}
    assert [one.query for one in sandbox.journal] == [{"view": "account", "teamId": SANDBOX_TEAM_ID}, by_slug, by_slug]


async def test_without_the_operators_team_the_calls_team_is_used_or_none_and_that_is_said(
    call: Call, connect: Connect, sandbox: Sandbox
) -> None:
    """T50: reading goes on; without any team it may well be the wrong account."""
    async with connect(team=None) as client:
        none = await call(client, TOOL)
        named = await call(client, TOOL, {"slug": SANDBOX_TEAM_SLUG})
    assert none["next_steps"] == [NO_TEAM, INSTALL.format("https://vercel.com/marketplace")]
    assert (none["count"], named["count"], named["next_steps"]) == (0, 12, [NEXT])
    assert [one.query for one in sandbox.journal] == [
        {"view": "account"},
        {"view": "account", "slug": SANDBOX_TEAM_SLUG},
    ]


async def test_the_token_goes_to_vercel_and_nowhere_else(call: Call, client: Client, sandbox: Sandbox) -> None:
    """T51: it is in no answer."""
    reply = await call(client, TOOL)
    assert sandbox.journal[0].authorized
    assert sandbox.token not in reply.text
    assert sandbox.token not in str(reply.structured)
