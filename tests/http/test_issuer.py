"""The issuer of tokens: asked rarely, believed only where it is itself, and while it is away nothing is widened."""

from collections.abc import AsyncIterator
from typing import Any

import anyio
import pytest

from vercel_marketplace_mcp.http import keys

from ..approval.world import Clock, World
from ..sockets import Said, as_http
from .issuing import KEYS, METADATA, TokenIssuer, an_issuer, as_jwk, private_key
from .knocking import Answered, call, head, knock, request
from .office import Office, an_office
from .speaking import told

pytestmark = pytest.mark.anyio

LIST = call("list-configurations")


@pytest.fixture
async def issuer() -> AsyncIterator[TokenIssuer]:
    """An issuer that was asked nothing."""
    async with an_issuer() as made:
        yield made


@pytest.fixture
def time() -> Clock:
    """The clock by which keys are kept."""
    return Clock()


@pytest.fixture
async def office(world: World, issuer: TokenIssuer, time: Clock) -> AsyncIterator[Office]:
    """A server that takes the issuer's tokens."""
    async with an_office(world, issuer.variables(), now=time) as made:
        yield made


async def asked(office: Office, token: str) -> Answered:
    """How a call with this token is answered."""
    return await knock(office.port, request(LIST, authorization=f"Bearer {token}"))


async def status(office: Office, token: str) -> int:
    """With which status a call with this token is answered."""
    return (await asked(office, token)).status


def nonsense(issuer: TokenIssuer) -> dict[str, tuple[str, Said]]:
    """What an issuer may say that is no answer: where, and how."""
    secret = {"kty": "oct", "kid": "RS256", "k": "c2VjcmV0", "alg": "HS256"}
    elsewhere = {"issuer": issuer.url, "jwks_uri": "http://keys.example.com/keys"}
    return {
        "hangs up": (METADATA, Said(then="close")),
        "resets": (METADATA, Said(then="reset")),
        "is broken": (METADATA, told({}, 500)),
        "knows nothing": (METADATA, told({}, 404)),
        "sends elsewhere": (METADATA, told({}, 302, location=f"{issuer.url}/other")),
        "speaks HTML": (METADATA, told(b"<html>", content_type="text/html")),
        "says a list": (METADATA, told([])),
        "is another one": (METADATA, told({**issuer.metadata, "issuer": f"{issuer.url}/"})),
        "is nobody": (METADATA, told({"jwks_uri": f"{issuer.url}/keys"})),
        "has no keys": (METADATA, told({"issuer": issuer.url})),
        "has keys in the open": (METADATA, told(elsewhere)),
        "has keys in a file": (METADATA, told({**elsewhere, "jwks_uri": "file:///etc/passwd"})),
        "has keys that are no address": (METADATA, told({**elsewhere, "jwks_uri": ["x"]})),
        "talks without an end": (METADATA, told(b" " * (1024 * 1024 + 1))),
        "keys: hangs up": (KEYS, Said(then="close")),
        "keys: breaks off": (KEYS, Said(pieces=[as_http(200, {"keys": issuer.keys})[:-9]], then="close")),
        "keys: is broken": (KEYS, told({"keys": issuer.keys}, 500)),
        "keys: sends elsewhere": (KEYS, told({}, 307, location=f"{issuer.url}/other")),
        "keys: no JSON": (KEYS, told(b"{")),
        "keys: thousands of levels": (KEYS, told(b"[" * 100_000)),
        "keys: a list": (KEYS, told([])),
        "keys: none": (KEYS, told({"keys": []})),
        "keys: a text": (KEYS, told({"keys": "RS256"})),
        "keys: of no known kind": (KEYS, told({"keys": [{"kty": "new", "kid": "RS256"}, 7]})),
        "keys: half of one": (KEYS, told({"keys": [{**issuer.keys[0], "n": "!"}]})),
        "keys: a secret": (KEYS, told({"keys": [secret]})),
    }


