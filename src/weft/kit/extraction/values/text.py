"""Text in a spelling that patterns can be written for, character for character, so that places in it are places in the original."""

import re
from collections.abc import Iterator
from functools import cached_property
from typing import Any, Protocol, cast

import re2

LONGEST = 1_000_000
"""Characters that are searched: some five hundred pages."""

_SPACES = "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000\t"
_HYPHENS = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d"
_APOSTROPHES = "\u2018\u2019\u02bc\u00b4\u2032\uff07"
_WIDE = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_PLAIN: dict[int, int] = {
    **_WIDE,
    **dict.fromkeys(map(ord, _SPACES), ord(" ")),
    **dict.fromkeys(map(ord, _HYPHENS), ord("-")),
    **dict.fromkeys(map(ord, _APOSTROPHES), ord("'")),
    **dict.fromkeys(range(0xD800, 0xE000), 0xFFFD),  # halves of a character cannot be encoded, and RE2 reads UTF-8
}


_CLASSES = {
    r"\pL": r"A-Za-z\x{aa}\x{ba}\x{c0}-\x{d6}\x{d8}-\x{f6}\x{f8}-\x{24f}\x{370}-\x{52f}\x{1e00}-\x{1fff}",
    r"\p{Lu}": r"A-Z\x{c0}-\x{d6}\x{d8}-\x{de}\x{100}-\x{24f}\x{386}-\x{3ab}\x{400}-\x{42f}\x{1e00}-\x{1eff}",
    r"\pM": r"\x{300}-\x{36f}",
}
"""Ranges. Where capitals and small letters take turns, small ones count as capitals too."""
_PARTS = re.compile(r"\[(?:\\.|[^\]\\])*\]|\\p\{\w+\}|\\p\w|\\.|[^\[\\]+", re.DOTALL)


class Match(Protocol):
    def start(self, group: int = 0) -> int: ...
    def end(self, group: int = 0) -> int: ...
    def __getitem__(self, group: int | str) -> str | None: ...


class Pattern:
    r"""RE2, in verbose spelling: line breaks and spaces of the pattern mean nothing outside brackets; a space is written `[ ]`.

    `\pL`, `\p{Lu}` and `\pM` are the letters, capitals and accents of Latin, Greek and Cyrillic: with those of all scripts the programs
    of these patterns take 50 MB. Repetitions have to be bounded: RE2 is linear in one search, but `.*` after a short match is
    searched to the end every time. Compiled when it is first used.
    """

    def __init__(self, pattern: str, *, ignore_case: bool = True) -> None:
        self._written = pattern
        self._ignore_case = ignore_case

    @cached_property
    def _pattern(self) -> Any:
        options = re2.Options()
        options.log_errors = False
        options.case_sensitive = not self._ignore_case
        return re2.compile(_compact(self._written), options)

    def finditer(self, text: str) -> Iterator[Match]:
        return cast("Iterator[Match]", self._pattern.finditer(text))

    def match(self, text: str) -> Match | None:
        """At the start of the text."""
        return cast("Match | None", self._pattern.match(text))

    def fullmatch(self, text: str) -> Match | None:
        return cast("Match | None", self._pattern.fullmatch(text))

    def search(self, text: str) -> Match | None:
        return cast("Match | None", self._pattern.search(text))


def plain(text: str) -> str:
    """One kind of space, hyphen, apostrophe and digit; as many characters as `text`, up to `LONGEST`."""
    text = text[:LONGEST]
    return text if text.isascii() and "\t" not in text else text.translate(_PLAIN)


def _compact(pattern: str) -> str:
    """As RE2 reads it."""
    return "".join(_part(part) for part in _PARTS.findall(pattern))


def _part(part: str) -> str:
    if part[0] == "[":
        for name, ranges in _CLASSES.items():
            part = part.replace(name, ranges)
        return part
    return f"[{_CLASSES[part]}]" if part in _CLASSES else "".join(part.split())
