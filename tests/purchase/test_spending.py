"""What in metadata and protocolSettings may make a free plan cost, however it is spelled and wherever it stands."""

from typing import Any

import pytest

from vercel_marketplace_mcp.purchase.metadata import Field, read_fields
from vercel_marketplace_mcp.purchase.spending import (
    priced_options,
    why_metadata_may_charge,
    why_settings_may_charge,
    with_defaults,
)

from .strategies import Json

SPELLINGS = (
    *("autoUpgrade", "auto_upgrade", "auto-upgrade", "AUTO_UPGRADE", "Auto Upgrade", "autoupgrade", "auto.upgrade"),
    *("autoScale", "auto_scaling", "autoscaling-enabled", "auto-renew", "autoRenewal", "autoRecharge", "auto_top_up"),
    *("autoTopUp", "auto-topup", "autoPurchase", "auto_purchasing", "enableAutoUpgrade", "upgradeAutomatically"),
    *("upgrade_auto", "\uff41\uff55\uff54\uff4fUpgrade", "auto\u200bUpgrade", "auto\u00adscale", "AutoUp\u2060grade"),
)
HARMLESS = (
    "upgrade",
    "scale",
    "auto",
    "automatic",
    "region",
    "eviction",
    "autocomplete",
    "purchaseOrder",
    "authorRenewal",
)


def fields(**properties: Any) -> tuple[Field, ...]:
    """The fields of a metadataSchema with these properties."""
    return read_fields({"properties": properties}) or ()


def why(metadata: Json, **properties: Any) -> list[str]:
    """Why this metadata may make a free plan cost."""
    return list(why_metadata_may_charge(metadata, fields(**properties)))


@pytest.mark.parametrize("key", SPELLINGS)
def test_a_key_that_spends_by_itself_is_noticed_however_it_is_spelled(key: str) -> None:
    """T24: with separators, capitals, wide letters and invisible characters, in either order."""
    assert len(why({key: True})) == 1
    assert why({key: False}) == []


@pytest.mark.parametrize("key", HARMLESS)
def test_a_key_with_only_half_of_the_meaning_is_harmless(key: str) -> None:
    """Upgrading or automatic by itself is no spending."""
    assert why({key: True}) == []


@pytest.mark.parametrize("value", [True, 1, "on", "false", "off", ["a"], 0.5, {"enabled": False}])
def test_any_truthy_value_counts(value: Any) -> None:
    """A partner may read "false" as yes: only what is empty, zero or false is no."""
    assert list(why_settings_may_charge({"autoScale": value}, "protocolSettings")) == [
        "protocolSettings.autoScale lets the partner raise the cost by itself"
    ]


@pytest.mark.parametrize("value", [False, 0, 0.0, "", None, [], {}])
def test_a_falsy_value_does_not_count(value: Any) -> None:
    """What is switched off buys nothing."""
    assert list(why_settings_may_charge({"autoScale": value}, "protocolSettings")) == []


@pytest.mark.parametrize(
    ("nested", "path"),
    [
        ({"storage": {"autoUpgrade": True}}, "storage.autoUpgrade"),
        ({"a": [{"b": 1}, {"deep": [[{"auto_renew": 1}]]}]}, "a[1].deep[0][0].auto_renew"),
        ({"billing": {"auto": {"upgrade": True}}}, "billing.auto.upgrade"),
        ({"scaling": {"automatic": True}}, "scaling.automatic"),
        ({"scaling": [{"mode": {"auto": True}}]}, "scaling[0].mode.auto"),
    ],
)
def test_a_key_that_spends_by_itself_is_noticed_at_any_depth(nested: Json, path: str) -> None:
    """T24: nested, in lists, and in two steps of a path."""
    shown = f'"protocolSettings.{path}"' if "[" in path else f"protocolSettings.{path}"
    assert list(why_settings_may_charge(nested, "protocolSettings")) == [
        f"{shown} lets the partner raise the cost by itself"
    ]


def test_a_default_counts_as_if_it_had_been_sent() -> None:
    """Vercel fills defaults in: leaving a field out chooses its default, and naming it takes that back."""
    preset = {"autoUpgrade": {"type": "boolean", "default": True}}
    assert why({}, **preset) == ["metadata.autoUpgrade lets the partner raise the cost by itself"]
    assert why({"autoUpgrade": False}, **preset) == []
    assert with_defaults({"b": 1}, fields(a={"default": 0}, b={"default": 2})) == {"a": 0, "b": 1}


