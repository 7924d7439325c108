"""Presentations by python-pptx. A slide is a page, with its notes below."""

from collections.abc import Iterator
from typing import Any, cast

from pptx import Presentation
from pptx.exc import PythonPptxError

from weft.kit.parsing.formats import Format
from weft.kit.parsing.office import checked_archive
from weft.kit.parsing.parsed import Cell, Page, Parsed, Wanted, broken
from weft.kit.parsing.properties import core_properties
from weft.kit.parsing.source import Source
from weft.kit.parsing.writing import Writing

_POINT = 12_700
"""In the units of the format, English Metric Units."""
_DEEPEST_GROUP = 20


def parse(source: Source, wanted: Wanted, found: Format) -> Parsed:
    with checked_archive(source, wanted.limits) as file:
        try:
            presentation = cast("Any", Presentation(file))
        except (PythonPptxError, KeyError, ValueError, AttributeError) as error:
            raise broken("The presentation is damaged: its parts do not fit together.") from error
    writing = Writing(wanted.limits)
    pages: list[Page] = []
    width, height = ((length or 0) / _POINT for length in (presentation.slide_width, presentation.slide_height))
    for number, slide in enumerate(presentation.slides, 1):
        if not wanted.wants_page(number):
            continue
        if len(pages) == wanted.limits.pages or writing.full:
            break
        before = len(writing.text)
        _write(slide, number, writing)
        pages.append(Page(number, writing.text[before:].strip("\n"), width, height))
    return Parsed(
        found.name,
        found.mime_type,
        pages,
        markdown=writing.markdown,
        tables=writing.tables,
        metadata=core_properties(presentation) | {"pages": len(presentation.slides)},
        truncated=writing.truncated,
    )


def _write(slide: Any, number: int, writing: Writing) -> None:
    title = slide.shapes.title
    writing.heading(1, title.text_frame.text if title is not None else "")
    for shape in _shapes(slide.shapes):
        if title is not None and shape.shape_id == title.shape_id:
            continue
        if getattr(shape, "has_table", False):
            writing.table(_rows(shape.table), page=number)
        elif shape.has_text_frame:
            _write_text(shape, writing)
    if slide.has_notes_slide and (notes := slide.notes_slide.notes_text_frame) is not None:
        writing.paragraph(notes.text)


def _write_text(shape: Any, writing: Writing) -> None:
    paragraphs = [paragraph for paragraph in shape.text_frame.paragraphs if paragraph.text.strip()]
    if shape.is_placeholder and len(paragraphs) > 1:
        for paragraph in paragraphs:
            writing.item(paragraph.text, paragraph.level)
    else:
        writing.paragraph("\n".join(paragraph.text for paragraph in paragraphs))


def _shapes(shapes: Any, depth: int = 0) -> Iterator[Any]:
    """From top to bottom, then from left to right: the file has them in the order in which they were drawn."""
    for shape in sorted(shapes, key=lambda shape: (shape.top or 0, shape.left or 0)):
        if hasattr(shape, "shapes") and depth < _DEEPEST_GROUP:
            yield from _shapes(shape.shapes, depth + 1)
        else:
            yield shape


def _rows(table: Any) -> list[list[Cell]]:
    return [[None if cell.is_spanned else cell.text.strip() for cell in row.cells] for row in table.rows]
