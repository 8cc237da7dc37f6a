"""What can go wrong between this process and Vercel, told apart by whether a request may have been acted on.

    VercelError
    ├── NotSentError   no byte of the request left this process
    ├── RefusedError   Vercel answered that it did not do it (a 4xx, 408 aside)
    └── UnclearError   anything else: a time-out, a 5xx, a redirect, an answer that can't be read

Every message is written here; Vercel's own words are quoted, cleaned and capped, and hold no header or address.
"""

import math
from collections.abc import Mapping
from typing import Any

from vercel_marketplace_mcp.settings import Team
from vercel_marketplace_mcp.text import MAX_LENGTH, clean, quoted

_LONGEST_WAIT = 3600
# Statuses with their meaning in Vercel's documentation: code, sentence, what to do next.
_REFUSALS: Mapping[int, tuple[str, str, str]] = {
    400: ("bad_request", "Vercel says that a value of the request is invalid.", "Change what the message names."),
    401: ("unauthorized", "Vercel does not accept the token.", "Ask the operator to renew VERCEL_TOKEN."),
    402: (
        "payment_required",
        "The team has no valid payment method, or is blocked for payment.",
        "A person can mend this in the team's billing settings: https://vercel.com/dashboard, Settings, Billing.",
    ),
    403: (
        "forbidden",
        "The token may not do this in {team}.",
        "Ask the operator for a token of a member who may manage integrations there, or to correct VERCEL_TEAM_ID.",
    ),
    404: (
        "not_found",
        "Vercel does not know this id in {team}, or the integration is not installed there.",
        "Check the ids with list-configurations and list-products.",
    ),
    409: (
        "conflict",
        "Vercel reports a conflict with something that exists.",
        "Choose another name, or use what exists.",
    ),
    410: ("gone", "What the request names has been removed.", "List again and use what exists now."),
    429: ("rate_limited", "Vercel has limited the rate of requests.", "Wait {wait}, then try again."),
}


class VercelError(Exception):
    """A request that did not end well. `code` is stable; `message` and `next_step` are fit to be shown.

    `may_retry` says whether a read is worth repeating; `retry_after` is Vercel's advice in seconds.
    """

    def __init__(
        self, code: str, message: str, next_step: str, *, may_retry: bool = False, retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.next_step = next_step
        self.may_retry = may_retry
        self.retry_after = retry_after


class NotSentError(VercelError):
    """No byte of the request left this process."""

    def __init__(
        self,
        code: str = "not_reachable",
        message: str = "Vercel's API could not be reached.",
        next_step: str = "Check the network, then try again.",
        *,
        may_retry: bool = True,
    ) -> None:
        super().__init__(code, message, next_step, may_retry=may_retry)


class RefusedError(VercelError):
    """Vercel answered that it did not do what was asked."""


class UnclearError(VercelError):
    """It can't be known whether Vercel acted."""


def from_status(status: int, body: Any, retry_after: float | None, team: Team | None) -> VercelError:
    """Return the error for an answer that is no success; `body` is its JSON value, or None if it has none.

    `team` is the one that the request named.
    """
    said = _quote(body)
    if 400 <= status < 500 and status != 408:
        code, sentence, next_step = _REFUSALS.get(
            status, ("refused", f"Vercel refused the request with status {status}.", "Read Vercel's message.")
        )
        return RefusedError(
            code,
            sentence.format(team=f"the team {clean(str(team))}" if team else "the token's default team") + said,
            next_step.format(wait=_wait(retry_after)),
            may_retry=status == 429,
            retry_after=retry_after if status == 429 else None,
        )
    if 300 <= status < 400:
        return UnclearError("redirected", "Vercel's API answered with a redirect, which is never followed.", _SETTING)
    return UnclearError(
        "server_error",
        f"Vercel's API failed with status {status}.{said}",
        "Try again in a minute.",
        may_retry=status in {502, 503, 504},
        retry_after=retry_after,
    )


def _wait(seconds: float | None) -> str:
    """Return what Vercel advises, within reason; without advice, a minute."""
    if seconds is None:
        return "a minute"
    return f"{min(max(math.ceil(seconds), 2), _LONGEST_WAIT)} seconds"


_SETTING = "Ask the operator to check VERCEL_API_URL."


def unaddressable() -> NotSentError:
    """Return the error for a request whose values would not stay in their place of the address."""
    return NotSentError(
        "unaddressable",
        "The request has no place in an address of Vercel's API: it is too long, or a value is no id.",
        "Shorten the arguments, or list again for valid ids.",
        may_retry=False,
    )


def unreadable(reason: str) -> UnclearError:
    """Return the error for an answer that broke a rule of reading; `reason` is one of our own phrases."""
    return UnclearError("unreadable_answer", f"Vercel's answer can't be used: {reason}.", "Try again in a minute.")


def timed_out() -> UnclearError:
    """Return the error for an answer that did not come, or not whole, within its deadline."""
    return UnclearError("timed_out", "Vercel did not answer in time.", "Try again in a minute.", may_retry=False)


def broken_off() -> UnclearError:
    """Return the error for a connection that ended before the answer was whole."""
    return UnclearError("connection_lost", "The connection to Vercel broke off.", "Try again.", may_retry=True)


def _quote(body: Any) -> str:
    error = body.get("error") if isinstance(body, Mapping) else None
    detail = error if isinstance(error, Mapping) else body
    if not isinstance(detail, Mapping):
        return ""
    code, message = detail.get("code"), detail.get("message")
    words = [clean(text) for text in (code, message) if isinstance(text, str) and clean(text)]
    return f" Vercel said: {quoted(': '.join(words), 2 * MAX_LENGTH)}." if words else ""
