"""Starts the server in a desktop extension; the host's uv has installed it. It adds nothing and changes nothing."""

import runpy

if __name__ == "__main__":
    # As `python -m` would: commands that the server prints for a person are then complete.
    runpy.run_module("vercel_marketplace_mcp", run_name="__main__", alter_sys=True)
