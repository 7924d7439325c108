"""Word documents by python-docx: paragraphs, lists and tables in the order of the text, headers first, footers last."""

from typing import Any, cast

from docx import Document
from docx.opc.exceptions import OpcError
from docx.oxml.ns import qn

from weft.kit.parsing.docx_lists import Lists
from weft.kit.parsing.docx_text import block_elements, paragraph_text, rows_of
from weft.kit.parsing.formats import Format
from weft.kit.parsing.office import checked_archive
from weft.kit.parsing.parsed import Page, Parsed, Wanted, broken
from weft.kit.parsing.properties import core_properties
from weft.kit.parsing.source import Source
from weft.kit.parsing.writing import Writing


def parse(source: Source, wanted: Wanted, found: Format) -> Parsed:
    with checked_archive(source, wanted.limits) as file:
        try:
            document = cast("Any", Document(file))
            body = document.element.body
        except (OpcError, KeyError, ValueError, AttributeError) as error:
            raise broken("The document is damaged: its parts do not fit together.") from error
    writing = Writing(wanted.limits)
    write = _Writer(document, writing)
    for element in _margins(document, "header"):
        write.blocks(element)
    if body is not None:
        write.blocks(body)
    for element in _margins(document, "footer"):
        write.blocks(element)
    return Parsed(
        found.name,
        found.mime_type,
        [Page(1, writing.text)],
        markdown=writing.markdown,
        tables=writing.tables,
        metadata=core_properties(document),
        truncated=writing.truncated,
    )


def _margins(document: Any, which: str) -> list[Any]:
    """The headers or footers of the sections; most sections have those of the section before."""
    margins = (getattr(section, which) for section in document.sections)
    return [margin._element for margin in margins if not margin.is_linked_to_previous]  # noqa: SLF001 - it has no public name


class _Writer:
    def __init__(self, document: Any, writing: Writing) -> None:
        self._writing = writing
        self._styles = _style_names(document)
        self._lists = Lists(document)

    def blocks(self, element: Any) -> None:
        for block in block_elements(element):
            if self._writing.full:
                return
            if block.tag == qn("w:tbl"):
                self._writing.table(rows_of(block))
            else:
                self._paragraph(block)

    def _paragraph(self, element: Any) -> None:
        text = paragraph_text(element)
        style = self._styles.get(_value(element, "w:pPr/w:pStyle"), "")
        if style == "title":
            self._writing.heading(1, text)
        elif style.startswith("heading ") and style[8:].isdecimal():
            self._writing.heading(int(style[8:]), text)
        elif (place := self._lists.place(element, style)) is not None:
            self._writing.item(text, *place)
        else:
            self._writing.paragraph(text)


def _value(element: Any, path: str) -> str:
    """The `w:val` of what stands at the path below the element."""
    found = element.find("/".join(qn(step) for step in path.split("/")))
    return "" if found is None else found.get(qn("w:val"), "")


def _style_names(document: Any) -> dict[str, str]:
    """By their ids: the ids are in the language of whoever wrote the document, the names of built-in styles are not."""
    styles = document.styles.element.findall(qn("w:style"))
    return {style.get(qn("w:styleId"), ""): _value(style, "w:name").lower() for style in styles}
