"""Finds and reads money in a partner's texts. Amounts are whole cents; a text is read in full or not at all."""

import html
import re
import unicodedata
from collections.abc import Callable
from typing import Any

# ISO 4217 codes in use, and a few that partners still write.
_CODES = frozenset(
    (
        "AED AFN ANG AOA ARS AUD AWG AZN BBD BDT BGN BHD BIF BMD BND BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE "
        "CHF CHW CLF CLP CNY COP COU CUC CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GHS GIP GMD GNF "
        "GTQ GYD HKD HNL HRK HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK "
        "LBP LKR LRD LSL LYD MDL MGA MKD MMK MNT MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB "
        "PGK PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SLL SRD SSP STN SVC SYP SZL THB TJS "
        "TMT TND TTD TWD TZS UAH UGX USD USN UYI UYU UYW UZS VED VES VND VUV WST XAF XCD XCG XDR XOF XPF YER ZAR "
        "ZMW ZWG ZWL"
    ).split()
)
# These are also words ("all 5 regions", "try 3 projects", "php 8", "amd64"): only capitals make them a currency.
_CODES_THAT_ARE_WORDS = frozenset("ALL AMD BAM BOB CRC CUP CVE GEL MAD MOP PEN PHP SOS TOP TRY".split())

_CURRENCY_WORDS = frozenset("dollar dollars euro euros pound pounds cent cents eurocent eurocents".split())

# What is searched has its currency signs read as ¤, its digits as 0 or 1, and nothing invisible (`_reads`).
_LETTER = r"[^\W\d_]"
_NUMBER = re.compile(r"[.,٫·]?[01][01.,'’٫٬_·]*")
_THOUSANDS = re.compile(r"(?<=[01]) (?=[01]{3}(?![01]))")
_WORD = re.compile(rf"{_LETTER}{{3,}}")
_GAP = "\\s*_~+−()\\[\\]\"'’“”`\u2010\u2013\u2014/-"
"""What may stand between a currency and its number: brackets, quotes, dashes of every length."""
_BEFORE = re.compile(rf"(?:(?P<sign>¤)|(?<!{_LETTER})(?P<word>{_LETTER}{{3,9}}))[:=|\\{_GAP}]{{0,4}}\Z")
_NO_NUMBER = re.compile(r"[ -%'-/:-~]*")
"""ASCII without a digit, and without an entity that could be one."""
_REACH = 18
"""Characters before a number that `_BEFORE` may need: a word, a gap, and what stands before the word."""
_TIMES = r"(?:[km]|bn|\s?(?:thousand|million|billion)(?=\s))?"
_WHOSE = r"(?:(?:US|U\.S\.|American|Australian|British|Canadian|Hong Kong|Singapore)[\s-])?"
_AFTER = re.compile(
    rf"{_TIMES}[{_GAP}]{{0,4}}{_WHOSE}(?:{_LETTER}{{0,3}}(?P<sign>¤)|(?P<word>{_LETTER}{{3,9}})(?!{_LETTER}))",
    re.IGNORECASE,
)
_TAG = re.compile(r"</?[A-Za-z][^<>]{0,200}>")
# White space aside, these categories are dropped: what no reader sees, and marks, which change no digit and no word.
_UNSEEN_CATEGORIES = frozenset("Cc Cf Cn Co Cs Mc Me Mn".split())
_UNSEEN_LETTERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")

_PERIOD = r"hour|hr|day|week|month|mo|year|yr"
_COSTS_NOTHING = re.compile(rf"(?:free|\$0(?:\.00)?)(?:\s?(?:/|per)\s?(?:{_PERIOD}))?", re.IGNORECASE | re.ASCII)
_DECIMAL = re.compile(r"([0-9]{1,12})(?:\.([0-9]{1,2})0*)?")


class UnreadableMoneyError(ValueError):
    """A money member is there but is not of its documented type."""


def folded(text: str) -> str:
    """Return `text` as it reads: compatibility forms folded, entities decoded, nothing invisible, single spaces.

    Marks go before the normalization: ordering a long run of them takes quadratic time.
    """
    plain = html.unescape(text)
    if not _is_plain(plain):
        plain = _seen(unicodedata.normalize("NFKC", _seen(_kept(plain))))
    return " ".join(plain.split())


def _is_plain(text: str) -> bool:
    """Say whether `text` reads as it stands, as nearly all do: what follows looks at every character."""
    return text.isascii() and text.isprintable()


