"""Dates, periods and durations in text."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weft.kit.extraction.values import dates, durations, ranges
from weft.kit.extraction.values.calendar import MONTH_BY_NAME

DAYS = st.dates(min_value=date(1900, 1, 1), max_value=date(2099, 12, 31))
SURE = 0.8


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2024-01-31", "2024-01-31"),
        ("Rechnungsdatum:31.01.2024", "2024-01-31"),
        ("31. 01. 2024", "2024-01-31"),
        ("01/31/2024", "2024-01-31"),
        ("Jan 31, 2024", "2024-01-31"),
        ("January 31st, 2024", "2024-01-31"),
        ("31. Januar 2024", "2024-01-31"),
        ("le 31 janvier 2024", "2024-01-31"),
        ("1er février 2024", "2024-02-01"),
        ("31 de enero de 2024", "2024-01-31"),
        ("31 gennaio 2024", "2024-01-31"),
        ("5 mrt 2020", "2020-03-05"),
        ("3 out. 2022", "2022-10-03"),
        ("2024年1月31日", "2024-01-31"),
        ("the 1st day of March, 2024", "2024-03-01"),
        ("\N{FULLWIDTH DIGIT THREE}1.01.2024", "2024-01-31"),
        ("at 2024-01-31T10:00:00Z", "2024-01-31"),
        ("31-Jan-24", "2024-01-31"),
        ("31.01.24", "2024-01-31"),
    ],
)
def test_a_date_is_read_in_the_usual_notations(text: str, value: str) -> None:
    (found,) = dates.find(text)
    assert found.value == value
    assert found.confidence >= SURE


@pytest.mark.parametrize(
    "text", ["31.02.2024", "10.12.20.24", "v1.2.2024", "2023-02-29", "12 34 2024", "1.13.2024", "2024-01-31-07"]
)
def test_what_is_no_day_of_the_calendar_is_no_date(text: str) -> None:
    assert dates.find(text) == []


@pytest.mark.parametrize(
    ("text", "hints", "value", "is_sure"),
    [
        ("03/04/2024", {}, "2024-04-03", False),
        ("03/04/2024", {"day_first": False}, "2024-03-04", True),
        ("03/04/2024", {"day_first": True}, "2024-04-03", True),
        ("03/04/2024", {"languages": ["de"]}, "2024-04-03", True),
        ("03/04/2024", {"languages": ["en"]}, "2024-04-03", False),
        ("03/04/2024, paid 04/25/2024", {}, "2024-03-04", True),
        ("03/04/2024, bezahlt 25/04/2024", {}, "2024-04-03", True),
        ("03/04/2024, 25/04/2024, 04/25/2024", {}, "2024-04-03", False),
        ("05/05/2024", {}, "2024-05-05", True),
    ],
)
def test_day_and_month_are_told_apart_by_a_hint_or_by_the_other_dates(
    text: str, hints: dict[str, Any], value: str, is_sure: bool
) -> None:
    found = dates.find(text, **hints)[0]
    assert (found.value, found.confidence >= SURE) == (value, is_sure)


def test_an_open_date_names_its_other_reading() -> None:
    (found,) = dates.find("03/04/2024")
    assert found.extra == {"alternative": "2024-03-04"}
    assert found.confidence < 0.5


@pytest.mark.parametrize("text", ["INV-2024-01-31", "on 10 May 20 people came", "22/11/26", "9999-12-31"])
def test_what_only_looks_like_a_date_is_not_sure(text: str) -> None:
    assert all(found.confidence < SURE for found in dates.find(text))


@given(day=DAYS, form=st.sampled_from(["%Y-%m-%d", "%d.%m.%Y", "%d %b %Y", "%B %d, %Y", "%Y/%m/%d", "%d-%b-%Y"]))
def test_a_date_comes_back_however_it_is_written(day: date, form: str) -> None:
    text = f"a {day.strftime(form)} b"
    (found,) = dates.find(text)
    assert found.value == day.isoformat()
    assert text[found.start : found.end] == day.strftime(form)


@given(day=DAYS, language=st.sampled_from(sorted(MONTH_BY_NAME)), data=st.data())
def test_every_name_of_a_month_is_understood(day: date, language: str, data: st.DataObject) -> None:
    names = [name for name, number in MONTH_BY_NAME[language].items() if number == day.month]
    written = data.draw(st.sampled_from(names))
    (found,) = dates.find(f"{day.day} {written} {day.year}", languages=[language])
    assert found.value == day.isoformat()


@given(day=DAYS, day_first=st.booleans())
def test_with_the_order_given_slashes_are_never_turned_round(day: date, day_first: bool) -> None:
    text = day.strftime("%d/%m/%Y" if day_first else "%m/%d/%Y")
    (found,) = dates.find(text, day_first=day_first)
    assert found.value == day.isoformat()


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("1 May 2020 \N{EN DASH} 30 April 2023", "2020-05-01", "2023-04-30"),
        ("Jan 2019 - present", "2019-01", None),
        ("03/2018 bis 07/2021", "2018-03", "2021-07"),
        ("2015 \N{EN DASH} heute", "2015", None),
        ("seit 04/2022", "2022-04", None),
        ("since March 2021", "2021-03", None),
        ("01.01.2024-31.12.2024", "2024-01-01", "2024-12-31"),
        ("vom 1. Januar 2024 bis zum 31. Dezember 2024", "2024-01-01", "2024-12-31"),
        ("2019-05 - 2020-06", "2019-05", "2020-06"),
        ("from 1 January 2024 to 31 December 2026", "2024-01-01", "2026-12-31"),
    ],
)
def test_a_period_is_as_exact_as_it_is_written(text: str, start: str, end: str | None) -> None:
    (found,) = ranges.find(text)
    assert found.value == {"from": start, "to": end, "current": end is None}
    assert text[found.start : found.end] == text


@pytest.mark.parametrize("text", ["2024-01-31", "5 May 2024", "2021, 2022", "2024 - 2020"])
def test_one_date_alone_is_no_period(text: str) -> None:
    assert ranges.find(text) == []


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("twelve (12) months", "P12M"),
        ("zwei Jahre", "P2Y"),
        ("a 90-day period", "P90D"),
        ("drei (3) Monaten zum Monatsende", "P3M"),
        ("thirty (30) calendar days", "P30D"),
        ("sechs Wochen", "P6W"),
        ("3 (three) years", "P3Y"),
        ("douze mois", "P12M"),
    ],
)
def test_a_span_of_time_is_read_in_words_and_digits(text: str, value: str) -> None:
    (found,) = durations.find(text)
    assert found.value == value
    assert found.confidence >= SURE


def test_a_span_whose_words_and_digits_differ_is_not_believed() -> None:
    (found,) = durations.find("twelve (10) months")
    assert found.confidence < 0.5
