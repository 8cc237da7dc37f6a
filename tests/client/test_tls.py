"""The token goes to a server whose certificate the system trusts, under that server's name, and to no other."""

import asyncio
import ssl
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vercel_marketplace_mcp.settings import Team
from vercel_marketplace_mcp.vercel.client import VercelClient
from vercel_marketplace_mcp.vercel.errors import NotSentError
from vercel_marketplace_mcp.vercel.operations import GET_CONFIGURATIONS, Call

from ..sockets import HOST, listening, self_signed

pytestmark = pytest.mark.anyio

READ = Call(operation=GET_CONFIGURATIONS, team=Team(id="team_a"))
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the system's trust store is no file")


@pytest.fixture
def context(tmp_path: Path) -> Callable[[str], ssl.SSLContext]:
    """Make the context of a server that signed its own certificate, for an address or a name."""

    def make(host: str) -> ssl.SSLContext:
        pem, private = self_signed(host)
        (tmp_path / "trusted.pem").write_bytes(pem)
        (tmp_path / "server.pem").write_bytes(private)
        found = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        found.load_cert_chain(tmp_path / "server.pem")
        return found

    return make


async def not_sent(client: VercelClient, team: Team) -> None:
    """Neither a read nor a create request goes out."""
    for attempt in (client.read(READ), client.create({"name": "my-store"}, team)):
        with pytest.raises(NotSentError) as caught:
            await attempt
        assert (caught.value.code, caught.value.message) == ("not_reachable", "Vercel's API could not be reached.")


async def test_a_server_that_nobody_vouches_for_is_sent_nothing(
    listen: Any, make_client: Any, context: Any, team: Team
) -> None:
    """A self-signed certificate ends the connection before a byte of HTTP."""
    wire = await listen(context("127.0.0.1"))
    wire.will_answer(200, [], times=9)
    await not_sent(make_client(wire.url), team)
    assert (wire.seen, bytes(wire.raw)) == ([], b"")


@linux_only
async def test_a_server_that_the_system_trusts_is_asked(
    listen: Any, make_client: Any, context: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The same server answers once its certificate is in the system's trust store: nothing else was in the way."""
    wire = await listen(context("127.0.0.1"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "trusted.pem"))
    wire.will_answer(200, ["an answer"])
    assert await make_client(wire.url).read(READ) == ["an answer"]


@linux_only
async def test_a_trusted_certificate_of_another_host_is_refused(
    listen: Any, make_client: Any, context: Any, team: Team, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Trust is in a name: a certificate that is good for another one is good for nothing here."""
    wire = await listen(context("other.example"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "trusted.pem"))
    wire.will_answer(200, [], times=9)
    await not_sent(make_client(wire.url), team)
    assert (wire.seen, bytes(wire.raw)) == ([], b"")


@linux_only
async def test_an_outdated_protocol_is_refused(
    listen: Any, make_client: Any, context: Any, team: Team, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A server that speaks nothing newer than TLS 1.1 is not spoken to."""
    old = context("127.0.0.1")
    old.set_ciphers("ALL:@SECLEVEL=0")
    old.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    wire = await listen(old)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "trusted.pem"))
    wire.will_answer(200, [], times=9)
    await not_sent(make_client(wire.url), team)
    assert wire.seen == []


async def test_a_server_that_speaks_no_tls_is_sent_nothing(make_client: Any, team: Team) -> None:
    """An https address behind which plain HTTP is spoken gets a TLS greeting and no request."""
    heard: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read(4096))
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n[]")
        writer.close()

    async with listening(answer) as port:
        client = make_client(f"https://{HOST}:{port}")
        await not_sent(client, team)
        await client.aclose()
    assert {head[:2] for head in heard} == {b"\x16\x03"}
    assert not any(b"HTTP" in head for head in heard)


async def test_a_proxy_sees_nothing_of_an_encrypted_request_but_its_host(
    make_client: Any, team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy of the environment is asked for a tunnel; one that refuses it was shown no token and no path."""
    heard: list[bytes] = []

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n")
        writer.close()

    async with listening(refuse) as port:
        monkeypatch.setenv("HTTPS_PROXY", f"http://{HOST}:{port}")
        client = make_client("https://vercel.example")
        await not_sent(client, team)
        await client.aclose()
    assert {line for head in heard for line in head.split(b"\r\n") if line.startswith(b"CONNECT")} == {
        b"CONNECT vercel.example:443 HTTP/1.1"
    }
    assert not any(word in head for head in heard for word in (b"Bearer", b"uthorization", b"/v1/", b"team_"))