async def test_an_issuer_that_makes_no_sense_is_not_the_tokens_fault(
    office: Office, issuer: TokenIssuer, time: Clock
) -> None:
    """503 and not 401, whatever it says instead of its metadata or keys; it recovers by itself."""
    found: dict[str, tuple[int, ...]] = {}
    cases = nonsense(issuer)
    for name, (path, said) in cases.items():
        time.now += keys.KEPT
        issuer.says = {path: said}
        refused = await asked(office, issuer.token())
        assert refused.headers.get("retry-after") == "1", name
        issuer.says = {}
        found[name] = (refused.status, await status(office, issuer.token()))
        time.now += keys.DOWN
        found[name] += (await status(office, issuer.token()),)
    assert found == dict.fromkeys(cases, (503, 503, 200))
    assert [path for path in issuer.asked if path.endswith("/other")] == []


async def test_an_issuer_that_never_finishes_is_not_waited_for(world: World, issuer: TokenIssuer) -> None:
    """A metadata document that drips has a deadline as a whole; a malformed token is refused meanwhile."""
    issuer.says = {METADATA: Said(pieces=[as_http(200, b" " * 1000)[:-900], *[b" "] * 900], pause=0.1)}
    async with an_office(world, issuer.variables()) as office:
        answers: dict[str, int] = {}

        async def ask(name: str, token: str) -> None:
            answers[name] = await status(office, token)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ask, "good", issuer.token())
            tasks.start_soon(ask, "malformed", "x.y.z")
            tasks.start_soon(ask, "of another kind", issuer.token(head={"typ": "logout+jwt"}))
        assert list(answers.items())[-1] == ("good", 503)
    assert answers == {"good": 503, "malformed": 401, "of another kind": 401}


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration/realm", "/realm/.well-known/openid-configuration"])
async def test_the_metadata_may_be_those_of_openid_connect(path: str, office: Office, issuer: TokenIssuer) -> None:
    """In both spellings, where there are none of RFC 8414."""
    issuer.says = {METADATA: told({}, 404), path: told(issuer.metadata)}
    assert await status(office, issuer.token()) == 200
    assert issuer.asked[-2:] == [path, KEYS]


async def test_whoever_is_known_does_not_notice_that_the_issuer_is_away(
    office: Office, issuer: TokenIssuer, time: Clock
) -> None:
    """Its keys are good for a while; a stranger's unknown key changes nothing for others, and is not yet a lie."""
    good, unknown = issuer.token(), issuer.token(head={"kid": "new"})
    found = [await status(office, good)]
    issuer.says = {METADATA: Said(then="reset")}
    time.now += keys.COOLDOWN
    found += [await status(office, token) for token in (unknown, good, unknown, good)]
    time.now += keys.KEPT - keys.COOLDOWN - 0.1
    found += [await status(office, good)]
    time.now += 0.1
    found += [await status(office, good)]
    assert found == [200, 503, 200, 503, 200, 200, 503]


async def test_a_stranger_makes_nobody_wait(office: Office, issuer: TokenIssuer, time: Clock) -> None:
    """While the issuer is silent about an unknown key, whoever has a known one is served."""
    assert await status(office, issuer.token()) == 200
    time.now += keys.COOLDOWN
    issuer.says, issuer.was_asked = {METADATA: Said(then="stay silent")}, anyio.Event()
    answered: list[str] = []

    async def ask(name: str, token: str) -> None:
        await status(office, token)
        answered.append(name)

    async with anyio.create_task_group() as tasks:
        for number in range(8):
            tasks.start_soon(ask, "stranger", issuer.token(head={"kid": f"unknown {number}"}))
        await issuer.was_asked.wait()
        await ask("known", issuer.token())
        tasks.cancel_scope.cancel()
    assert answered == ["known"]


