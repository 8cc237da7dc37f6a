"""The command `approve --server`: a person in a terminal answers a question that waits at a server elsewhere.

It sends the person's own token to that server alone, and needs neither a token of Vercel's nor a state folder.
"""

import getpass
import os
import re
import sys
from dataclasses import dataclass
from typing import Any

import anyio

from vercel_marketplace_mcp import values
from vercel_marketplace_mcp.approval import desk
from vercel_marketplace_mcp.http.fetch import Fetched, UnreachableError, fetch
from vercel_marketplace_mcp.http.settings import PATH
from vercel_marketplace_mcp.ledger.records import Meaning
from vercel_marketplace_mcp.text import clean

TOKEN = "VERCEL_MCP_APPROVER_TOKEN"  # noqa: S105 - the name of a variable
_CODE = re.compile(r"[0-9A-Z]{1,20}")
_MAX_LINE, _MAX_INDENT = 1000, 8
_NOT_ASKED = "Nothing was answered."
_IN_DOUBT = "It may have your answer: look again which questions wait."


class ServerError(Exception):
    """The server can't be asked, or says no; the message says what to do."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RemoteQuestion:
    """A question as the server shows it, cleaned for a terminal."""

    code: str
    principal: str
    text: str


def run(server: str, code: str | None) -> int:
    """Answer a question and return the exit code: 0 for a yes, 1 for a no, 2 if it could not be answered."""
    desk.take_any_character()
    try:
        meaning = approve(server, code)
    except (ServerError, desk.NotAtDeskError, values.SettingsError) as error:
        sys.stderr.write(f"vercel-marketplace-mcp: {error}\n")
        return 2
    sys.stdout.write(f"{desk.outcome(meaning)}\n")
    return 1 if meaning is Meaning.NO else 0


def approve(server: str, code: str | None) -> Meaning:
    """Show the question, take the answer, and return how the question stands then.

    Raises:
        NotAtDeskError: nobody may answer here, or no such question waits. ServerError: the server can't be asked.
        SettingsError: the address is no address.
    """
    desk.require_person(os.environ, sys.stdin, sys.stdout)
    base = values.url("--server", server).removesuffix(PATH)
    token = _token(base)
    question = desk.choose(_waiting(_ask("GET", f"{base}/approvals", token)), code)
    typed = desk.prompt(f"Asked by {question.principal}:\n\n{question.text}\n\n> ")
    answer = _ask("POST", f"{base}/approvals/{question.code}", token, {"typed": typed.strip()})
    try:
        return Meaning(answer["status"])
    except (KeyError, TypeError, ValueError):
        raise ServerError(f"The server's answer can't be read. {_IN_DOUBT}") from None


def _token(base: str) -> str:
    """Return the person's token, from the environment or typed unseen.

    Raises:
        ServerError: it can't be one.
    """
    try:
        token = os.environ.get(TOKEN) or getpass.getpass(f"Your token for {base}: ")
    except EOFError:
        token = ""
    if not values.is_header_value(token):
        raise ServerError(f"That can't be a token. {_NOT_ASKED}")
    return token


def _waiting(answer: Any) -> list[RemoteQuestion]:
    try:
        found = [
            RemoteQuestion(
                code=one["code"],
                principal=clean(one["principal"]),
                text="\n".join(_visible(line) for line in one["text"].split("\n")),
            )
            for one in answer["questions"]
        ]
        if all(_CODE.fullmatch(one.code) for one in found):
            return found
    except (KeyError, TypeError, AttributeError):
        pass
    raise ServerError(f"The server's answer can't be read. Look whether --server names it. {_NOT_ASKED}")


def _visible(line: str) -> str:
    """Return a line of a question as a terminal may show it: without what can't be seen, indented as it was."""
    indent = len(line) - len(line.lstrip(" "))
    return " " * min(indent, _MAX_INDENT) + clean(line, _MAX_LINE)


def _ask(method: str, url: str, token: str, body: dict[str, str] | None = None) -> Any:
    """Return what the server answers.

    Raises:
        NotAtDeskError: no such question waits. ServerError: it can't be asked, or says no.
    """

    async def ask() -> Fetched:
        return await fetch(method, url, token=token, body=body)

    doubt = _IN_DOUBT if body else _NOT_ASKED
    try:
        answer = anyio.run(ask)
    except UnreachableError as error:
        raise ServerError(f"The server can't be reached ({error}). {doubt}") from None
    match answer.status:
        case 200:
            return answer.document
        case 401:
            raise ServerError(f"The server does not take this token. {_NOT_ASKED}")
        case 403:
            raise ServerError(f"This token may not approve: it lacks the scope stores:approve. {_NOT_ASKED}")
        case 404 if body:
            raise desk.NotAtDeskError("No question with this code waits for you. It may be answered or too old.")
        case 404:
            raise ServerError(f"No questions are answered at this address. Look whether it is right. {_NOT_ASKED}")
    raise ServerError(f"The server answered with status {answer.status}. {doubt}")
