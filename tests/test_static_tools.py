"""The tools that scripts/check runs notice what they are there for, with the very commands that stand in it.

Each is run on a small checkout of its own; none of them needs a network.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
WORKFLOW = Path(".github", "workflows", "ci.yml")
DEPENDABOT = Path(".github", "dependabot.yml")
BILL = Path("build", "sbom.cdx.json")
DANGEROUS = {
    "B102": "exec(text)",
    "B108": "open('/var/tmp/ledger')",
    "B113": "requests.get(address)",
    "B301": "pickle.loads(raw)",
    "B306": "tempfile.mktemp()",
    "B307": "eval(text)",
    "B310": "urllib.request.urlopen(address)",
    "B314": "xml.etree.ElementTree.parse(path)",
    "B323": "ssl._create_unverified_context()",
    "B324": "hashlib.md5(raw)",
    "B501": "requests.get(address, verify=False, timeout=1)",
    "B602": "subprocess.run(line, shell=True)",
    "B605": "os.system(line)",
    "B608": "db.execute('SELECT * FROM purchases WHERE id = ' + name)",
}
RANDOM = "aB3dE5gH7jK9" * 2
SECRETS = {
    "token.env": f"VERCEL_TOKEN={RANDOM}",
    "prefixed.md": f"Paste {'vcp'}_{RANDOM} there.",
    "settings.py": f'{"token"} = "{RANDOM}"',
    "request.http": f"Authorization: Bearer {RANDOM}",
    "remark.py": f'{"token"} = "{RANDOM}"  # pragma: allowlist secret',
    "password.py": f'{"password"} = "{RANDOM}"',
    "cloud.txt": f"{'AKIA'}IOSFODNN7QXAMPLQ",
    "key.txt": f"-----BEGIN {'PRIVATE'} KEY-----",
    "user.txt": f"https://{'me:' + RANDOM}@vercel.com",
}


def verdict(name: str, checkout: Path, *more: str | Path) -> tuple[int, str]:
    """The exit code and the output of the check of that name in scripts/check, run in a folder."""
    line = re.search(rf"run '{name}' (.+)", (ROOT / "scripts" / "check").read_text("utf-8"))
    assert line
    here = {"$python": sys.executable, "scripts/check_secrets.py": str(ROOT / "scripts" / "check_secrets.py")}
    tools = str(Path(sys.executable).parent)
    command = [here.get(word) or word.replace(".venv/bin", tools) for word in shlex.split(line[1])]
    return run(*command, *more, cwd=checkout)


def run(*command: str | Path, cwd: Path, **environment: str) -> tuple[int, str]:
    """The exit code and the output of a command."""
    kept = {name: value for name, value in os.environ.items() if name != "SOURCE_DATE_EPOCH"} | environment
    done = subprocess.run(command, cwd=cwd, env=kept, capture_output=True, text=True, check=False, timeout=120)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with the files that the tools are told by, and empty folders for what they look at."""
    for folder in ("server", "scripts"):
        (tmp_path / folder).mkdir()
    for name in ("pyproject.toml", "requirements.txt"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ROOT / ".github", tmp_path / ".github")
    return tmp_path


@pytest.mark.parametrize("folder", ["server", "scripts"])
def test_dangerous_code_is_noticed(checkout: Path, folder: str) -> None:
    """Each kind is found, by its number, and nothing else is."""
    modules = sorted({found for call in DANGEROUS.values() for found in re.findall(r"^[a-z.]+(?=\.\w+\()", call)})
    imports = [f"import {name}" for name in modules if name != "db"]
    (checkout / folder / "bad.py").write_text("\n".join([*imports, *DANGEROUS.values(), ""]), "utf-8")
    code, output = verdict("dangerous code", checkout)
    assert (code, set(re.findall(r"Issue: \[(B\d+)", output)) - {"B403"}) == (1, set(DANGEROUS)), output


def test_ordinary_code_passes(checkout: Path) -> None:
    """A command as a list, and a name that only sounds like a secret, are no findings."""
    good = "import subprocess\n\nTOKEN_NAME = 'VERCEL_TOKEN'\ncommand = ['git']\nsubprocess.run(command, check=True)\n"
    (checkout / "server" / "good.py").write_text(good, "utf-8")
    assert verdict("dangerous code", checkout) == (0, "")


