"""Makes the mutants of texts that decide something: statements in SQL, patterns and lists of words. It runs none."""

import re
from collections.abc import Iterator

_STATEMENT = re.compile(r"(?:SELECT|INSERT|UPDATE|DELETE|BEGIN) ")
_CONDITIONS = re.compile(r"\b(?:WHERE|WHEN|ON)\b.*", re.DOTALL)
_COMPARISON = re.compile(r"(?P<left>[\w.]+) (?P<sign><=|>=|<>|=|<|>) (?P<right>\?|:\w+|'\w+'|[\w.]+)")
_SIGNS = {"<": "<=", "<=": "<", ">": ">=", ">=": ">"}
_IN = re.compile(r"IN \('[^)]*\)")
_REPLACED = (
    (r"IS NULL", "IS NOT NULL"),
    (r"IS NOT NULL", "IS NULL"),
    (r"NOT EXISTS", "EXISTS"),
    (r" DESC\b", ""),
    (r" ORDER BY \w+", ""),
    (r" OR IGNORE", ""),
    (r" IMMEDIATE", ""),
    (r"\bmin\((\S+), (\S+)\)", r"\1"),
    (r"\bmin\((\S+), (\S+)\)", r"\2"),
    (r"\bcoalesce\(([^()]+|\w+\(\w+\)), ([^()]+)\)", r"\1"),
    (r"\bcoalesce\(([^()]+|\w+\(\w+\)), ([^()]+)\)", r"\2"),
    (r"(?<=CASE )WHEN .*? THEN \S+ (?=WHEN)", ""),
)

_PATTERN = re.compile(r"\\[wdsbZ]|\[|\(\?|\{\d|\w\|\w")
_QUANTIFIER = re.compile(r"(?<=[\w)\]}.])(?<!\(\?P)[?*+]|(?<!\()(?<!\\)[*+](?!\w)")
_BOUNDS = re.compile(r"\{(\d+),(\d+)\}")
_CLASS = re.compile(r"\[\^?\]?(?:\\.|[^\]\\])*\]")
_ENTRY = re.compile(r"(?<!^)(?:\\.|\w-\w|[^\]\\^])", re.DOTALL)
_LOOK = re.compile(r"\(\?<?[!=](?:\\.|\[(?:\\.|[^\]])*\]|[^()\\])*\)")
_BRANCHES = re.compile(r"\b\w+\|(?=\w)|(?<=\w)\|\w+")


def is_statement(text: str) -> bool:
    """Say whether a text is an SQL statement."""
    return _STATEMENT.match(text) is not None


def is_pattern(text: str) -> bool:
    """Say whether a text is a regular expression, or a piece of one."""
    return _PATTERN.search(text) is not None


def without_a_word(text: str) -> Iterator[str]:
    """Yield a list of words without each of them in turn."""
    words = text.split()
    yield from (" ".join(words[:index] + words[index + 1 :]) for index in range(len(words)))


def statements(text: str) -> Iterator[str]:
    """Yield a statement with one condition that always holds or never, moved bounds, one value or clause less."""
    start = found.start() if (found := _CONDITIONS.search(text)) else len(text)
    for found in _COMPARISON.finditer(text, start):
        yield _replaced(text, found, f"({found[0]} OR 1)")
        if " OR " in text:
            yield _replaced(text, found, f"({found[0]} AND 0)")
        if found["sign"] in _SIGNS:
            yield _replaced(text, found, f"{found['left']} {_SIGNS[found['sign']]} {found['right']}")
    for listed in _IN.finditer(text):
        values = re.findall(r"'\w+'", listed[0])
        for value in values:
            yield _replaced(text, listed, f"IN ({', '.join(each for each in values if each != value)})")
    for pattern, other in _REPLACED:
        for found in re.finditer(pattern, text):
            yield _replaced(text, found, found.expand(other))


def patterns(text: str) -> Iterator[str]:
    """Yield a pattern with one quantifier, bound, entry of a class, look-around or branch changed or gone."""
    for found in _QUANTIFIER.finditer(text):
        yield _replaced(text, found, "")
    for found in _BOUNDS.finditer(text):
        low, high = int(found[1]), int(found[2])
        for least, most in ((low + 1, high), (low - 1, high), (low, high + 1), (low, high - 1)):
            yield _replaced(text, found, f"{{{least},{most}}}")
    for found in _CLASS.finditer(text):
        entries = list(_ENTRY.finditer(found[0]))
        for entry in entries if len(entries) > 1 else []:
            yield _replaced(text, found, _replaced(found[0], entry, ""))
    for expression in (_LOOK, _BRANCHES):
        for found in expression.finditer(text):
            yield _replaced(text, found, "")


def _replaced(text: str, found: re.Match[str], other: str) -> str:
    return text[: found.start()] + other + text[found.end() :]
