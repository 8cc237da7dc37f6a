"""How large the campaign is: short in `make test`, whole in `make campaign`. It counts and runs nothing."""

import os

WHOLE = os.environ.get("CAMPAIGN") == "whole"


def of(short: int, whole: int) -> int:
    """The size that holds for this run."""
    return whole if WHOLE else short
