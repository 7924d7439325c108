"""What `parse` gives, as JSON and as a schema."""

from dataclasses import replace
from typing import Any

from weft.domain.entity import JsonSchema
from weft.kit.json import dump_bytes
from weft.kit.parsing.parsed import Attachment, Page, Parsed, Table

MOST_BYTES = 6 * 1024 * 1024
"""Of one output as JSON: an item has room for 8 MiB, and other steps have their say too."""
_SURELY_FITS = MOST_BYTES // 20
"""Characters that cannot come to more: each may stand in the text, a page, the Markdown and a table."""


def as_json(parsed: Parsed, name: str) -> dict[str, Any]:
    """The output for a document, cut where an item would have no room for it."""
    value = _document(parsed, name)
    if _characters(parsed) > _SURELY_FITS:
        while len(dump_bytes(value)) > MOST_BYTES:
            parsed = _half(parsed)
            value = _document(parsed, name)
    return value


def _document(parsed: Parsed, name: str) -> dict[str, Any]:
    return {
        "format": parsed.format,
        "mimeType": parsed.mime_type,
        "name": name,
        "text": parsed.text,
        "markdown": parsed.markdown,
        "pages": [
            {"number": page.number, "text": page.text, "width": page.width, "height": page.height}
            for page in parsed.pages
        ],
        "tables": [{"page": table.page, "name": table.name, "rows": table.rows} for table in parsed.tables],
        "attachments": [
            {
                "name": attachment.name,
                "mimeType": attachment.mime_type,
                "size": attachment.size,
                "text": attachment.text,
                "document": None if attachment.document is None else _document(attachment.document, attachment.name),
            }
            for attachment in parsed.attachments
        ],
        "metadata": parsed.metadata,
        "data": parsed.data,
        "truncated": parsed.truncated,
    }


def _characters(parsed: Parsed) -> int:
    """Of everything, or nearly: what is small by itself does not count."""
    cells = sum(len(row) for table in parsed.tables for row in table.rows)
    inner = sum(len(one.text or "") + (_characters(one.document) if one.document else 0) for one in parsed.attachments)
    return sum(len(page.text) + 100 for page in parsed.pages) + len(parsed.markdown or "") + 8 * cells + inner


def _half(parsed: Parsed) -> Parsed:
    """Half of everything that may be long. The value of a JSON document cannot be halved, so it goes."""
    pages = parsed.pages[: (len(parsed.pages) + 1) // 2]
    if len(parsed.pages) == 1:
        pages = [Page(page.number, page.text[: len(page.text) // 2], page.width, page.height) for page in pages]
    tables = [Table(table.rows[: len(table.rows) // 2], table.page, table.name) for table in parsed.tables]
    return replace(
        parsed,
        pages=pages,
        markdown=None if parsed.markdown is None else parsed.markdown[: len(parsed.markdown) // 2],
        tables=tables[: (len(tables) + 1) // 2],
        attachments=[_half_attachment(one) for one in parsed.attachments],
        data=None,
        truncated=True,
    )


def _half_attachment(attachment: Attachment) -> Attachment:
    text = attachment.text
    return replace(attachment, text=None if text is None else text[: len(text) // 2], document=None)


def _nullable(kind: str, description: str) -> JsonSchema:
    return {"type": [kind, "null"], "description": description}


def _made(description: str, **fields: JsonSchema) -> JsonSchema:
    return {
        "type": "object",
        "description": description,
        "properties": fields,
        "required": list(fields),
        "additionalProperties": False,
    }


_METADATA: JsonSchema = {
    "type": "object",
    "description": "What the document says about itself, as far as it does.",
    "properties": {
        "title": {"type": "string"},
        "author": {"type": "string"},
        "subject": {"type": "string"},
        "language": {"type": "string"},
        "createdAt": {"type": "string", "description": "ISO 8601."},
        "modifiedAt": {"type": "string", "description": "ISO 8601."},
        "pages": {"type": "integer", "description": "How many the document has, read or not."},
        "encoding": {"type": "string", "description": "Of a text."},
    },
    "additionalProperties": True,
}

_TEXT_FIELDS = ("format", "mimeType", "name", "text", "truncated")


def only_text(document: dict[str, Any]) -> dict[str, Any]:
    return {name: document[name] for name in _TEXT_FIELDS}


OUTPUT_SCHEMA: JsonSchema = _made(
    "A document, read.",
    format={"type": "string", "description": "pdf, docx, pptx, xlsx, html, eml, text and others."},
    mimeType={"type": "string", "description": "By the content, not by the name."},
    name={"type": "string"},
    text={"type": "string", "description": "The text of all pages, an empty line between them."},
    markdown=_nullable("string", "Headings, lists and tables, where the format has them."),
    pages={
        "type": "array",
        "description": "A format without pages has one; a spreadsheet has one per sheet.",
        "items": _made(
            "A page. Lines as they look: columns are two or more spaces apart.",
            number={"type": "integer"},
            text={"type": "string"},
            width=_nullable("number", "In points."),
            height=_nullable("number", "In points."),
        ),
    },
    tables={
        "type": "array",
        "items": _made(
            "A table.",
            page=_nullable("integer", "Where it stands, in a format with pages."),
            name=_nullable("string", "Of the sheet."),
            rows={
                "type": "array",
                "items": {"type": "array", "items": {"type": ["string", "number", "boolean", "null"]}},
            },
        ),
    },
    attachments={
        "type": "array",
        "items": _made(
            "A file within the document.",
            name={"type": "string"},
            mimeType={"type": "string"},
            size={"type": "integer", "description": "In bytes."},
            text=_nullable("string", "Of XML, JSON, CSV and other text."),
            document=_nullable(
                "object", "The file as a document of its own, in the same shape, where it was asked for."
            ),
        ),
    },
    metadata=_METADATA,
    data={"description": "The value of a JSON document; null otherwise."},
    truncated={"type": "boolean", "description": "Whether something was left out, for it was too much."},
)
ANY_SCHEMA: JsonSchema = {**OUTPUT_SCHEMA, "required": list(_TEXT_FIELDS)}
"""Of both formats of the output."""
TEXT_SCHEMA: JsonSchema = _made(
    "The text of a document.", **{name: OUTPUT_SCHEMA["properties"][name] for name in _TEXT_FIELDS}
)
