"""Dates as ISO text, from the usual notations of seven languages.

    2024-01-31   31.01.2024   31/01/24   01/31/2024   Jan 31, 2024   31. Januar 2024   1er février 2024
    31 de enero de 2024   the 1st day of March, 2024   2024年1月31日

03/04/2024 is decided by `day_first`, else by the other dates of the text, else by its languages (English decides nothing);
what stays open is the day first with little confidence, and `extra["alternative"]`. A day that does not exist is not found.
"""

from collections.abc import Collection, Iterator
from functools import cache

from weft.kit.extraction.values.calendar import (
    MONTH_BY_NAME,
    full_year,
    is_usual,
    iso,
    month_pattern,
    months,
)
from weft.kit.extraction.values.found import FoundValue, without_overlaps
from weft.kit.extraction.values.text import Match, Pattern, plain

CERTAIN, CLEAR, DECIDED, TWO_DIGITS, WEAK, UNUSUAL, OPEN = 0.98, 0.95, 0.88, 0.82, 0.7, 0.5, 0.4

_YEAR_FIRST = Pattern(
    r"(?P<y>[0-9]{4})(?:(?P<s>[./-])(?P<m>[0-9]{1,2})(?P<t>[./-])(?P<d>[0-9]{1,2})"
    r"|[ ]?[年년][ ]?(?P<cm>[0-9]{1,2})[ ]?[月월][ ]?(?P<cd>[0-9]{1,2})[ ]?[日일号])"
)
_NUMERIC = Pattern(r"(?P<a>[0-9]{1,2})(?P<s>[./-][ ]?)(?P<b>[0-9]{1,2})(?P<t>[./-][ ]?)(?P<y>[0-9]{4}|[0-9]{2})")
_DATE_AFTER = Pattern(r"[0-9]{1,4}[./-][0-9]{1,2}[./-][0-9]{2,4}")
_DATE_BEFORE = Pattern(r"[0-9]{1,4}[./-][0-9]{1,2}[./-][0-9]{2,4}$")
_YEARS_OF_DOCUMENTS = range(15, 31)
"""The years, of two digits, that a document in hand is likely to be of."""
_OF = r"(?:de[ ]|del[ ]|of[ ]|do[ ]|di[ ]|day[ ]of[ ]|d')?"


def find(text: str, *, day_first: bool | None = None, languages: Collection[str] | None = None) -> list[FoundValue]:
    text = plain(text)
    if day_first is None:
        day_first = infer_day_first(text, languages)
    found = [*_numeric(text, day_first), *_year_first(text), *_with_names(text, _languages(languages))]
    return without_overlaps(found)


def infer_day_first(text: str, languages: Collection[str] | None = None) -> bool | None:
    """What the dates that can be read in one way only say about the others; None where they say nothing, or both."""
    votes: set[bool] = set()
    for match in _NUMERIC.finditer(plain(text)):
        a, b, separator = int(match["a"] or 0), int(match["b"] or 0), match["s"] or ""
        has_whole_year = len(match["y"] or "") > 2  # noqa: PLR2004 - 22/11/26 may have the year first
        if separator[0] == "." or not has_whole_year or not _standing(text, match.start(), match.end(), separator):
            continue
        if a > 12 >= b > 0:  # noqa: PLR2004 - months of a year
            votes.add(True)
        elif b > 12 >= a > 0:  # noqa: PLR2004 - months of a year
            votes.add(False)
    if votes:
        return votes.pop() if len(votes) == 1 else None
    return True if languages and "en" not in languages else None


def _year_first(text: str) -> Iterator[FoundValue]:
    for match in _YEAR_FIRST.finditer(text):
        start, end = match.start(), match.end()
        if match["s"] != match["t"]:
            continue
        value = iso(int(match["y"] or 0), int(match["m"] or match["cm"] or 0), int(match["d"] or match["cd"] or 0))
        if value and (most := _standing(text, start, end, match["s"] or "")):
            sure = DECIDED if match["s"] == "." else CERTAIN
            yield FoundValue(value, start, end, _confidence(value, sure, most))


