"""PDF by pypdfium2. Not safe for threads: one document at a time in a process."""

import ctypes
import re
from collections import deque
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from itertools import chain, repeat
from struct import iter_unpack
from typing import Any

import pypdfium2.raw as pdfium
from pypdfium2 import PdfDocument, PdfiumError

from weft.kit.parsing.cleaning import clean
from weft.kit.parsing.formats import Format
from weft.kit.parsing.parsed import DocumentError, Page, Parsed, Table, Wanted, broken, encrypted
from weft.kit.parsing.pdf_attachments import embedded_files
from weft.kit.parsing.pdf_layout import page_text
from weft.kit.parsing.pdf_metadata import metadata_of
from weft.kit.parsing.reading import loaded
from weft.kit.parsing.source import Source

WORDS = re.compile(r"\S+")
LINES = re.compile(r"\S(?:[^\r\n]*\S)?")
LONG_LINE = 3
"""Spaces from which on it pays to ask whether a line is one piece."""
BLOCK = 8
"""Lines that are asked about together, as they are mostly alike."""
LAST_CHARACTER = 0x10FFFF
LARGEST_PAGE = 1_000_000
"""Characters. A page of a book has 3,000; what has more is made to hold up its reader, and its rest is left out."""


def _plain(function: Any, result: Any, *arguments: Any) -> Any:
    """A function of pdfium that takes addresses as numbers and keeps the interpreter's lock: one is called twice per word."""
    return ctypes.PYFUNCTYPE(result, *arguments)(ctypes.cast(function, ctypes.c_void_p).value or 0)


_loose_box: Callable[[int | None, int, int], None] = _plain(
    pdfium.FPDFText_GetLooseCharBox, None, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p
)
_get_text = _plain(pdfium.FPDFText_GetText, ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_int, ctypes.c_void_p)
_get_unicode = _plain(pdfium.FPDFText_GetUnicode, ctypes.c_uint, ctypes.c_void_p, ctypes.c_int)
_count_rectangles = _plain(pdfium.FPDFText_CountRects, ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_int)
_is_generated = _plain(pdfium.FPDFText_IsGenerated, ctypes.c_int, ctypes.c_void_p, ctypes.c_int)


def parse(source: Source, wanted: Wanted, found: Format) -> Parsed:
    with opened(source, wanted.password) as document:
        count = len(document)
        pages, unread, truncated = _pages(document, count, wanted)
        if unread and not pages:
            raise broken("None of the pages can be read.")
        tables, all_found = _tables(source, wanted, pages)
        attachments, all_there = embedded_files(document, source, wanted)
        metadata = metadata_of(document) | {"pages": count}
        if unread:
            metadata["unreadablePages"] = unread
    return Parsed(
        found.name,
        found.mime_type,
        pages,
        tables=tables,
        attachments=attachments,
        metadata=metadata,
        truncated=truncated or not (all_found and all_there),
    )


@contextmanager
def opened(source: Source, password: str | None) -> Generator[PdfDocument]:
    try:
        document = PdfDocument(source.content, password=password)
    except PdfiumError as error:
        raise _refusal(error, password) from error
    with document:
        yield document


def _refusal(error: PdfiumError, password: str | None) -> DocumentError:
    if error.err_code == pdfium.FPDF_ERR_PASSWORD:
        if password is None:
            return encrypted("The PDF is encrypted and needs a password.")
        return encrypted("The PDF is encrypted, and the password does not open it.")
    if error.err_code == pdfium.FPDF_ERR_SECURITY:
        return encrypted("The PDF is encrypted in a way that is not known.")
    if error.err_code == pdfium.FPDF_ERR_SUCCESS:
        return broken("The PDF has no pages.")
    return broken("The PDF is damaged: its structure cannot be read.")


