"""The rule "free or paid" once more, written from the design's words to check the code. Imports nothing of ours."""

import html
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import takewhile
from typing import Any, TypeAlias

Json: TypeAlias = dict[str, Any]

CODES = frozenset("USD EUR GBP CHF JPY INR SEK TRY ALL TOP".split())
"""Currency codes that these tests write; those that are words too count in capitals only."""
WORDS_TOO = frozenset("TRY ALL TOP".split())
NOUNS = frozenset("dollar dollars euro euros pound pounds cent cents".split())
PERIODS = ("hour", "hr", "day", "week", "month", "mo", "year", "yr")
FREE_COSTS = {
    f"{price}{period}"
    for price in ("free", "$0", "$0.00")
    for period in ("", *(f"{a}{by}{b}{unit}" for unit in PERIODS for by in ("/", "per") for a in " ~" for b in " ~"))
}
FREE_COSTS = {cost.replace("~", "") for cost in FREE_COSTS}
MONEY = ("initialCharge", "minimumAmount", "maximumAmount", "maximumAmountAutoPurchasePerPeriod")
BEFORE_A_CURRENCY = " *_~+-−()[]'\"’“”`\u2010\u2013\u2014/"
AFTER_A_CURRENCY = BEFORE_A_CURRENCY + ":=|\\"
COUNTRIES = tuple(
    country + joint
    for country in ("us", "u.s.", "american", "australian", "british", "canadian", "hong kong", "singapore")
    for joint in " -"
)
MULTIPLIERS = ("k", "m", "bn", " thousand", "thousand", " million", "million", " billion", "billion")
AT_FIRST = frozenset("then until after afterward afterwards thereafter first during".split())
SPENDING = ("upgrad", "scal", "renew", "recharg", "topup", "purchas")


def as_read(text: str) -> str:
    """The text as a person reads it: one form for every digit and letter, nothing that can't be seen."""
    text = html.unescape(text)
    text = "".join("1" if unicodedata.category(c) == "Nl" and unicodedata.numeric(c) else c for c in text)
    text = unicodedata.normalize("NFKC", text)
    text = "".join(" " if c.isspace() else c for c in text if c.isspace() or unicodedata.category(c)[0] not in "CM")
    return re.sub(" +", " ", text).strip()


def without_thousands(text: str) -> str:
    """The text with numbers in one piece that are written in groups of three digits."""
    digits = "".join("1" if char.isnumeric() else char for char in text)
    joints = {found.start() for found in re.finditer(r"(?<=1) (?=111(?!1))", digits)}
    return "".join(char for place, char in enumerate(text) if place not in joints)


def names_an_amount(text: str) -> bool:
    """As the text stands, or without what looks like tags."""
    return reads_an_amount(text) or reads_an_amount(re.sub(r"</?[A-Za-z][^<>]{0,200}>", "", html.unescape(text)))


def reads_an_amount(text: str) -> bool:
    """From every currency outwards: is there a number that is not zero right behind it, or right before it?"""
    text = without_thousands(as_read(text))
    for start, end, is_sign in currencies(text):
        if is_not_zero(skip(text[end:], AFTER_A_CURRENCY)):
            return True
        before = without_country(text[:start])[::-1]
        for letters in range(4 if is_sign else 1):
            if before[:letters].isalpha() or letters == 0:
                number = skip(before[letters:], BEFORE_A_CURRENCY)
                times = ["", *(word[::-1] for word in MULTIPLIERS if number.lower().startswith(word[::-1]))]
                if any(is_not_zero(number[len(word) :]) for word in times):
                    return True
    return False


def currencies(text: str) -> Iterator[tuple[int, int, bool]]:
    """Where a currency sign, code or noun stands."""
    for place, char in enumerate(text):
        if unicodedata.category(char) == "Sc":
            yield place, place + 1, True
    for found in re.finditer(r"(?<=\d)[kKmM](?P<behind>[^\W\d_]+)|(?P<word>[^\W\d_]+)", text):
        name = "word" if found["word"] else "behind"
        for word, start in {(found[0], found.start()), (found[name], found.start(name))}:
            code = word.upper()
            if (code in CODES and (code not in WORDS_TOO or word == code)) or word.lower() in NOUNS:
                yield start, found.end(), False


def without_country(text: str) -> str:
    """What stands before a currency, without the word that says whose it is."""
    return next((text[: -len(country)] for country in COUNTRIES if text.lower().endswith(country)), text)


def skip(text: str, soft: str) -> str:
    """What follows at most four characters that separate nothing."""
    gap = sum(1 for _ in takewhile(lambda char: char in soft, text[:4]))
    return text[gap:]


def is_not_zero(text: str) -> bool:
    """Whether the text begins with a number, in any script's digits, that is not zero."""
    number = list(takewhile(lambda char: char.isnumeric() or char in ".,'’_٫٬·", text))
    begins = any(char.isnumeric() for char in number[:2])
    return begins and any(char.isnumeric() and unicodedata.numeric(char) for char in number)


def words(text: str) -> list[str]:
    """The words of a text in small letters; a capital behind a small letter begins another."""
    found, before = [""], ""
    for char in as_read(text):
        if not char.isalpha() or (before.islower() and before.isascii() and char.isupper() and char.isascii()):
            found.append("")
        found[-1] += char.lower() if char.isalpha() else ""
        before = char
    return [word for word in found if word]


def texts(value: Any) -> Iterator[str]:
    """Every string of a JSON value."""
    match value:
        case str():
            yield value
        case list():
            yield from (text for item in value for text in texts(item))
        case dict():
            yield from (text for item in value.items() for part in item for text in texts(part))


