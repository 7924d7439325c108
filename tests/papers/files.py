"""Papers as the files that people send: a PDF with the lines where they stand, a Word document of paragraphs."""

import io

import docx
from made_documents import pdf

_LINES_PER_PAGE, _FULL_LINE = 58, 72
_CHARACTER, _LINE, _LEFT, _TOP = 5.0, 13.0, 50.0, 800.0


def as_pdf(text: str) -> bytes:
    """Each column of a line at its own place, so that the gaps between them are space on the page."""
    lines = text.split("\n")
    pages: list[list[tuple[float, float, str]]] = []
    for first in range(0, len(lines), _LINES_PER_PAGE):
        words = [
            (_LEFT + _CHARACTER * column, _TOP - _LINE * number, cell)
            for number, line in enumerate(lines[first : first + _LINES_PER_PAGE])
            for column, cell in _cells(line)
        ]
        pages.append(words)
    return pdf(pages)


def as_word(text: str) -> bytes:
    """Lines that are full flow on in one paragraph; tabs stand between columns."""
    paragraphs: list[str] = []
    flows = False
    for line in text.split("\n"):
        if flows and line.strip():
            paragraphs[-1] += f" {line}"
        else:
            paragraphs.append(line)
        flows = len(line) > _FULL_LINE
    document = docx.Document()
    for line in paragraphs:
        document.add_paragraph("\t".join(cell for _, cell in _cells(line)))
    written = io.BytesIO()
    document.save(written)
    return written.getvalue()


def _cells(line: str) -> list[tuple[int, str]]:
    cells: list[tuple[int, str]] = []
    column = 0
    for piece in line.split("  "):
        if piece.strip():
            cells.append((column + len(piece) - len(piece.lstrip()), piece.strip()))
        column += len(piece) + 2
    return cells
