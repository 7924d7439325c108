"""The values of each kind that stand in a document, found once per page however many rules ask for them."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from operator import attrgetter

from weft.kit.extraction.document import Document, Page
from weft.kit.extraction.language import language_of
from weft.kit.extraction.rules import Kind
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
    urls,
    vat_ids,
)
from weft.kit.extraction.values.currencies import meant_by
from weft.kit.extraction.values.found import FoundValue, without_overlaps

_FINDERS: dict[Kind, Callable[[str], list[FoundValue]]] = {
    Kind.PHONE: phones.find,
    Kind.MAIL: mails.find,
    Kind.NAME: persons.find,
    Kind.IBAN: ibans.find,
    Kind.VAT_ID: vat_ids.find,
    Kind.URL: urls.find,
    Kind.PERCENT: amounts.find_percentages,
    Kind.DURATION: durations.find,
    Kind.PLACE: places.find,
    Kind.LANGUAGE: languages.find,
}
READ = frozenset({*_FINDERS, Kind.DATE, Kind.AMOUNT, Kind.NUMBER, Kind.CURRENCY})
"""Kinds that are recognised by themselves; a text, a choice or a row is only told by what stands around it."""

_CURRENCY_WORDS = re.compile(r"\b(?:[A-Z]{3}|[Ee]uros?|US [Dd]ollars|U\.S\. [Dd]ollars)\b")
BY_ITSELF = 0.95
"""It is asked for beside a label alone: elsewhere three letters are often a word."""

_START = attrgetter("start")


class Readings:
    def __init__(self, document: Document) -> None:
        self.document = document
        self._found: dict[tuple[int, Kind], list[FoundValue]] = {}
        text = "\n".join(page.text for page in document.pages)
        language = language_of(text)
        self._day_first = dates.infer_day_first(text, (language,) if language else None)

    def of(self, page: Page, kind: Kind) -> list[FoundValue]:
        """Every value of the kind on the page, in the order of its text."""
        key = id(page), kind
        if (known := self._found.get(key)) is None:
            known = self._found[key] = self._read(page, kind)
        return known

    def within(self, page: Page, kind: Kind, start: int, end: int) -> Sequence[FoundValue]:
        """Those that lie between two places of the page's text."""
        found = self.of(page, kind)
        first = bisect_left(found, start, key=_START)
        return [value for value in found[first : bisect_left(found, end, key=_START)] if value.end <= end]

    def _read(self, page: Page, kind: Kind) -> list[FoundValue]:
        match kind:
            case Kind.DATE:
                return dates.find(page.text, day_first=self._day_first)
            case Kind.AMOUNT | Kind.NUMBER:
                return self._amounts(page)
            case Kind.CURRENCY:
                return without_overlaps([*self._currencies_of_amounts(page), *_codes(page.text)])
            case _:
                return _FINDERS[kind](page.text)

    def _currencies_of_amounts(self, page: Page) -> Iterator[FoundValue]:
        for value in self.of(page, Kind.AMOUNT):
            if currency := value.extra.get("currency"):
                yield FoundValue(currency, value.start, value.end, value.extra["currencyConfidence"], value.extra)

    def _amounts(self, page: Page) -> list[FoundValue]:
        """Without the numbers that are parts of dates."""
        days = self.of(page, Kind.DATE)
        ends = [day.end for day in days]
        return [
            value
            for value in amounts.find(page.text)
            if (next_day := bisect_right(ends, value.start)) == len(days) or days[next_day].start >= value.end
        ]


def _codes(text: str) -> Iterator[FoundValue]:
    """Currencies named by their code or in words, with no amount beside them."""
    for match in _CURRENCY_WORDS.finditer(text):
        if len(meant := meant_by(match.group())) == 1:
            yield FoundValue(meant[0], match.start(), match.end(), BY_ITSELF)
