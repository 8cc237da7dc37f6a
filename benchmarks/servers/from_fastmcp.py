"""A server that fastmcp makes from the excerpt of Vercel's OpenAPI document; it runs in fastmcp's own environment."""

import json
import os
import sys
from pathlib import Path

import httpx2
from fastmcp import FastMCP


def main() -> None:
    """Serve the document that is named on the command line, over standard input and output."""
    headers = {"Authorization": f"Bearer {os.environ['VERCEL_TOKEN']}"}
    client = httpx2.AsyncClient(base_url=os.environ["VERCEL_API_URL"], headers=headers)
    document = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    FastMCP.from_openapi(openapi_spec=document, client=client, name="fastmcp").run(show_banner=False)


if __name__ == "__main__":
    main()
