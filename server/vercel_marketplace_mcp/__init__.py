"""An MCP server that provisions storage from the Vercel Marketplace and never spends without a person's yes."""

from typing import Any


def __getattr__(name: str) -> Any:
    """Give `__version__` on first use: reading package metadata at import would fail in an uninstalled checkout."""
    if name == "__version__":
        from importlib.metadata import PackageNotFoundError, version

        try:
            return version("vercel-marketplace-mcp")
        except PackageNotFoundError:
            return "0+unknown"
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
