"""Text that is not ours becomes one bounded line of visible characters, and near names are found in order."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vercel_marketplace_mcp.text import MAX_LENGTH, clean, is_plain, nearest, visible

# Unicode's Default_Ignorable_Code_Point, and the braille blank: characters that render as nothing.
INVISIBLE = [
    *(0xAD, 0x34F, 0x61C, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFEFF, 0xFFA0),
    *range(0x180B, 0x1810),
    *range(0x200B, 0x2010),
    *range(0x202A, 0x202F),
    *range(0x2060, 0x2070),
    *range(0xFE00, 0xFE10),
    *range(0xFFF0, 0xFFF9),
    *range(0x1BCA0, 0x1BCA4),
    *range(0x1D173, 0x1D17B),
    *range(0xE0000, 0xE1000),
]
HOSTILE_PIECES = [
    *(
        "\x1b[31m",
        "\x1b]0;t\x07",
        "\x1b]8;;http://x\x1b\\",
        "\x1bc",
        "\x9b1m",
        "\x1b",
        "\x00",
        "\r\n",
        "\u2028",
        "\u2029",
    ),
    *("\u200b", "\u202e", "\u2066", "\u180b", "\ufe0f", "\u3164", "\U000e0041", "\ud800", "\ue000", "\uffff"),
    *("\u0301", "\u0302", "\u0323", "\u0338", "\u0344", "\u09c7", "\u09be", "\ufb2c", "\u1100", "\u1161", "a", "e"),
    *("<", "<a", "</", "]", "](", "(", "!", "&lt;", "\u2026", " ", "\u00a0", "\u3000", "\t"),
]
hostile_texts = st.lists(st.sampled_from(HOSTILE_PIECES) | st.characters(exclude_categories=()), max_size=25).map(
    "".join
)


@settings(max_examples=5000, deadline=None)
@given(text=hostile_texts, limit=st.integers(1, 60))
def test_a_cleaned_text_is_one_bounded_line_that_hides_nothing(text: str, limit: int) -> None:
    """Whatever comes in, out comes a text without hidden, directing or linking characters, and cleaning is final."""
    shown = clean(text, limit)
    categories = [unicodedata.category(char) for char in shown]
    assert len(shown) <= limit
    assert not {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"} & set(categories)
    assert not set(map(ord, shown)) & set(INVISIBLE)
    assert "MMM" not in "".join(category[0] for category in categories)
    assert "](" not in shown
    assert not any(f"<{char}" in shown for char in "abcxyzABCXYZ/!?")
    assert shown.isprintable()
    assert is_plain(shown)
    assert clean(shown, limit) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain text", "plain text"),
        ("", ""),
        ("  two\t words\r\nand a line  ", "two words and a line"),
        ("Größe 漢字 ✓ 🙂", "Größe 漢字 ✓ 🙂"),
        ("cafe\u0301", "café"),
        ("cafe\u200b\u0301", "café"),
        ("x\u0301\u0302\u0303\u0304\u0305", "x\u0301\u0302"),
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x9b31mred", "red"),
        ("\x1b]0;a new title\x07kept", "kept"),
        ("\x1b]8;;https://evil.example\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1bP1$r\x9ckept", "kept"),
        ("\x1bcreset\x1b(B", "reset"),
        ("half \x1b[", "half"),
        ("approved\u202e\u2066 \u200b\ufeffnow", "approved now"),
        ("a\u2028b\u2029c\x85d", "a b c d"),
        ("\U000e0069\U000e0067\U000e006e", ""),
        ("\ud800x\udfff", "x"),
        ("[click](https://evil.example)", "[click] (https://evil.example)"),
        ("![](x)", "![] (x)"),
        ("]\u200b(x)", "] (x)"),
        ("<script>a</script>", "‹script>a‹/script>"),
        ("<\u200bimg src=x>", "‹img src=x>"),
        ("<!-- x --> <?php", "‹!-- x --> ‹?php"),
        ("1 < 2 and <3", "1 < 2 and <3"),
    ],
)
def test_each_kind_of_hostile_text_loses_what_makes_it_so(text: str, shown: str) -> None:
    """Terminal sequences go as a whole, white space folds, links and tags stop being such; the rest stays."""
    assert clean(text) == shown


def test_no_invisible_character_is_shown() -> None:
    """Every character that renders as nothing is dropped, and a text that holds one is not plain."""
    texts = [f"a{chr(code)}b" for code in INVISIBLE]
    assert {visible(text) for text in texts} == {"ab"}
    assert [text for text in texts if is_plain(text)] == []


def test_a_text_is_cut_visibly() -> None:
    """A text of the limit's length stays whole; a longer one ends in an ellipsis within the limit."""
    assert clean("x" * MAX_LENGTH) == "x" * MAX_LENGTH
    assert clean("x" * (MAX_LENGTH + 1)) == "x" * (MAX_LENGTH - 1) + "…"
    assert clean("<a" * 10, 5) == "‹a‹a…"
    assert clean("](" * 3, 8) == "] (] (]…"


@pytest.mark.parametrize("unit", ["x", "\u200b", "\x1b[0m", "\u0301", " ", "<a", "\x1b]"])
def test_ten_megabytes_cost_no_more_than_their_beginning(unit: str) -> None:
    """Only the beginning of an endless text is looked at, and the cut shows."""
    endless = unit * (10_000_000 // len(unit))
    shown = clean(endless)
    assert shown == clean(endless[: MAX_LENGTH * 9])
    assert shown.endswith("…")


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("my store", True),
        ("größe ✓", True),
        ("", True),
        ("cafe\u0301", False),
        ("a\nb", False),
        ("a\u2028b", False),
        ("a\u2029b", False),
        ("a\u00adb", False),
        ("a\ud800", False),
        ("a\x1b[0m", False),
    ],
)
def test_a_plain_text_is_what_it_looks_like(text: str, plain: bool) -> None:
    """Plain means composed and visible throughout: what a person reads is what is sent."""
    assert is_plain(text) is plain


def test_what_comes_after_an_endless_beginning_is_not_looked_for() -> None:
    """A text that begins with a long run of nothing shows only that it goes on."""
    assert clean("\u200b" * 100 + "seen") == "seen"
    assert clean("\u200b" * MAX_LENGTH * 8 + "not seen") == "…"


def test_the_nearest_choices_come_first() -> None:
    """A typo, another case or another way to join words finds the name that was meant; ties keep their order."""
    tools = ["list-configurations", "list-products", "list-plans", "create-store"]
    assert nearest("list_plan", tools, 1) == ("list-plans",)
    assert nearest("CreateStore", tools, 1) == ("create-store",)
    assert nearest("billing_plan_id", ["name", "billingPlanId", "paymentMethodId"], 1) == ("billingPlanId",)
    assert nearest("", tools) == tuple(tools)
    assert nearest("zzz", ["b", "a", "c"], 2) == ("b", "a")


def test_the_nearest_choices_are_few_and_different() -> None:
    """A choice is named once, and no more of them than asked for; of no choices, none."""
    assert nearest("a", ["a", "a", "b"]) == ("a", "b")
    assert nearest("a", map(str, range(100)), 3) == ("0", "1", "2")
    assert nearest("a", []) == ()


def test_the_nearest_of_endless_choices_is_found_in_bounded_work() -> None:
    """Neither a long word nor long or many choices are compared beyond their beginning."""
    endless = [f"{number}{'ab' * 50_000}" for number in range(40)]
    assert nearest("7" + "ab" * 500_000, endless, 1) == (endless[7],)
    assert nearest("x9999", (f"x{number}" for number in range(10_000)), 1) == ("x99",)
