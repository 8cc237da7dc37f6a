"""What a model reads: the tool definitions, and the answers of the whole workflow, in bytes and tokens.

Counted once: it does not vary. What is counted of an answer is its content's texts, its structured content as compact
JSON, or both; hosts pass one or the other to the model.
"""

import json
import tempfile
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from . import places, tokens
from .contestants import TOOLS, Contestant
from .figures import RAW, Samples
from .process import Server, running
from .vercel import BRINDLE, CONFIGURATIONS, PLANS, PRODUCTS

READ_BY_MODELS = ("name", "description", "inputSchema")
CREATE = "/v1/storage/stores/integration/direct"
Json = Mapping[str, Any]


class NotDoneError(Exception):
    """A contestant can't do a step of the workflow."""


def workflow(store: str) -> dict[str, dict[str, Any]]:
    """Return the arguments of the four calls: discover, choose twice, create."""
    metadata = {"region": "iad1"}
    product = {"integrationIdOrSlug": "brindle", "productIdOrSlug": "brindle-postgres"}
    chosen = {"integrationConfigurationId": BRINDLE, "integrationProductIdOrSlug": "brindle-postgres"}
    return {
        "list-configurations": {"view": "account"},
        "list-products": {"id": BRINDLE},
        "list-plans": {**product, "integrationConfigurationId": BRINDLE, "metadata": _compact(metadata)},
        "create-store": {"name": store, **chosen, "billingPlanId": "free", "metadata": metadata},
    }


def weigh(contestant: Contestant, url: str, store: str, samples: Samples) -> None:
    """Weigh one contestant's definitions and its answers.

    Raises:
        NotDoneError: it can't do a step of the workflow.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="benchmarks-")))
        server = stack.enter_context(running(contestant.command(url), places.account(url, folder)))
        server.open()
        _weigh_tools(contestant, server.request("tools/list", {})["tools"], samples)
        _weigh_workflow(contestant, server, store, samples)


def weigh_raw(url: str, store: str, samples: Samples) -> None:
    """Weigh what Vercel answers to the same four requests, passed through as it is."""
    asked = workflow(store)
    plans = dict(asked["list-plans"])
    path = PLANS.format(plans.pop("integrationIdOrSlug"), plans.pop("productIdOrSlug"))
    bodies = [
        _fetch(url, CONFIGURATIONS, asked["list-configurations"]),
        _fetch(url, PRODUCTS.format(BRINDLE), {}),
        _fetch(url, path, plans),
        _fetch(url, CREATE, {}, asked["create-store"]),
    ]
    for part in ("text", "structured", "both"):  # there is nothing else, whichever part a host would pass
        _add(samples, RAW, f"workflow {part}", bodies)


def _weigh_tools(contestant: Contestant, tools: Sequence[Json], samples: Samples) -> None:
    four = [tool for tool in tools if tool["name"] in contestant.names.values()]
    others = [tool for tool in tools if tool not in four]
    read = [{name: tool[name] for name in READ_BY_MODELS if name in tool} for tool in four]
    _add(samples, contestant.name, "tools", [_compact(tools)])
    _add(samples, contestant.name, "four tools", [_compact(tool) for tool in four])
    _add(samples, contestant.name, "four tools read", [_compact(tool) for tool in read])
    if others and contestant.name == "ours":
        sizes = [sum(len(_compact(tool.get(name)).encode()) for name in _SPOKEN) for tool in others]
        samples.add(contestant.name, "further tool bytes", max(sizes))


_SPOKEN = ("description", "inputSchema", "outputSchema")


def _weigh_workflow(contestant: Contestant, server: Server, store: str, samples: Samples) -> None:
    texts, structures = [], []
    asked = {tool: contestant.adapt(tool, given) for tool, given in workflow(store).items()}
    for tool in TOOLS:
        result = server.call(contestant.names[tool], asked[tool])
        if result.get("isError"):
            raise NotDoneError(f"it can't do {tool}: {''.join(_texts(result))[:200]}")
        texts.append("".join(_texts(result)))
        structures.append(_compact(result["structuredContent"]) if result.get("structuredContent") else "")
    _add(samples, contestant.name, "workflow text", texts)
    if all(structures):
        _add(samples, contestant.name, "workflow structured", structures)
    _add(samples, contestant.name, "workflow both", [*texts, *filter(None, structures)])
    if count := tokens.counter():
        samples.add(contestant.name, "workflow asked tokens", sum(count(_compact(given)) for given in asked.values()))


def _texts(result: Json) -> Iterator[str]:
    return (str(part["text"]) for part in result["content"] if part["type"] == "text")


def _add(samples: Samples, name: str, measured: str, texts: Sequence[str]) -> None:
    samples.add(name, f"{measured} bytes", sum(len(text.encode()) for text in texts))
    if count := tokens.counter():
        samples.add(name, f"{measured} tokens", sum(count(text) for text in texts))


def _fetch(url: str, path: str, query: Json, body: Json | None = None) -> str:
    target = f"{url}{path}?{urllib.parse.urlencode({**query, 'teamId': places.TEAM})}"
    headers = {"Authorization": f"Bearer {places.TOKEN}", "Content-Type": "application/json"}
    data = None if body is None else _compact(body).encode()
    request = urllib.request.Request(target, data=data, headers=headers)  # noqa: S310 - the sandbox on this machine
    with urllib.request.urlopen(request) as answer:  # noqa: S310 - as above
        text: str = answer.read().decode()
    return text


def _compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
