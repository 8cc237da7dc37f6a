"""Makes a CycloneDX bill of materials from requirements.txt, and checks it. It asks no network what it doesn't know.

It goes into build/, and holds no path of this machine, no address of a registry, and no time that was not given.
"""

import argparse
import json
import os
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from check_locks import FOREIGN, PIN, RUNTIME, pins_of
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packaging.utils import canonicalize_name
from packaging.version import Version

BILL = Path("build", "sbom.cdx.json")
HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
PARENT = re.compile(r"^ +# +(?:via +|(?!via$))([A-Za-z0-9][\w.-]*)", re.MULTILINE)

Json = dict[str, Any]


def main(root: Path, *, only_check: bool = False) -> int:
    """Write the bill of the checkout at `root` unless it is only to be checked; print every problem, 0 for none."""
    bill, requirements = root / BILL, (root / RUNTIME).read_text("utf-8")
    if not only_check:
        project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
        bill.parent.mkdir(exist_ok=True)
        bill.write_text(json.dumps(made(project, requirements), indent=2) + "\n", "utf-8")
    problems = list(problems_of(bill.read_text("utf-8"), requirements))
    for problem in problems:
        sys.stdout.write(f"{BILL}: {problem}\n")
    return 1 if problems else 0


def made(project: Mapping[str, Any], requirements: str) -> Json:
    """The bill of a project that needs what the text of a requirements file pins."""
    pins = list(PIN.finditer(requirements))
    references = {pin["name"]: f"pkg:pypi/{pin['name']}@{pin['version']}" for pin in pins}
    references[project["name"]] = project["name"]
    needs: dict[str, list[str]] = {reference: [] for reference in references.values()}
    for pin in pins:
        for parent in PARENT.findall(pin["rest"]):
            needs[references[parent]].append(references[pin["name"]])
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {**given_time(), "lifecycles": [{"phase": "pre-build"}], "component": program(project)},
        "components": [component(pin, references[pin["name"]]) for pin in pins],
        "dependencies": [{"ref": name, "dependsOn": sorted(wanted)} for name, wanted in sorted(needs.items())],
    }


def given_time() -> Json:
    """The time that the environment gives for whatever is built, if it gives one."""
    given = os.environ.get("SOURCE_DATE_EPOCH")
    return {"timestamp": datetime.fromtimestamp(int(given), UTC).isoformat()} if given else {}


def program(project: Mapping[str, Any]) -> Json:
    """What the bill is about."""
    licenses = [{"license": {"id": project["license"]}}]
    return {
        "type": "application",
        "bom-ref": project["name"],
        **{key: project[key] for key in ("name", "version", "description")},
        "licenses": licenses,
    }


def component(pin: re.Match[str], reference: str) -> Json:
    """One package: what is needed on some platforms alone is optional; any of the files with these hashes will do."""
    hashes = [{"alg": "SHA-256", "content": digest} for digest in HASH.findall(pin["rest"])]
    return {
        "type": "library",
        "bom-ref": reference,
        "name": pin["name"],
        "version": pin["version"],
        "scope": "optional" if pin["rest"].lstrip().startswith(";") else "required",
        "purl": reference,
        "externalReferences": [{"type": "distribution", "url": reference, "hashes": hashes}],
    }


def problems_of(text: str, requirements: str) -> Iterator[str]:
    """All that is wrong with a bill for these requirements."""
    error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    if error is not None:
        yield f"is not valid: {str(error).splitlines()[0]}"
        return
    bill = json.loads(text)
    yield from differing(bill, requirements)
    yield from (f"holds an address or a path: {found}" for found in texts(bill) if FOREIGN.search(found))
    if "serialNumber" in bill or bill["metadata"].get("timestamp") != given_time().get("timestamp"):
        yield "holds a number or a time that nobody gave"


def differing(bill: Json, requirements: str) -> Iterator[str]:
    """Packages that stand in one of the two only, or in another version, or with other hashes."""
    pins: dict[str, Version] = {**pins_of(requirements)}
    listed: list[Json] = bill.get("components", [])
    named: dict[str, Version] = {canonicalize_name(each["name"]): Version(each["version"]) for each in listed}
    for name in sorted(pins.keys() | named.keys()):
        if pins.get(name) != named.get(name):
            yield f"has {name} {named.get(name)}, but {pins.get(name)} is pinned"
    digests = re.findall(r'"content": "([0-9a-f]{64})"', json.dumps(listed))
    if sorted(digests) != sorted(HASH.findall(requirements)):
        yield f"has other hashes than {RUNTIME}"


def texts(value: Any) -> Iterator[str]:
    """Every text in a JSON value."""
    if isinstance(value, str):
        yield value
    for member in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from texts(member)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="check the bill that is there")
    parser.add_argument("root", nargs="?", type=Path, default=Path(__file__).parents[1], help="the checkout")
    parsed = parser.parse_args()
    sys.exit(main(parsed.root, only_check=parsed.check))
