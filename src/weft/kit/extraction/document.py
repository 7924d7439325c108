"""A document as rules look at it: pages of lines, lines of cells, each with its place in the text of its page."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

from weft.kit.extraction.folding import folded

MOST_CHARACTERS = 2_000_000
"""About a thousand full pages; rules take about a second on them."""
MOST_PAGES = 5_000
LONGEST_LINE = 1_000
"""Characters: what is done for each label of a line looks at the others of that line."""
MOST_TABLE_CELLS = 200_000

_GAP = "  "
_CELL = re.compile(r"[^\s|]+(?:[ \u00a0\u202f][^\s|]+)*")
"""Columns of a page stand at least two spaces apart, or a tab, or a bar."""


class NoDocumentError(ValueError):
    """What was given is no document; its text says why."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A piece of a line that stands by itself."""

    text: str
    start: int
    """In the text of the page, as `end`."""
    end: int
    line: int
    """From 0, of the lines that are not empty."""
    left: int
    """Column of its first character within the line, from 0."""

    @property
    def right(self) -> int:
        """One behind its last column."""
        return self.left + self.end - self.start


@dataclass(frozen=True, slots=True)
class Line:
    index: int
    start: int
    text: str
    cells: tuple[Cell, ...]

    @property
    def end(self) -> int:
        return self.start + len(self.text)


@dataclass(frozen=True)
class Page:
    number: int | None
    """From 1; None for a document without pages."""
    text: str

    @cached_property
    def folded(self) -> str:
        return folded(self.text)

    @cached_property
    def lines(self) -> tuple[Line, ...]:
        return tuple(_lines(self.text))

    def line_at(self, offset: int) -> Line | None:
        """The line that holds an offset of the page's text; None between two."""
        low, high = 0, len(self.lines)
        while low < high:
            middle = (low + high) // 2
            if self.lines[middle].end < offset:
                low = middle + 1
            else:
                high = middle
        return self.lines[low] if low < len(self.lines) and self.lines[low].start <= offset else None

    def cell_at(self, offset: int) -> Cell | None:
        if (line := self.line_at(offset)) is None:
            return None
        return next((cell for cell in line.cells if cell.start <= offset < cell.end), None)


@dataclass(frozen=True, slots=True)
class Table:
    page: int | None
    name: str | None
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Attachment:
    name: str
    mime_type: str | None
    text: str


@dataclass(frozen=True)
class Document:
    pages: tuple[Page, ...]
    tables: tuple[Table, ...] = ()
    attachments: tuple[Attachment, ...] = ()

    @property
    def characters(self) -> int:
        return sum(len(page.text) for page in self.pages)


def read_document(value: Any) -> Document:
    """From what `parse` gives, from any object with `text`, or from a text. Raises NoDocumentError."""
    if isinstance(value, str):
        return _checked(Document((Page(None, _whole(value)),)))
    if not isinstance(value, dict):
        raise NoDocumentError("The input is no document: it has to be a text, or an object with a text in `text`.")
    fields = cast("dict[str, Any]", value)
    pages = _pages(fields.get("pages"))
    text = fields.get("text")
    if not pages:
        if not isinstance(text, str):
            raise NoDocumentError("The input is no document: it has neither `pages` nor a text in `text`.")
        pages = (Page(None, _whole(text)),)
    return _checked(Document(pages, _tables(fields.get("tables")), _attachments(fields.get("attachments"))))


def _checked(document: Document) -> Document:
    if (characters := document.characters) > MOST_CHARACTERS:
        raise NoDocumentError(
            f"The document has {characters:,} characters; values are extracted from at most {MOST_CHARACTERS:,}."
        )
    return document


def _whole(text: str) -> str:
    """Halves of surrogate pairs, which no pattern can read, become question marks; every character keeps its place."""
    return text if text.isascii() else text.encode(errors="replace").decode()


def _objects(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, list):
        yield from (
            cast("Mapping[str, Any]", part) for part in cast("list[object]", value) if isinstance(part, Mapping)
        )


def _pages(value: Any) -> tuple[Page, ...]:
    found = [
        Page(number if isinstance(number := page.get("number"), int) else index, _whole(page["text"]))
        for index, page in enumerate(_objects(value), start=1)
        if isinstance(page.get("text"), str)
    ]
    if len(found) > MOST_PAGES:
        raise NoDocumentError(
            f"The document has {len(found):,} pages; values are extracted from at most {MOST_PAGES:,}."
        )
    return tuple(found)


def _tables(value: Any) -> tuple[Table, ...]:
    tables: list[Table] = []
    left = MOST_TABLE_CELLS
    for table in _objects(value):
        written = table.get("rows")
        given = cast("list[Any]", written) if isinstance(written, list) else []
        rows = tuple(_row(cast("list[Any]", row)) for row in given if isinstance(row, list))
        left -= sum(map(len, rows))
        if left < 0:
            raise NoDocumentError(f"The document's tables have more than {MOST_TABLE_CELLS:,} cells.")
        page, name = table.get("page"), table.get("name")
        tables.append(Table(page if isinstance(page, int) else None, name if isinstance(name, str) else None, rows))
    return tuple(tables)


def _row(row: Sequence[Any]) -> tuple[str, ...]:
    return tuple(_whole(cell) if isinstance(cell, str) else "" if cell is None else str(cell) for cell in row)


def _attachments(value: Any) -> tuple[Attachment, ...]:
    return tuple(
        Attachment(str(part.get("name") or ""), mime if isinstance(mime := part.get("mimeType"), str) else None, text)
        for part in _objects(value)
        if isinstance(text := part.get("text"), str)
    )


def _lines(text: str) -> Iterator[Line]:
    start, index = 0, 0
    for raw in text.split("\n"):
        for begun, piece in _pieces(raw):
            if piece.strip():
                here = start + begun
                cells = tuple(
                    Cell(match.group(), here + match.start(), here + match.end(), index, match.start())
                    for match in _CELL.finditer(piece)
                )
                yield Line(index, here, piece, cells)
                index += 1
        start += len(raw) + 1


def _pieces(line: str) -> Iterator[tuple[int, str]]:
    """A line as it is; a very long one, which is no line of a page, in pieces."""
    begun = 0
    while len(line) - begun > LONGEST_LINE:
        space = line.rfind(" ", begun + 1, begun + LONGEST_LINE)
        end = space if space > 0 else begun + LONGEST_LINE
        yield begun, line[begun:end]
        begun = end
    yield begun, line[begun:]


def as_page(table: Table) -> Page:
    """A table as a page of text, its columns apart."""
    rows = [[" ".join(cell.split()) for cell in row] for row in table.rows]
    widths = [max(map(len, column)) for column in zip(*_even(rows), strict=True)]
    lines = (_GAP.join(cell.ljust(width) for cell, width in zip(row, widths, strict=False)) for row in rows)
    return Page(table.page, "\n".join(lines))


def _even(rows: Sequence[list[str]]) -> list[list[str]]:
    longest = max(map(len, rows), default=0)
    return [row + [""] * (longest - len(row)) for row in rows]
