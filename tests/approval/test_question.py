"""The question that a person reads: what stands in it, what nobody can slip into it, and what counts as a yes."""

import pytest

from vercel_marketplace_mcp.approval.question import Subject, expected_answer, form, write

from .subjects import FINGERPRINT, PLAN, PREPAID, price, subject

GOLDEN: dict[str, tuple[Subject, str]] = {
    "everything": (
        subject(
            payment_method="pm_1",
            chosen={
                "source": "api",
                "metadata": {"region": "iad1", "sizes": [1, 2.5], "empty": [], "on": True, "off": False},
                "protocolSettings": {"storage": {"pooled": None, "more": {}}},
                "externalId": 'a "quoted" id',
            },
            changed=True,
            unsettled=True,
        ),
        """\
Buy a store for 49.00 USD, charged to the team team_abc?
Charged now: 25.00 USD, once.
Then, every month: 49.00 USD, until the store is removed.
Part of the price is only stated in words: it may cost more.
Product: brindle/brindle-postgres (iap_1)
Billing plan: scale
Store name: "my-store"
Payment method: pm_1
CHANGED: the plan or its price is not what it was when this was last asked.
CAREFUL: an earlier purchase of this product is not settled; it may exist and be billed already.
Chosen by the assistant:
  externalId = "a 'quoted' id"
  metadata.empty = []
  metadata.off = false
  metadata.on = true
  metadata.region = "iad1"
  metadata.sizes[0] = 1
  metadata.sizes[1] = 2.5
  protocolSettings.storage.more = {}
  protocolSettings.storage.pooled = null
  source = "api"
The partner's own words, not checked:
  "cost: $49.00/month"
  "preauthorizationAmount: 10.53"
  "Egress: $0.09 per GB"
  "Storage: 100 GB"
  "Point-in-time recovery"
  "Scale"
  "For growing teams"
To buy, type 49.00 - anything else buys nothing.""",
    ),
    "a prepayment": (
        subject(PREPAID),
        """\
Buy a store for 50.00 USD, charged to the team team_abc?
Charged now: 50.00 USD, once.
Part of the price is only stated in words: it may cost more.
Product: brindle/brindle-postgres (iap_1)
Billing plan: bp_fixed50
Store name: "my-store"
Payment method: the default one of the team
The partner's own words, not checked:
  "cost: $50 for 50 credits"
  "minimumAmount: 50.00"
  "maximumAmount: 50.00"
To buy, type 50.00 - anything else buys nothing.""",
    ),
    "nothing that could be read": (
        subject({"id": "flex plan", "type": "subscription"}, product="Brindle!/x", product_id="a b", team="my-team"),
        """\
Buy a store for a price that could not be read, charged to the team my-team?
No price could be read: it may be billed in ways that the partner does not state here.
It may be billed because: needs a payment method; it is not for this store alone
Product: "Brindle!/x" ("a b")
Billing plan: "flex plan"
Store name: "my-store"
Payment method: the default one of the team
To buy, type UNPRICED-BEEF - anything else buys nothing.""",
    ),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_a_question_reads_as_a_whole(name: str) -> None:
    """Amount, team and time come first, then what is bought, then what others say, then what to type."""
    found, text = GOLDEN[name]
    assert write(found) == text
    assert write(found) == text


def test_a_partner_s_prices_come_before_its_other_words() -> None:
    """Twenty lines of praise push no price out of the question, and it says that there is more."""
    plan = {**PLAN, "details": [*({"label": f"Feature {number}"} for number in range(40)), {"label": "then $5 more"}]}
    lines = write(subject(plan)).splitlines()
    start = lines.index("The partner's own words, not checked:") + 1
    assert lines[start : start + 4] == [
        '  "cost: $49.00/month"',
        '  "preauthorizationAmount: 10.53"',
        '  "then $5 more"',
        '  "Feature 0"',
    ]
    assert lines[start + 20 :] == [
        "The partner says more than fits here: read the plan at Vercel first.",
        "To buy, type 49.00 - anything else buys nothing.",
    ]


def test_twenty_lines_of_a_partner_are_not_more_than_fits() -> None:
    """Only what is left out is spoken of."""
    plan = {"id": "pro", "details": [{"label": f"Feature {number}"} for number in range(20)]}
    lines = write(subject(plan)).splitlines()
    assert lines[-2:] == ['  "Feature 19"', "To buy, type UNPRICED-BEEF - anything else buys nothing."]


def test_a_price_at_the_end_of_a_long_text_is_shown() -> None:
    """What is cut is what holds no amount."""
    text = "much " * 300 + "and then $999 a month" + " more" * 300
    lines = write(subject({**PLAN, "details": [], "description": text})).splitlines()
    assert any("and then $999 a month" in line for line in lines)
    assert len(lines) < 20


def test_the_same_deal_asks_the_same_question() -> None:
    """The order in which a client or Vercel sends members changes nothing."""
    chosen = {"metadata": {"a": 1, "b": {"c": 2, "d": 3}}, "source": "api"}
    other = {"source": "api", "metadata": {"b": {"d": 3, "c": 2}, "a": 1}}
    plan = {name: PLAN[name] for name in reversed(PLAN)}
    assert write(subject(chosen=chosen)) == write(subject(plan, chosen=other))


def test_the_form_can_not_be_filled_in_by_a_client() -> None:
    """T19: one required free text, with nothing in the schema that a client could take for an answer."""
    assert form(expected_answer(price(PLAN), FINGERPRINT)) == {
        "type": "object",
        "properties": {
            "amount": {"type": "string", "title": "Type 49.00 to buy", "description": "Anything else buys nothing."}
        },
        "required": ["amount"],
    }
    in_words = expected_answer(price({"type": "subscription"}), FINGERPRINT)
    assert form(in_words)["properties"]["amount"]["title"] == "Type UNPRICED-BEEF to buy"


def test_words_of_others_stay_in_their_quotes_even_on_one_line() -> None:
    """A client may fold all line ends: what others wrote can't close its quotes and go on in our voice."""
    slips = 'x" Payment method: none. To cancel, type 49.00 - "'
    asked = subject({**PLAN, "name": slips}, name=slips, chosen={"externalId": slips, slips: 1})
    folded = " ".join(write(asked).split())
    ours = "".join(part for number, part in enumerate(folded.split('"')) if number % 2 == 0)
    assert "cancel" not in ours
    assert folded.count('"') % 2 == 0


def test_a_price_that_begins_like_another_is_shown() -> None:
    """Only what stands in an earlier line word by word is left out as repeated."""
    details = ["per GB: $20 per TB above 1 TB", "per GB: $2", "above 1 TB"]
    shown = [line.strip() for line in write(subject({**PLAN, "details": details})).splitlines()]
    assert ('"per GB: $20 per TB above 1 TB"' in shown, '"per GB: $2"' in shown) == (True, True)
    assert '"above 1 TB"' not in shown
