"""The commands. Exit codes: 0 done, 1 the answer is no, 2 wrong usage or settings."""

import argparse
import gc
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from vercel_marketplace_mcp import settings
    from vercel_marketplace_mcp.account import Account
    from vercel_marketplace_mcp.http.settings import HttpSettings

USAGE_ERROR = 2


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command that the arguments name and leave the process with its exit code."""
    parsed = _parser().parse_args(arguments)
    try:
        sys.exit(parsed.run(parsed))
    except KeyboardInterrupt:
        sys.exit(130)


class _PrintVersion(argparse.Action):
    """`--version`, which looks the version up only when it is asked for."""

    def __init__(self, option_strings: Sequence[str], dest: str, help: str | None = None) -> None:  # noqa: A002
        super().__init__(option_strings, dest, nargs=0, help=help)

    def __call__(self, *_: object) -> NoReturn:
        from vercel_marketplace_mcp import __version__

        print(__version__)  # noqa: T201 - a command's output
        sys.exit(0)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="vercel-marketplace-mcp",
        allow_abbrev=False,
        description="An MCP server that provisions storage from the Vercel Marketplace and buys nothing unconfirmed.",
        epilog="Without a command it serves MCP over standard input and output. Settings: see the README.",
    )
    parser.add_argument("--version", action=_PrintVersion, help="print the version and exit")
    parser.set_defaults(run=_serve, sandbox=False, http=None)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    serve = commands.add_parser("serve", help="serve MCP over standard input and output (the default)")
    serve.add_argument("--sandbox", action="store_true", help="use the embedded Vercel: no token, no account, no cost")
    serve.add_argument("--http", metavar="HOST:PORT", help="serve Streamable HTTP there instead")
    serve.set_defaults(run=_serve)
    demo = commands.add_parser("demo", help="run the whole workflow against the sandbox and print what an agent sees")
    demo.set_defaults(run=_demo)
    sandbox = commands.add_parser("sandbox", help="serve the embedded Vercel alone, over HTTP on this machine")
    sandbox.add_argument("--port", type=_port, default=0, metavar="N", help="the port (default: any free one)")
    sandbox.set_defaults(run=_sandbox)
    _add_commands_for_people(commands)
    doctor = commands.add_parser(
        "doctor", help="check settings, team, ledger, token and reachability; say what to mend"
    )
    doctor.set_defaults(run=_doctor)
    return parser


def _add_commands_for_people(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    folder = argparse.ArgumentParser(add_help=False)
    folder.add_argument("--state-dir", metavar="D", help="the server's state folder (default: VERCEL_MCP_STATE_DIR)")
    approve = commands.add_parser("approve", parents=[folder], help="approve or decline a purchase that waits for it")
    approve.add_argument("code", nargs="?", metavar="CODE", help="the code that the assistant was given")
    approve.add_argument("--server", metavar="URL", help="answer at this server, with a token of your own")
    approve.set_defaults(run=_for_people, command="approve")
    ledger = commands.add_parser("ledger", help="what was asked, approved and bought")
    actions = ledger.add_subparsers(title="actions", metavar="ACTION", required=True)
    listing = actions.add_parser("list", parents=[folder], help="the purchases, newest first")
    listing.add_argument("--before", metavar="ID", help="go on after this purchase, the last one that was shown")
    show = actions.add_parser("show", parents=[folder], help="all that is known of one purchase or question")
    show.add_argument("id", metavar="ID")
    verify = actions.add_parser("verify", parents=[folder], help="check that the audit log is whole")
    resolve = actions.add_parser(
        "resolve", parents=[folder], allow_abbrev=False, help="settle an unknown outcome or a mismatch"
    )
    resolve.add_argument("id", metavar="ID")
    found = resolve.add_mutually_exclusive_group(required=True)
    found.add_argument("--created", action="store_true", dest="created", help="the store exists")
    found.add_argument("--not-created", action="store_false", dest="created", help="the store does not exist")
    moving = actions.add_parser("import", parents=[folder], help="move the ledger from its folder into PostgreSQL")
    for name, action in (
        ("list", listing),
        ("show", show),
        ("verify", verify),
        ("resolve", resolve),
        ("import", moving),
    ):
        action.set_defaults(run=_for_people, command=name)


def _doctor(_parsed: argparse.Namespace) -> int:
    from vercel_marketplace_mcp import doctor

    return doctor.run()


def _for_people(parsed: argparse.Namespace) -> int:
    if getattr(parsed, "server", None):
        from vercel_marketplace_mcp.http import desk

        return desk.run(parsed.server, parsed.code)
    from vercel_marketplace_mcp import commands

    return commands.run(parsed)


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and int(text) <= 65535):
        raise argparse.ArgumentTypeError("must be a whole number from 0 to 65535")
    return int(text)


def _serve(parsed: argparse.Namespace) -> int:
    _import_lightly()
    import anyio

    from vercel_marketplace_mcp import collector, logs
    from vercel_marketplace_mcp.settings import SettingsError

    try:
        chosen = _load_settings(parsed.sandbox)
        door = _load_http(parsed.http) if parsed.http else None
    except SettingsError as error:
        return _fail(str(error))
    logs.configure([*chosen.secrets, *collector.secrets()], log_format=chosen.log_format)
    if door is None:
        anyio.run(_serve_stdio, chosen, parsed.sandbox)
        return 0
    try:
        anyio.run(_serve_http, chosen, parsed.sandbox, door)
    except OSError as error:
        return _fail(f"{parsed.http} can't be used: {error.strerror}")
    return 0


def _fail(reason: str) -> int:
    print(f"vercel-marketplace-mcp: {reason}", file=sys.stderr)  # noqa: T201
    return USAGE_ERROR


def _load_settings(sandbox: bool) -> "settings.Settings":
    """Return the settings of the server.

    Raises:
        SettingsError: one can't be used.
    """
    from vercel_marketplace_mcp import settings

    if sandbox:
        from vercel_marketplace_mcp.sandbox import SANDBOX_TEAM_ID, SANDBOX_TOKEN

        return settings.load_for_sandbox(SANDBOX_TOKEN, SANDBOX_TEAM_ID)
    return settings.load()


def _load_http(address: str) -> "HttpSettings":
    """Return the settings for serving over HTTP.

    Raises:
        SettingsError: one can't be used.
    """
    from vercel_marketplace_mcp.http import settings

    return settings.load(address, os.environ)


@asynccontextmanager
async def _opened(chosen: "settings.Settings", sandbox: bool, url: str | None = None) -> AsyncIterator["Account"]:
    from vercel_marketplace_mcp import collector
    from vercel_marketplace_mcp.account import Account

    account = Account(chosen, _program(), sandbox=sandbox, server_url=url)
    try:
        async with collector.exported(lambda: account.context.ledger.open_unknowns()):  # noqa: PLW0108 - not opened yet
            yield account
    finally:
        await account.aclose()


async def _serve_stdio(chosen: "settings.Settings", sandbox: bool) -> None:
    from vercel_marketplace_mcp import app, stdio

    async with _opened(chosen, sandbox) as account:
        server = app.build_server(lambda: account.context)
        _collect_garbage_again()
        await stdio.serve(server, account.drain)


async def _serve_http(chosen: "settings.Settings", sandbox: bool, door: "HttpSettings") -> None:
    from vercel_marketplace_mcp import app
    from vercel_marketplace_mcp.http import serving
    from vercel_marketplace_mcp.http.app import build_app

    listener, door = serving.listen(door)  # first: answers name the port that was taken
    with listener:
        async with _opened(chosen, sandbox, door.approvals_url) as account:
            application = build_app(app.build_server(lambda: account.context), account.context, door)
            _collect_garbage_again()
            await serving.serve(application, door, listener, account.drain)


def _import_lightly() -> None:
    """Spare the imports what slows them down, a tenth of a start in all.

    What they make lives as long as the process, so the collector would look through it in vain; and pydantic would
    search every installed package for plugins, which have no business in these validators either.
    """
    gc.disable()
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")


def _collect_garbage_again() -> None:
    gc.freeze()  # what was imported is never looked through again
    gc.enable()


def _program() -> tuple[str, ...]:
    """Return how this program was started, for commands that a person is to run."""
    started = Path(sys.argv[0])
    if started.name == "__main__.py":
        return sys.executable, "-m", "vercel_marketplace_mcp"
    return (str(started.absolute()),)


def _demo(_parsed: argparse.Namespace) -> int:
    import anyio

    from vercel_marketplace_mcp import demo

    return anyio.run(demo.run)


def _sandbox(parsed: argparse.Namespace) -> int:
    from vercel_marketplace_mcp.sandbox import http

    try:
        http.run(parsed.port)
    except OSError as error:
        return _fail(f"port {parsed.port} can't be used: {error.strerror}")
    return 0
