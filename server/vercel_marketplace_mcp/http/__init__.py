"""Serves MCP over Streamable HTTP: who may knock, who they are, and who approves."""
