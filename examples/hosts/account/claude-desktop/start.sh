#!/bin/sh
# An application started from the desktop may not have the folders of pipx, uv and Homebrew on its PATH.
PATH="$PATH:$HOME/.local/bin:/opt/homebrew/bin:/usr/local/bin"
exec vercel-marketplace-mcp serve "$@"
