"""Stands in for a model where no key is set: decides what to call next from what it has heard so far.

It knows no id and no plan but those that the tools answer, and no framework.
"""

import json
from collections.abc import Generator
from typing import Any

from common import Json, understand

Step = tuple[str, Json] | str
"""What a model does next: call a tool with these arguments, or say something, which ends its turn."""
Script = Generator[Step, Any, str]


class StandIn:
    """Plays a script: each step is answered by what a tool, or the user, says to it."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._began = False

    def next(self, heard: Any) -> Step:
        """The next step; what was heard before the first one is the task, which the script knows."""
        heard, self._began = (understand(heard) if self._began else None), True
        try:
            return self._script.send(heard)
        except StopIteration as end:
            return str(end.value)


def provision(name: str, billing: str, project: str) -> Script:
    """Create a store on the first plan that is billed like this, and connect it to a project's previews."""
    plan = yield from find_plan(billing)
    if plan is None:
        return "Nothing that is installed here has such a plan."
    answer = yield "create-store", {"name": name, **plan}
    if answer["status"] == "confirmation_required":
        yield "This may be billed, so a person has to confirm it first. Tell me when that is done."
        answer = yield "create-store", {"name": name, **plan}
    if answer["status"] != "created":
        return f"There is no store {name}."
    place = {"integrationConfigurationId": plan["integrationConfigurationId"], "resourceId": answer["store"]["id"]}
    answer = yield "connect-store", {**place, "projectId": project, "envVarEnvironments": ["preview"]}
    return f"The store {name} exists. {answer['changes']}"


def find_plan(billing: str) -> Generator[Step, Any, Json | None]:
    """The arguments of create-store for the first such plan of a storage product, but for the name."""
    installed = yield "list-configurations", {}
    for configuration in (one for one in installed["configurations"] if "problem" not in one):
        offered = yield "list-products", {"id": configuration["id"]}
        for product in offered["products"]:
            metadata = choose_metadata(product)
            if not product["storage"] or metadata is None:
                continue
            offer = {"integrationIdOrSlug": offered["integration"]["slug"], "productIdOrSlug": product["id"]}
            chosen = {"integrationConfigurationId": configuration["id"], "metadata": metadata}
            answer = yield "list-plans", {**offer, **chosen, "metadata": json.dumps(metadata)}
            for plan in answer["plans"]:
                if plan["billing"] == billing:
                    return {**chosen, "integrationProductIdOrSlug": product["id"], "billingPlanId": plan["id"]}
    return None


def choose_metadata(product: Json) -> Json | None:
    """The metadata that a product requires, its first options; None if that takes more thought."""
    required = [field for field in product["metadata"] if "required" in field and "default" not in field]
    if not all(field.get("options") for field in required):
        return None
    return {field["key"]: field["options"][0] for field in required}
