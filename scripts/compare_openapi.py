"""Compares tool_specs/openapi.json with an OpenAPI document of Vercel's and prints every drift, a line each.

It changes no file, and reads an address only over https. Differences listed in `x-differences` are expected;
one that has ceased to be true is drift as well. Of answers it compares what the excerpt holds; --all compares
the rest as well, and finds what `x-differences` does not list yet.

Exit codes: 0 no drift, 1 drift, 2 wrong usage or nothing to compare with.
"""

import argparse
import json
import re
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from openapi_facts import Facts, Operation, Schema, UnreadableError, facts_of, operations, shown

EXCERPT = Path(__file__).parents[1] / "tool_specs" / "openapi.json"
MOST_BYTES = 64 * 1024 * 1024
TIMEOUT_SECONDS = 60
# A response may say more than the excerpt: below its root only these facts of our own places are compared.
OF_RESPONSES = ("presence", "type")
# What makes the other findings at a place and below it mere consequences, the stronger one first.
LEADING = ("presence", "content")

Tables = dict[str, Facts]


class Finding(NamedTuple):
    """One place at which the two documents say different things."""

    operation: str
    place: str
    aspect: str
    theirs: Any
    ours: Any

    @property
    def where(self) -> str:
        """The place as `x-differences` names it."""
        return f"{self.operation} {self.place} {self.aspect}"

    def __str__(self) -> str:
        return f"{self.where}: theirs {shown(self.theirs)}, ours {shown(self.ours)}"


def main(arguments: list[str]) -> int:
    """Print the drift of the excerpt from the document that the arguments name."""
    parser = argparse.ArgumentParser(description="Compare tool_specs/openapi.json with Vercel's document.")
    parser.add_argument("document", help="path or https address of an OpenAPI document in JSON")
    parser.add_argument("--all", action="store_true", help="compare also what answers hold beyond the excerpt")
    given = parser.parse_args(arguments)
    try:
        drift = compared(load(str(EXCERPT)), load(given.document), everything=given.all)
    except UnreadableError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except (AttributeError, KeyError, RecursionError, TypeError) as error:
        sys.stderr.write(f"{given.document} is not well formed: {error!r}\n")
        return 2
    sys.stdout.writelines(f"{line}\n" for line in drift)
    return 1 if drift else 0


