"""The tools, one handler a file, named after its tool."""