def test_an_accepted_finding_says_why() -> None:
    """A line that bandit is to pass over is passed over by ruff's same rule too, whose remark gives the reason."""
    sources = [path for folder in ("server", "scripts") for path in (ROOT / folder).rglob("*.py")]
    lines = [line for path in sources for line in path.read_text("utf-8").splitlines() if "# nosec" in line]
    assert lines
    assert [line for line in lines if not re.search(r"# noqa: S(\d+) - \S.* # nosec B\1$", line)] == []


def test_the_workflows_as_they_are_pass(checkout: Path) -> None:
    """Nothing is found in them, with the pedantic rules and without anything ignored."""
    code, output = verdict("workflows", checkout)
    assert code == 0, output


@pytest.mark.parametrize(
    ("file", "old", "new", "rule"),
    [
        (WORKFLOW, r"@[0-9a-f]{40} # (v\d+)\S*", r"@\1", "unpinned-uses"),
        (WORKFLOW, r"with:\n +persist-credentials: false", "", "artipacked"),
        (WORKFLOW, r"permissions: \{\}", "permissions: write-all", "excessive-permissions"),
        (WORKFLOW, "contents: read #.*", "contents: write", "undocumented-permissions"),
        (WORKFLOW, "  pull_request:", "  pull_request_target:", "dangerous-triggers"),
        (WORKFLOW, "run: .ci/run", "run: echo ${{ github.event.pull_request.title }}", "template-injection"),
        (WORKFLOW, r"concurrency:\n.*\n.*\n", "", "concurrency-limits"),
        (DEPENDABOT, r"    cooldown:\n.*\n", "", "dependabot-cooldown"),
        (DEPENDABOT, "default-days: 7", "default-days: 1", "dependabot-cooldown"),
    ],
)
def test_a_careless_workflow_is_noticed(checkout: Path, file: Path, old: str, new: str, rule: str) -> None:
    """Each guard of the workflow is missed once it is gone."""
    text = (checkout / file).read_text("utf-8")
    (checkout / file).write_text(re.sub(old, new, text), "utf-8")
    assert (checkout / file).read_text("utf-8") != text
    code, output = verdict("workflows", checkout)
    assert (code > 10, f"[{rule}]" in output) == (True, True), output


def test_ci_does_what_everybody_does_on_every_python_that_is_declared() -> None:
    """The workflow runs .ci/run, within a time, on the versions of the classifiers, and takes actions by commit."""
    text = (ROOT / WORKFLOW).read_text("utf-8")
    classifiers = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["classifiers"]
    declared = re.findall(r"Python :: (3\.\d+)", "\n".join(classifiers))
    assert re.findall(r'"(3\.\d+)"', text) == declared
    assert re.findall(r"^ +run: (.+)$", text, re.MULTILINE) == [".ci/run"]
    assert len(re.findall(r"^ +timeout-minutes: \d+$", text, re.MULTILINE)) == len(re.findall("runs-on:", text))
    assert [line for line in re.findall(r"uses: (.+)", text) if not re.search(r"@[0-9a-f]{40} # v\d", line)] == []


def commit_to_be(checkout: Path, files: dict[str, str]) -> None:
    """Make the folder a git checkout with these files, not yet committed."""
    for name, text in files.items():
        (checkout / name).write_text(text + "\n", "utf-8")
    assert run("git", "init", "--quiet", cwd=checkout)[0] == 0


def test_a_secret_is_noticed_wherever_it_stands(checkout: Path) -> None:
    """Each kind is found before it is committed, whatever a remark beside it says."""
    commit_to_be(checkout, SECRETS)
    code, output = verdict("secrets", checkout, checkout)
    found = re.findall(r"^(\S+):1: ", output, re.MULTILINE)
    assert (code, set(found)) == (1, set(SECRETS)), output


