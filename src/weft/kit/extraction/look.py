"""One document, looked at with one rule set: what several rules need is worked out once."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

from weft.kit.extraction.candidates import Candidate, Found
from weft.kit.extraction.document import Cell, Document, Page, as_page
from weft.kit.extraction.folding import spoken
from weft.kit.extraction.labels import Mark, by_line
from weft.kit.extraction.readings import READ, Readings
from weft.kit.extraction.rule_set import RuleSet, pattern_key
from weft.kit.extraction.rules import FieldRules, Kind
from weft.kit.extraction.values.found import FoundValue

LONGEST_VALUE = 2_000
_MARKS_OF_A_LIST = (
    " \t\N{BULLET}\N{MIDDLE DOT}\N{EN DASH}\N{EM DASH}*-\N{BLACK SMALL SQUARE}\N{WHITE BULLET}\N{HYPHEN BULLET}"
)
_AROUND = _MARKS_OF_A_LIST + ":;,#=|"
_BEFORE = _AROUND + ".\N{DEGREE SIGN}\N{MASCULINE ORDINAL INDICATOR}"
"""A full stop behind a value may belong to it: `Inc.`"""


class Look:
    def __init__(self, document: Document, rule_set: RuleSet) -> None:
        self.document = document
        self.rule_set = rule_set
        self.readings = Readings(document)
        self._marks: dict[int, Mapping[int, list[Mark]]] = {}
        self._searched: dict[int | None, int] = {}

    @cached_property
    def table_pages(self) -> tuple[Page, ...]:
        """The tables that were read apart from the text, as pages of their own."""
        return tuple(as_page(table) for table in self.document.tables if table.rows)

    def marks(self, page: Page) -> Mapping[int, list[Mark]]:
        """The labels on the page, by line."""
        key = id(page)
        if (known := self._marks.get(key)) is None:
            known = self._marks[key] = by_line(self.rule_set.index.marks(page))
        return known

    def as_found(self, page: Page, found: Found) -> Found:
        """Where a value stands that was found on a page made of a table: in the text of the document, as far as it stands there."""
        if page not in self.table_pages:
            return found
        real = next((one for one in self.document.pages if one.number == page.number), self.document.pages[0])
        from_here = self._searched.get(real.number, 0)
        start = max(real.text.find(found.text, from_here), -1)
        if start < 0 and (start := real.text.find(found.text)) < 0:
            return replace(found, start=0, end=0)
        self._searched[real.number] = start
        return replace(found, start=start, end=start + len(found.text))

    def marks_of(self, cell: Cell, page: Page) -> list[Mark]:
        return [mark for mark in self.marks(page).get(cell.line, ()) if mark.cell is cell]

    def pattern(self, pattern: str, *, ignore_case: bool) -> Any:
        return self.rule_set.patterns[pattern_key(pattern, ignore_case=ignore_case)]

    def values(self, page: Page, kind: Kind, start: int, end: int) -> list[FoundValue]:
        return list(self.readings.within(page, kind, start, end))


def found_at(page: Page, start: int, end: int, rule: str) -> Found:
    return Found(page.number, start, end, page.text[start:end], rule=rule)


def candidate_of(page: Page, value: FoundValue, confidence: float, rule: str) -> Candidate:
    found = found_at(page, value.start, value.end, rule)
    return Candidate(value.value, confidence * value.confidence, found, value.extra)


def trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """The place without the punctuation around a value."""
    while start < end and (text[start] in _BEFORE or text[start].isspace()):
        start += 1
    while end > start and (text[end - 1] in _AROUND or text[end - 1].isspace()):
        end -= 1
    return start, min(end, start + LONGEST_VALUE)


def text_value(
    look: Look, page: Page, rules: FieldRules, start: int, end: int, pattern: str | None
) -> FoundValue | None:
    """What stands between two places, as the field reads it; None where it does not fit."""
    if pattern is not None:
        start, end = trimmed(page.text, start, end)
        match = look.pattern(pattern, ignore_case=True).match(page.text[start:end])
        if match is None:
            return None
        group = value_group(match.re)
        if match.start(group) < 0:
            return None
        start, end = start + match.start(group), start + match.end(group)
        if start == end:
            return None
    return read(look, page, rules, start, end)


def value_group(pattern: Any) -> int:
    """The number of the group that holds the value."""
    return int(pattern.groupindex.get("value", min(1, pattern.groups)))


def read(look: Look, page: Page, rules: FieldRules, start: int, end: int) -> FoundValue | None:
    """The value of the field's kind between two places: the first one that is recognised there, or the text itself."""
    if rules.type in READ:
        found = look.values(page, rules.type, start, end)
        return found[0] if found else None
    start, end = trimmed(page.text, start, end)
    text = " ".join(page.text[start:end].split())
    if rules.type is Kind.CHOICE:
        choice = choice_in(text, rules.choices)
        return FoundValue(choice, start, end, 1.0) if choice is not None else None
    return FoundValue(text, start, end, 1.0) if any(map(str.isalnum, text)) else None


def choice_in(text: str, choices: Mapping[str, tuple[str, ...]]) -> str | None:
    """The choice whose words stand in the text; the longest words where several do."""
    plain = spoken(text)
    best: tuple[int, str] | None = None
    for value, words in choices.items():
        for word in (value, *words):
            wanted = spoken(word)
            if wanted.strip() and wanted in plain and (best is None or len(wanted) > best[0]):
                best = len(wanted), value
    return best[1] if best else None
