"""Values that a regular expression describes."""

from collections.abc import Iterator
from typing import Any

from weft.kit.extraction.candidates import Candidate, Found
from weft.kit.extraction.document import Page
from weft.kit.extraction.look import Look, candidate_of, found_at, read, value_group
from weft.kit.extraction.rules import FieldRules, Kind, PatternRule

MOST_MATCHES = 1_000
"""Of one pattern on one page."""


def by_pattern(look: Look, page: Page, rules: FieldRules, rule: PatternRule, name: str) -> Iterator[Candidate]:
    if not _is_wanted(look, page, rule):
        return
    pattern = look.pattern(rule.pattern, ignore_case=rule.ignore_case)
    for count, match in enumerate(pattern.finditer(page.text)):
        if count == MOST_MATCHES:
            return
        if rules.type is Kind.ROWS:
            yield from _row(look, page, rules, rule, match, name)
            continue
        start, end = match.span(value_group(pattern))
        if start < 0 or start == end:
            continue
        if (value := read(look, page, rules, start, end)) is not None:
            yield candidate_of(page, value, rule.confidence, name)


def _is_wanted(look: Look, page: Page, rule: PatternRule) -> bool:
    pages = look.document.pages
    return rule.page == "ANY" or page is (pages[0] if rule.page == "FIRST" else pages[-1])


def _row(look: Look, page: Page, rules: FieldRules, rule: PatternRule, match: Any, name: str) -> Iterator[Candidate]:
    row: dict[str, Any] = {}
    cells: dict[str, Found] = {}
    for column, meant in rules.columns.items():
        group = match.re.groupindex.get(column)
        if group is None or match.start(group) < 0:
            continue
        start, end = match.span(group)
        if (value := read(look, page, FieldRules(type=meant.type), start, end)) is not None:
            row[column], cells[column] = value.value, found_at(page, value.start, value.end, name)
    if row:
        yield Candidate(row, rule.confidence, found_at(page, match.start(), match.end(), name), {"cells": cells})
