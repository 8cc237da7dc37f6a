"""Tokens of an issuer: which count, which do not, and that nothing is widened while the issuer can't be asked."""

import hmac
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import jwt
import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from vercel_marketplace_mcp.http.issuer import Issuer

from ..approval.world import Clock, World
from .issuing import TokenIssuer, an_issuer, as_jwk, private_key, spelled
from .knocking import call, knock, request
from .office import PERSON, RESOURCE, Office, an_office

pytestmark = pytest.mark.anyio

LIST = call("list-configurations")


@pytest.fixture
async def issuer() -> AsyncIterator[TokenIssuer]:
    """An issuer that was asked nothing."""
    async with an_issuer() as made:
        yield made


@pytest.fixture
async def office(world: World, issuer: TokenIssuer) -> AsyncIterator[Office]:
    """A server that takes the issuer's tokens."""
    async with an_office(world, issuer.variables()) as made:
        yield made


async def status(office: Office, token: str) -> int:
    """How a call with this token is answered."""
    return (await knock(office.port, request(LIST, authorization=f"Bearer {token}"))).status


async def statuses(office: Office, tokens: dict[str, str]) -> dict[str, int]:
    """How a call with each of these tokens is answered."""
    return {name: await status(office, token) for name, token in tokens.items()}


async def test_good_tokens_count(office: Office, issuer: TokenIssuer) -> None:
    """Each kind of key, both names of the type and of the scopes, several audiences."""
    tokens = {
        "RS256": issuer.token("RS256"),
        "ES256": issuer.token("ES256"),
        "EdDSA": issuer.token("EdDSA"),
        "type JWT": issuer.token(head={"typ": "JWT"}),
        "type in capitals": issuer.token(head={"typ": "AT+JWT"}),
        "type in full": issuer.token(head={"typ": "application/at+jwt"}),
        "no type": issuer.token(head={"typ": None}),
        "several audiences": issuer.token(aud=["https://other.example.com", RESOURCE]),
        "the audience with a slash": issuer.token(aud=f"{RESOURCE}/"),
        "scp as a text": issuer.token(scope=None, scp="stores:read"),
        "scp as a list": issuer.token(scope=None, scp=["stores:read", 7]),
        "more scopes than we know": issuer.token(scope="openid stores:read"),
        "a clock that is late": issuer.token(exp=issuer.claims()["iat"] - 20),
        "a clock that is early": issuer.token(nbf=issuer.claims()["iat"] + 20),
        "a long subject": issuer.token(sub="a" * 255),
    }
    assert await statuses(office, tokens) == dict.fromkeys(tokens, 200)


async def test_an_issuer_may_end_in_a_slash(world: World) -> None:
    """Its name is compared to the letter, as its tokens spell it."""
    async with an_issuer("/realm/") as issuer, an_office(world, issuer.variables()) as office:
        found = [await status(office, issuer.token()), await status(office, issuer.token(iss=issuer.url.rstrip("/")))]
    assert found == [200, 401]


def signed_with_the_public_key(issuer: TokenIssuer) -> str:
    """A token whose HMAC was made with what everybody may know."""
    public = private_key("RS256").public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    head = spelled({"alg": "HS256", "kid": "RS256", "typ": "at+jwt"})
    unsigned = f"{head}.{spelled(issuer.claims())}"
    return f"{unsigned}.{spelled(hmac.digest(public, unsigned.encode(), 'sha256'))}"


