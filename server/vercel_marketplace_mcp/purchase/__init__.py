"""The rules about money, as pure functions: no clock, network, file or MCP."""
