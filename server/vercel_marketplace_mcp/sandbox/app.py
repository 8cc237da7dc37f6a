"""The sandbox: the ASGI application, its journal, and the faults and price changes that a test may ask for.

Listens nowhere by itself: http.py puts it on a socket, and in process a client is given `Sandbox.app`.
"""

import json
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, Router

from . import catalog, operations, strict
from .errors import ApiError
from .faults import Fault, Faults, FaultyAnswer
from .operations import CREATE_PATH, OPERATIONS, Call, Operation
from .state import Market

SANDBOX_TOKEN = "sandbox-token-not-a-secret"  # noqa: S105 - opens nothing but the sandbox
SANDBOX_TEAM_ID = "team_1a2b3c4d5e6f7g8h9i0j1k2l"
SANDBOX_TEAM_SLUG = "my-team-url-slug"
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Recorded:
    """A request as it arrived, without its token, and the status it was answered with (None: no answer yet)."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    authorized: bool
    status: int | None = None

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


class Sandbox:
    """An embedded Vercel Marketplace with a catalog and state of its own."""

    def __init__(
        self, token: str = SANDBOX_TOKEN, team_id: str = SANDBOX_TEAM_ID, team_slug: str = SANDBOX_TEAM_SLUG
    ) -> None:
        self.token = token
        self.team_id = team_id
        self.team_slug = team_slug
        self.journal: list[Recorded] = []
        self._market = Market(catalog.load())
        self._faults = Faults()
        routes = [self._route(operation) for operation in OPERATIONS]
        elsewhere = Operation("", "", "/{path:path}", (), operations.unknown_path)
        self.app = Router([*routes, self._route(elsewhere, METHODS)], redirect_slashes=False)

    @property
    def posts(self) -> list[Recorded]:
        """The requests that reached the create operation, whatever came of them."""
        return [one for one in self.journal if one.method == "POST" and one.path == CREATE_PATH]

    @property
    def stores(self) -> list[dict[str, Any]]:
        """The stores that were created, as the API shows them now."""
        return deepcopy(self._market.stores)

    @property
    def connections(self) -> list[Recorded]:
        """The requests that reached the connect operation, whatever came of them."""
        return [one for one in self.journal if one.method == "POST" and one.path.endswith("/connections")]

    def variables(self, project_id: str) -> list[dict[str, Any]]:
        """The environment variables of a project, without values.

        Raises:
            LookupError: there is no such project.
        """
        project = self._market.catalog.project(project_id)
        if project is None:
            raise LookupError(f"The sandbox has no project {project_id!r}")
        return deepcopy(project["variables"])

    @property
    def payment_methods(self) -> list[str]:
        """The team's payment methods; clear the list for a team that has none."""
        return self._market.catalog.payment_methods

    def misbehave(self, operation_id: str, fault: Fault, times: int = 1) -> None:
        """Let the next calls of an operation go wrong."""
        if operation_id not in [operation.id for operation in OPERATIONS]:
            raise LookupError(f"The sandbox has no operation {operation_id!r}")
        self._faults.add(operation_id, fault, times)

    def change_plan(self, product_slug: str, plan_id: str, *, after: int = 0, **members: Any) -> None:
        """Change a plan's members (None removes one), now or after its plans were answered `after` more times."""
        self._market.change_plan(product_slug, plan_id, after, members)

    def _route(self, operation: Operation, methods: Sequence[str] = ()) -> Route:
        async def endpoint(request: Request) -> Response:
            record = self._record(request, await request.body())
            self.journal.append(record)
            fault = self._faults.take(operation.id)
            response = self._respond(operation, request, record.body, fault)
            if fault is None or fault.answers:
                self._conclude(record, response.status_code)
            return response

        return Route(operation.path, endpoint, methods=methods or [operation.method])

    def _record(self, request: Request, body: bytes) -> Recorded:
        headers = dict(request.headers)
        return Recorded(
            method=request.method,
            path=request.scope["raw_path"].decode("ascii"),
            query=dict(request.query_params),
            authorized=strict.is_bearer(headers.pop("authorization", None), self.token),
            headers=headers,
            body=body,
        )

    def _conclude(self, record: Recorded, status: int) -> None:
        for index in reversed(range(len(self.journal))):
            if self.journal[index] is record:
                self.journal[index] = replace(record, status=status)
                return

    def _respond(self, operation: Operation, request: Request, body: bytes, fault: Fault | None) -> Response:
        if fault is None:
            return self._act(operation, request, body)
        return FaultyAnswer(fault, self._act(operation, request, body) if fault.acts else None)

    def _act(self, operation: Operation, request: Request, body: bytes) -> Response:
        try:
            answer = operation.act(self._call(operation, request, body))
            return Response(status_code=201) if answer is None else JSONResponse(answer)
        except ApiError as error:
            return JSONResponse(error.body, error.status)

    def _call(self, operation: Operation, request: Request, body: bytes) -> Call:
        strict.check_token(request.headers.get("authorization"), self.token)
        query = strict.read_query(request.query_params.multi_items(), operation.query)
        return Call(
            market=self._market,
            in_team=strict.is_team_scope(query, self.team_id, self.team_slug),
            path=request.path_params,
            query=query,
            content_type=request.headers.get("content-type"),
            body=body,
        )
