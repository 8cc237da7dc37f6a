"""What a reply means: only the exact text is a yes, and what nobody can have read is no answer."""

from dataclasses import replace
from typing import Any

import pytest

from vercel_marketplace_mcp.approval.question import Reply, read
from vercel_marketplace_mcp.ledger.records import Meaning


def accept(text: Any, elapsed: float = 5) -> Reply:
    """A form that was sent with this in its field."""
    return Reply(action="accept", content={"amount": text}, elapsed=elapsed)


AMOUNT, PHRASE = "25.00", "UNPRICED-BEEF"


@pytest.mark.parametrize("elapsed", [-5, 0, 0.001, 0.29, 0.31, 55, float("inf")])
@pytest.mark.parametrize("text", ["{}", "{}\n", "  {}\t", "\u00a0{}\u3000", "\r\n{}\r\n"])
@pytest.mark.parametrize("expected", [AMOUNT, PHRASE])
def test_the_exact_text_is_a_yes_however_fast_it_came(expected: str, text: str, elapsed: float) -> None:
    """Surrounding white space is nobody's meaning."""
    assert read(accept(text.format(expected), elapsed), expected) is Meaning.YES


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        *((typed, AMOUNT) for typed in ("25", "25.0", "25.000", "25,00", "$25.00", "25.00 USD", "25.00.", "2 5.00")),
        *((typed, AMOUNT) for typed in ("25. 00", "025.00", "+25.00", "25.01", "24.99", "2500", "2.500", "-25.00")),
        *((typed, AMOUNT) for typed in ("25.0O", "２５.００", "25．00", "٢٥.٠٠", "25.00\u200b", "25\u200b.00", "yes")),
        *((typed, AMOUNT) for typed in ("25.00 25.00", "25.00\n25.00", '"25.00"', "25.00!", "true", "{}", PHRASE)),
        *((typed, PHRASE) for typed in ("unpriced-beef", "UNPRICED-beef", "Unpriced-BEEF", "UNPRICED-BEE", "BEEF")),
        *((typed, PHRASE) for typed in ("UNPRICED BEEF", "UNPRICED–BEEF", "UNPRICED-ВEEF", "UNPRICED-", "UNPRICED")),
        *((typed, PHRASE) for typed in ("UNPRICED-BEEF0", "UNPRICED -BEEF", "UNPRICED-BEE\u0415", "0.00", AMOUNT)),
    ],
)
@pytest.mark.parametrize("elapsed", [0.01, 5])
def test_nothing_near_the_text_is_a_yes(typed: str, expected: str, elapsed: float) -> None:
    """T22: other digits, other cases, look-alikes, units and spaces inside decline, and burn the question."""
    assert read(accept(typed, elapsed), expected) is Meaning.NO


@pytest.mark.parametrize(
    "content",
    [
        None,
        {},
        {"ok": True},
        {"Amount": AMOUNT},
        {"confirmation": AMOUNT},
        *({"amount": value} for value in (None, True, False, 25, 25.0, 0, [], [AMOUNT], {}, {"amount": AMOUNT})),
        *({"amount": value} for value in ("", " ", "\n", "\u00a0")),
    ],
)
@pytest.mark.parametrize("elapsed", [0.01, 5])
def test_an_acceptance_without_a_text_was_seen_by_nobody(content: dict[str, Any] | None, elapsed: float) -> None:
    """T19: a client that sends the form back by itself neither buys nor burns the question."""
    assert read(Reply(action="accept", content=content, elapsed=elapsed), AMOUNT) is Meaning.UNSEEN


def test_more_fields_than_the_one_change_nothing() -> None:
    """A client may send more than it was asked for."""
    reply = Reply(action="accept", content={"amount": AMOUNT, "confirm": False, "note": "no"}, elapsed=5)
    assert read(reply, AMOUNT) is Meaning.YES
    assert read(replace(reply, content={"amount": "no", "confirm": True}), AMOUNT) is Meaning.NO


@pytest.mark.parametrize("content", [None, {}, {"amount": AMOUNT}])
@pytest.mark.parametrize(
    ("action", "elapsed", "meaning"),
    [
        ("decline", 0.29, Meaning.UNSEEN),
        ("decline", 0.3, Meaning.NO),
        ("decline", 0.31, Meaning.NO),
        ("decline", -5, Meaning.UNSEEN),
        ("cancel", 0.29, Meaning.UNSEEN),
        ("cancel", 0.31, Meaning.NO),
        (None, 0.01, Meaning.UNSEEN),
        (None, 55, Meaning.UNSEEN),
        ("approve", 5, Meaning.UNSEEN),
        ("", 5, Meaning.UNSEEN),
        ("Accept", 5, Meaning.UNSEEN),
    ],
)
def test_a_reply_without_an_acceptance_is_never_a_yes(
    action: str | None, elapsed: float, meaning: Meaning, content: dict[str, Any] | None
) -> None:
    """T21: a decline counts unless nobody can have read the question so fast; whatever else is no answer."""
    assert read(Reply(action=action, content=content, elapsed=elapsed), AMOUNT) is meaning
