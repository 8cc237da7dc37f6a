"""Metadata against a product's schema, one value a rule."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import pytest

from vercel_marketplace_mcp.sandbox import Sandbox

pytestmark = pytest.mark.anyio

Json: TypeAlias = dict[str, Any]
Create: TypeAlias = Callable[..., Awaitable[tuple[int, Json]]]

WORKBENCH = {
    "integrationConfigurationId": "icfg_FernholdDocs00000000004",
    "integrationProductIdOrSlug": "fernhold-workbench",
}
BAD_METADATA: list[tuple[Json, str]] = [
    ({"label": None}, "`label` is required"),
    ({"colour": "red"}, "unknown key `colour`"),
    ({"label": 5}, "`label` should be a string"),
    ({"label": "ab"}, "`label` should be at least 3 characters long"),
    ({"label": "a" * 21}, "`label` should be at most 20 characters long"),
    ({"label": "Label"}, "`label` should be text that matches ^[a-z][a-z0-9-]*$"),
    ({"replicas": 0}, "`replicas` should be at least 1"),
    ({"replicas": 6}, "`replicas` should be at most 5"),
    ({"replicas": "1"}, "`replicas` should be a number"),
    ({"replicas": True}, "`replicas` should be a number"),
    ({"sampling": 0}, "`sampling` should be more than 0"),
    ({"sampling": 1}, "`sampling` should be less than 1"),
    ({"backups": "yes"}, "`backups` should be true or false"),
    ({"memory": 2}, "`memory` should be an array"),
    ({"memory": []}, "`memory` should be at least 1 items"),
    ({"memory": [1, 2, 4]}, "`memory` should be at most 2 items"),
    ({"memory": [3]}, "`memory` should be one of [1, 2, 4, 8]"),
    ({"memory": ["1"]}, "`memory` should be a number"),
    ({"engine": "unknown"}, "`engine` should be one of quartz, opal, onyx, agate"),
    ({"engine": "jasper"}, "`engine` should be one of quartz, opal, onyx, agate"),
    ({"mode": "wild"}, "`mode` should be one of ['calm', 'busy']"),
    ({"extensions": ["geo", "rust"]}, "`extensions` should be one of geo, text, graph"),
    ({"extensions": ["geo", "text", "graph"]}, "`extensions` should be at most 2 items"),
    ({"region": "mars1"}, "`region` should be one of iad1, fra1, hnd1, gru1"),
    ({"mirrorRegions": ["iad1", "mars1"]}, "`mirrorRegions` should be one of iad1, fra1, hnd1, gru1"),
    ({"country": "BR"}, "`country` should be one of DE, JP, US"),
    ({"domain": "a b"}, "`domain` should be text that matches ^[a-z0-9.-]+$"),
    ({"repository": 1}, "`repository` should be a string"),
]


@pytest.mark.parametrize(("changes", "objection"), BAD_METADATA)
async def test_metadata_that_its_schema_does_not_allow_is_refused(
    sandbox: Sandbox, create: Create, changes: Json, objection: str
) -> None:
    """Unknown keys, missing ones, wrong types, values outside limits and options."""
    metadata = {key: value for key, value in {"label": "bench", **changes}.items() if value is not None}
    status, answer = await create(**WORKBENCH, metadata=metadata)
    assert status == 400
    assert answer == {"error": {"code": "bad_request", "message": f"Invalid metadata: {objection}"}}
    assert sandbox.stores == []


@pytest.mark.parametrize("value", [None, {"a": 1}, [True], ["a", 1], [["a"]]])
async def test_metadata_values_have_five_shapes_and_no_other(create: Create, value: Any) -> None:
    """No null, no object, no mixed array."""
    status, answer = await create(metadata={"version": value})
    message = "`metadata` should be an object of strings, numbers, booleans and arrays of strings or numbers"
    assert (status, answer["error"]["message"]) == (400, f"Invalid request: {message}")


async def test_metadata_that_its_schema_allows_is_kept_with_the_defaults(create: Create) -> None:
    """Hidden options stay valid, regions are never required, a required field with a default may be left out."""
    metadata = {"label": "bench", "engine": "opal", "sampling": 0.5, "mirrorRegions": ["iad1", "gru1"], "country": "US"}
    status, answer = await create(**WORKBENCH, metadata=metadata)
    assert status == 200
    defaults = {"replicas": 1, "backups": True, "memory": [1], "internalTag": "sandbox", "edition": "standard"}
    assert answer["store"]["metadata"] == {**defaults, **metadata}
