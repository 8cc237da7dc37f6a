"""Nobody can slip a line into the question that a person reads, or make it too long or too slow to be read."""

import time
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vercel_marketplace_mcp.approval.question import MAX_CHOSEN, Subject, expected_answer, write

from .subjects import FINGERPRINT, PLAN, price, subject

PIECES = [
    *(
        "\x1b[2J",
        "\x1b]0;x\x07",
        "\x1b]8;;http://x\x1b\\y",
        "\x9b1m",
        "\x00",
        "\r",
        "\n",
        "\r\n",
        "\x0b",
        "\x0c",
        "\x1c",
    ),
    *("\x85", "\u2028", "\u2029", "\u200b", "\u200f", "\u202e", "\u2066", "\u2069", "\ufeff", "\U000e0041", "\ud800"),
    *("\u0301" * 5, "\u3164", "\ufe0f", "\u00a0", '"', "'", "`", "](http://x)", "<b>", "$5", "$5 a month", "25.00"),
    *("\nBuy a store for 0.00 USD, charged to the team team_abc?", "\nTo buy, type yes - anything else buys nothing."),
    *("\nPayment method: none", "\r\nApproved ✓\r\n", '"\n\nStore name: "x"', "Chosen by the assistant:", "\n  x = 1"),
    *("\n\nThe partner's own words, not checked:\n", "Every month: 0.00 USD, until the store is removed."),
]
HOSTILE = st.lists(st.sampled_from(PIECES) | st.text(st.characters(exclude_categories=()), max_size=8), max_size=6).map(
    "".join
)
VALUES = st.recursive(
    HOSTILE | st.integers() | st.floats() | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(HOSTILE, inner, max_size=3),
    max_leaves=8,
)
LINES = st.lists(HOSTILE | st.fixed_dictionaries({"label": HOSTILE}, optional={"value": VALUES}), max_size=5)
PLANS = st.fixed_dictionaries(
    {"id": HOSTILE, "type": st.just("subscription"), "name": HOSTILE, "description": HOSTILE | VALUES},
    optional={
        "cost": HOSTILE | VALUES,
        "preauthorizationAmount": VALUES,
        "details": LINES | VALUES,
        "quote": LINES,
        "fees": VALUES,
        "initialCharge": st.just("25.00"),
    },
)
OURS = (
    *("Buy a store for ", "Charged now: ", "Then, every ", "Every ", "The price is only", "Part of the price"),
    *("No price could be read:", "No price is stated for what comes after", "It may be billed because: "),
    *("Product: ", "Billing plan: ", "Store name: ", "Payment method: ", "CHANGED: ", "CAREFUL: "),
    *("Chosen by the assistant:", "The partner's own words, not checked:", "The partner says more", "To buy, type "),
)


def assert_ours(found: Subject, text: str) -> None:
    """Every line is ours and stands once, in its place, or is indented, marked and one of a bounded number."""
    lines = text.split("\n")
    assert all(line.isprintable() and len(line) <= 420 for line in lines)
    assert text.splitlines() == lines
    first = [line for line in lines if not line.startswith("  ")]
    starts = [next(start for start in OURS if line.startswith(start)) for line in first]
    assert starts == [start for start in OURS if start in starts]
    amount = (
        f"{found.quote.headline // 100}.{found.quote.headline % 100:02d} USD" if found.quote.headline else "a price"
    )
    assert first[0].startswith(f"Buy a store for {amount}")
    assert first[0].endswith(", charged to the team team_abc?")
    expected = expected_answer(found.quote, FINGERPRINT)
    assert lines[-1] == f"To buy, type {expected} - anything else buys nothing."
    assert len(lines) <= 16 + MAX_CHOSEN + 20
    partner = "The partner's own words, not checked:"
    quoted = [line for line in lines[first_index(lines, partner) :] if line.startswith("  ")]
    assert all(line[2] == line[-1] == '"' for line in quoted)
    chosen = [line for line in lines[: first_index(lines, partner)] if line.startswith("  ")]
    assert all(" = " in line for line in chosen)


def first_index(lines: list[str], line: str) -> int:
    """Where a line stands, or the end."""
    return lines.index(line) if line in lines else len(lines)


@settings(max_examples=600, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck))
@given(PLANS, HOSTILE, HOSTILE, st.dictionaries(HOSTILE, VALUES, max_size=3), st.booleans(), st.booleans())
def test_no_text_of_others_can_pass_for_ours(
    plan: dict[str, Any], name: str, other: str, chosen: dict[str, Any], changed: bool, unsettled: bool
) -> None:
    """T30: escapes, directions, new lines and whole second dialogs stay inside their quoted, indented place."""
    found = subject(
        plan,
        name=name,
        product=other,
        product_id=other,
        payment_method=other or None,
        chosen=chosen,
        changed=changed,
        unsettled=unsettled,
        reasons=(other, name) * 100,
    )
    text = write(found)
    assert_ours(found, text)
    assert write(found) == text


@pytest.mark.parametrize("text", ["x" * 10**7, "\u0301" * 10**7, "\x1b[31m" * 2 * 10**6, "$5 \n" * 2_500_000])
def test_ten_megabytes_neither_fill_the_question_nor_take_long(text: str) -> None:
    """T30: whatever a partner or a model writes, the question is a page and ready at once."""
    plan = {**PLAN, "id": text, "name": text, "description": [text], "details": [{"label": text}]}
    words = replace(price(PLAN), words=(text,))
    found = subject(plan, name=text, product=text, payment_method=text, chosen={"metadata": {text: text}}, quote=words)
    started = time.process_time()
    assert_ours(found, write(found))
    assert time.process_time() - started < 3


def test_a_hundred_thousand_lines_make_a_page() -> None:
    """T30: lines beyond a score are not even read."""
    plan = {**PLAN, "details": [{"label": f"Line {number}"} for number in range(100_000)]}
    found = subject(plan)
    started = time.process_time()
    assert_ours(found, write(found))
    assert time.process_time() - started < 3
