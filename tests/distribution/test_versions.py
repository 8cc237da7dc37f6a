"""Reads the version wherever a file states it. That the program tells the same is seen where it is installed."""

import json
import re
import shutil
import tomllib
from pathlib import Path

import pytest

from .building import ROOT, VERSION

MANIFEST = "examples/hosts/account/claude-desktop/manifest.json"
FILES = ("pyproject.toml", "server.json", MANIFEST, "Dockerfile", "CHANGELOG.md")
OTHER = "9.9.9"


def versions(root: Path) -> dict[str, str]:
    """The version that each place of a checkout states; the desktop extension's is made from its example's."""
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    entry = json.loads((root / "server.json").read_text("utf-8"))
    manifest = json.loads((root / MANIFEST).read_text("utf-8"))
    (label,) = re.findall(r'image\.version="(.*)"', (root / "Dockerfile").read_text("utf-8"))
    return {
        "pyproject.toml": project["version"],
        "server.json": entry["version"],
        "server.json, packages": ", ".join(package["version"] for package in entry["packages"]),
        MANIFEST: manifest["version"],
        "Dockerfile": label,
        "CHANGELOG.md": newest((root / "CHANGELOG.md").read_text("utf-8")),
    }


def newest(changelog: str) -> str:
    """The version that the changelog announces, or, where it announces none, the one that it released last."""
    announced = re.search(r"^## \[Unreleased\]\n\nThis will be (\d[^\s,]*\d)\b", changelog, re.MULTILINE)
    found = announced or re.search(r"^## \[(\d\S*)\] - \d{4}-\d\d-\d\d$", changelog, re.MULTILINE)
    assert found, "the changelog has neither an announced nor a released version"
    return found[1]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with a copy of the files that state the version."""
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def test_every_file_states_the_same_version() -> None:
    """The package, the entry of the registry, the extension, the image and the changelog go together."""
    assert set(versions(ROOT).values()) == {VERSION}, versions(ROOT)


@pytest.mark.parametrize("place", sorted(versions(ROOT)))
def test_a_version_that_was_forgotten_is_noticed(checkout: Path, place: str) -> None:
    """Where any one place states another version, that place is the one that differs."""
    file = checkout / place.partition(",")[0]
    text = file.read_text("utf-8")
    stated = [match.start() for match in re.finditer(re.escape(VERSION), text)]
    start = stated[1 if place.endswith("packages") else 0]
    file.write_text(text[:start] + OTHER + text[start + len(VERSION) :], "utf-8")
    assert versions(checkout) == {**versions(ROOT), place: OTHER}


@pytest.mark.parametrize(
    ("changelog", "version"),
    [
        ("## [Unreleased]\n\nThis will be 0.2.0, the second.\n\n## [0.1.0] - 2026-11-22\n", "0.2.0"),
        ("## [Unreleased]\n\n### Added\n\n- Something.\n\n## [0.1.0] - 2026-11-22\n", "0.1.0"),
        ("## [0.2.0] - 2026-12-01\n\n## [0.1.0] - 2026-11-22\n", "0.2.0"),
    ],
)
def test_the_changelog_is_read_before_and_after_a_release(changelog: str, version: str) -> None:
    """An announced version counts first, then the newest released one."""
    assert newest(changelog) == version
