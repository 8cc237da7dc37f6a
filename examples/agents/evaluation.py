"""Reads evals/prompts.toml, plays the calls that a prompt expects, and judges the calls that a model made.

It calls no tool and knows no framework. What the table's words mean, the table says.
"""

import json
import tomllib
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from common import Json, understand
from stand_in import Script

TABLE = tomllib.loads((Path(__file__).parents[2] / "evals" / "prompts.toml").read_text("utf-8"))
PROMPTS: dict[str, Json] = {prompt["id"]: prompt for prompt in TABLE["prompt"]}
ACTING = ("create-store", "connect-store")
DECIDING = ("billingPlanId", "paymentMethodId", "prepaymentAmountCents", "teamId", "slug", "envVarEnvironments")
LEFT_OUT = {"envVarEnvironments": ["production", "preview", "development"]}
Call = tuple[str, Json]
"""The tool and its arguments."""


def expected(prompt: Json, answers: Sequence[Any]) -> list[Call]:
    """The calls of a prompt, with ids in the place of what stands for them; `answers` may hold the store's."""
    stores = [store["id"] for answer in answers if (store := understand(answer).get("store"))]
    ids = {**TABLE["names"], "store": stores[-1] if stores else "store_unknown"}
    return [
        (tool, {name: ids.get(value[1:], value) if str(value)[0] == "@" else value for name, value in given.items()})
        for tool, given in prompt["calls"]
    ]


def play(prompt: Json) -> Script:
    """Be the model that does exactly what is expected."""
    answers: list[Json] = []
    for number in range(len(prompt["calls"])):
        answers.append((yield expected(prompt, answers)[number]))
    return "That is all."


def judge(prompt: Json, made: Sequence[Call], answers: Sequence[Any]) -> Iterator[str]:
    """What is wrong with the calls that a model made for a prompt; nothing if they are as expected."""
    wanted = expected(prompt, answers)
    for tool, arguments in (call for call in wanted if call[0] not in ACTING):
        if not any(tool == name and not list(differences(prompt, arguments, given)) for name, given in made):
            yield f"{tool} was not called with {json.dumps(arguments)}"
    acts, should = once([call for call in made if call[0] in ACTING]), once([one for one in wanted if one[0] in ACTING])
    if prompt.get("may_stop") and not acts:
        return
    if [tool for tool, _ in acts] != [tool for tool, _ in should]:
        yield f"it called {', '.join(tool for tool, _ in acts) or 'nothing'}"
    else:
        for (tool, arguments), (_, given) in zip(should, acts, strict=True):
            yield from (f"{tool}: {difference}" for difference in differences(prompt, arguments, given))
    ended = [understand(answer)["status"] for (tool, _), answer in zip(made, answers, strict=True) if tool in ACTING]
    if (ended or ["nothing"])[-1] != prompt["ends"]:
        yield f"it ended with {(ended or ['nothing'])[-1]}, not with {prompt['ends']}"


def once(calls: list[Call]) -> list[Call]:
    """The calls without those that only repeat the one before: no harm comes of them."""
    return calls[:1] + [call for before, call in pairwise(calls) if call != before]


def differences(prompt: Json, wanted: Json, given: Json) -> Iterator[str]:
    """Where the arguments of a call are not those that decide."""
    for name in dict.fromkeys([*wanted, *DECIDING]):
        left, right = (one.get(name, LEFT_OUT.get(name)) for one in (wanted, given))
        if name not in prompt.get("open", ()) and not fits(plain(left), plain(right)):
            yield f"{name} is {json.dumps(right)}, not {json.dumps(left)}"


def plain(value: Any) -> Any:
    """A value in one spelling: slugs for ids, what a JSON text says, lists in order."""
    if isinstance(value, str):
        return plain(json.loads(value)) if value.startswith("{") else TABLE["ids"].get(value, value)
    if isinstance(value, list):
        return sorted(plain(one) for one in value)
    return {key: plain(one) for key, one in value.items()} if isinstance(value, dict) else value


def fits(wanted: Any, given: Any) -> bool:
    """Whether a value is the wanted one; an object may hold more."""
    if isinstance(wanted, dict) and isinstance(given, dict):
        return all(fits(one, given.get(key)) for key, one in wanted.items())
    return bool(wanted == given)