async def test_keys_are_rotated(office: Office, issuer: TokenIssuer, time: Clock) -> None:
    """A new key counts once the issuer may be asked again, and an old one ends with what is kept."""
    old, new = issuer.token(), issuer.token(head={"kid": "new"}, key=private_key("RS256", 1))
    found = [(await status(office, old), await status(office, new))]
    issuer.keys = [as_jwk(private_key("RS256", 1), "new")]
    found += [(await status(office, old), await status(office, new))]
    time.now += keys.COOLDOWN
    found += [(await status(office, new), await status(office, old))]
    assert found == [(200, 401), (200, 401), (200, 401)]


async def test_a_key_that_was_withdrawn_ends(office: Office, issuer: TokenIssuer, time: Clock) -> None:
    """Though nobody asks for another one: after the time for which keys are kept the issuer is asked anew."""
    found = [await status(office, issuer.token())]
    issuer.keys = issuer.keys[1:]
    time.now += keys.KEPT - 0.1
    found += [await status(office, issuer.token())]
    time.now += 0.1
    found += [await status(office, issuer.token()), await status(office, issuer.token("ES256"))]
    assert found == [200, 200, 401, 200]


async def test_many_unknown_keys_are_few_questions(office: Office, issuer: TokenIssuer, time: Clock) -> None:
    """The issuer is not asked for each: once at first, and once after each time that it may be asked again."""
    found: list[int] = []

    async def ask(number: int) -> None:
        found.append(await status(office, issuer.token(head={"kid": f"unknown {number}"})))

    counts = []
    for wave in range(3):
        async with anyio.create_task_group() as tasks:
            for number in range(20):
                tasks.start_soon(ask, 100 * wave + number)
        counts.append(len(issuer.seen))
        time.now += keys.COOLDOWN
    assert (found, counts) == ([401] * 60, [2, 4, 6])


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")  # the test itself signs with one
async def test_keys_that_are_no_keys_for_signatures_do_not_count(world: World, issuer: TokenIssuer) -> None:
    """A short one, one for encryption, a secret under the id of a token that names a signature."""
    secret = {"kty": "oct", "kid": "secret", "k": "c2VjcmV0LXRoYXQtZXZlcnlib2R5LW1heS1yZWFk", "alg": "HS256"}
    issuer.keys += [
        as_jwk(private_key("weak"), "weak"),
        as_jwk(private_key("RS256", 2), "to encrypt", use="enc"),
        {**as_jwk(private_key("RS256", 3), "x"), "kid": 7},
        secret,
    ]
    tokens = {
        "short": issuer.token("weak"),
        "to encrypt": issuer.token(head={"kid": "to encrypt"}, key=private_key("RS256", 2)),
        "a secret": issuer.token(head={"kid": "secret"}),
        "good": issuer.token(),
    }
    async with an_office(world, issuer.variables()) as office:
        found = {name: await status(office, token) for name, token in tokens.items()}
    assert found == {"short": 401, "to encrypt": 401, "a secret": 401, "good": 200}


async def test_of_two_keys_with_one_id_the_first_counts(office: Office, issuer: TokenIssuer) -> None:
    """Whatever the issuer means by that, one key is meant."""
    issuer.keys += [as_jwk(private_key("RS256", 1), "RS256")]
    found = [await status(office, issuer.token()), await status(office, issuer.token(key=private_key("RS256", 1)))]
    assert found == [200, 401]


async def test_what_needs_no_token_needs_no_issuer(office: Office, issuer: TokenIssuer) -> None:
    """Health, metadata and unknown paths are answered as ever, whatever token comes along, and nobody is asked."""
    issuer.says = {METADATA: Said(then="reset")}
    paths = ["/healthz", "/readyz", "/.well-known/oauth-protected-resource/mcp", "/elsewhere"]
    bearer: dict[str, Any] = {"authorization": f"Bearer {issuer.token()}"}
    found = [(await knock(office.port, head("GET", path, **bearer))).status for path in paths]
    assert (found, issuer.seen) == ([200, 200, 200, 404], [])
