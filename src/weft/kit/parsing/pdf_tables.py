"""The tables of a PDF, by pdfplumber: from its lines where it has any. A page takes a hundred times as long as its text."""

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import pdfplumber
from pdfminer.pdfexceptions import PDFException
from pdfminer.psexceptions import PSException
from pdfplumber.utils.exceptions import PdfminerException

from weft.kit.parsing.cells import CellBudget
from weft.kit.parsing.cleaning import clean
from weft.kit.parsing.parsed import Cell, Table, Wanted, broken
from weft.kit.parsing.source import Source

_BY_LINES = {"vertical_strategy": "lines", "horizontal_strategy": "lines"}


def tables_of(source: Source, wanted: Wanted, numbers: Sequence[int]) -> tuple[list[Table], bool]:
    """The tables on these pages, and whether all of them are there."""
    budget = CellBudget(wanted.limits.cells)
    tables: list[Table] = []
    searched = list(numbers[: wanted.limits.table_pages])
    try:
        with (
            pdfplumber.open(_content(source), pages=searched, password=wanted.password or "") as document,
        ):
            for page in document.pages:
                for found in page.extract_tables(_BY_LINES):
                    rows = budget.take(_cells(row) for row in found)
                    if rows:
                        tables.append(Table(rows, page.page_number))
                page.close()  # what it found stays in memory otherwise
    except (PDFException, PSException, PdfminerException, ValueError, KeyError, TypeError, IndexError) as error:
        # It takes more of a PDF to be whole than the reader of its text does.
        raise broken(
            f"The tables cannot be read: {type(error).__name__}. Its text may be, without `tables`."
        ) from error
    return tables, not budget.exceeded and len(searched) == len(numbers)


def _content(source: Source) -> Path | BytesIO:
    return BytesIO(source.content) if isinstance(source.content, bytes) else source.content


def _cells(row: Sequence[str | None]) -> list[Cell]:
    return [None if cell is None else clean(cell).strip() for cell in row]