def load(source: str) -> Schema:
    """The OpenAPI document at a path or an https address.

    Raises: UnreadableError.
    """
    try:
        document = json.loads(fetch(source) if "://" in source else Path(source).read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise UnreadableError(f"{source} cannot be read: {error}") from error
    if not (isinstance(document, dict) and "openapi" in document and isinstance(document.get("paths"), dict)):
        raise UnreadableError(f"{source} is no OpenAPI document")
    return document


def fetch(address: str) -> bytes:
    """What an https address holds, up to a limit.

    Raises: OSError, ValueError.
    """
    if not address.startswith("https://"):
        raise ValueError("only https addresses are read")
    with urllib.request.urlopen(address, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310 - https, see above # nosec B310
        body: bytes = answer.read(MOST_BYTES + 1)
        if not answer.geturl().startswith("https://"):
            raise ValueError("it leads to an address without https")
    if len(body) > MOST_BYTES:
        raise ValueError(f"it is larger than {MOST_BYTES} bytes")
    return body


def compared(excerpt: Schema, published: Schema, *, everything: bool) -> list[str]:
    """Every unexpected difference, and every expected one that is none any more, sorted."""
    ours, theirs = tables(excerpt, published)
    expected = [entry for entry in excerpt["x-differences"] if entry["today"] != entry["here"]]
    found = findings(ours, theirs, everything=everything)
    unexpected = [one for one in found if not any(explains(entry, one) for entry in expected)]
    stale = [
        f"{entry['where']}: x-differences says theirs is {shown(entry['today'])}, which it is not"
        for entry in expected
        if not (holds(entry, ours, theirs, unexpected) or any(covers(entry, one.where) for one in unexpected))
    ]
    return sorted([*map(str, unexpected), *stale])


def tables(excerpt: Schema, published: Schema) -> tuple[Tables, Tables]:
    """The facts of both documents by our operation ids; an operation that is nowhere in theirs has no facts."""
    theirs = list(operations(published))
    ours_by_id, theirs_by_id = {}, {}
    for operation in operations(excerpt):
        twin = counterpart(operation, theirs)
        ours_by_id[str(operation.id)] = facts_of(operation, excerpt)
        theirs_by_id[str(operation.id)] = facts_of(twin, published) if twin else {}
    return ours_by_id, theirs_by_id


def counterpart(operation: Operation, others: list[Operation]) -> Operation | None:
    """The operation of the same id, otherwise the one of the same method and path."""
    same_id = [other for other in others if other.id == operation.id]
    return next(iter(same_id or [other for other in others if other.path == operation.path]), None)


def findings(ours: Tables, theirs: Tables, *, everything: bool) -> Iterator[Finding]:
    """Every difference that matters, without those that only follow from another one."""
    for name, own in ours.items():
        found = [one for one in differences(name, own, theirs[name]) if everything or matters(one, own)]
        yield from (one for one in found if not any(hides(other, one) for other in found))


def differences(name: str, ours: Facts, theirs: Facts) -> Iterator[Finding]:
    """Every difference between the facts of one operation."""
    for place, aspect in {**ours, **theirs}:
        pair = (look_up(theirs, place, aspect), look_up(ours, place, aspect))
        if pair[0] != pair[1]:
            yield Finding(name, place, aspect, *pair)


def look_up(facts: Facts, place: str, aspect: str) -> Any:
    """A fact; what is not known of a place is null, and a place that is not known is absent."""
    return facts.get((place, aspect), "absent" if aspect == "presence" else None)


def matters(finding: Finding, ours: Facts) -> bool:
    """Whether a difference is drift: all of a request, but of a response only what we rely on."""
    root = re.fullmatch(r"response\.\w+", finding.place) and finding.aspect in LEADING
    if root or not finding.place.startswith("response."):
        return True
    return finding.aspect in OF_RESPONSES and (finding.place, "presence") in ours


def hides(leading: Finding, finding: Finding) -> bool:
    """Whether a finding says no more than the leading one: a place that is gone takes with it what lies below."""
    if leading.aspect not in LEADING or leading.operation != finding.operation:
        return False
    if leading.place == "operation":
        return finding != leading
    below = finding.place.removeprefix(leading.place)
    if not below:
        return finding.aspect not in LEADING[: LEADING.index(leading.aspect) + 1]
    return finding.place.startswith(leading.place) and below[0] in ".[{"


def explains(entry: Schema, finding: Finding) -> bool:
    """Whether an entry of `x-differences` is exactly this finding, or names the member that it finds left out."""
    parent, _, member = finding.place.rpartition(".")
    if covers(entry, f"{finding.operation} {parent} left-out"):
        return finding.aspect == "presence" and finding.theirs == "present" and member in entry["today"]
    return covers(entry, finding.where) and [entry["today"], entry["here"]] == [finding.theirs, finding.ours]


def covers(entry: Schema, where: str) -> bool:
    """Whether an entry speaks of this place; `*` in an entry stands for anything."""
    return re.fullmatch(re.escape(entry["where"]).replace(r"\*", ".*"), where) is not None


def holds(entry: Schema, ours: Tables, theirs: Tables, unexpected: list[Finding]) -> bool:
    """Whether theirs still is what an entry says, wherever the entry applies and no other finding says it already."""
    aspect = entry["where"].rsplit(" ", 1)[-1]
    places = {
        (name, place) for name in theirs for place, known in {**ours[name], **theirs[name]} if known == "presence"
    }
    spots = [Finding(*place, aspect, None, None) for place in places if covers(entry, f"{' '.join(place)} {aspect}")]
    open_spots = [spot for spot in spots if not any(hides(one, spot) for one in unexpected)]
    return bool(spots) and all(says(entry, theirs[spot.operation], spot.place, aspect) for spot in open_spots)


def says(entry: Schema, facts: Facts, place: str, aspect: str) -> bool:
    """Whether the facts of an operation are what an entry says of a place."""
    if aspect == "left-out":
        return all((f"{place}.{name}", "presence") in facts for name in entry["today"])
    if aspect == "tool-input":
        return True  # it concerns our tool; the place is enough
    return bool(look_up(facts, place, aspect) == entry["today"])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
