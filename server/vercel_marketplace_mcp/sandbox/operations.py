"""The operations: a call that carries the right token and names its team, and what the API answers to it.

No HTTP types and no faults: app.py brings the call here and the answer back.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from . import strict
from .catalog import Json
from .connecting import connect
from .errors import bad_request, forbidden, not_found
from .provisioning import find_configuration, find_integration, find_offer, provision
from .state import Market


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """A request whose token, team and query members have been checked."""

    market: Market
    in_team: bool
    path: Mapping[str, str]
    query: Mapping[str, str]
    content_type: str | None
    body: bytes


def get_configurations(call: Call) -> list[Json]:
    """What is installed; the account view shows the integration as well."""
    if "view" not in call.query:
        raise bad_request("Invalid request: missing required property `view`")
    strict.check_one_of("view", call.query["view"], strict.VIEWS)
    kind = call.query.get("installationType")
    strict.check_one_of("installationType", kind, strict.INSTALLATION_TYPES)
    found = call.market.catalog.configurations if call.in_team else []
    if kind:
        found = [one for one in found if one.get("installationType", "external") == kind]
    if "integrationIdOrSlug" in call.query:
        found = [one for one in found if call.query["integrationIdOrSlug"] in (one["integrationId"], one["slug"])]
    if call.query["view"] == "project":
        return found
    return [{**one, "integration": find_integration(call.market, one["integrationId"]).shown} for one in found]


def get_configuration_products(call: Call) -> Json:
    """The products of an installed integration."""
    strict.check_pattern("id", call.path["id"], strict.CONFIGURATION_ID)
    _need_team(call, "Integration configuration")
    configuration = find_configuration(call.market, call.path["id"])
    integration = find_integration(call.market, configuration["integrationId"])
    return {
        "configuration": {"id": configuration["id"]},
        "integration": {"id": integration.id, "slug": integration.slug, "name": integration.shown["name"]},
        "products": [offer.product for offer in integration.offers],
    }


def get_billing_plans(call: Call) -> Json:
    """The plans of a product, for the metadata asked about."""
    integration_name, product_name = call.path["integrationIdOrSlug"], call.path["productIdOrSlug"]
    strict.check_pattern("integrationIdOrSlug", integration_name, strict.INTEGRATION_ID_OR_SLUG)
    strict.check_pattern("productIdOrSlug", product_name, strict.PRODUCT_ID_OR_SLUG)
    strict.check_one_of("source", call.query.get("source"), strict.PLAN_SOURCES)
    metadata = strict.read_json(call.query.get("metadata", "{}"), "`metadata`")
    if not strict.is_metadata(metadata):
        raise bad_request("Invalid request: `metadata` should be a metadata object")
    _need_team(call, "Integration")
    integration = find_integration(call.market, integration_name)
    _check_installed(call, integration.id)
    return {"plans": call.market.answer_plans(find_offer(integration, product_name), metadata)}


def _check_installed(call: Call, integration_id: str) -> None:
    if "integrationConfigurationId" in call.query:
        wanted = call.query["integrationConfigurationId"]
        strict.check_pattern("integrationConfigurationId", wanted, strict.CONFIGURATION_ID)
        installed = [find_configuration(call.market, wanted)]
    else:
        installed = [one for one in call.market.catalog.configurations if not one.get("deletedAt")]
    if integration_id not in [one["integrationId"] for one in installed]:
        raise not_found("Integration configuration")


def create_store(call: Call) -> Json:
    """Create a store, and whatever it costs is owed from here on."""
    body = strict.read_create_body(call.content_type, call.body)
    if not call.in_team:
        raise forbidden("The token is no administrator of this configuration")
    return {"store": provision(call.market, body)}


def list_stores(call: Call) -> Json:
    """The team's stores of every kind, with the status last seen."""
    stores = [*call.market.catalog.other_stores, *call.market.stores] if call.in_team else []
    wanted = call.query.get("integrationConfigurationId")
    if wanted is not None:
        stores = [one for one in stores if one.get("product", {}).get("integrationConfigurationId") == wanted]
    return {"stores": stores}


def get_store(call: Call) -> Json:
    """One store, asked of its partner."""
    _need_team(call, "Store")
    store = call.market.look_at(call.path["id"])
    if store is None:
        raise not_found("Store")
    return {"store": store}


def connect_resource(call: Call) -> None:
    """Connect a store to a project: it answers nothing but that."""
    body = strict.read_connect_body(call.content_type, call.body)
    strict.check_pattern("integrationConfigurationId", call.path["integrationConfigurationId"], strict.CONFIGURATION_ID)
    _need_team(call, "Integration configuration")
    connect(call.market, call.path["integrationConfigurationId"], call.path["resourceId"], body)


def unknown_path(_call: Call) -> Json:
    """Whatever else is asked for."""
    raise not_found("Path")


def _need_team(call: Call, what: str) -> None:
    if not call.in_team:
        raise not_found(what)


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation: where it listens, what its query may hold, what it does."""

    id: str
    method: str
    path: str
    query: tuple[str, ...]
    act: Callable[[Call], Any]


CREATE_PATH = "/v1/storage/stores/integration/direct"
CONNECT_PATH = "/v1/integrations/installations/{integrationConfigurationId}/resources/{resourceId}/connections"
PLANS_PATH = "/v1/integrations/integration/{integrationIdOrSlug}/products/{productIdOrSlug}/plans"
OPERATIONS = (
    Operation(
        "getConfigurations",
        "GET",
        "/v1/integrations/configurations",
        ("view", "installationType", "integrationIdOrSlug"),
        get_configurations,
    ),
    Operation(
        "getConfigurationProducts",
        "GET",
        "/v1/integrations/configuration/{id}/products",
        (),
        get_configuration_products,
    ),
    Operation(
        "getBillingPlans",
        "GET",
        PLANS_PATH,
        ("integrationConfigurationId", "metadata", "source"),
        get_billing_plans,
    ),
    Operation("createIntegrationStoreDirect", "POST", CREATE_PATH, (), create_store),
    Operation("listStores", "GET", "/v1/storage/stores", ("integrationConfigurationId",), list_stores),
    Operation("getStorageStoresById", "GET", "/v1/storage/stores/{id}", (), get_store),
    Operation("connectIntegrationResourceToProject", "POST", CONNECT_PATH, (), connect_resource),
)
