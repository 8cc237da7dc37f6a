"""Reads one JSON-RPC message strictly, whichever transport it came by. It does no I/O.

The SDK merges duplicate keys and drops what it can't parse; here both are found, and answered with the request's id
where that can be told for certain.
"""

import re
from dataclasses import dataclass
from typing import Any

import mcp_types as types
from pydantic import ValidationError

from vercel_marketplace_mcp import strict_json
from vercel_marketplace_mcp.text import clean

MAX_BYTES = 1024 * 1024
"""Bytes that one message may take."""

_ID = rb'"id"\s*:\s*(?P<id>-?[0-9]{1,15}|"[^"\\\x00-\x1f]{1,100}")\s*'
_PLAIN_MEMBER = rb'"(?:jsonrpc|method)"\s*:\s*"[^"\\]*"\s*,\s*'
_ID_IN_FRONT = re.compile(rb"\s*\{\s*(?:" + _PLAIN_MEMBER + rb")*" + _ID + rb"[,}]")
_ID_AT_THE_END = re.compile(rb',\s*(?:"jsonrpc"\s*:\s*"2\.0"\s*,\s*)?' + _ID + rb"\}\s*\Z")


@dataclass(frozen=True, kw_only=True, slots=True)
class Read:
    """A message, and the keys that the arguments of its tool gave more than once."""

    message: types.JSONRPCMessage
    duplicate_keys: tuple[str, ...] = ()


def read(raw: bytes) -> Read | types.JSONRPCError:
    """Return the message that the bytes hold, or the JSON-RPC error to answer them with."""
    if len(raw) > MAX_BYTES:
        return _error(types.INVALID_REQUEST, f"The message is longer than {MAX_BYTES} bytes.", _guess_id(raw))
    try:
        document = strict_json.parse(raw)
    except strict_json.NotJsonError as error:
        return _error(types.PARSE_ERROR, f"The message is {error}.", _guess_id(raw))
    return _checked(document)


def _checked(document: strict_json.Document) -> Read | types.JSONRPCError:
    def refused(reason: str) -> types.JSONRPCError:
        return _error(types.INVALID_REQUEST, f"The message {reason}.", _id(document))

    try:
        message = types.jsonrpc_message_adapter.validate_python(document.value, by_name=False)
    except ValidationError:
        return refused("is not a JSON-RPC 2.0 message")
    if isinstance(message, types.JSONRPCNotification) and "id" in document.value:
        return refused("has an id that is neither a text nor a whole number")
    if not strict_json.is_unicode(_envelope(document.value)):
        return refused("holds half of a surrogate pair")
    is_call = isinstance(message, types.JSONRPCRequest) and message.method == "tools/call"
    if document.duplicate_keys and (not is_call or document.duplicate_members):
        return refused(f"gives {clean(document.duplicate_keys[0])} more than once")
    return Read(message=message, duplicate_keys=document.duplicate_keys)


def _envelope(message: dict[str, Any]) -> dict[str, Any]:
    """Return a message without the arguments of a tool: what is wrong with those is answered by the tool."""
    params = message.get("params")
    if message.get("method") != "tools/call" or not isinstance(params, dict):
        return message
    return {**message, "params": {name: value for name, value in params.items() if name != "arguments"}}


def _error(code: int, message: str, request_id: str | int | None) -> types.JSONRPCError:
    return types.JSONRPCError(jsonrpc="2.0", id=request_id, error=types.ErrorData(code=code, message=message))


def _id(document: strict_json.Document) -> str | int | None:
    """Return the id of a message that is no usable request."""
    found = document.value.get("id") if isinstance(document.value, dict) else None
    is_id = isinstance(found, str | int) and not isinstance(found, bool) and strict_json.is_unicode(found)
    return found if is_id and "id" not in document.duplicate_members else None


def _guess_id(raw: bytes) -> str | int | None:
    """Return the id of a message that can't be parsed, if it stands where only the message's own id can stand."""
    found = _ID_IN_FRONT.match(raw[:1024]) or _ID_AT_THE_END.search(raw[-256:])
    if not found:
        return None
    try:
        text = found["id"].decode("utf-8")
    except UnicodeDecodeError:
        return None
    return text[1:-1] if text.startswith('"') else int(text)