def records(value: Any, depth: int = 0) -> Iterator[list[str]]:
    """What each object inside a JSON object says in more than one member."""
    children = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    said = [str(child) for child in children if isinstance(child, str | int | float)]
    if depth and isinstance(value, dict):
        yield said
    for child in children:
        yield from records(child, depth + 1)


def is_priced(said: list[str]) -> bool:
    """Whether one of the texts names a currency without a number, and another one begins with the number."""
    spoken = [as_read(text) for text in said]
    names = [
        any(is_sign or text[start:end] not in WORDS_TOO for start, end, is_sign in currencies(text))
        and not any(char.isnumeric() for char in text)
        for text in spoken
    ]
    begin = [names_an_amount("$ " + re.sub(r"^\W*(from|up to) ", "", text, flags=re.IGNORECASE)) for text in spoken]
    return any(names) and any(begin) and not any(map(names_an_amount, said))


def is_harmless(text: str) -> bool:
    """Whether a text names no amount, no trial, and nothing that is free only for a while."""
    said = words(text)
    for_a_while = "free" in said and AT_FIRST.intersection(said)
    return (
        not names_an_amount(text)
        and not any(word.startswith(("trial", "freetrial")) for word in said)
        and not for_a_while
    )


def is_in_effect(plan: Json, now: datetime) -> bool:
    """Whether the plan names no date, or one that has passed."""
    if "effectiveDate" not in plan:
        return True
    try:
        date = datetime.fromisoformat(plan["effectiveDate"])
    except (TypeError, ValueError):
        return False
    return (date if date.tzinfo else date.replace(tzinfo=UTC)) <= now


def money_is_zero(plan: Json) -> bool:
    """Whether every money member is absent, or zero and of its documented type."""
    texts_are_zero = all(isinstance(plan[name], str) and ZERO.fullmatch(plan[name]) for name in MONEY if name in plan)
    card_test = plan.get("preauthorizationAmount", 0)
    return texts_are_zero and type(card_test) in (int, float) and card_test == 0


ZERO = re.compile(r"0{1,12}(\.0+)?")


def quotes_nothing(plan: Json) -> bool:
    """Whether the deprecated quote names no amount; its amounts leave the currency out."""
    lines = plan.get("quote") or []
    amounts = [as_read(str(line.get("amount") or "")) for line in lines]
    return not any(char.isnumeric() and unicodedata.numeric(char) for amount in amounts for char in amount)


def is_free(plan: Json, now: datetime) -> bool:
    """Whether one plan, taken by itself, passes every condition."""
    cost = plan.get("cost", "")
    return all(
        (
            plan.get("type") == "subscription",
            plan.get("paymentMethodRequired") is False,
            plan.get("scope") == "resource",
            plan.get("disabled", False) is False,
            is_in_effect(plan, now),
            money_is_zero(plan),
            isinstance(cost, str) and (cost.strip() == "" or cost.strip().lower() in FREE_COSTS),
            quotes_nothing(plan),
            all(is_harmless(text) for text in texts(plan)),
            not any(is_priced(said) or not is_harmless(" ; ".join(said)) for said in records(plan)),
        )
    )


def free_ids(plans: Sequence[Any], now: datetime) -> list[str]:
    """The ids under which exactly one plan stands, and that one is free."""
    ids = [plan["id"] for plan in plans if isinstance(plan, dict) and isinstance(plan.get("id"), str) and plan["id"]]
    return [
        plan["id"]
        for plan in plans
        if isinstance(plan, dict) and ids.count(plan.get("id", 0)) == 1 and is_free(plan, now)
    ]


def sets_a_cost(metadata: Mapping[str, Any], schema: Json, protocol_settings: Mapping[str, Any]) -> bool:
    """Whether the metadata, with the schema's defaults, or the protocol settings let a free plan cost."""
    properties = schema["properties"]
    chosen = {key: rules["default"] for key, rules in properties.items() if "default" in rules} | dict(metadata)
    return (
        any(spends(path) for path in truthy_paths([chosen, protocol_settings]))
        or any(chosen.get(key) for key, rules in properties.items() if rules.get("ui:paid-only"))
        or any(
            any(
                is_same(option["value"], value)
                for value in (chosen[key] if isinstance(chosen[key], list) else [chosen[key]])
            )
            and names_an_amount(option.get("label", ""))
            for key, rules in properties.items()
            if key in chosen
            for option in rules.get("ui:options", ())
        )
    )


def is_same(one: Any, other: Any) -> bool:
    """Whether two JSON values are one: true is no number."""
    return one == other and isinstance(one, bool) == isinstance(other, bool)


def truthy_paths(value: Any, path: str = "") -> Iterator[str]:
    """The path of every truthy member, at any depth."""
    for key, child in value.items() if isinstance(value, Mapping) else ():
        if child:
            yield f"{path} {key}"
        yield from truthy_paths(child, f"{path} {key}")
    for child in value if isinstance(value, list) else ():
        yield from truthy_paths(child, path)


def spends(path: str) -> bool:
    """Whether a path reads like auto-upgrade, whatever separates its parts."""
    letters = "".join(char for char in as_read(path).casefold() if char.isalnum())
    return "auto" in letters and any(word in letters for word in SPENDING)


def goes_through_without_a_plan(plans: Sequence[Any], now: datetime) -> bool:
    """Whether at least one enabled plan is free, and each enabled plan that is not asks for a payment method."""
    enabled = [plan for plan in plans if not (isinstance(plan, dict) and plan.get("disabled") is True)]
    free = free_ids(plans, now)
    others = [plan for plan in enabled if not (isinstance(plan, dict) and plan.get("id") in free)]
    ask = [isinstance(plan, dict) and plan.get("paymentMethodRequired") is True for plan in others]
    return len(others) < len(enabled) and all(ask)
