"""Counts the tokens of texts with a named tokenizer, without a network. Without the tokenizer there is no count."""

import functools
from collections.abc import Callable

ENCODING = "o200k_base"


@functools.cache
def counter() -> Callable[[str], int] | None:
    """Return what counts tokens, or None where the tokenizer is not installed."""
    try:
        from bpe_openai import get_encoding
    except ImportError:
        return None
    encoding = get_encoding(ENCODING)
    return lambda text: len(encoding.encode_ordinary(text))


def name() -> str | None:
    """Return the tokenizer's name and version, or None where it is not installed."""
    if counter() is None:
        return None
    from importlib.metadata import version

    return f"{ENCODING} (bpe-openai {version('bpe-openai')})"