def _numeric(text: str, day_first: bool | None) -> Iterator[FoundValue]:
    for match in _NUMERIC.finditer(text):
        separator = (match["s"] or "").strip()
        most = _standing(text, match.start(), match.end(), separator)
        if separator != (match["t"] or "").strip() or not most:
            continue
        if separator != "." and " " in f"{match['s']}{match['t']}":
            continue
        year, a, b = full_year(match["y"] or ""), int(match["a"] or 0), int(match["b"] or 0)
        as_day_first, as_month_first = iso(year, b, a), iso(year, a, b)
        if separator == ".":
            value, other, sure = as_day_first, None, CLEAR
        elif as_day_first and as_month_first and a != b:
            value, other = (as_month_first, as_day_first) if day_first is False else (as_day_first, as_month_first)
            sure = OPEN if day_first is None else DECIDED
        else:
            value, other, sure = as_day_first or as_month_first, None, CLEAR
            if day_first is not None and a != b and (as_day_first is not None) is not day_first:
                sure = UNUSUAL  # all others put it the other way round: perhaps a slip of the pen
        if value:
            sure = min(sure, _two_digits(match["y"] or "", a, b, is_open=separator != "." and day_first is None))
            yield FoundValue(
                value,
                match.start(),
                match.end(),
                _confidence(value, sure, most),
                {"alternative": other} if other and sure == OPEN else {},
            )


def _two_digits(year: str, a: int, b: int, *, is_open: bool) -> float:
    """22/11/26 may be meant with the year first."""
    if len(year) > 2:  # noqa: PLR2004 - all its digits
        return 1.0
    return UNUSUAL if is_open and a in _YEARS_OF_DOCUMENTS and iso(2000 + a, b, int(year)) else TWO_DIGITS


def _with_names(text: str, languages: tuple[str, ...] | None) -> Iterator[FoundValue]:
    numbers = months(languages)
    for pattern in _name_patterns(languages):
        for match in pattern.finditer(text):
            name = (match["m"] or "").casefold()
            value = iso(full_year((match["y"] or "").lstrip("'")), numbers.get(name, 0), int(match["d"] or 0))
            if value and (most := _standing(text, match.start(), match.end(), "")):
                sure = CERTAIN if len(match["y"] or "") >= 4 else _short_year(text, match)  # noqa: PLR2004 - all its digits
                yield FoundValue(value, match.start(), match.end(), _confidence(value, sure, most))


def _short_year(text: str, match: Match) -> float:
    """In "on 10 May 20 people came" there is no year."""
    return WEAK if text[match.start(3) - 1] in " \n" and (match["y"] or "")[0] != "'" else TWO_DIGITS


@cache
def _name_patterns(languages: tuple[str, ...] | None) -> tuple[Pattern, ...]:
    names = month_pattern(months(languages))
    whole = [name for name in months(languages) if len(name) > 4 or name in MONTH_BY_NAME["en"]]  # noqa: PLR2004 - no abbreviations
    year = r"(?P<y>[0-9]{4}|'[0-9]{2}|[0-9]{2})"
    day = r"(?P<d>[0-9]{1,2})"
    return (
        Pattern(
            rf"{day}(?:st|nd|rd|th|er|º|°|ª|e)?[.]?(?:[ ]{{0,3}}\n?|[-/]){_OF}(?P<m>{names})[.]?,?(?:[ ]{{0,3}}\n?|[-/]){_OF}{year}"
        ),
        Pattern(
            rf"(?P<m>{month_pattern(whole)})[.]?[ ]{{0,3}}{day}(?:st|nd|rd|th)?(?:[ ]?,[ ]{{0,3}}\n?|[ ]{{1,3}})(?P<y>[0-9]{{4}}|'[0-9]{{2}})"
        ),
    )


def _languages(languages: Collection[str] | None) -> tuple[str, ...] | None:
    return tuple(sorted(languages)) if languages else None


def _standing(text: str, start: int, end: int, separator: str) -> float:
    """The most that can be said of a date at this place: nothing inside of a longer number (a version, an address, an account), little
    inside of a name (INV-2024-01-31).
    """
    before, after = text[max(0, start - 2) : start], text[end : end + 2]
    if before[-1:].isalnum() and not _is_cjk(before[-1]):
        return 0.0
    if after[:1].isalnum() and not _is_cjk(after[0]) and not (after[0] in "Tt" and after[1:].isdigit()):
        return 0.0
    most = 1.0
    for joint, beyond, date_is_beyond in (
        (before[-1:], before[:-1], _DATE_BEFORE.search(text[max(0, start - 13) : start - 1])),
        (after[:1], after[1:], _DATE_AFTER.match(text[end + 1 : end + 11])),
    ):
        if joint in {"-", "/", ".", ":", ",", "_"} and beyond.isalnum():
            if joint in {"-", "/"} and joint != separator and date_is_beyond:
                continue
            if beyond.isdigit() and joint != "_" and not (joint == "," and separator == ""):
                return 0.0
            most = UNUSUAL if joint in {"-", "/", "_"} else most
    return most


def _is_cjk(character: str) -> bool:
    return "\u3040" <= character <= "\ud7a3"


def _confidence(value: str, sure: float, most: float) -> float:
    return min(sure, most, 1.0 if is_usual(int(value[:4])) else UNUSUAL)
