"""Looks for secrets in every file that is committed, or would be. It asks nobody whether one of them works.

There is no baseline of accepted findings: it would hold line numbers, which every change moves, and no reasons.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

NO_SECRETS = (
    (r"canary_\w+", "the token of tests, made to be looked for"),
    ("sandbox-token-not-a-secret", "opens nothing but the sandbox"),
    (r"team_[A-Za-z0-9]+", "the id of a team, which opens nothing"),
    ("01644a7c49bbbe8c9bec790e77c298b53f5a836a", "the commit that the specification was taken from"),
    ("(XX)?23456789ABCDEFGHJKMNPQRSTUVWXYZ", "the letters that the code of a question is made of"),
    (r"(anthropic|openai):[\w.-]+", "the name of a model, in an example beside the variable for its key"),
    (r"[A-Z]+_URL", "the name of a variable that a store sets"),
    ("s3cr3t", "a member of a hostile answer in a test"),
    ("secret|another|hunter2", "the password in an address that a test sees refused, or looks for"),
    ("c2VjcmV0LXRoYXQtZXZlcnlib2R5LW1heS1yZWFk", "the words of a key that an issuer in a test publishes"),
    ("Vercel Token", "what a finding of our own detector is called"),
)
"""Values that look like secrets and are none, as whole patterns, each with the reason."""
HASHES = ("requirements.txt", "requirements-team.txt", "requirements-dev.txt", "package-lock.json")
"""Files of names and hashes alone: scripts/check_locks.py refuses anything else in them."""
NO_REMARKS = "detect_secrets.filters.allowlist.is_line_allowlisted"
"""What would let a remark in a line take the line out."""
ADVICE = "Take it out and revoke it. If it is none, add its value and the reason to NO_SECRETS in this script."


def main(root: Path) -> int:
    """Print each finding in the git checkout at `root`; 0 if there is none."""
    findings = list(found(root))
    for finding in findings:
        sys.stdout.write(finding + "\n")
    if findings:
        sys.stdout.write(ADVICE + "\n")
    return 1 if findings else 0


def found(root: Path) -> Iterator[str]:
    """Where something looks like a secret, and like which kind."""
    detector = Path(__file__).with_name("vercel_tokens.py").resolve()
    command = [sys.executable, "-m", "detect_secrets.pre_commit_hook", "--json", "--no-verify"]
    command += ["--plugin", str(detector), "--disable-filter", NO_REMARKS]
    command += [f"--exclude-secrets=^{value}$" for value, _ in NO_SECRETS]
    command += ["--", *files(root)]
    done = subprocess.run(command, cwd=root, check=False, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own list
    if done.returncode not in {0, 1} or bool(done.stdout) != bool(done.returncode):
        raise ChildProcessError(f"detect-secrets failed with exit code {done.returncode}")
    for name, secrets in json.loads(done.stdout or "{}").get("results", {}).items():
        yield from (f"{name}:{secret['line_number']}: {secret['type']}" for secret in secrets)


def files(root: Path) -> Iterator[str]:
    """The files that git knows, and those that it would take with the next commit."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(command, cwd=root, check=True, capture_output=True, text=True)  # noqa: S603 - nothing to vary
    return (name for name in done.stdout.split("\0") if name not in HASHES and (root / name).is_file())


if __name__ == "__main__":
    sys.exit(main(Path(*sys.argv[1:2]) if sys.argv[1:] else Path(__file__).parents[1]))
