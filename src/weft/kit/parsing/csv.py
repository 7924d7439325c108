"""CSV: the dialect is told by counting what separates the fields of the first lines."""

import csv
from collections import Counter
from collections.abc import Iterator

from weft.kit.parsing.cells import CellBudget, as_markdown, as_text
from weft.kit.parsing.formats import Format
from weft.kit.parsing.parsed import Cell, Page, Parsed, Table, Wanted
from weft.kit.parsing.source import Source
from weft.kit.parsing.text import written

DELIMITERS = (",", ";", "\t", "|")
SAMPLE_LINES = 50
LONGEST_FIELD = 1_000_000

csv.field_size_limit(LONGEST_FIELD)


def parse(source: Source, wanted: Wanted, found: Format) -> Parsed:
    text, encoding, truncated = written(source, wanted)
    delimiter = _delimiter(text)
    budget = CellBudget(wanted.limits.cells)
    rows = budget.take(_rows(text, delimiter))
    return Parsed(
        found.name,
        found.mime_type,
        [Page(1, as_text(rows))],
        markdown=as_markdown(rows),
        tables=[Table(rows)] if rows else [],
        metadata={"encoding": encoding, "delimiter": delimiter},
        truncated=truncated or budget.exceeded,
    )


def _rows(text: str, delimiter: str) -> Iterator[list[Cell]]:
    """A quote that is never closed swallows what follows: then the rest is one field, and no error."""
    reader = csv.reader(text.splitlines(keepends=True), delimiter=delimiter)
    try:
        for row in reader:
            if row:
                yield [field.strip() for field in row]
    except csv.Error:  # a field longer than any table has: the rows before it stand
        return


def _delimiter(text: str) -> str:
    """The one that divides the most of the first lines into the same number of fields."""
    lines = [line for line in text[:100_000].splitlines()[:SAMPLE_LINES] if line.strip()]
    best, most = ",", 0
    for delimiter in DELIMITERS:
        counts = Counter(len(row) for row in csv.reader(lines, delimiter=delimiter))
        fields, alike = max(
            counts.items(), key=lambda one: one[1] * min(one[0], 20) if one[0] > 1 else 0, default=(1, 0)
        )
        if fields > 1 and alike * min(fields, 20) > most:
            best, most = delimiter, alike * min(fields, 20)
    return best
