"""Every currency by its code and its words, written beside a number as partners write them."""

import pytest

from vercel_marketplace_mcp.purchase.money import holds_amount

# ISO 4217, the codes of funds included but for those of metals, bonds and tests; the last three lines are withdrawn.
CODES = """
AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE
CHF CHW CLF CLP CNY COP COU CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD
HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD
MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR
RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH
UGX USD USN UYI UYU UYW UZS VED VES VND VUV WST XAF XCD XCG XDR XOF XPF YER ZAR ZMW ZWG
CUC
HRK SLL
ZWL
""".split()
WORDS_TOO = "ALL BAM BOB CUP GEL MAD MOP PEN PHP SOS TOP TRY".split()
NOUNS = "dollar dollars euro euros pound pounds cent cents".split()


@pytest.mark.parametrize("text", ["5 {}", "{} 5", "{}5", "5{}"])
def test_every_currency_is_known_by_its_code(text: str) -> None:
    """T06: a code in capitals beside a number is an amount, also where it is a word."""
    assert [code for code in CODES if not holds_amount(text.format(code))] == []


def test_a_code_in_small_letters_is_known_unless_it_is_a_word() -> None:
    """T06: "try 3 projects" and "php 8" name no amount, "chf 5" does."""
    assert [code for code in CODES if not holds_amount(f"{code.lower()} 5")] == WORDS_TOO


@pytest.mark.parametrize("text", ["5 {}", "{} 5"])
def test_every_noun_of_a_currency_is_known(text: str) -> None:
    """T06: one or many, in small letters or capitals."""
    nouns = [*NOUNS, *map(str.upper, NOUNS), *map(str.title, NOUNS)]
    assert [noun for noun in nouns if not holds_amount(text.format(noun))] == []
