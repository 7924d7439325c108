"""The words for the members of an enum, read out of its docstring."""

from enum import StrEnum

from weft.kit.enum_docs import described


class Weather(StrEnum):
    """What it is like
    outside.

    SUN: No clouds: bring a hat.
    RAIN: Bring an umbrella,
        or stay at home.
    """

    SUN = "SUN"
    RAIN = "RAIN"
    FOG = "FOG"


class Bare(StrEnum):
    ONE = "ONE"


def test_members_have_the_lines_that_begin_with_their_names() -> None:
    assert described(Weather) == (
        "What it is like outside.",
        {"SUN": "No clouds: bring a hat.", "RAIN": "Bring an umbrella, or stay at home."},
    )


def test_an_enum_without_words_has_none() -> None:
    whole, members = described(Bare)
    assert members == {}
    assert "ONE" not in whole
