"""The servers that are measured beside ours. They promise nothing about money and are for measuring only."""
