"""Reads the release's workflow: who may do what, in which order, with what; and runs the steps that decide. Offline."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from ..test_static_tools import verdict
from .building import ROOT, VERSION

FOLDER = ROOT / ".github" / "workflows"
RELEASE = FOLDER / "release.yml"
TEXT = RELEASE.read_text("utf-8")
MAY = {
    "build": {"contents: read"},
    "attest": {"attestations: write", "id-token: write"},
    "pypi": {"id-token: write"},
    "github": {"contents: write"},
    "mcp-registry": {"id-token: write"},
}
NEEDS = {"build": [], "attest": ["build"], "pypi": ["attest"], "github": ["pypi"], "mcp-registry": ["pypi"]}
OWNER = "vercel-marketplace-mcp"


def jobs(text: str) -> dict[str, str]:
    """The text of each job."""
    _, *parts = re.split(r"^  ([\w-]+):\n", text.partition("\njobs:\n")[2], flags=re.MULTILINE)
    return dict(zip(parts[::2], parts[1::2], strict=True))


def steps(job: str) -> dict[str, str]:
    """The text of each step of a job, by its name."""
    return {step.partition("\n")[0]: step for step in re.split(r"^      - name: ", job, flags=re.MULTILINE)[1:]}


def script(job: str, step: str) -> str:
    """What a step of a job runs."""
    text = steps(jobs(TEXT)[job])[step]
    found = re.search(r"^        run: (?:\|\n((?: {10}.*\n|\n)+)|(.+))", text, re.MULTILINE)
    assert found
    return re.sub(r"^ {10}", "", found[1] or found[2], flags=re.MULTILINE)


def test_each_job_may_do_one_thing() -> None:
    """The workflow may do nothing by itself; each job has the rights that its name says, and no other."""
    assert re.search(r"^permissions: \{\}$", TEXT, re.MULTILINE)
    granted = {
        name: set(re.findall(r"^      ([\w-]+: (?:read|write)) #", job, re.MULTILINE))
        for name, job in jobs(TEXT).items()
    }
    assert granted == MAY


def test_nothing_is_published_before_it_was_built_tested_and_attested() -> None:
    """One job after the other, and a person may stop each that publishes."""
    order = {name: re.findall(r"^    needs: ([\w-]+)$", job, re.MULTILINE) for name, job in jobs(TEXT).items()}
    guarded = {name for name, job in jobs(TEXT).items() if f"\n    environment: {name}\n" in job}
    assert (order, guarded) == (NEEDS, {"pypi", "github", "mcp-registry"})
    assert list(steps(jobs(TEXT)["build"]))[:2] == ["Check out", "Compare tag, version, changelog and owner"]
    assert list(steps(jobs(TEXT)["build"])).index("Demonstration, checks and tests") < list(
        steps(jobs(TEXT)["build"])
    ).index("Build")


def test_code_of_this_repository_runs_where_nothing_may_be_published() -> None:
    """Only the first job has the checkout; the others run one program each, or none."""
    assert {name for name, job in jobs(TEXT).items() if "actions/checkout@" in job} == {"build"}
    run = {name: re.findall(r"^ +run: (?:\|\n +)?(\S+)", job, re.MULTILINE) for name, job in jobs(TEXT).items()}
    assert run.pop("build")
    assert run == {"attest": [], "pypi": [], "github": ["gh"], "mcp-registry": ["curl", "./mcp-publisher"]}


def test_no_secret_is_kept_and_none_is_wanted() -> None:
    """Every right to publish is this workflow's own identity, for as long as a job runs."""
    assert re.findall(r"secrets\.|password|api-token", TEXT) == []


