"""Prints the figures that the tests of the campaign recorded, as a Markdown table. It judges none of them."""

import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET


def figures(report: Path) -> Iterator[tuple[str, str]]:
    """Each recorded property of a JUnit report of our own making, in the order of the tests."""
    for each in ET.parse(report).iter("property"):  # noqa: S314 - pytest has just written it # nosec B314
        yield each.attrib["name"], each.attrib["value"]


def main() -> int:
    """Print the table; without a figure there was no campaign."""
    found = list(figures(Path(sys.argv[1])))
    rows = ["| counted | figure |", "|---|---|", *(f"| {name} | {value} |" for name, value in found)]
    sys.stdout.write("\n".join(rows) + "\n")
    return 0 if found else 1


if __name__ == "__main__":
    sys.exit(main())
