"""Every currency by its code and its words, written beside a number as partners write them."""

import unicodedata

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
WORDS_TOO = "ALL AMD BAM BOB CRC CUP CVE GEL MAD MOP PEN PHP SOS TOP TRY".split()
NOUNS = "dollar dollars euro euros pound pounds cent cents eurocent eurocents".split()


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


BEHIND = " *_~+−-()[]\"'’“”`\u2010\u2013\u2014/"
BEFORE = f"{BEHIND}:=|\\"


@pytest.mark.parametrize("currency", ["€", "EUR", "euros"])
def test_what_separates_a_currency_from_its_number_is_looked_through(currency: str) -> None:
    """T06: one or four of the characters that partners put between them, as in "$**5**"; five stand for themselves."""
    joined = [f"{currency}{char * count}5" for char in BEFORE for count in (1, 4)]
    joined += [
        f"5{thousands}{char * count}{currency}" for char in BEHIND for count in (1, 4) for thousands in ("", *"kKmM")
    ]
    assert [text for text in joined if not holds_amount(text)] == []
    apart = [f"{currency}{'-' * 5}5", f"5{'-' * 5}{currency}", f"{currency};5", f"5:{currency}"]
    assert [text for text in apart if holds_amount(text)] == []


def test_whose_dollars_they_are_may_stand_between() -> None:
    """T06: as in 25 US dollars; any other word separates, as in 99.9 per cent."""
    whose = ("US", "us", "U.S.", "American", "Australian", "British", "Canadian", "Hong Kong", "Singapore")
    written = ("25 {} dollars", "25 {}-dollars", "25{} $")
    assert [of for of in whose for text in written if not holds_amount(text.format(of))] == []
    assert [text for text in ("99.9 per cent", "25 US GB", "25 US", "25 CUS dollars") if holds_amount(text)] == []


def test_a_number_is_read_across_its_separators() -> None:
    """T06: no separator hides the digits behind a zero, and a number may begin with its point."""
    assert [char for char in ".,'’٫٬_·" if not holds_amount(f"$0{char}5")] == []
    assert [char for char in ".,٫·" if not holds_amount(f"${char}5")] == []
    assert [text for text in ("1 000 €", "$0\u00a0500", "10 000\u202f000 USD") if not holds_amount(text)] == []
    assert [text for text in ("1 0000 €", "1 00 €", "0 000 €", "1  000x 0 €") if holds_amount(text)] == []


def test_a_sign_may_have_up_to_three_letters_before_it() -> None:
    """T06: as in 5 US$; with four it is another word."""
    assert [word for word in ("U", "US", "USD") if not holds_amount(f"5 {word}$")] == []
    assert not holds_amount("5 USDX$")


def test_a_number_may_be_multiplied() -> None:
    """T06: by a letter at its end, or a word behind it."""
    assert [by for by in ("k", "M", "bn", " thousand", " million", "billion") if not holds_amount(f"2{by} USD")] == []
    assert not holds_amount("2 dozen USD")


def test_numerals_and_markup_hide_no_amount() -> None:
    """T06: Roman numerals are numbers, and tags are not seen."""
    hidden = ("$Ⅹ", "ⅩⅡ USD", "$<b>25</b>", "$&lt;b&gt;25", "<i class=x>5</i> EUR", "<a $5>")
    assert [text for text in hidden if not holds_amount(text)] == []
    assert [text for text in ("$〇", "<b>0</b> USD", "3 < 5 > $") if holds_amount(text)] == []


def test_every_sign_of_a_currency_is_known() -> None:
    """T06: also those that compatibility forms spell as letters, the signs of the rupee and the rial."""
    signs = [char for char in map(chr, range(0x110000)) if unicodedata.category(char) == "Sc"]
    assert len(signs) > 60
    assert [sign for sign in signs if not (holds_amount(f"{sign}5") and holds_amount(f"5 {sign}"))] == []


def test_a_currency_ends_where_its_letters_end() -> None:
    """T06: digits and underscores are no letters; a longer word is another word."""
    assert [text for text in ("_USD 5", "0USD 5", "5 USD_", "5 USD0") if not holds_amount(text)] == []
    assert [text for text in ("percents 5", "5 dollarships", "xUSD 5", "5 USDx") if holds_amount(text)] == []
