"""The operations of Vercel's API that this server calls, and what one call of them says. It sends nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from vercel_marketplace_mcp.settings import Team


@dataclass(frozen=True, kw_only=True, slots=True)
class Operation:
    """One operation of the API, as in tool_specs/openapi.json."""

    method: Literal["GET", "POST"]
    template: str
    has_answer: bool = True
    listed: str | None = None
    """The member of its answer that is the list it is asked for; "" where the answer itself is."""

    def lists(self, answer: Any) -> bool:
        """Say whether an answer holds the list that it is asked for."""
        found = answer if self.listed == "" else answer.get(self.listed) if isinstance(answer, Mapping) else None
        return isinstance(found, list)


GET_CONFIGURATIONS = Operation(method="GET", template="/v1/integrations/configurations", listed="")
GET_PRODUCTS = Operation(method="GET", template="/v1/integrations/configuration/{id}/products", listed="products")
GET_PLANS = Operation(
    method="GET",
    template="/v1/integrations/integration/{integrationIdOrSlug}/products/{productIdOrSlug}/plans",
    listed="plans",
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