def _pages(document: PdfDocument, count: int, wanted: Wanted) -> tuple[list[Page], list[int], bool]:
    """The pages, the numbers of those that cannot be read, and whether any were left out."""
    pages: list[Page] = []
    unread: list[int] = []
    left = wanted.limits.characters
    for number in range(1, count + 1):
        if not wanted.wants_page(number):
            continue
        if len(pages) + len(unread) == wanted.limits.pages or left <= 0:
            return pages, unread, True
        page = _page(document, number)
        if page is None:
            unread.append(number)
            continue
        left -= len(page.text)
        pages.append(page)
    return pages, unread, left < 0


def _page(document: PdfDocument, number: int) -> Page | None:
    page = pdfium.FPDF_LoadPage(document.raw, number - 1)
    if not page:
        return None
    try:
        width, height = pdfium.FPDF_GetPageWidthF(page), pdfium.FPDF_GetPageHeightF(page)
        text_page = pdfium.FPDFText_LoadPage(page)
        if not text_page:
            return None
        try:
            text = _text(text_page, pdfium.FPDFPage_GetRotation(page))
        finally:
            pdfium.FPDFText_ClosePage(text_page)
    finally:
        pdfium.FPDF_ClosePage(page)
    return Page(number, text, round(width, 2), round(height, 2))


def _text(text_page: Any, rotation: int) -> str:
    count = min(pdfium.FPDFText_CountChars(text_page), LARGEST_PAGE)
    if count <= 0:
        return ""
    handle = ctypes.cast(text_page, ctypes.c_void_p).value
    stream = _stream(handle, count)
    words = list(_pieces(handle, stream))
    buffer = bytearray(32 * len(words))
    if not words:
        return ""
    address = ctypes.addressof(ctypes.c_char.from_buffer(buffer))
    characters = list(chain.from_iterable(words))
    characters[1::2] = [end - 1 for end in characters[1::2]]
    # The loop runs in C: a box costs a quarter of a microsecond.
    deque(map(_loose_box, repeat(handle), characters, range(address, address + len(buffer), 16)), maxlen=0)
    return clean(page_text(stream, words, iter_unpack("8f", buffer), rotation))


def _pieces(handle: int | None, stream: str) -> Iterator[tuple[int, int]]:
    """Where the words stand in the stream; a line that surely has no gaps is given whole, for that costs a tenth.

    Such a line was drawn at one go, and the spaces in it were not made up by pdfium out of a jump.
    """
    lines = [match.span() for match in LINES.finditer(stream)]
    for first in range(0, len(lines), BLOCK):
        block = lines[first : first + BLOCK]
        began, ended = block[0][0], block[-1][1]
        all_at_one_go = _count_rectangles(handle, began, ended - began) == len(block)
        for start, end in block:
            if (
                stream.count(" ", start, end) >= LONG_LINE
                and (all_at_one_go or _count_rectangles(handle, start, end - start) == 1)
                and not _is_generated(handle, stream.find(" ", start))
                and not _is_generated(handle, stream.rfind(" ", start, end))
            ):
                yield start, end
            else:
                for word in WORDS.finditer(stream, start, end):
                    yield word.span()


def _stream(handle: int | None, count: int) -> str:
    """The characters in the order of the file, each at its own index."""
    buffer = bytearray(2 * count + 2)
    written = _get_text(handle, 0, count, ctypes.addressof(ctypes.c_char.from_buffer(buffer)))
    if written == count + 1:
        text = buffer[:-2].decode("utf-16-le", "replace")
        if len(text) == count:
            return text
    # Some characters have no text, or take two units: one by one then.
    return "".join(
        chr(code) if 0 < code <= LAST_CHARACTER else " " for code in map(_get_unicode, repeat(handle), range(count))
    )


def _tables(source: Source, wanted: Wanted, pages: list[Page]) -> tuple[list[Table], bool]:
    if not wanted.tables:
        return [], True
    return loaded("pdf_tables").tables_of(source, wanted, [page.number for page in pages])
