"""The account that a process serves: the way to Vercel and the ledger, opened by the first request that needs them."""

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from vercel_marketplace_mcp.settings import Settings

if TYPE_CHECKING:
    from vercel_marketplace_mcp.tools.context import Context


class Account:
    """One account. To open it loads most of this package, which a client that only connects should not wait for."""

    def __init__(
        self, chosen: Settings, program: Sequence[str], *, sandbox: bool = False, server_url: str | None = None
    ) -> None:
        """Serve the operator's account, or the embedded Vercel; `program` and `server_url` are those of `Context`."""
        self._chosen = chosen
        self._program = program
        self._sandbox = sandbox
        self._server_url = server_url

    @cached_property
    def context(self) -> "Context":
        """What every tool handler is given."""
        from vercel_marketplace_mcp.ledger.opening import open_ledger
        from vercel_marketplace_mcp.tools.context import Context
        from vercel_marketplace_mcp.vercel.client import VercelClient

        embedded = None
        if self._sandbox:
            from vercel_marketplace_mcp.ledger.files import remove_ledger
            from vercel_marketplace_mcp.sandbox import Sandbox

            embedded = Sandbox().app
            remove_ledger(self._chosen.state_dir)  # the stores of an earlier sandbox are gone too
        return Context(
            settings=self._chosen,
            client=VercelClient(self._chosen, embedded),
            ledger=open_ledger(self._chosen),
            program=self._program,
            server_url=self._server_url,
        )

    async def drain(self) -> None:
        """Let every purchase finish, and other calls for a moment; of an account never opened there are none."""
        if "context" in vars(self):
            await self.context.drain()

    async def aclose(self) -> None:
        """Close what was opened."""
        if "context" in vars(self):
            await self.context.client.aclose()
            await self.context.ledger.aclose()