def test_an_action_is_the_same_commit_everywhere() -> None:
    """By commit, with its version for people; a newer one is taken in all workflows at once."""
    texts = [path.read_text("utf-8") for path in FOLDER.glob("*.yml")]
    used = {use for text in texts for use in re.findall(r"uses: (.+)", text)}
    assert [use for use in used if not re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", use)] == []
    assert len({use.partition("@")[0] for use in used}) == len(used) >= 7


def test_everything_that_was_built_is_attested_and_attached() -> None:
    """Origin for each file, the bill of materials for what is installed, and all of them at the release."""
    assert {"scripts/bundle", "scripts/sbom"} <= set(script("build", "Build").split())
    assert "subject-path: files/*\n" in steps(jobs(TEXT)["attest"])["Attest where they come from"]
    made_of = steps(jobs(TEXT)["attest"])["Attest what they are made of"]
    assert re.findall(r"files/\S+", made_of) == ["files/*.whl", "files/*.mcpb", "files/sbom.cdx.json"]
    assert script("github", "Publish").endswith(" files/*")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with the files that tell the version, released on a day."""
    for name in ("pyproject.toml", "server.json"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / "CHANGELOG.md").write_text(f"# Changelog\n\n## [{VERSION}] - 2026-11-22\n", "utf-8")
    return tmp_path


def run_step(text: str, folder: Path, **environment: str) -> int:
    """The exit code of a step's script, run as the runner does."""
    known = {"PATH": os.environ["PATH"], **environment}
    return subprocess.run(["/bin/bash", "-e", "-c", text], cwd=folder, env=known, check=False, timeout=60).returncode


@pytest.mark.parametrize(
    ("tag", "owner", "changelog", "good"),
    [
        (f"v{VERSION}", OWNER, VERSION, True),
        (VERSION, OWNER, VERSION, False),
        ("v9.9.9", OWNER, VERSION, False),
        (f"v{VERSION}", "somebody-else", VERSION, False),
        (f"v{VERSION}", OWNER, "Unreleased", False),
    ],
)
def test_only_the_tag_of_the_released_version_goes_through(
    checkout: Path, tag: str, owner: str, changelog: str, good: bool
) -> None:
    """Another tag, a changelog that doesn't know the version, or an account that isn't the entry's stops it at once."""
    (checkout / "CHANGELOG.md").write_text(f"# Changelog\n\n## [{changelog}] - 2026-11-22\n", "utf-8")
    step = script("build", "Compare tag, version, changelog and owner")
    assert (run_step(step, checkout, GITHUB_REF_NAME=tag, GITHUB_REPOSITORY_OWNER=owner) == 0) is good


def test_a_program_that_is_not_the_pinned_one_is_not_unpacked(tmp_path: Path) -> None:
    """Whatever the address answers: other bytes than those of the digest end the job before anything runs."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "curl").write_text("#!/bin/sh\necho other >publisher.tar.gz\n", "utf-8")
    (tmp_path / "bin" / "curl").chmod(0o755)
    step = script("mcp-registry", "Fetch the registry's program")
    code = run_step(step.replace("tar --", "touch unpacked; tar --"), tmp_path, PATH=f"{tmp_path}/bin:{os.defpath}")
    assert (code != 0, sorted(path.name for path in tmp_path.iterdir())) == (True, ["bin", "publisher.tar.gz"])
    assert re.search(r"/releases/download/v\d+\.\d+\.\d+/", step)


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        (r"(gh-action-pypi-publish)@[0-9a-f]{40} # v\S+", r"\1@release/v1", "unpinned-uses"),
        (r"\n +with:\n +persist-credentials: false", "", "artipacked"),
        ("contents: write #.*", "contents: write", "undocumented-permissions"),
        (r"\npermissions: \{\}", "", "excessive-permissions"),
        (r"attestations: true", "password: ${{ secrets.TOKEN }}", "use-trusted-publishing"),
        (r'"\$GITHUB_REF_NAME" --verify', '"${{ github.ref_name }}" --verify', "template-injection"),
    ],
)
def test_a_careless_release_is_noticed(tmp_path: Path, old: str, new: str, rule: str) -> None:
    """Each guard of the workflow is missed once it is gone."""
    place = tmp_path / RELEASE.relative_to(ROOT)
    place.parent.mkdir(parents=True)
    place.write_text(re.sub(old, new, TEXT, count=1), "utf-8")
    code, output = verdict("workflows", tmp_path)
    assert (place.read_text("utf-8") != TEXT, code > 10, f"[{rule}]" in output) == (True, True, True), output