def bad_tokens(issuer: TokenIssuer) -> dict[str, str]:
    """Tokens that count for nothing, by what is wrong with them."""
    good, now = issuer.token(), issuer.claims()["iat"]
    head, payload, signature = good.split(".")
    return {
        "no signature": f"{spelled({'alg': 'none', 'kid': 'RS256'})}.{payload}.",
        "the signature of another algorithm": f"{spelled({'alg': 'none', 'kid': 'RS256'})}.{payload}.{signature}",
        "HMAC with the public key": signed_with_the_public_key(issuer),
        "another audience": issuer.token(aud="https://other.example.com/mcp"),
        "an audience that begins like ours": issuer.token(aud=f"{RESOURCE}/more"),
        "our audience within one text": issuer.token(aud=f"{RESOURCE} https://other.example.com"),
        "no audience": issuer.token(aud=None),
        "no audiences": issuer.token(aud=[]),
        "an audience that is no text": issuer.token(aud=[{"url": RESOURCE}]),
        "another issuer": issuer.token(iss="https://evil.example"),
        "the issuer with a slash": issuer.token(iss=f"{issuer.url}/"),
        "no issuer": issuer.token(iss=None),
        "issuers": issuer.token(iss=[issuer.url]),
        "expired": issuer.token(exp=now - 31),
        "without an end": issuer.token(exp=None),
        "an end in words": issuer.token(exp="tomorrow"),
        "an end that never comes": issuer.token(exp=float("inf")),
        "not yet valid": issuer.token(nbf=now + 60),
        "made in the future": issuer.token(iat=now + 60),
        "of nobody": issuer.token(sub=None),
        "of an empty name": issuer.token(sub=""),
        "of a name that is none": issuer.token(sub=7),
        "of a name that breaks lines": issuer.token(sub="alice\nbob"),
        "of half a character": issuer.token(sub="\ud800"),
        "of a name without an end": issuer.token(sub="a" * 256),
        "an unknown key": issuer.token(head={"kid": "unknown"}),
        "no key": issuer.token(head={"kid": None}),
        "an empty key": issuer.token(head={"kid": ""}),
        "another key under a known name": issuer.token(key=private_key("RS256", 1)),
        "another kind under a known name": issuer.token("ES256", head={"kid": "RS256"}),
        "another algorithm for a known key": jwt.encode(
            issuer.claims(), private_key("RS256"), "PS256", headers={"kid": "RS256"}
        ),
        "a changed payload": f"{head}.{spelled(issuer.claims(sub='bob'))}.{signature}",
        "a changed header": f"{spelled({'alg': 'RS256', 'kid': 'RS256', 'typ': 'JWT'})}.{payload}.{signature}",
        "a key that it brings along": issuer.token(
            head={"jwk": as_jwk(private_key("RS256", 1), "RS256")}, key=private_key("RS256", 1)
        ),
        "what nobody understands": issuer.token(head={"crit": ["exp"]}),
        "to log somebody out": issuer.token(head={"typ": "logout+jwt"}),
        "of another kind": issuer.token(head={"typ": "dpop+jwt"}),
        "bound to a key": issuer.token(cnf={"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}),
        "over-long": issuer.token(more="x" * 16 * 1024),
        "a space in front": f" {good}",
        "a space within": f"{head}. {payload}.{signature}",
        "a part too few": f"{head}.{payload}",
        "a part too many": f"{good}.{signature}",
        "characters that are skipped": f"{good}!!",
        "padded": f"{head}.{payload}.{signature}==",
        "encrypted": f"{spelled({'alg': 'dir', 'enc': 'A256GCM'})}..x.y.z",
        "no JSON": f"{spelled(b'{')}.{payload}.{signature}",
        "a header that is a list": f"{spelled(b'[]')}.{payload}.{signature}",
        "a header of thousands of levels": f"{spelled(b'[' * 5000)}.{payload}.{signature}",
        "dots": "..",
    }


async def test_other_tokens_do_not_count(office: Office, issuer: TokenIssuer) -> None:
    """Each is refused with 401: by algorithm, audience, issuer, times, bearer, key or shape."""
    tokens = bad_tokens(issuer)
    assert await statuses(office, tokens) == dict.fromkeys(tokens, 401)
    assert office.world.sandbox.journal == []
    assert await status(office, issuer.token()) == 200


async def test_without_the_scope_a_good_token_is_not_enough(office: Office, issuer: TokenIssuer) -> None:
    """403: no scopes, scopes of others, scopes that are no text, or only those of a person."""
    scopes: dict[str, Any] = {"none": None, "empty": "", "of others": "openid", "a number": 7, "a person's": PERSON}
    tokens = {name: issuer.token(scope=None, scp=granted) for name, granted in scopes.items()}
    tokens["of another case"] = issuer.token(scope="STORES:READ")
    assert await statuses(office, tokens) == dict.fromkeys(tokens, 403)


async def test_no_token_reaches_the_issuer(office: Office, issuer: TokenIssuer) -> None:
    """It is asked for its metadata and keys, once each, and told nothing of who asks."""
    tokens = [issuer.token(), issuer.token("EdDSA"), issuer.token(sub="bob"), issuer.token(head={"kid": "unknown"})]
    assert [await status(office, token) for token in tokens] == [200, 200, 200, 401]
    assert [(one.method, one.target) for one in issuer.seen] == [
        ("GET", "/.well-known/oauth-authorization-server/realm"),
        ("GET", "/realm/keys"),
    ]
    assert {name.lower() for one in issuer.seen for name, _ in one.headers} == {
        "host",
        "accept",
        "accept-encoding",
        "connection",
        "user-agent",
    }
    said = "".join(one.raw.decode() for one in issuer.seen)
    assert [token for token in tokens if any(part in said for part in token.split("."))] == []


@pytest.fixture(scope="module")
def portal() -> Iterator[BlockingPortal]:
    """A loop of its own, for what generates its examples without one."""
    with start_blocking_portal() as made:
        yield made


@pytest.fixture(scope="module")
def judged(portal: BlockingPortal) -> Iterator[tuple[Issuer, str]]:
    """What verifies, with its keys at hand, and a token that it takes."""
    with portal.wrap_async_context_manager(an_issuer()) as issuer:
        found = Issuer(issuer.url, RESOURCE, Clock())
        good = issuer.token()
        assert portal.call(found.verify, good) is not None
        yield found, good


PARTS = st.one_of(st.text(), st.binary().map(lambda raw: raw.decode("latin-1")), st.binary().map(spelled))
GARBAGE = st.one_of(PARTS, st.lists(PARTS, min_size=3, max_size=3).map(".".join))


@settings(max_examples=300, derandomize=True, database=None, deadline=None)
@given(garbage=GARBAGE)
def test_garbage_is_no_token(portal: BlockingPortal, judged: tuple[Issuer, str], garbage: str) -> None:
    """Whatever the characters are: None, and never an exception."""
    assert portal.call(judged[0].verify, garbage) is None


@settings(max_examples=300, derandomize=True, database=None, deadline=None)
@given(data=st.data())
def test_a_token_with_any_change_is_no_token(
    portal: BlockingPortal, judged: tuple[Issuer, str], data: st.DataObject
) -> None:
    """One character changed, left out or put in anywhere, but at the very end, whose last bits say nothing."""
    issuer, good = judged
    place = data.draw(st.integers(0, len(good) - 3))
    instead = data.draw(st.sampled_from(["", "A", "_", ".", "=", "é", good[place] * 2]))
    changed = good[:place] + instead + good[place + 1 :]
    assert changed == good or portal.call(issuer.verify, changed) is None


@settings(max_examples=200, derandomize=True, database=None, deadline=None)
@given(
    header=st.dictionaries(
        st.sampled_from(["alg", "kid", "typ", "crit", "b64"]),
        st.one_of(
            st.none(),
            st.booleans(),
            st.integers(),
            st.text(),
            st.lists(st.text()),
            st.sampled_from(["RS256", "EdDSA", "at+jwt"]),
        ),
    )
)
def test_any_header_is_read_without_harm(
    portal: BlockingPortal, judged: tuple[Issuer, str], header: dict[str, Any]
) -> None:
    """A header that was not signed with its payload makes no token, whatever it holds."""
    issuer, good = judged
    _, payload, signature = good.split(".")
    assert portal.call(issuer.verify, f"{spelled(json.dumps(header).encode())}.{payload}.{signature}") is None