def test_what_is_no_secret_passes(checkout: Path) -> None:
    """Known values, the names of settings and what git ignores are no findings."""
    files = {
        "test.py": 'TOKEN = "canary_0123456789abcdefghij"',
        "README.md": "Set `VERCEL_TOKEN` to the token; the sandbox takes `sandbox-token-not-a-secret`.",
        ".gitignore": ".env",
        ".env": SECRETS["token.env"],
    }
    commit_to_be(checkout, files)
    assert verdict("secrets", checkout, checkout) == (0, "")


def bill_of(checkout: Path, *more: str, **environment: str) -> tuple[int, str]:
    """The exit code and the output of scripts/sbom for a folder."""
    script = ROOT / "scripts" / "bill_of_materials.py"
    return run(sys.executable, script, *more, checkout, cwd=checkout, **environment)


def test_the_bill_of_materials_is_the_same_every_time(checkout: Path) -> None:
    """It names this project and every pinned package; a time stands in it only where one is given."""
    assert bill_of(checkout) == (0, "")
    first = (checkout / BILL).read_bytes()
    assert bill_of(checkout, SOURCE_DATE_EPOCH="1700000000") == (0, "")
    assert json.loads((checkout / BILL).read_bytes())["metadata"]["timestamp"] == "2023-11-14T22:13:20+00:00"
    assert bill_of(checkout) == (0, "")
    assert (checkout / BILL).read_bytes() == first
    bill = json.loads(first)
    names = re.findall(r"^([a-z0-9-]+)==(\S+)", (checkout / "requirements.txt").read_text("utf-8"), re.MULTILINE)
    assert [(each["name"], each["version"]) for each in bill["components"]] == names
    (own,) = [each["dependsOn"] for each in bill["dependencies"] if each["ref"] == "vercel-marketplace-mcp"]
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    assert {re.split(r"[<>=\[]", text)[0] for text in declared} < {re.split("[/@]", ref)[1] for ref in own}


@pytest.fixture(scope="module")
def bill(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The bill of this checkout, made elsewhere."""
    folder = tmp_path_factory.mktemp("bill")
    for name in ("pyproject.toml", "requirements.txt"):
        shutil.copy(ROOT / name, folder)
    assert bill_of(folder) == (0, "")
    return (folder / BILL).read_text("utf-8")


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        (r'("name": "anyio",\s+"version": )"[^"]+"', r'\1"0.0.1"', "has anyio 0.0.1, but"),
        ('"name": "anyio"', '"name": "anyi0"', "has anyio None, but"),
        ('"type": "library"', '"type": "something"', "is not valid"),
        ('"specVersion": "1.6"', '"specVersion": "1.6", "surprise": 1', "is not valid"),
        (r'"content": "[0-9a-f]{8}', '"content": "00000000', "has other hashes than requirements.txt"),
        ('"url": "pkg:', '"url": "https:' + "//packages.example/", "holds an address or a path"),
        ('"description": "', '"description": "made in /srv/me: ', "holds an address or a path"),
        (
            '"version": 1,',
            '"version": 1, "serialNumber": "urn:uuid:' + "0" * 8 + '-0000-4000-8000-000000000000",',
            "nobody",
        ),
        ('"lifecycles"', '"timestamp": "2026-01-01T00:00:00Z", "lifecycles"', "nobody gave"),
    ],
)
def test_a_wrong_bill_of_materials_is_noticed(checkout: Path, bill: str, old: str, new: str, complaint: str) -> None:
    """Each kind of damage fails the check, and the message says which."""
    (checkout / BILL).parent.mkdir()
    (checkout / BILL).write_text(re.sub(old, new, bill, count=1), "utf-8")
    code, output = bill_of(checkout, "--check")
    assert (code, complaint in output) == (1, True), output


def test_the_tools_bring_nothing_that_the_server_would_load() -> None:
    """jsonschema loads the packages for its formats if they are there, and a server would start seconds later."""
    pinned: set[Any] = set(
        re.findall(r"^([a-z0-9-]+)==", (ROOT / "requirements-dev.txt").read_text("utf-8"), re.MULTILINE)
    )
    assert pinned & {"rfc3987-syntax", "rfc3987", "isoduration", "fqdn", "webcolors", "uri-template"} == set()
