"""Spreadsheets by calamine: XLSX, XLSB, XLS and ODS. A sheet is a page and a table."""

import datetime as dt
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, PasswordError

from weft.kit.parsing.cleaning import clean
from weft.kit.parsing.formats import Format
from weft.kit.parsing.office import checked_archive
from weft.kit.parsing.parsed import Cell, Page, Parsed, Wanted, broken, encrypted
from weft.kit.parsing.source import Source
from weft.kit.parsing.writing import Writing


def parse(source: Source, wanted: Wanted, found: Format) -> Parsed:
    writing = Writing(wanted.limits)
    pages: list[Page] = []
    with _opened(source, wanted, found) as file, _workbook(file) as workbook:
        names = workbook.sheet_names
        for number, name in enumerate(names, 1):
            if not wanted.wants_page(number):
                continue
            if len(pages) == wanted.limits.pages or writing.full:
                break
            before = len(writing.text)
            rows = list(_rows(workbook.get_sheet_by_index(number - 1), wanted))
            writing.heading(2, name)
            writing.table(rows, name=name)
            pages.append(Page(number, writing.text[before:].strip("\n")))
    return Parsed(
        found.name,
        found.mime_type,
        pages,
        markdown=writing.markdown,
        tables=writing.tables,
        metadata={"sheets": names},
        truncated=writing.truncated,
    )


@contextmanager
def _opened(source: Source, wanted: Wanted, found: Format) -> Generator[BinaryIO]:
    if found.name == "xls":
        with source.opened() as file:
            yield file
    else:
        with checked_archive(source, wanted.limits) as file:
            yield file


@contextmanager
def _workbook(file: BinaryIO) -> Generator[CalamineWorkbook]:
    try:
        with CalamineWorkbook.from_filelike(file) as workbook:
            yield workbook
    except PasswordError as error:
        raise encrypted("The spreadsheet is encrypted; it has to be saved without a password.") from error
    except CalamineError as error:
        raise broken(f"The spreadsheet is damaged: {error}"[:500]) from error
    except BaseException as error:
        # Rust panics at some cells, such as one in a row that no sheet has; no module offers the exception by its name.
        if type(error).__name__ != "PanicException":
            raise
        raise broken(f"The spreadsheet is damaged: {error}"[:500]) from error


def _rows(sheet: CalamineSheet, wanted: Wanted) -> Iterator[list[Cell]]:
    """One row more than there is room for, so that it is known that there are more."""
    most = wanted.limits.cells // max(1, sheet.width) + 2
    for row in sheet.to_python(skip_empty_area=True, nrows=most):
        cells = [_cell(value) for value in row]
        while cells and cells[-1] is None:
            cells.pop()
        yield cells


def _cell(value: Any) -> Cell:
    match value:
        case "":
            return None
        case bool() | int():
            return value
        case float():
            return int(value) if value.is_integer() and abs(value) < 2**53 else value
        case dt.datetime():
            midnight = value.time() == dt.time()
            return value.date().isoformat() if midnight else value.isoformat()
        case dt.date() | dt.time():
            return value.isoformat()
        case _:
            return clean(str(value))
