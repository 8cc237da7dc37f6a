"""`python -m vercel_marketplace_mcp` is the command `vercel-marketplace-mcp`."""

from vercel_marketplace_mcp.cli import main

if __name__ == "__main__":
    main()
