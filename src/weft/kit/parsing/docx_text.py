"""The text in the XML of a Word document. Without recursion, and without what was deleted or is there twice."""

from collections.abc import Iterator
from typing import Any

from docx.oxml.ns import qn

from weft.kit.parsing.parsed import Cell

_TEXT, _TAB, _HYPHEN = qn("w:t"), qn("w:tab"), qn("w:noBreakHyphen")
_BREAKS = frozenset({qn("w:br"), qn("w:cr")})
_PARAGRAPH, _TABLE = qn("w:p"), qn("w:tbl")
_NOT_READ = frozenset(
    {
        qn("w:del"),
        qn("w:moveFrom"),
        qn("w:pPr"),
        qn("w:rPr"),
        "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback",  # the same for older programs
    }
)
_WIDEST_SPAN = 100


def block_elements(element: Any) -> Iterator[Any]:
    """The paragraphs and tables in an element, those within content controls and insertions too."""
    waiting = list(reversed(element))
    while waiting:
        child = waiting.pop()
        if child.tag in {_PARAGRAPH, _TABLE}:
            yield child
        elif child.tag not in _NOT_READ:
            waiting += reversed(child)


def paragraph_text(paragraph: Any) -> str:
    parts: list[str] = []
    waiting = list(reversed(paragraph))
    while waiting:
        child = waiting.pop()
        tag = child.tag
        if tag == _TEXT:
            parts.append(child.text or "")
        elif tag == _TAB:
            parts.append("\t")
        elif tag in _BREAKS:
            parts.append("\n")
        elif tag == _HYPHEN:
            parts.append("-")
        elif tag not in _NOT_READ:
            waiting += reversed(child)
            if tag == _PARAGRAPH and parts:  # of a text box
                parts.append("\n")
    return "".join(parts)


def rows_of(table: Any) -> list[list[Cell]]:
    """A cell that spans columns is followed by empty ones; one that goes on from above is empty."""
    rows: list[list[Cell]] = []
    for row in _below(table, qn("w:tr")):
        cells: list[Cell] = []
        for cell in _below(row, qn("w:tc")):
            span = cell.find(f"{qn('w:tcPr')}/{qn('w:gridSpan')}")
            merged = cell.find(f"{qn('w:tcPr')}/{qn('w:vMerge')}")
            goes_on = merged is not None and merged.get(qn("w:val"), "continue") == "continue"
            cells.append(None if goes_on else _cell_text(cell))
            width = "1" if span is None else span.get(qn("w:val"), "1")
            cells += [None] * (min(int(width), _WIDEST_SPAN) - 1 if width.isdecimal() else 0)
        rows.append(cells)
    return rows


def _below(element: Any, tag: str) -> Iterator[Any]:
    """The elements with this tag that belong to the element, not to a table within it."""
    waiting = list(reversed(element))
    while waiting:
        child = waiting.pop()
        if child.tag == tag:
            yield child
        elif child.tag != _TABLE and child.tag not in _NOT_READ:
            waiting += reversed(child)


def _cell_text(cell: Any) -> str:
    return "\n".join(text for element in cell.iter(_PARAGRAPH) if (text := paragraph_text(element).strip()))
