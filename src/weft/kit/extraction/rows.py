"""Rows of a table as values, and the values of a single column."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from weft.kit.extraction.candidates import Candidate, Found
from weft.kit.extraction.document import Page
from weft.kit.extraction.grids import FEWEST_HEADS, Grid, grids
from weft.kit.extraction.look import Look, candidate_of, found_at, read
from weft.kit.extraction.rules import Column, ColumnRule, FieldRules, FinderRule, Kind, PatternRule
from weft.kit.extraction.spelled import by_pattern

BY_COLUMNS = 0.75

Rows = tuple[list[dict[str, Any]], list[dict[str, Found]]]


def row_candidates(look: Look, rules: FieldRules) -> Iterator[Candidate]:
    """Each way of finding the rows gives all of them, or nothing: ways are not mixed."""
    if rules.columns:
        yield from _from_grids(look, rules, look.document.pages, "columns")
        yield from _from_grids(look, rules, look.table_pages, "table")
    for number, rule in enumerate(rules.rules):
        if isinstance(rule, PatternRule):
            name = rule.name or f"pattern:{number}"
            found = [one for page in look.document.pages for one in by_pattern(look, page, rules, rule, name)]
            if found:
                cells: list[dict[str, Found]] = [one.extra["cells"] for one in found]
                yield Candidate([one.value for one in found], rule.confidence, found[0].found, {"cells": cells})
        elif isinstance(rule, FinderRule):
            for one in look.rule_set.finders[rule.finder](look.document, look.readings):
                yield one.doubted(rule.confidence)


def _from_grids(look: Look, rules: FieldRules, pages: Iterable[Page], name: str) -> Iterator[Candidate]:
    """The tables with the same columns as the fullest one are one table that goes on."""
    all_grids = [grid for page in pages for grid in grids(look, page, rules.columns)]
    if not all_grids:
        return
    fullest = max(all_grids, key=lambda grid: (len(grid.columns), len(grid.rows)))
    rows: list[dict[str, Any]] = []
    cells: list[dict[str, Found]] = []
    for grid in all_grids:
        if grid.columns == fullest.columns:
            more_rows, more_cells = _read_rows(look, grid, rules, name)
            rows += more_rows
            cells += more_cells
    if rows:
        filled = sum(map(len, rows)) / (len(rows) * len(fullest.columns))
        first = min(cells[0].values(), key=lambda found: found.start)
        yield Candidate(rows, BY_COLUMNS * (0.6 + 0.4 * filled), first, {"cells": cells})


def _read_rows(look: Look, grid: Grid, rules: FieldRules, name: str) -> Rows:
    rows: list[dict[str, Any]] = []
    cells: list[dict[str, Found]] = []
    for grid_row in grid.rows:
        row: dict[str, Any] = {}
        places: dict[str, Found] = {}
        for column, pieces in grid_row.places.items():
            meant = FieldRules(type=rules.columns[column].type)
            values = [value for piece in pieces if (value := read(look, grid.page, meant, *piece))]
            if not values:
                continue
            is_text = meant.type is Kind.TEXT
            row[column] = " ".join(str(value.value) for value in values) if is_text else values[0].value
            end = values[-1].end if is_text else values[0].end
            places[column] = look.as_found(grid.page, found_at(grid.page, values[0].start, end, name))
        if len(row) >= FEWEST_HEADS:
            rows.append({column: row[column] for column in rules.columns if column in row})
            cells.append(places)
    return rows, cells


def in_column(look: Look, rules: FieldRules, rule: ColumnRule) -> Iterator[Candidate]:
    """The values of one column, wherever a line has its header among others, or a table has it."""
    name = rule.name or f"column:{rule.headers[0]}"
    columns = {"value": Column(type=rules.type, headers=rule.headers)}
    for page in (*look.document.pages, *look.table_pages):
        for grid in grids(look, page, columns):
            for row in grid.rows:
                for piece in row.places.get("value", ())[:1]:
                    if (value := read(look, page, rules, *piece)) is not None:
                        candidate = candidate_of(page, value, rule.confidence, name)
                        yield replace(
                            candidate, found=look.as_found(page, found_at(page, value.start, value.end, name))
                        )