def test_a_field_for_paid_plans_only_may_charge_when_it_is_set() -> None:
    """Left out, or switched off, it buys nothing."""
    pack = {"type": "boolean", "ui:paid-only": True}
    assert why({"pack": True}, pack=pack) == ["metadata.pack is for paid plans only"]
    assert why({}, pack={**pack, "default": True}) == ["metadata.pack is for paid plans only"]
    assert why({}, pack={**pack, "ui:paid-only": {"expr": "plan"}, "default": 3}) == [
        "metadata.pack is for paid plans only"
    ]
    assert why({"pack": False}, pack=pack) == []
    assert why({}, pack=pack) == []
    assert why({"pack": True}, pack={**pack, "ui:paid-only": False}) == []


TIERS = {
    "type": "string",
    "ui:options": [
        {"value": "shared", "label": "Shared"},
        {"value": "m10", "label": "M10, $57 a month"},
        {"value": "m20", "label": "M20"},
        {"value": "m20", "label": "M20 (100 USD)"},
        {"value": "$5"},
        {"value": "9 EUR", "label": "Small"},
        {"value": 2, "label": "Two, 9 euros"},
    ],
}
PRICED = ["the metadata chooses an option that names a price"]


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        ("shared", []),
        ("m10", ["metadata.tier: M10, $57 a month"]),
        ("m20", ["metadata.tier: M20 (100 USD)"]),
        ("$5", ["metadata.tier: $5"]),
        ("9 EUR", ["metadata.tier: Small"]),
        (2.0, ["metadata.tier: Two, 9 euros"]),
        (["shared", "m10"], ["metadata.tier: M10, $57 a month"]),
        ("unknown", []),
        (True, []),
    ],
)
def test_an_option_whose_label_holds_an_amount_may_charge_when_chosen(chosen: Any, words: list[str]) -> None:
    """One value or several, chosen or by default, and any of the labels that a value has."""
    assert list(priced_options({"tier": chosen}, fields(tier=TIERS))) == words
    assert why({"tier": chosen}, tier=TIERS) == (PRICED if words else [])
    assert why({}, tier={**TIERS, "default": chosen}) == (PRICED if words else [])


BACKUPS = {"type": "boolean", "ui:label": "Daily backups ($5/month)"}
REPLICAS = {"type": "number", "ui:label": "Replicas", "description": "10 EUR each", "default": 0}


@pytest.mark.parametrize(
    ("metadata", "words"),
    [
        ({}, []),
        ({"backups": False, "replicas": 0, "size": "s"}, []),
        ({"backups": True}, ["metadata.backups: Daily backups ($5/month)"]),
        ({"replicas": 2}, ["metadata.replicas: 10 EUR each"]),
        ({"size": "m"}, ["metadata.size: Medium: $57/month"]),
        ({"size": "l"}, ["metadata.size: ['$99/month']"]),
    ],
)
def test_what_is_said_of_a_field_or_an_option_may_name_its_price(metadata: Json, words: list[str]) -> None:
    """T24: in a label of the field itself, a description, or a label of another type; what is not set costs nothing."""
    options = [{"value": "s"}, {"value": "m", "label": "Medium", "description": "$57/month"}]
    size = {"type": "string", "ui:options": [*options, {"value": "l", "label": ["$99/month"]}]}
    found = fields(backups=BACKUPS, replicas=REPLICAS, size=size)
    assert list(priced_options(metadata, found)) == words
    reasons = ["the metadata chooses an option that names a price"] if words else []
    assert list(why_metadata_may_charge(metadata, found)) == reasons


def test_text_that_is_not_ours_is_cleaned_in_a_reason() -> None:
    """T30: keys come from the model and from partners; a reason is one visible line of bounded length.

    What could be read as more than a path stands in quotes.
    """
    (by_key,) = why_settings_may_charge({"auto\u202eUpgrade\x1b[2K\n\ud800Approved": True}, "protocolSettings")
    assert by_key == '"protocolSettings.autoUpgrade Approved" lets the partner raise the cost by itself'
    (paid,) = why({"a\u200b\nb": True}, **{"a\u200b\nb": {"ui:paid-only": True}})
    assert paid == '"metadata.a b" is for paid plans only'
    (long,) = why_settings_may_charge({"x" * 50_000: {"autoUpgrade": {"a": 1}}}, "protocolSettings")
    assert long == f'"protocolSettings.{"x" * 183}" lets the partner raise the cost by itself'


def test_the_largest_settings_are_searched_in_time() -> None:
    """T32: long keys with many members, long keys of marks, many options; quadratic work would run for minutes."""
    wide = {"k" * 200_000: {f"m{number}": {"n": 1} for number in range(30_000)}}
    assert list(why_settings_may_charge(wide, "protocolSettings")) == []
    assert list(why_settings_may_charge({"a\u0316\u0301" * 500_000: True}, "metadata")) == []
    values = [f"v{number}" for number in range(50_000)]
    assert why({"tier": values}, tier={"type": "array", "ui:options": values, "default": values}) == []
