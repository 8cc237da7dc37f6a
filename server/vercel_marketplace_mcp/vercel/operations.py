"""The operations of Vercel's API that this server calls, and what one call of them says. It sends nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from vercel_marketplace_mcp.settings import Team


@dataclass(frozen=True, kw_only=True, slots=True)
class Operation:
    """One operation of the API, as in tool_specs/openapi.json."""

    method: Literal["GET", "POST"]
    template: str
    has_answer: bool = True


GET_CONFIGURATIONS = Operation(method="GET", template="/v1/integrations/configurations")
GET_PRODUCTS = Operation(method="GET", template="/v1/integrations/configuration/{id}/products")
GET_PLANS = Operation(
    method="GET", template="/v1/integrations/integration/{integrationIdOrSlug}/products/{productIdOrSlug}/plans"
)
LIST_STORES = Operation(method="GET", template="/v1/storage/stores")
GET_STORE = Operation(method="GET", template="/v1/storage/stores/{id}")
CREATE_STORE = Operation(method="POST", template="/v1/storage/stores/integration/direct")
CONNECT = Operation(
    method="POST",
    template="/v1/integrations/installations/{integrationConfigurationId}/resources/{resourceId}/connections",
    has_answer=False,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """One request to be made: values for the template's path, query parameters (None: left out) and a JSON body."""

    operation: Operation
    team: Team | None
    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str | None] = field(default_factory=dict)
    content: bytes | None = None
