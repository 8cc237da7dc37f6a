"""The create operation: every check in the order in which the API makes them, then the store.

No HTTP: takes the checked body, gives the store or raises a refusal.
"""

from decimal import Decimal, InvalidOperation

from .catalog import Integration, Json, Offer
from .errors import ApiError, bad_request, forbidden, not_found
from .metadata import check_metadata, with_defaults
from .state import Market


def find_configuration(market: Market, configuration_id: str) -> Json:
    """The team's configuration, unless it is unknown or deleted."""
    configuration = market.catalog.configuration(configuration_id)
    if configuration is None:
        raise not_found("Integration configuration")
    if configuration.get("deletedAt"):
        raise ApiError(410, "gone", "The integration configuration was deleted")
    return configuration


def find_integration(market: Market, id_or_slug: str) -> Integration:
    """The integration of this id or slug."""
    integration = market.catalog.integration(id_or_slug)
    if integration is None:
        raise not_found("Integration")
    return integration


def find_offer(integration: Integration, id_or_slug: str) -> Offer:
    """The integration's product of this id or slug."""
    offer = integration.offer(id_or_slug)
    if offer is None:
        raise not_found("Integration product")
    return offer


def provision(market: Market, body: Json) -> Json:
    """Create the store that the body asks for."""
    configuration = find_configuration(market, body["integrationConfigurationId"])
    _check_usable(configuration)
    integration = find_integration(market, configuration["integrationId"])
    offer = find_offer(integration, body["integrationProductIdOrSlug"])
    schema = offer.product["metadataSchema"]
    metadata = with_defaults(schema, body.get("metadata", {}))
    check_metadata(schema, metadata)
    plan = _choose_plan(market.plans(offer, metadata), body)
    _check_prepayment(plan, body.get("prepaymentAmountCents"))
    _check_payment_method(market, plan, body.get("paymentMethodId"))
    if market.is_taken(configuration["id"], body["name"]):
        raise ApiError(409, "conflict", "A store of this name already exists")
    shown = market.catalog.shown
    product = {**shown["product"], **_shown_product(configuration, integration, offer)}
    members = {**shown["store"], "name": body["name"], "product": product, "metadata": metadata, "billingPlan": plan}
    return market.add_store(integration, offer, members)


def _check_usable(configuration: Json) -> None:
    if configuration.get("disabledAt") or configuration.get("status") == "suspended":
        raise forbidden("The integration configuration is not active")


def _choose_plan(plans: list[Json], body: Json) -> Json:
    enabled = [plan for plan in plans if not plan.get("disabled")]
    if "billingPlanId" not in body:
        enabled = [plan for plan in enabled if not plan.get("paymentMethodRequired")]
        if not enabled:
            raise bad_request("No free billing plan is available for this product")
        return enabled[0]
    named = [plan for plan in plans if plan.get("id") == body["billingPlanId"]]
    if not named:
        raise bad_request("Invalid request: unknown `billingPlanId`")
    if not (chosen := [plan for plan in named if plan in enabled]):
        raise bad_request("The billing plan is disabled")
    return chosen[0]


def _check_prepayment(plan: Json, cents: float | None) -> None:
    if plan.get("type") != "prepayment":
        if cents is not None:
            raise bad_request("`prepaymentAmountCents` is for prepayment plans only")
        return
    least, most = _cents(plan.get("minimumAmount")), _cents(plan.get("maximumAmount"))
    if cents is None:
        if least is None or least != most:
            raise bad_request("`prepaymentAmountCents` is required for this billing plan")
        return
    if cents != int(cents):
        raise bad_request("`prepaymentAmountCents` should be whole cents")
    if (least is not None and cents < least) or (most is not None and cents > most):
        raise bad_request("`prepaymentAmountCents` is outside the billing plan's bounds")


def _cents(dollars: object) -> Decimal | None:
    try:
        cents = Decimal(str(dollars)) * 100
    except InvalidOperation:
        return None
    return cents if cents.is_finite() else None


def _check_payment_method(market: Market, plan: Json, payment_method_id: str | None) -> None:
    if plan.get("type") != "prepayment" and not plan.get("paymentMethodRequired"):
        return
    methods = market.catalog.payment_methods
    if not methods or payment_method_id not in (None, *methods):
        raise ApiError(402, "payment_failed", "The team has no such payment method")


def _shown_product(configuration: Json, integration: Integration, offer: Offer) -> Json:
    return {
        **{name: value for name, value in offer.product.items() if name != "protocols"},
        "integration": {
            "id": integration.id,
            "slug": integration.slug,
            "name": integration.shown["name"],
            "icon": integration.shown["icon"],
            "flags": [],
            "supportsInstallationBillingPlans": True,
            "capabilities": {"billable": True, "provisioning": True, "sso": True, "transferable": True},
        },
        "integrationConfigurationId": configuration["id"],
        "supportedProtocols": offer.protocols(),
    }
