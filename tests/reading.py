"""Reads resources and looks at errors through a real client. Fakes nothing of ours."""

from typing import Any

import mcp_types as types
import pytest
from mcp import Client, MCPError

SCHEME = "vercel-marketplace://"
GUIDE, RULES, PURCHASES, OPERATION = (f"{SCHEME}{name}" for name in ("guide", "rules", "purchases", "openapi/"))
FIXED = [GUIDE, RULES, PURCHASES]
UNFORESEEN = types.ErrorData(
    code=types.INTERNAL_ERROR, message="The server failed in an unforeseen way; its log says how."
)
LARGEST = 32 * 1024
"""Characters that one resource may take in these tests; a client puts them into a conversation."""


async def text_of(client: Client, uri: str, mime_type: str = "application/json") -> str:
    """The text of a resource, which comes under its own address and with its type."""
    (content,) = (await client.read_resource(uri)).contents
    assert isinstance(content, types.TextResourceContents)
    assert (content.uri, content.mime_type, len(content.text) < LARGEST) == (uri, mime_type, True)
    return content.text


async def error_of(asking: Any) -> types.ErrorData:
    """The error that a request ends with."""
    with pytest.raises(MCPError) as caught:
        await asking
    return caught.value.error
