"""No text breaks the search for values, and none takes long."""

import time
from collections.abc import Callable

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from weft.kit.extraction.values import (
    amounts,
    dates,
    durations,
    ibans,
    languages,
    mails,
    persons,
    phones,
    places,
    ranges,
    urls,
    vat_ids,
)
from weft.kit.extraction.values.found import FoundValue
from weft.kit.extraction.values.text import LONGEST

FINDERS: dict[str, Callable[[str], list[FoundValue]]] = {
    "amounts": amounts.find, "percentages": amounts.find_percentages, "dates": dates.find, "durations": durations.find,
    "ibans": ibans.find, "languages": languages.find, "mails": mails.find, "persons": persons.find, "phones": phones.find,
    "places": places.find, "ranges": ranges.find, "urls": urls.find, "vat_ids": vat_ids.find,
}  # fmt: skip
_PIECES = """
    1 12 31 2024 999 0 . , - / : ' ( ) € $ EUR CHF kr % Jan 31. Mai mars de to bis present since 年 月 日 + @ a.b www. https:// DE89 NL
    twelve (12) months zwei Jahre Dr. Anna Müller Germany İ ß é T00:00 ext. tel:
"""
PIECES = st.sampled_from([*_PIECES.split(), " ", "\n", "\N{NO-BREAK SPACE}", "\ud800", "\x00", "\U0001f600"])
TEXTS = st.one_of(
    st.text(st.characters()), st.lists(PIECES, max_size=25).map("".join), st.lists(PIECES, max_size=25).map(" ".join)
)


@given(TEXTS)
def test_no_text_makes_a_finder_raise_or_point_outside(text: str) -> None:
    for find in FINDERS.values():
        end = 0
        for found in find(text):
            assert end <= found.start < found.end <= len(text)
            assert 0 <= found.confidence <= 1
            assert orjson.dumps([found.value, dict(found.extra)])
            end = found.end


@pytest.mark.parametrize(
    "unit",
    [
        "1",
        "1.",
        "1 ",
        "1,000",
        "Aa Bb ",
        "a@",
        "a.",
        "+1 ",
        "$1 ",
        "(",
        "DE12 ",
        "Jan 1 ",
        "1-",
        "é1é ",
        "http://a",
        "31.01.2024 ",
        "2020 - ",
        "A-",
        "\n",
        "Mr. ",
    ],
)
def test_time_grows_with_the_length_alone(unit: str) -> None:
    def seconds(find: Callable[[str], list[FoundValue]], length: int) -> float:
        text = (unit * length)[:length]
        started = time.process_time()
        find(text)
        return time.process_time() - started

    for name, find in FINDERS.items():
        find(unit)  # names and patterns are loaded once
        # The best of a few: a machine shared with others takes time from any one of them.
        assert any(seconds(find, 40_000) < 24 * max(seconds(find, 5_000), 0.005) for _ in range(4)), name


def test_what_stands_behind_the_limit_is_not_read() -> None:
    assert dates.find(" " * LONGEST + "2024-01-31") == []
    assert len(dates.find(" " * (LONGEST - 10) + "2024-01-31")) == 1
