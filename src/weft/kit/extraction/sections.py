"""The text below a heading."""

import sys
from collections.abc import Iterator

from weft.kit.extraction.candidates import Candidate
from weft.kit.extraction.document import Page
from weft.kit.extraction.labels import Mark, squeezed
from weft.kit.extraction.look import Look, candidate_of, read
from weft.kit.extraction.readings import READ
from weft.kit.extraction.rules import FieldRules, Kind, SectionRule

LONGEST_HEADING_REST = 2
"""Letters and digits beside a heading in its cell: more of them make it the beginning of a sentence."""

OUTDENT = 2
"""Columns by which what belongs to a heading may stand further left."""

Place = tuple[int, int]


def in_sections(look: Look, page: Page, rules: FieldRules, rule: SectionRule) -> Iterator[Candidate]:
    wanted = {squeezed(heading): heading for heading in rule.headings}
    for marks in look.marks(page).values():
        for mark in marks:
            if mark.label in wanted and is_heading(page, mark):
                name = rule.name or f"section:{wanted[mark.label]}"
                yield from _values(look, page, rules, rule, section_below(look, page, mark, rule.lines), name)


def is_heading(page: Page, mark: Mark) -> bool:
    rest = page.text[mark.cell.start : mark.start] + page.text[mark.end : mark.cell.end]
    alone = sum(map(str.isalnum, rest)) <= LONGEST_HEADING_REST
    return mark.leads and (alone or page.text[mark.end : mark.end + 2].lstrip().startswith(":"))


def section_below(look: Look, page: Page, mark: Mark, most_lines: int) -> list[Place]:
    """The lines of the section, as places of the page's text: what stands beside the heading, then below it, in its columns,
    up to the next heading.
    """
    line = page.lines[mark.cell.line]
    has_columns = _has_columns(look, page, mark)
    left = mark.left - OUTDENT if has_columns else 0
    right = min((cell.left for cell in line.cells if has_columns and cell.left > mark.left), default=sys.maxsize)
    end = mark.cell.end if has_columns else line.end
    places = [(mark.end, end)] if any(map(str.isalnum, page.text[mark.end : end])) else []
    for below in page.lines[line.index + 1 : line.index + 1 + most_lines]:
        cells = [cell for cell in below.cells if left <= cell.left < right]
        if any(_ends(look, page, other) for cell in cells for other in look.marks_of(cell, page)):
            break
        if cells:
            places.append((cells[0].start, cells[-1].end))
    return places


def _has_columns(look: Look, page: Page, mark: Mark) -> bool:
    """Another heading stands in the same line, so each has its own columns."""
    return any(other is not mark and is_heading(page, other) for other in look.marks(page).get(mark.cell.line, ()))


def _ends(look: Look, page: Page, mark: Mark) -> bool:
    return mark.label in look.rule_set.headings and is_heading(page, mark)


def _values(
    look: Look, page: Page, rules: FieldRules, rule: SectionRule, places: list[Place], name: str
) -> Iterator[Candidate]:
    if not places:
        return
    if rules.type in READ and rule.separators is None:
        for start, end in places:
            for value in look.values(page, rules.type, start, end):
                yield candidate_of(page, value, rule.confidence, name)
        return
    if not rules.many and rule.separators is None and rules.type in {Kind.TEXT, Kind.CHOICE}:
        places = [(places[0][0], places[-1][1])]
    for start, end in places:
        for piece in _parts(page.text, start, end, rule.separators or ""):
            value = read(look, page, rules, *piece)
            if value is not None:
                yield candidate_of(page, value, rule.confidence, name)


def _parts(text: str, start: int, end: int, separators: str) -> Iterator[Place]:
    begun = start
    for place in range(start, end):
        if text[place] in separators:
            yield begun, place
            begun = place + 1
    yield begun, end
