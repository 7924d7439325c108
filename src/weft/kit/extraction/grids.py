"""Tables on a page, by the heads of their columns: where each cell of each row stands.

A line is the head of a table when it names two of the wanted columns or more, one of them of numbers. A cell of a later line
belongs to the column whose head it shares most columns of the page with, else to the nearest one. What stands only in the
column of texts goes on with the row above it. The table ends where totals begin, or with a line that looks like none of it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from weft.kit.extraction.document import Cell, Line, Page
from weft.kit.extraction.labels import Mark, squeezed
from weft.kit.extraction.look import Look
from weft.kit.extraction.rules import Column, Kind

NUMERIC = frozenset({Kind.AMOUNT, Kind.NUMBER})
FEWEST_HEADS = 2
MOST_IDLE_LINES = 6
"""Lines that add nothing to a table, before it counts as ended."""
MOST_ROWS = 2_000
_OUTDENT = 2

Place = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Head:
    column: str | None
    """None for a column that nobody asked for."""
    left: int
    right: int
    numeric: bool


@dataclass(slots=True)
class GridRow:
    places: dict[str, list[Place]] = field(default_factory=dict[str, list[Place]])


@dataclass(frozen=True, slots=True)
class Grid:
    page: Page
    columns: frozenset[str]
    rows: Sequence[GridRow]


def grids(look: Look, page: Page, columns: Mapping[str, Column]) -> Iterator[Grid]:
    """The tables of a page that have the wanted columns, from its top. Of a single wanted column, every table that has it."""
    owners = _owners(columns)
    next_line = 0
    for line in page.lines:
        if line.index < next_line:
            continue
        heads = _heads(look, page, line, owners, columns)
        if heads is None:
            continue
        rows, next_line = _rows(look, page, line, heads, owners, columns)
        if rows:
            yield Grid(page, frozenset(head.column for head in heads if head.column), rows)


def _owners(columns: Mapping[str, Column]) -> dict[str, list[tuple[int, str]]]:
    """For each header the columns it may be the head of, and how far up it stands in their lists."""
    owners: dict[str, list[tuple[int, str]]] = {}
    for name, column in columns.items():
        for rank, header in enumerate(column.headers):
            owners.setdefault(squeezed(header), []).append((rank, name))
    return owners


def _heads(
    look: Look, page: Page, line: Line, owners: Mapping[str, list[tuple[int, str]]], columns: Mapping[str, Column]
) -> list[Head] | None:
    marks = [mark for mark in look.marks(page).get(line.index, ()) if mark.label in owners]
    alone = len(columns) == 1
    if len(marks) < (1 if alone else FEWEST_HEADS) or len(line.cells) < FEWEST_HEADS:
        return None
    if any(look.values(page, kind, line.start, line.end) for kind in (Kind.DATE, Kind.AMOUNT)):
        return None
    named = _named(marks, owners)
    if not alone and (len(named) < FEWEST_HEADS or not any(columns[name].type in NUMERIC for name in named)):
        return None
    heads = [Head(name, mark.left, mark.right, columns[name].type in NUMERIC) for name, mark in named.items()]
    marked = {id(mark.cell) for mark in named.values()}
    heads += [Head(None, cell.left, cell.right, False) for cell in line.cells if id(cell) not in marked]
    letters = sum(map(str.isalpha, line.text))
    covered = sum(map(str.isalpha, "".join(page.text[mark.start : mark.end] for mark in marks)))
    return sorted(heads, key=lambda head: head.left) if alone or covered * 3 >= letters else None


def _named(marks: Sequence[Mark], owners: Mapping[str, list[tuple[int, str]]]) -> dict[str, Mark]:
    """For each column its head: the one that stands furthest up in its list of headers."""
    offers = sorted(
        ((rank, order, name, mark) for order, mark in enumerate(marks) for rank, name in owners[mark.label]),
        key=lambda offer: offer[:2],
    )
    named: dict[str, Mark] = {}
    for _, _, name, mark in offers:
        if name not in named and mark not in named.values():
            named[name] = mark
    return named


def _rows(
    look: Look,
    page: Page,
    head_line: Line,
    heads: Sequence[Head],
    owners: Mapping[str, list[tuple[int, str]]],
    columns: Mapping[str, Column],
) -> tuple[list[GridRow], int]:
    """The rows below a head, and the line behind the last of them."""
    rows: list[GridRow] = []
    idle, after = 0, head_line.index + 1
    for line in page.lines[head_line.index + 1 :]:
        if len(rows) == MOST_ROWS or idle == MOST_IDLE_LINES or _heads(look, page, line, owners, columns):
            break
        row = _row(look, page, line, heads)
        if rows and _ends(look, page, line, row):
            break
        if _is_row(look, page, row, columns):
            rows.append(row)
            idle, after = 0, line.index + 1
        elif rows and _goes_on(line, heads):
            for name, places in row.places.items():
                rows[-1].places.setdefault(name, []).extend(places)
            idle, after = idle + 1, line.index + 1
        elif rows and len(line.cells) > 1:
            break
        else:
            idle += 1
    return rows, after


def _ends(look: Look, page: Page, line: Line, row: GridRow) -> bool:
    """A label with an amount beside it that is no column: totals begin. A discount may be a row, or one of the totals."""
    first = min((mark for mark in look.marks(page).get(line.index, ())), key=lambda mark: mark.start, default=None)
    if first is None or not first.leads or first.cell is not line.cells[0]:
        return False
    rule_set = look.rule_set
    if first.label in rule_set.decoy_labels and len(row.places) > FEWEST_HEADS:
        return False
    return first.label not in rule_set.headings and bool(look.values(page, Kind.AMOUNT, first.end, line.end))


def _row(look: Look, page: Page, line: Line, heads: Sequence[Head]) -> GridRow:
    row = GridRow()
    for cell in line.cells:
        for head, place in _columns_of(look, page, cell, heads):
            if head.column is not None:
                row.places.setdefault(head.column, []).append(place)
    return row


def _columns_of(look: Look, page: Page, cell: Cell, heads: Sequence[Head]) -> list[tuple[Head, Place]]:
    shared = [head for head in heads if _shared(cell, head) > 0]
    if len(shared) > 1 and shared[0].numeric and not shared[1].numeric:
        # A number and a text that stand only one space apart.
        leading = look.values(page, Kind.NUMBER, cell.start, cell.end)
        if leading and leading[0].start == cell.start and leading[0].end < cell.end:
            end = leading[0].end
            return [(shared[0], (cell.start, end)), (shared[1], (end, cell.end))]
    best = min(heads, key=lambda head: (-_shared(cell, head), _apart(cell, head)))
    return [(best, (cell.start, cell.end))]


def _shared(cell: Cell, head: Head) -> int:
    return min(cell.right, head.right) - max(cell.left, head.left)


def _apart(cell: Cell, head: Head) -> int:
    return min(abs(cell.left - head.left), abs(cell.right - head.right))


def _is_row(look: Look, page: Page, row: GridRow, columns: Mapping[str, Column]) -> bool:
    """At least two columns are filled, one of them with a number; of a single column, that one."""
    if len(columns) == 1:
        return bool(row.places)
    numbers = [
        name
        for name, places in row.places.items()
        if columns[name].type in NUMERIC and any(look.values(page, Kind.NUMBER, *place) for place in places)
    ]
    return bool(numbers) and len(row.places) >= FEWEST_HEADS


def _goes_on(line: Line, heads: Sequence[Head]) -> bool:
    texts = [head for head in heads if head.column is not None and not head.numeric]
    return any(
        all(cell.left >= head.left - _OUTDENT and _shared(cell, head) > 0 for cell in line.cells) for head in texts
    )
