"""Under which names the server is reached, and by whose pages: everybody else is refused, whatever they ask."""

import pytest

from ..approval.world import Json
from .knocking import call, head, knock, request, statuses
from .office import Office, static_token
from .refusing import APP, answers

pytestmark = pytest.mark.anyio

LIST = call("list-configurations")
ALICE = f"Bearer {static_token('alice')}"

HOSTS: dict[str, tuple[Json, int]] = {
    "another name": ({"host": "evil.example"}, 421),
    "a name that only begins like ours": ({"host": "127.0.0.1.evil.example"}, 421),
    "a name that only ends like ours": ({"host": "evil.desk.example.com:8443"}, 421),
    "a name with more after the port": ({"host": "desk.example.com:8443.evil.example"}, 421),
    "a name that a user name hides": ({"host": "127.0.0.1@evil.example"}, 421),
    "a name of this machine that is not listed": ({"host": "localhost"}, 421),
    "our name at another port": ({"host": "desk.example.com:8444"}, 421),
    "our name without its port": ({"host": "desk.example.com"}, 421),
    "our address with a port": ({"host": "127.0.0.1:8443"}, 421),
    "any port that is none": ({"host": "[::1]:http"}, 421),
    "no name": ({"host": ""}, 421),
    "no header": ({"host": None}, 400),
    "two headers": ({"host": "127.0.0.1\r\nhost: evil.example"}, 400),
    "a name in front of which others stand": ({"host": "evil.example", "x_forwarded_host": "127.0.0.1"}, 421),
    "another origin": ({"origin": "https://evil.example"}, 403),
    "no origin that has a name": ({"origin": "null"}, 403),
    "an origin of nothing": ({"origin": ""}, 403),
    "an origin that begins like ours": ({"origin": f"{APP}.evil.example"}, 403),
    "an origin that ends like ours": ({"origin": "https://evil-app.example.com"}, 403),
    "our origin in the open": ({"origin": "http://app.example.com"}, 403),
    "our origin at another port": ({"origin": f"{APP}:8443"}, 403),
    "our origin with a path": ({"origin": f"{APP}/"}, 403),
    "our own address as an origin": ({"origin": "http://127.0.0.1"}, 403),
    "two origins": ({"origin": f"{APP}\r\norigin: https://evil.example"}, 403),
}


@pytest.mark.parametrize("path", ["/mcp", "/approvals", "/approvals/AAAAAA", "/elsewhere"])
async def test_another_host_or_origin_is_refused(path: str, office: Office) -> None:
    """T55: a page that has its own name lead here, or another site's page, gets nothing, even with a good token."""
    requests = {name: request(LIST, path=path, authorization=ALICE, **given) for name, (given, _) in HOSTS.items()}
    assert statuses(await answers(office, requests)) == {name: status for name, (_, status) in HOSTS.items()}


async def test_without_a_host_even_an_old_client_is_refused(office: Office) -> None:
    """HTTP/1.0 may leave the header out; nobody knows then whom it meant."""
    sent = request(LIST, host=None, authorization=ALICE).replace(b"HTTP/1.1", b"HTTP/1.0", 1)
    assert statuses(await answers(office, {"HTTP/1.0": sent})) == {"HTTP/1.0": 421}


@pytest.mark.parametrize("host", ["127.0.0.1", "desk.example.com:8443", "DESK.example.com:8443", "[::1]", "[::1]:80"])
async def test_each_of_our_own_names_is_served(host: str, office: Office) -> None:
    """As listed, in any case; a star stands for every port."""
    status = 421 if host == "[::1]" else 200
    assert (await knock(office.port, request(LIST, host=host, authorization=ALICE))).status == status


async def test_a_page_of_an_allowed_origin_may_call(office: Office) -> None:
    """It is told so before it asks, and with every answer, refusals included, whose challenge it may read."""
    asks = {"access_control_request_method": "POST", "access_control_request_headers": "authorization, mcp-method"}
    before = await knock(office.port, head("OPTIONS", origin=APP, **asks))
    called = await knock(office.port, request(LIST, origin=APP, authorization=ALICE))
    refused = await knock(office.port, request(LIST, origin=APP))
    assert [answer.status for answer in (before, called, refused)] == [200, 200, 401]
    assert {answer.headers["access-control-allow-origin"] for answer in (before, called, refused)} == {APP}
    told = ("access-control-allow-methods", "access-control-allow-headers")
    assert [before.headers[name] for name in told] == ["GET, POST, DELETE", "authorization, mcp-method"]
    assert refused.headers["access-control-expose-headers"] == "Mcp-Session-Id, WWW-Authenticate"
    assert "access-control-allow-credentials" not in called.headers
