"""Countries by their names in seven languages, as ISO 3166 codes. A name of two letters is not looked for: it is too often a word."""

from collections.abc import Iterator
from functools import cache
from typing import cast

from babel import Locale

from weft.kit.extraction.values.calendar import LANGUAGES
from weft.kit.extraction.values.found import FoundValue
from weft.kit.extraction.values.text import Pattern, plain

_WORD = Pattern(r"[\pL\pM][\pL\pM'.]*")
_MOST_WORDS = 5
_OTHER_NAMES = {
    "usa": "US", "u.s.a.": "US", "u.s.": "US", "united states of america": "US", "vereinigte staaten von amerika": "US", "uk": "GB",
    "u.k.": "GB", "great britain": "GB", "großbritannien": "GB", "england": "GB", "scotland": "GB", "schottland": "GB", "wales": "GB",
    "northern ireland": "GB", "holland": "NL", "the netherlands": "NL", "czech republic": "CZ", "bundesrepublik deutschland": "DE",
    "federal republic of germany": "DE", "uae": "AE", "turkey": "TR", "türkei": "TR", "south korea": "KR",
}  # fmt: skip
_NO_COUNTRIES = {"EU", "EZ", "UN", "ZZ", "XA", "XB", "QO"}
_SHORTEST_NAME = 4
_ALSO_OTHER_THINGS = {
    "GE",
    "JO",
    "TD",
    "JE",
    "GN",
    "ML",
    "NE",
    "CU",
    "TG",
    "OM",
    "LB",
    "MK",
    "IM",
    "LU",
    "MO",
    "SG",
    "SM",
    "PE",
    "NU",
}
"""Also a state of the USA, a first name, a city or a word."""


def find(text: str) -> list[FoundValue]:
    text = plain(text)
    words = [(match.start(), match.end()) for match in _WORD.finditer(text)]
    return list(_countries(text, words))


def code_of(name: str) -> str | None:
    return _codes().get(" ".join(name.casefold().split()))


def _countries(text: str, words: list[tuple[int, int]]) -> Iterator[FoundValue]:
    firsts = _first_words()
    place = 0
    while place < len(words):
        start, end = words[place]
        used = 1
        if text[start].isupper() and text[start:end].casefold().rstrip(".") in firsts:
            for count in range(min(_MOST_WORDS, len(words) - place), 0, -1):
                found = _country(text, start, words[place + count - 1][1])
                if found is not None:
                    yield found
                    used = count
                    break
        place += used


def _country(text: str, start: int, end: int) -> FoundValue | None:
    """With its own full stops (U.S.A.), or without that of the sentence."""
    written = text[start:end]
    code = code_of(written)
    if code is None and written.endswith("."):
        end -= 1
        code = code_of(written[:-1])
    return FoundValue(code, start, end, 0.5 if code in _ALSO_OTHER_THINGS else 0.85) if code else None


@cache
def _codes() -> dict[str, str]:
    """English last: where languages disagree, its name stands."""
    names = {
        plain(name).casefold(): code
        for language in reversed(LANGUAGES)
        for code, name in cast("dict[str, str]", Locale(language).territories).items()
        if code.isalpha() and code not in _NO_COUNTRIES and len(name) >= _SHORTEST_NAME
    }
    return {**names, **_OTHER_NAMES}


@cache
def _first_words() -> frozenset[str]:
    return frozenset((match[0] or "").rstrip(".") for name in _codes() if (match := _WORD.match(name)))
