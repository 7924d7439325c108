"""Amounts, their currencies and percentages in text."""

from decimal import Decimal

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from weft.kit.extraction.values import amounts

SURE = 0.8
CENTS = st.decimals(min_value=0, max_value=Decimal("9999999999.99"), places=2)


@pytest.mark.parametrize(
    ("text", "value", "currency"),
    [
        ("1,234.56", 1234.56, None),
        ("1.234,56", 1234.56, None),
        ("1\N{NO-BREAK SPACE}234,56 €", 1234.56, "EUR"),
        ("1'234.56 CHF", 1234.56, "CHF"),
        ("CHF 1\N{RIGHT SINGLE QUOTATION MARK}234.\N{EN DASH}", 1234.0, "CHF"),
        ("(1,234.56)", -1234.56, None),
        ("\N{MINUS SIGN}12,50", -12.5, None),
        ("EUR -12,50", -12.5, "EUR"),
        ("-€12.50", -12.5, "EUR"),
        ("12,50- EUR", -12.5, "EUR"),
        ("US$ 12.50", 12.5, "USD"),
        ("1,23,456.00", 123456.0, None),
        ("1.234.567,89 zł", 1234567.89, "PLN"),
        ("12,- €", 12.0, "EUR"),
        ("5,99€/Stück", 5.99, "EUR"),
        ("USD100", 100.0, "USD"),
    ],
)
def test_an_amount_is_read_in_the_usual_notations(text: str, value: float, currency: str | None) -> None:
    (found,) = amounts.find(text)
    assert (found.value, found.extra["currency"]) == (value, currency)
    assert found.confidence >= SURE


@pytest.mark.parametrize(
    "text",
    [
        "12.5k",
        "31.01.2024",
        "2024-01-31",
        "10:30",
        "INV-12",
        "A4",
        "12345678901234567890",
        "£5m",
        "19 %",
        "v3.4.5",
        "10-20",
    ],
)
def test_numbers_that_belong_to_something_else_are_no_amounts(text: str) -> None:
    assert amounts.find(text) == []


@pytest.mark.parametrize("text", ["1,234", "1.234", "2 150,00", "€ 1,234", "7"])
def test_what_may_be_read_in_two_ways_is_not_sure(text: str) -> None:
    (found,) = amounts.find(text)
    assert found.confidence < SURE


def test_the_other_numbers_show_what_separates_decimals() -> None:
    assert [found.value for found in amounts.find("1,234 and 5.00")] == [1234.0, 5.0]
    assert [found.value for found in amounts.find("1,234 and 5,00")] == [1.234, 5.0]


def test_a_dollar_sign_is_of_the_country_that_the_hint_names() -> None:
    (alone,), (hinted,) = amounts.find("$ 12.50"), amounts.find("$ 12.50", currency_hint="CAD")
    assert (alone.extra["currency"], hinted.extra["currency"]) == ("USD", "CAD")
    assert alone.extra["currencyConfidence"] < SURE <= hinted.extra["currencyConfidence"]


def test_each_amount_has_the_currency_on_its_own_side() -> None:
    def read(text: str) -> list[tuple[float, str]]:
        return [(found.value, found.extra["currency"]) for found in amounts.find(text)]

    assert read("100 CHF 200 €") == [(100.0, "CHF"), (200.0, "EUR")]
    assert read("€ 100 CHF 200") == [(100.0, "EUR"), (200.0, "CHF")]
    assert read("12 EUR\n15 GBP") == [(12.0, "EUR"), (15.0, "GBP")]


def test_percentages_are_found_apart() -> None:
    assert [found.value for found in amounts.find_percentages("19 % of 100, 7,5% and 8 Prozent")] == [19.0, 7.5, 8.0]


def _american(value: Decimal) -> str:
    return f"{value:,.2f}"


def _german(value: Decimal) -> str:
    return f"{value:,.2f}".translate(str.maketrans(",.", ".,"))


def _swiss(value: Decimal) -> str:
    return f"{value:,.2f}".replace(",", "'")


@given(value=CENTS, style=st.sampled_from([_american, _german, _swiss]), is_negative=st.booleans())
def test_an_amount_comes_back_to_the_cent_also_through_json(value: Decimal, style: object, is_negative: bool) -> None:
    assert callable(style)
    value = -value if is_negative and value else value
    text = f"Total {style(value)} EUR"
    (found,) = amounts.find(text)
    assert Decimal(orjson.dumps(found.value).decode()) == value
    assert Decimal(found.extra["exact"]) == value
    assert text[found.start : found.end] == text.removeprefix("Total ")
