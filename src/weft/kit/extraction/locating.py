"""Where values stand that somebody else read out of a document: a model that was given its text."""

from collections.abc import Iterator
from typing import Any, cast

from weft.kit.extraction.candidates import By, Candidate, Found, sameness
from weft.kit.extraction.document import Document, Page
from weft.kit.extraction.folding import folded
from weft.kit.extraction.leaves import Leaf
from weft.kit.extraction.readings import Readings
from weft.kit.extraction.rules import Kind

VERBATIM = 0.78
"""It stands there as it was given: whether it is what was asked for, only checks can tell."""
TOO_SHORT = 0.6
"""A text of a letter or two stands everywhere."""
NOWHERE = 0.35
"""Worked out, or invented."""
SHORT = 2
_READ_AS = (Kind.DATE, Kind.AMOUNT, Kind.PHONE, Kind.IBAN, Kind.VAT_ID)


class Locator:
    def __init__(self, document: Document) -> None:
        self._document = document
        self._readings = Readings(document)
        self._plain: dict[int, tuple[str, list[int]]] = {}

    def candidates(self, leaf: Leaf, value: Any) -> list[Candidate]:
        """What a model gave for a leaf of the schema: one candidate, or one per element of a list."""
        if value is None or value == "":
            return []
        if leaf.columns:
            elements = cast("list[object]", value) if isinstance(value, list) else []
            rows = [cast("dict[str, Any]", row) for row in elements if isinstance(row, dict)]
            return [self._rows(rows)] if rows else []
        if leaf.many:
            elements = cast("list[Any]", value) if isinstance(value, list) else [value]
            return [self._one(element) for element in elements if element not in {None, ""}]
        return [self._one(value)]

    def _rows(self, rows: list[dict[str, Any]]) -> Candidate:
        cells = [{name: self._one(value) for name, value in row.items() if value not in {None, ""}} for row in rows]
        all_cells = [one for row in cells for one in row.values()]
        confidence = sum(one.confidence for one in all_cells) / len(all_cells) if all_cells else NOWHERE
        places = [{name: one.found for name, one in row.items() if one.found is not None} for row in cells]
        first = next((one.found for one in all_cells if one.found is not None), None)
        return Candidate(
            [{name: one.value for name, one in row.items()} for row in cells], confidence, first, {"cells": places}
        )

    def _one(self, value: Any) -> Candidate:
        if isinstance(value, dict | list | bool):
            return Candidate(value, NOWHERE, None)
        found = next(self._as_it_stands(value), None) if isinstance(value, str) else None
        found = found or next(self._as_it_is_read(value), None)
        if found is None:
            return Candidate(value, NOWHERE, None)
        return Candidate(value, VERBATIM if len(found.text.strip()) > SHORT else TOO_SHORT, found)

    def _as_it_stands(self, value: str) -> Iterator[Found]:
        wanted = " ".join(folded(value).split())
        if not wanted:
            return
        for page in self._document.pages:
            plain, places = self._squeezed(page)
            if (at := plain.find(wanted)) >= 0:
                start, end = places[at], places[at + len(wanted) - 1] + 1
                yield Found(page.number, start, end, page.text[start:end], By.MODEL)

    def _as_it_is_read(self, value: Any) -> Iterator[Found]:
        wanted = sameness(value)
        for page in self._document.pages:
            for kind in _READ_AS:
                for one in self._readings.of(page, kind):
                    if sameness(one.value) == wanted:
                        yield Found(page.number, one.start, one.end, page.text[one.start : one.end], By.MODEL)

    def _squeezed(self, page: Page) -> tuple[str, list[int]]:
        """The folded text with one space for each run of white space, and where each of its characters stands."""
        if (known := self._plain.get(id(page))) is None:
            letters: list[str] = []
            places: list[int] = []
            for place, letter in enumerate(page.folded):
                if not letter.isspace():
                    letters.append(letter)
                    places.append(place)
                elif letters and letters[-1] != " ":
                    letters.append(" ")
                    places.append(place)
            known = self._plain[id(page)] = "".join(letters), places
        return known
