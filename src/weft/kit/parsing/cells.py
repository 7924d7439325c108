"""Rows of tables, counted as they are taken, and written as text and as Markdown."""

from collections.abc import Iterable, Sequence

from weft.kit.parsing.parsed import Cell

MOST_CELL_CHARACTERS = 10_000


class CellBudget:
    """How many cells all tables of a document may still have."""

    def __init__(self, cells: int) -> None:
        self._left = cells
        self.exceeded = False

    def take(self, rows: Iterable[list[Cell]]) -> list[list[Cell]]:
        """The rows that there is room for. Empty rows at the end are left out."""
        taken: list[list[Cell]] = []
        used = 0
        for row in rows:
            if len(row) > self._left:
                self.exceeded = True
                break
            self._left -= max(1, len(row))
            taken.append([self._shortened(cell) for cell in row])
            if any(cell not in {None, ""} for cell in row):
                used = len(taken)
        return taken[:used]

    def _shortened(self, cell: Cell) -> Cell:
        if isinstance(cell, str) and len(cell) > MOST_CELL_CHARACTERS:
            self.exceeded = True
            return cell[:MOST_CELL_CHARACTERS]
        return cell


def cell_text(cell: Cell) -> str:
    match cell:
        case None:
            return ""
        case bool():
            return "true" if cell else "false"
        case _:
            return str(cell)


def as_text(rows: Sequence[Sequence[Cell]]) -> str:
    """Columns two spaces apart, as they are in the text of every format; an empty cell leaves no trace."""
    lines = (("  ".join(text for cell in row if (text := " ".join(cell_text(cell).split())))) for row in rows)
    return "\n".join(lines)


def as_markdown(rows: Sequence[Sequence[Cell]]) -> str:
    """The first row is the head, since Markdown knows no table without."""
    width = max((len(row) for row in rows), default=0)
    if not width:
        return ""
    lines = [_markdown_row(row, width) for row in rows]
    lines.insert(1, "|" + " --- |" * width)
    return "\n".join(lines)


def _markdown_row(row: Sequence[Cell], width: int) -> str:
    cells = [" ".join(cell_text(cell).split()).replace("|", "\\|") for cell in row]
    cells += [""] * (width - len(cells))
    return "| " + " | ".join(cells) + " |"
