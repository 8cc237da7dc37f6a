"""What a refused request must not do, whatever is wrong with it. It holds no test."""

import pytest

from vercel_marketplace_mcp.http.settings import load
from vercel_marketplace_mcp.sandbox import SANDBOX_TOKEN
from vercel_marketplace_mcp.values import SettingsError

from .knocking import Answered, knock
from .office import Office

APP = "https://app.example.com"
"""The origin whose pages may call."""
NAMES = "desk.example.com:8443,127.0.0.1,[::1]:*"
"""The names under which the server is reached."""


async def answers(office: Office, requests: dict[str, bytes]) -> dict[str, Answered]:
    """The answer to each request, on a connection of its own; none holds the server's token, or reached a tool."""
    found = {name: await knock(office.port, sent) for name, sent in requests.items()}
    assert [name for name, answer in found.items() if SANDBOX_TOKEN.encode() in answer.body] == []
    assert office.world.sandbox.journal == []
    return found


def refused_start(address: str, environment: dict[str, str]) -> str:
    """The sentence with which a start is refused."""
    with pytest.raises(SettingsError) as caught:
        load(address, environment)
    return str(caught.value)
