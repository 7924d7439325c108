"""PDF by pypdfium2. Not safe for threads: one document at a time in a process."""

import ctypes
import re
from collections import deque
from collections.abc import Callable, Generator
from contextlib import contextmanager
from itertools import chain, repeat
from operator import methodcaller
from pathlib import Path
from re import Match
from typing import Any

import pypdfium2.raw as pdfium
from pypdfium2 import PdfDocument, PdfiumError

from weft.kit.parsing.cleaning import clean
from weft.kit.parsing.formats import Format
from weft.kit.parsing.parsed import DocumentError, Page, Parsed, Table, Wanted, broken, encrypted
from weft.kit.parsing.pdf_attachments import embedded_files
from weft.kit.parsing.pdf_layout import Span, page_text
from weft.kit.parsing.pdf_metadata import metadata_of
from weft.kit.parsing.reading import loaded
from weft.kit.parsing.source import Source

WORDS = re.compile(r"\S+")
LINES = re.compile(r"\S(?:[^\r\n]*\S)?")
LONG_LINE = 30
"""Characters from which on it pays to ask whether a line is one piece."""
BOX_BYTES = 16
LAST_CHARACTER = 0x10FFFF
READ_AT_ONCE = 16 * 1024 * 1024
"""Bytes of a file that is held in memory as a whole while it is read."""
LARGEST_PAGE = 1_000_000
"""Characters. A page of a book has 3,000; what has more is made to hold up its reader, and its rest is left out."""


def _plain(function: Any, result: Any) -> Callable[..., int]:
    """A function of pdfium that keeps the interpreter's lock, for calls that are made once per word.

    Its arguments are not checked but passed as they are, which halves the price of a call: addresses have to be ctypes objects.
    """
    return ctypes.PYFUNCTYPE(result)(ctypes.cast(function, ctypes.c_void_p).value or 0)


_loose_box = _plain(pdfium.FPDFText_GetLooseCharBox, ctypes.c_int)
_get_text = _plain(pdfium.FPDFText_GetText, ctypes.c_int)
_get_unicode = _plain(pdfium.FPDFText_GetUnicode, ctypes.c_uint)
_text_object = _plain(pdfium.FPDFText_GetTextObject, ctypes.c_size_t)
_is_generated = _plain(pdfium.FPDFText_IsGenerated, ctypes.c_int)

_span: Callable[[Match[str]], Span] = methodcaller("span")

_BOXES = (ctypes.c_float * 4 * 2_048)()
"""Where pdfium puts boxes, by the thousand: used again for every page, with the addresses of each place made once."""
_PLACES = [ctypes.byref(_BOXES, BOX_BYTES * place) for place in range(len(_BOXES))]


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
    content = source.content
    if isinstance(content, Path) and source.size <= READ_AT_ONCE:
        content = content.read_bytes()  # pdfium reads a file in a thousand small pieces
    try:
        document = PdfDocument(content, password=password)
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
    handle = ctypes.c_void_p(ctypes.cast(text_page, ctypes.c_void_p).value)
    stream = _stream(handle, count)
    words = _pieces(handle, stream)
    return clean(page_text(stream, words, _boxes(handle, words), rotation)) if words else ""


def _boxes(handle: ctypes.c_void_p, words: list[Span]) -> bytes:
    """Of the first and the last character of each word, four floats each."""
    characters = list(chain.from_iterable(words))
    characters[1::2] = [end - 1 for end in characters[1::2]]
    boxes: list[bytes] = []
    for first in range(0, len(characters), len(_PLACES)):
        some = characters[first : first + len(_PLACES)]
        # The loop runs in C: a box costs a tenth of a microsecond.
        deque(map(_loose_box, repeat(handle), some, _PLACES), maxlen=0)
        boxes.append(ctypes.string_at(_BOXES, BOX_BYTES * len(some)))
    return b"".join(boxes)


def _pieces(handle: ctypes.c_void_p, stream: str) -> list[Span]:
    """Where the words stand in the stream; a line that surely has no gaps is given whole, for that costs a tenth.

    Such a line was drawn at one go, and the spaces in it were not made up by pdfium out of a jump.
    """
    pieces: list[Span] = []
    for start, end in map(_span, LINES.finditer(stream)):
        if (
            end - start >= LONG_LINE
            and _text_object(handle, start) == _text_object(handle, end - 1)
            and not _is_generated(handle, stream.find(" ", start, end))
            and not _is_generated(handle, stream.rfind(" ", start, end))
        ):
            pieces.append((start, end))
        else:
            pieces.extend(map(_span, WORDS.finditer(stream, start, end)))
    return pieces


def _stream(handle: ctypes.c_void_p, count: int) -> str:
    """The characters in the order of the file, each at its own index."""
    buffer = bytearray(2 * count + 2)
    written = _get_text(handle, 0, count, ctypes.byref(ctypes.c_char.from_buffer(buffer)))
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
