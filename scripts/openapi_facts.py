"""Turns operations of an OpenAPI 3.0 or 3.1 document into facts about places, so that two documents can be compared.

No input, no output: it sees only the document it is given. Texts and examples are no facts.

A place is written `query.view`, `body.metadata{}` or `response.200.products[].id`: `[]` stands for the items of
an array, `{}` for the further members of an object.
"""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
# Facts that are taken over as they stand in a schema.
LITERAL = (
    *("pattern", "format", "default", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    *("minLength", "maxLength", "minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties"),
)
IMPLIED = {"object": "properties", "array": "items"}

Schema = dict[str, Any]
Facts = dict[tuple[str, str], Any]


class UnreadableError(Exception):
    """The document, or what it refers to, cannot be read."""


def shown(value: Any) -> str:
    """A value of a document in one line."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def pointed(reference: str, document: Schema) -> Schema:
    """What a reference into the same document points at.

    Raises: UnreadableError.
    """
    node: Any = document
    for step in reference.removeprefix("#/").split("/"):
        node = node.get(step.replace("~1", "/").replace("~0", "~")) if isinstance(node, dict) else None
    if not (reference.startswith("#/") and isinstance(node, dict)):
        raise UnreadableError(f"$ref {reference} points at nothing")
    return node


def followed(node: Any, document: Schema, trail: tuple[str, ...] = ()) -> tuple[Any, tuple[str, ...]]:
    """A node with what its `$ref` points at, and the references on the way there; a loop ends in {}."""
    while isinstance(node, dict) and isinstance(node.get("$ref"), str):
        reference = node["$ref"]
        if reference in trail:
            return {}, trail
        trail = (*trail, reference)
        node = {**pointed(reference, document), **{key: node[key] for key in node if key != "$ref"}}
    return node, trail


# A schema of either version becomes one form


def normal(schema: Any, document: Schema, trail: tuple[str, ...] = ()) -> Schema:
    """The schema without references, wrappers and texts."""
    schema, trail = followed(schema, document, trail)
    if not isinstance(schema, dict):
        schema = {}
    form = plain(schema)
    form["children"] = {step: normal(child, document, trail) for step, child in children(schema)}
    form["needed"] = {f".{name}" for name in schema.get("required", [])}
    for part in schema.get("allOf", []):
        form = merged(normal(part, document, trail), form)
    for kind in ("oneOf", "anyOf"):
        if kind in schema:
            form = with_branches(form, kind, [normal(one, document, trail) for one in schema[kind]])
    return form


def children(schema: Schema) -> Iterator[tuple[str, Any]]:
    """What lies directly below a schema, with the step that leads there."""
    for name, child in schema.get("properties", {}).items():
        yield f".{name}", child
    if isinstance(schema.get("items"), dict):
        yield "[]", schema["items"]
    if isinstance(schema.get("additionalProperties"), dict):
        yield "{}", schema["additionalProperties"]


def plain(schema: Schema) -> Schema:
    """The types, the values and the limits that a schema names itself."""
    form: Schema = {key: schema[key] for key in LITERAL if key in schema}
    for flag, limit in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if isinstance(form.get(flag), bool) and form.pop(flag) and limit in form:  # the manner of 3.0
            form[flag] = form.pop(limit)
    if schema.get("additionalProperties") is False:
        form["closed"] = True
    form["types"] = types_of(schema)
    enum = [schema["const"]] if "const" in schema else schema.get("enum")
    if enum is not None:
        enum = [value for value in enum if value is not None or "null" not in form["types"]]
        if not (form["types"] <= {"boolean", "null"} and True in enum and False in enum):
            form["enum"] = sorted(enum, key=shown)
    return form


def types_of(schema: Schema) -> set[str]:
    """The types of a schema; one that names none is an object or array if it speaks of members or items."""
    types = schema.get("type") or [name for name, sign in IMPLIED.items() if sign in schema]
    return {*([types] if isinstance(types, str) else types), *(["null"] if schema.get("nullable") else [])}


def merged(part: Schema, form: Schema) -> Schema:
    """Two forms that hold together."""
    joined = {key: part[key] | form[key] for key in ("types", "children", "needed")}
    return {**part, **form, **joined}


def with_branches(form: Schema, kind: str, branches: list[Schema]) -> Schema:
    """A form with its alternatives; null is not counted as one, and a single one is none."""
    left = [branch for branch in branches if branch["types"] != {"null"}]
    if len(left) < len(branches):
        form = {**form, "types": form["types"] | {"null"}}
    if len(left) == 1:
        return merged(left[0], form)
    return {**form, "kind": kind, "branches": left}


# Forms become facts


def describe(facts: Facts, place: str, forms: list[Schema], *, required: bool) -> None:
    """Write down what the forms of one place say together about it and about all that lies below."""
    every = [one for form in forms for one in spread(form)]
    facts[place, "presence"] = "present"
    facts[place, "required"] = required
    facts[place, "type"] = "|".join(sorted({name for form in every for name in form["types"]})) or None
    facts[place, "alternatives"] = "; ".join(sorted({alternatives(form) for form in forms} - {""})) or None
    facts[place, "closed"] = any("closed" in form for form in every) or None
    facts[place, "enum"] = joined_enum(forms)
    for aspect in LITERAL:
        values = [form.get(aspect) for form in forms]
        facts[place, aspect] = values[0] if values.count(values[0]) == len(values) else None
    shaped = [form for form in forms if any(one["children"] for one in spread(form))]
    for step in dict.fromkeys(step for form in every for step in form["children"]):
        below = [form["children"][step] for form in every if step in form["children"]]
        describe(facts, place + step, below, required=all(step in needed(form) for form in shaped))


def spread(form: Schema) -> Iterator[Schema]:
    """A form and, within it, every alternative."""
    yield form
    for branch in form.get("branches", []):
        yield from spread(branch)


def needed(form: Schema) -> set[str]:
    """The members that a form requires, by itself or in each of its alternatives."""
    own: set[str] = form["needed"]
    branches = [needed(branch) for branch in form.get("branches", []) if branch["children"] or branch["needed"]]
    return own | set.intersection(*branches) if branches else own


def alternatives(form: Schema) -> str:
    """The alternatives of a form in one line, whatever their order."""
    if "branches" not in form:
        return ""
    names = sorted(rendered(branch) for branch in form["branches"])
    counted = [f"{names.count(name)} {name}" if names.count(name) > 1 else name for name in dict.fromkeys(names)]
    return f"{form['kind']}: {', '.join(counted)}"


def rendered(form: Schema) -> str:
    """A form in a few words."""
    name = "|".join(sorted(form["types"])) or "any"
    if "[]" in form["children"]:
        name += " of " + rendered(form["children"]["[]"])
    limits = {key: form[key] for key in ("enum", *LITERAL) if key in form}
    return f"{name} {shown(limits)}" if limits else name


def joined_enum(forms: list[Schema]) -> list[Any] | None:
    """The values that the forms of one place allow together, if each names its own."""
    if not all("enum" in form for form in forms):
        return None
    values = {shown(value): value for form in forms for value in form["enum"]}
    return [values[key] for key in sorted(values)]


# Operations become facts


class Operation(NamedTuple):
    """One operation and where it stands."""

    id: str | None
    path: str
    node: Schema
    parameters: list[Any]


def operations(document: Schema) -> Iterator[Operation]:
    """The operations of a document; their `path` begins with the method."""
    for path in document["paths"]:
        item, _ = followed(document["paths"][path], document)
        for method in METHODS:
            if path.startswith("/") and method in item:
                node = item[method]
                both = [*item.get("parameters", []), *node.get("parameters", [])]
                yield Operation(node.get("operationId"), f"{method.upper()} {path}", node, both)


def facts_of(operation: Operation, document: Schema) -> Facts:
    """All facts of one operation.

    Raises: UnreadableError.
    """
    facts: Facts = {("operation", "presence"): "present"}
    facts["operation", "id"] = operation.id
    facts["operation", "path"] = operation.path
    for parameter in operation.parameters:
        one, _ = followed(parameter, document)
        schema = one["schema"] if "schema" in one else media(one)[1]
        place = f"{one['in']}.{one['name']}"
        describe(facts, place, [normal(schema, document)], required=bool(one.get("required")))
    if "requestBody" in operation.node:
        body, _ = followed(operation.node["requestBody"], document)
        describe_content(facts, "body", body, document)
        facts["body", "required"] = bool(body.get("required"))
    for status, response in operation.node.get("responses", {}).items():
        describe_content(facts, f"response.{status}", followed(response, document)[0], document)
    return facts


def describe_content(facts: Facts, place: str, holder: Schema, document: Schema) -> None:
    """Write down a request body or a response: its media type and its schema."""
    kind, schema = media(holder)
    if kind is not None:
        describe(facts, place, [normal(schema, document)], required=True)
    facts[place, "presence"] = "present"
    facts[place, "content"] = kind


def media(holder: Schema) -> tuple[str | None, Any]:
    """The media type and the schema of a body: JSON if it is offered, otherwise the first."""
    content = holder.get("content") or {}
    kind = "application/json" if "application/json" in content else next(iter(content), None)
    return kind, content[kind].get("schema", {}) if kind is not None else {}