def _kept(text: str) -> str:
    """Return `text` with its currency signs as one, and numerals as digits, that compatibility forms spell in letters.

    These are ₨ and ﷼, and the Roman numerals.
    """
    return _replace(text, lambda char: _digit(char) if unicodedata.category(char) == "Nl" else _sign(char))


def _sign(char: str) -> str:
    return "¤" if unicodedata.category(char) == "Sc" else char


def _digit(char: str) -> str:
    return "1" if unicodedata.numeric(char) else "0"


def _seen(text: str) -> str:
    return _replace(text, lambda char: "" if _is_unseen(char) else char)


def _is_unseen(char: str) -> bool:
    return not char.isspace() and (unicodedata.category(char) in _UNSEEN_CATEGORIES or char in _UNSEEN_LETTERS)


def _replace(text: str, by: Callable[[str], str]) -> str:
    """Replace each character, asking once for each kind: a partner's text may be megabytes long."""
    return text.translate({ord(char): by(char) for char in set(text)})


def holds_amount(text: str) -> bool:
    """Say whether `text` holds a currency next to a number that is not zero, in any script's digits.

    It is read as it stands, and as it reads where a browser makes tags of what looks like one.
    """
    if _NO_NUMBER.fullmatch(text):
        return False
    return _search(text) or (("<" in text or "&" in text) and _search(_TAG.sub("", html.unescape(text))))


def _search(text: str) -> bool:
    reads = _THOUSANDS.sub("", _read(folded(text)))
    if not _holds_currency(reads):
        return False
    return any("1" in found[0] and _stands_by_a_currency(reads, *found.span()) for found in _NUMBER.finditer(reads))


def names_currency(text: str) -> bool:
    """Say whether `text` names a currency and no number, as a label does whose value is the amount.

    Codes that are words of this trade, too, name none here: "TOP K", "PHP SDK", "AMD cores".
    """
    reads = _read(folded(text))
    return not _NUMBER.search(reads) and _names_plain_currency(reads)


def holds_currency_and_number(text: str) -> bool:
    """Say whether a currency as in `names_currency` and a number that is not zero stand anywhere in `text`."""
    reads = _read(folded(text))
    return "1" in reads and _names_plain_currency(reads)


def _names_plain_currency(reads: str) -> bool:
    return "¤" in reads or any(map(_is_plain_currency, _WORD.findall(reads)))


def _holds_currency(reads: str) -> bool:
    """Say whether a currency may stand in `reads` at all: most texts have none. A letter before it multiplies."""
    return "¤" in reads or any(_is_currency(word) or _is_currency(word[1:]) for word in set(_WORD.findall(reads)))


def holds_number(text: str) -> bool:
    """Say whether a digit stands in `text` that is not zero, in any script."""
    return "1" in _read(folded(text))


def _read(text: str) -> str:
    return text.translate(_ASCII_READS) if text.isascii() else _replace(text, _reads)


def _reads(char: str) -> str:
    return _digit(char) if char.isnumeric() else _sign(char)  # re does not know all digits, as Ethiopic ones


_ASCII_READS = {code: _reads(chr(code)) for code in range(128)}


def _stands_by_a_currency(reads: str, start: int, end: int) -> bool:
    sides = _BEFORE.search(reads[max(0, start - _REACH) : start]), _AFTER.match(reads, end)
    return any(side is not None and (side["sign"] is not None or _is_currency(side["word"])) for side in sides)


def _is_currency(word: str) -> bool:
    return word in _CODES_THAT_ARE_WORDS or _is_plain_currency(word)


def _is_plain_currency(word: str) -> bool:
    return word.upper() in _CODES or word.casefold() in _CURRENCY_WORDS


def costs_nothing(cost: str) -> bool:
    """Say whether the whole text is one of the few that mean no cost: free, $0, $0.00, with or without a period."""
    return not cost.strip() or _COSTS_NOTHING.fullmatch(cost.strip()) is not None


def cents_from_dollars(amount: Any) -> int:
    """Return the cents of a decimal text in dollars (`"10.00"`), as Vercel documents its money members.

    Raises:
        UnreadableMoneyError: anything else, a number, an exponent or a separator of thousands included.
    """
    found = _DECIMAL.fullmatch(amount) if isinstance(amount, str) else None
    if found is None:
        raise UnreadableMoneyError
    return int(found[1]) * 100 + int((found[2] or "0").ljust(2, "0"))


def dollars(cents: int) -> str:
    """Return `cents` as dollars with two decimals: 2500 is `25.00`."""
    return f"{cents // 100}.{cents % 100:02d}"
