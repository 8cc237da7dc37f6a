"""Makes text that is not ours safe to show: one line, visible characters only, bounded. It decides nothing."""

import difflib
import re
import unicodedata
from collections.abc import Iterable

MAX_LENGTH = 200
"""Characters that one third-party text may take in an answer."""

# Letters and marks that render as nothing although Unicode does not call them format characters:
# Hangul fillers, braille blank, Khmer inherent vowels, grapheme joiner, Mongolian and other variation selectors.
_INVISIBLE = frozenset(
    "\u115f\u1160\u3164\uffa0\u2800\u17b4\u17b5\u034f\u180b\u180c\u180d\u180f"
    + "".join(map(chr, range(0xFE00, 0xFE10)))
) | frozenset(map(chr, range(0xE0100, 0xE01F0)))
_DROPPED_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
_MAX_MARKS = 2
_COMPARED = 40
"""Characters by which texts are compared: what that takes grows with their square."""
_TERMINAL_SEQUENCE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # colours, cursor
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]*"  # titles, links, device strings
    r"|\x1b[ -/]*[0-~]"  # resets, character sets, and the end of the former
)
_IDENTIFIER = re.compile(r"[A-Za-z0-9_./:-]{1,128}")
_HTML_TAG = re.compile(r"<(?=[A-Za-z/!?])")


def visible(text: str) -> str:
    """Return `text` without characters that a reader can't see, white space folded to single spaces."""
    if text.isascii() and text.isprintable():  # as nearly all are: nothing below would find anything
        return " ".join(text.split())
    kept: list[str] = []
    marks = 0
    for char in unicodedata.normalize("NFC", _TERMINAL_SEQUENCE.sub("", text)):
        if char.isspace():
            kept.append(" ")
            continue
        category = unicodedata.category(char)
        if category in _DROPPED_CATEGORIES or char in _INVISIBLE:
            continue
        marks = marks + 1 if category.startswith("M") else 0
        if marks <= _MAX_MARKS:
            kept.append(char)
    composed = unicodedata.normalize("NFC", "".join(kept))  # what was dropped may have kept a mark from its letter
    return " ".join(composed.split())


def clean(text: str, limit: int = MAX_LENGTH) -> str:
    """Return `text` as one bounded line that holds no control, invisible or direction-changing characters.

    Markdown links and HTML tags lose the character that makes a host render them.
    """
    shown = visible(text[: limit * 8])  # a long run of invisible characters must not cost time or memory
    shown = _HTML_TAG.sub("‹", shown).replace("](", "] (")
    if len(shown) > limit or len(text) > limit * 8:
        return shown[: limit - 1] + "…"
    return shown


def is_plain(text: str) -> bool:
    """Say whether `text` holds only characters that a reader sees as they are, in composed form."""
    return text == unicodedata.normalize("NFC", text) and not any(
        unicodedata.category(char) in {*_DROPPED_CATEGORIES, "Zl", "Zp"} or char in _INVISIBLE for char in text
    )


def nearest(word: str, choices: Iterable[str], count: int = 5) -> tuple[str, ...]:
    """Return up to `count` choices, those most like `word` first; all others keep their order."""
    known = list(dict.fromkeys(choices))[:500]
    folded = {choice: choice[:_COMPARED].casefold().replace("_", "").replace("-", "") for choice in known}
    target = word[:_COMPARED].casefold().replace("_", "").replace("-", "")
    scores = {choice: difflib.SequenceMatcher(None, target, folded[choice]).ratio() for choice in known}
    return tuple(sorted(known, key=lambda choice: -scores[choice])[:count])


def quoted(text: str, limit: int = MAX_LENGTH) -> str:
    """Return text of others in double quotes, which nothing in it can close: a client may show all lines as one."""
    return '"' + clean(text, limit).replace('"', "'") + '"'


def repeats(text: str, known: str) -> bool:
    """Say whether `text` tells nothing that `known` does not: case, spaces and dashes aside, they are the same."""
    return _letters(text) == _letters(known)


def _letters(text: str) -> str:
    return text.casefold().translate(_SEPARATORS)


_SEPARATORS = str.maketrans("", "", " -_.,")


def named(text: str) -> str:
    """Return an identifier as it is, and anything that could be read as words of a sentence in quotes."""
    return text if is_identifier(text) else quoted(text)


def is_identifier(text: str) -> bool:
    """Say whether `text` can't be read as anything but an identifier, so that it may stand in a sentence of ours."""
    return _IDENTIFIER.fullmatch(text) is not None
