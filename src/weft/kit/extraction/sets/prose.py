"""Reading running text: sentences that go on over the ends of lines, and the words before and behind a value."""

from collections.abc import Mapping
from typing import Any

from weft.kit.extraction.candidates import Candidate, Found
from weft.kit.extraction.document import Page
from weft.kit.extraction.values.text import Pattern, plain

_SHORT_LINE = 50
"""A line that ends earlier, before one with a capital, is a heading, a name, an address: the text does not flow on."""

_NEXT_SENTENCE = Pattern(r"[;!?\n]|[.][ ]{1,4}[A-ZÄÖÜ§(0-9]|[ ]{2,6}[(]?[0-9]{1,2}[.)][ ]", ignore_case=False)


def flat(page: Page) -> str:
    """The text of the page, character for character, with a space for each end of a line that its sentence goes on behind."""
    lines = plain(page.text).split("\n")
    pieces: list[str] = []
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        pieces += [line, "\n" if _ends_with(line.strip(), following.strip()) else " "]
    return "".join(pieces[:-1])


def _ends_with(line: str, following: str) -> bool:
    if not line or not following:
        return True
    return len(line) < _SHORT_LINE and line[-1] not in ",-" and not following[0].islower()


def before(text: str, place: int, most: int = 140) -> str:
    """The words in front of a place, not further than its sentence."""
    window = text[max(0, place - most) : place]
    start = 0
    for match in _NEXT_SENTENCE.finditer(window):
        if not _is_abbreviation(window, match.start()):
            start = match.start() + 1
    return window[start:]


def after(text: str, place: int, most: int = 140) -> str:
    """The words behind a place, up to the end of its sentence."""
    window = text[place : place + most]
    for match in _NEXT_SENTENCE.finditer(window):
        if not _is_abbreviation(window, match.start()):
            return window[: match.start()]
    return window


def _is_abbreviation(window: str, dot: int) -> bool:
    """`No. 5` and `31. Januar` end no sentence."""
    word = window[:dot].rpartition(" ")[2]
    return window[dot] == "." and (len(word) <= 3 or word.isdigit())  # noqa: PLR2004 - No, Nr, Inc, Abs


def candidate(
    page: Page, start: int, end: int, value: Any, confidence: float, rule: str, extra: Mapping[str, Any] | None = None
) -> Candidate:
    return Candidate(value, confidence, found(page, start, end, rule), extra or {})


def found(page: Page, start: int, end: int, rule: str) -> Found:
    return Found(page.number, start, end, page.text[start:end], rule=rule)
