"""Makes the tool definitions and the table of differences in tool_specs/ from openapi.json and tools.json there.

It adds nothing of its own to a schema and asks no network; with --check it writes nothing.

Exit codes: 0 done or up to date, 1 a file is stale (--check), 2 the sources do not fit together.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from openapi_facts import Operation, Schema, UnreadableError, media, operations, pointed, shown

SPECS = Path(__file__).parents[1] / "tool_specs"
SOURCES = ("openapi.json", "tools.json")
COMMAND = "python scripts/generate_tool_specs.py"
DIALECT = "https://json-schema.org/draft/2020-12/schema"
BEGIN, END = "<!-- differences: begin, made by the script -->", "<!-- differences: end -->"
# Words of OpenAPI that JSON Schema does not know; those beginning with x- go as well.
DROPPED = ("nullable", "example", "discriminator", "xml", "externalDocs")
LAST = ("teamId", "slug")
OF_A_BODY = {"type", "required", "properties", "description", "title", "example"}


class SpecError(Exception):
    """The sources do not fit together."""


def main(arguments: list[str]) -> int:
    """Write every file that is not up to date, or only name it."""
    parser = argparse.ArgumentParser(description="Make the tool definitions in tool_specs/.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a file is stale")
    only_check = parser.parse_args(arguments).check
    try:
        files = made()
    except (SpecError, UnreadableError, OSError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    stale = {path: text for path, text in files.items() if not path.exists() or read(path) != text}
    strays = [path for path in sorted(SPECS.glob("*.json")) if path not in files and path.name not in SOURCES]
    for path, text in stale.items():
        if only_check:
            sys.stdout.write(f"{path.name} is stale; run: {COMMAND}\n")
        else:
            path.write_text(text, "utf-8", newline="\n")
    for path in strays:
        sys.stdout.write(f"{path.name} belongs to no tool of tools.json; remove it\n")
    return 1 if strays or (only_check and stale) else 0


def read(path: Path) -> str:
    """A file as it stands, line endings included."""
    return path.read_bytes().decode("utf-8")


def made() -> dict[Path, str]:
    """The files of tool_specs/ that this script makes, as they ought to be.

    Raises: SpecError, UnreadableError.
    """
    document, ours = (json.loads(read(SPECS / name)) for name in SOURCES)
    by_id = {operation.id: operation for operation in operations(document)}
    files = {
        SPECS / f"{name}.json": as_json(definition(name, tool, by_id, document, ours["$defs"]))
        for name, tool in ours["tools"].items()
    }
    readme = SPECS / "README.md"
    files[readme] = with_table(read(readme), document)
    return files


def as_json(value: Any) -> str:
    """The text of a JSON file."""
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"


def definition(name: str, tool: Schema, by_id: dict[str | None, Operation], document: Schema, pieces: Schema) -> Schema:
    """What tools/list says of one tool.

    Raises: SpecError, UnreadableError.
    """
    missing = {"operationId", "title", "description", "outputSchema", "annotations"} - tool.keys()
    if missing:
        raise SpecError(f"tools.json: {name} lacks {', '.join(sorted(missing))}.")
    if tool["operationId"] not in by_id:
        raise SpecError(f"tools.json: {name} names {tool['operationId']}, which openapi.json does not hold.")
    return {
        "name": name,
        "title": tool["title"],
        "description": tool["description"],
        "inputSchema": input_schema(name, by_id[tool["operationId"]], document, tool.get("inputDefaults", {})),
        "outputSchema": output_schema(name, tool["outputSchema"], pieces),
        "annotations": tool["annotations"],
    }


def input_schema(name: str, operation: Operation, document: Schema, defaults: Schema) -> Schema:
    """The parameters and the body's members of an operation as one flat object."""
    properties: Schema = {}
    required = []
    for member, schema, is_required in inputs(operation, document):
        if member in properties:
            raise SpecError(f"{operation.id}: two inputs would both be called {member}.")
        properties[member] = schema
        if is_required and member not in defaults:
            required.append(member)
    for member, value in defaults.items():
        if member not in properties or value not in properties[member].get("enum", [value]):
            raise SpecError(f"tools.json: {name} has the default {shown(value)} for {member}, which cannot be.")
        properties[member]["default"] = value
    return {
        "$schema": DIALECT,
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def inputs(operation: Operation, document: Schema) -> Iterator[tuple[str, Schema, bool]]:
    """Name, schema and requiredness of every input: path, body, query, and the team at the end."""
    groups: dict[str, list[tuple[str, Schema, bool]]] = {"path": [], "query": [], "team": []}
    for given in operation.parameters:
        parameter = pointed(given["$ref"], document) if "$ref" in given else given
        name, place = parameter["name"], parameter["in"]
        if place not in groups:
            raise SpecError(f"{operation.id}: {name} stands in the {place}, which no tool can fill.")
        schema = translated(parameter["schema"], document)
        if "description" in parameter:
            schema["description"] = parameter["description"]
        group = "team" if name in LAST and place == "query" else place
        groups[group].append((name, schema, bool(parameter.get("required"))))
    yield from groups["path"]
    yield from members_of_body(operation, document)
    yield from groups["query"]
    yield from groups["team"]


def members_of_body(operation: Operation, document: Schema) -> Iterator[tuple[str, Schema, bool]]:
    """Name, schema and requiredness of every member of an operation's body."""
    if "requestBody" not in operation.node:
        return
    _, schema = media(operation.node["requestBody"])
    body = pointed(schema["$ref"], document) if "$ref" in schema else schema
    if body.get("type") != "object" or not body.keys() <= OF_A_BODY:
        raise SpecError(f"{operation.id}: its body is no plain object and cannot be flattened.")
    for name, member in body["properties"].items():
        yield name, translated(member, document), name in body.get("required", [])


def translated(schema: Any, document: Schema, trail: tuple[str, ...] = ()) -> Any:
    """A schema of OpenAPI 3.0 in JSON Schema 2020-12, with what it refers to in place of the reference."""
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        if schema["$ref"] in trail:
            raise SpecError(f"{schema['$ref']} refers to itself and cannot be written out.")
        return translated(pointed(schema["$ref"], document), document, (*trail, schema["$ref"]))
    result: Schema = {}
    for key, value in schema.items():
        if key == "properties":
            result[key] = {name: translated(child, document, trail) for name, child in value.items()}
        elif key in ("allOf", "anyOf", "oneOf"):
            result[key] = [translated(child, document, trail) for child in value]
        elif key in ("items", "additionalProperties", "not"):
            result[key] = translated(value, document, trail)
        elif key not in DROPPED and not key.startswith("x-"):
            result[key] = value
    return with_null(with_exclusive(result), schema)


def with_exclusive(schema: Schema) -> Schema:
    """A schema whose exclusive limits are numbers, not flags beside a limit."""
    for flag, limit in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if isinstance(schema.get(flag), bool) and schema.pop(flag):
            schema[flag] = schema.pop(limit)
    return schema


def with_null(schema: Schema, source: Schema) -> Schema:
    """A schema that allows null if its source was nullable."""
    if not source.get("nullable"):
        return schema
    if "type" not in schema:
        return {"anyOf": [schema, {"type": "null"}]}
    schema["type"] = [schema["type"], "null"]
    if "enum" in schema and None not in schema["enum"]:
        schema["enum"] = [*schema["enum"], None]
    return schema


def output_schema(name: str, schema: Schema, pieces: Schema) -> Schema:
    """An output schema with those of the shared pieces that it uses."""
    if schema.get("type") != "object" or "$defs" in schema:
        raise SpecError(f"tools.json: the outputSchema of {name} must be an object without $defs of its own.")
    waiting, used = list(references(schema)), set()
    while waiting:
        reference = waiting.pop()
        piece = reference.removeprefix("#/$defs/")
        if piece == reference or piece not in pieces:
            raise SpecError(f"tools.json: {name} refers to {reference}, which is nowhere.")
        if piece not in used:
            used.add(piece)
            waiting.extend(references(pieces[piece]))
    carried = {piece: pieces[piece] for piece in pieces if piece in used}
    return {"$schema": DIALECT, **schema, **({"$defs": carried} if carried else {})}


def references(node: Any) -> Iterator[str]:
    """Every reference within a schema."""
    if isinstance(node, dict) and isinstance(node.get("$ref"), str):
        yield node["$ref"]
    if isinstance(node, dict | list):
        for child in node.values() if isinstance(node, dict) else node:
            yield from references(child)


def with_table(readme: str, document: Schema) -> str:
    """The README with the sources and the table of differences between its two markers."""
    if readme.count(BEGIN) != 1 or readme.count(END) != 1:
        raise SpecError(f"README.md must hold the two lines {BEGIN} and {END} once.")
    source = document["x-source"]
    today = "`{file}` of {repository} at commit `{commit}`".format(**source["today"])
    columns = ("where", "page", "today", "here", "reason")
    rows = [f"Read on {source['read']}: [the page]({source['page']['url']}); today's document, {today}.", ""]
    rows += [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]
    for entry in document["x-differences"]:
        cells = [f"`{entry['where']}`", *(cell(entry[key]) for key in columns[1:4]), entry["reason"]]
        rows.append(f"| {' | '.join(cells)} |")
    before, rest = readme.split(BEGIN)
    return "\n".join([before + BEGIN, "", *rows, "", END + rest.split(END)[1]])


def cell(value: Any) -> str:
    """A value of a difference in a table."""
    if value is None or value == []:
        return "-"
    if isinstance(value, list):
        return ", ".join(f"`{one}`" for one in value)
    return value.replace("|", "\\|") if isinstance(value, str) else shown(value)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
