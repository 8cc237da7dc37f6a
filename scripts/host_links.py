"""Prints the links that install the server in a host with one click, as docs/hosts.md shows them.

They are made from the files of examples/hosts alone, so that no link can hold a token: where a file has a reference,
the link has it too.
"""

import argparse
import base64
import json
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

HOSTS = Path(__file__).parents[1] / "examples" / "hosts"
NAME = "vercel-marketplace"
VARIANTS = {"sandbox": "the sandbox", "account": "your account"}

Json = dict[str, Any]


def compact(value: Any) -> str:
    """JSON as JavaScript's JSON.stringify writes it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def read(variant: str, path: str, command: str) -> Json:
    """A host's file, with the command that is to be started."""
    document: Json = json.loads((HOSTS / variant / path).read_text("utf-8"))
    for servers in (document.get("servers", {}), document.get("mcpServers", {})):
        for entry in servers.values():
            entry["command"] = command
    return document


def cursor(variant: str, command: str) -> tuple[str, str]:
    """Cursor's link, and the page that opens it."""
    entry = read(variant, ".cursor/mcp.json", command)["mcpServers"][NAME]
    config = quote(base64.b64encode(compact(entry).encode()).decode(), safe="")
    query = f"name={NAME}&config={config}"
    return f"cursor://anysphere.cursor-deeplink/mcp/install?{query}", f"https://cursor.com/en/install-mcp?{query}"


def vscode(variant: str, command: str) -> tuple[str, str]:
    """VS Code's link, and the page that opens it."""
    document = read(variant, ".vscode/mcp.json", command)
    entry = document["servers"][NAME]
    inputs = {"inputs": document["inputs"]} if "inputs" in document else {}
    parts = {"name": NAME} | {key: compact(value) for key, value in inputs.items()} | {"config": compact(entry)}
    query = "&".join(f"{key}={quote(value, safe='')}" for key, value in parts.items())
    return (
        f"vscode:mcp/install?{quote(compact({'name': NAME} | inputs | entry), safe='')}",
        f"https://insiders.vscode.dev/redirect/mcp/install?{query}",
    )


def page(address: str) -> str:
    """A link in Markdown."""
    return f"[install]({address})"


MAKERS = {"Cursor": cursor, "VS Code": vscode}


def main() -> int:
    """Print the table of pages, then the links themselves."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--command", default="vercel-marketplace-mcp", help="the command, or its full path")
    command = parser.parse_args().command
    links = {(host, variant): make(variant, command) for host, make in MAKERS.items() for variant in VARIANTS}
    rows = ["| host | the sandbox | your account |", "|---|---|---|"]
    rows += [f"| {host} | {' | '.join(page(links[host, one][1]) for one in VARIANTS)} |" for host in MAKERS]
    direct = [f"- {host}, {VARIANTS[variant]}: `{link}`" for (host, variant), (link, _) in links.items()]
    sys.stdout.write("\n".join([*rows, "", *direct]) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
