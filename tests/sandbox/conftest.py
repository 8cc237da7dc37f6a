"""A fresh sandbox, and a client of it that names the token and the team. Fakes nothing of ours."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeAlias

import httpx
import pytest

from vercel_marketplace_mcp.sandbox import SANDBOX_TEAM_ID, SANDBOX_TOKEN, Sandbox
from vercel_marketplace_mcp.sandbox.http import serving

Json: TypeAlias = dict[str, Any]


@pytest.fixture
def anyio_backend() -> str:
    """The sandbox is served by uvicorn, which knows asyncio only."""
    return "asyncio"


@pytest.fixture
def sandbox() -> Sandbox:
    """A sandbox in which nothing has happened."""
    return Sandbox()


def client_of(base_url: str, transport: httpx.AsyncBaseTransport | None = None) -> httpx.AsyncClient:
    """A client with the sandbox's token and team."""
    return httpx.AsyncClient(
        base_url=base_url,
        transport=transport,
        headers={"authorization": f"Bearer {SANDBOX_TOKEN}"},
        params={"teamId": SANDBOX_TEAM_ID},
        trust_env=False,
    )


@pytest.fixture
async def api(sandbox: Sandbox) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the sandbox in process."""
    async with client_of("http://sandbox.test", httpx.ASGITransport(sandbox.app)) as client:
        yield client


@pytest.fixture
async def wire(sandbox: Sandbox) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the sandbox on a real socket."""
    async with serving(sandbox) as base_url, client_of(base_url) as client:
        yield client


@pytest.fixture
def create(api: httpx.AsyncClient) -> Callable[..., Awaitable[tuple[int, Json]]]:
    """Create a free store of the plainest product, with members changed; None removes one."""

    async def post(**changes: Any) -> tuple[int, Json]:
        body = {
            "name": "my-store",
            "integrationConfigurationId": "icfg_BrindleData000000000001",
            "integrationProductIdOrSlug": "brindle-postgres",
            "billingPlanId": "free",
        }
        body = {name: value for name, value in {**body, **changes}.items() if value is not None}
        response = await api.post("/v1/storage/stores/integration/direct", json=body)
        return response.status_code, response.json()

    return post
