"""Documents within documents: the files that a PDF or a mail carries."""

from collections.abc import Sequence
from typing import NamedTuple

from weft.kit.parsing.decoding import decoded, looks_like_text
from weft.kit.parsing.formats import recognised
from weft.kit.parsing.parsed import Attachment, DocumentError, Parsed, Wanted
from weft.kit.parsing.reading import read
from weft.kit.parsing.source import Source

_TEXTS = {"text", "csv", "json", "xml", "markdown", "html"}


class Attached(NamedTuple):
    name: str
    mime_type: str
    content: bytes


def attachments_of(files: Sequence[Attached], holder: Source, wanted: Wanted) -> tuple[list[Attachment], bool]:
    """What is said of each file, and whether nothing was left out."""
    left = wanted.limits.attachment_characters
    whole = True
    attachments: list[Attachment] = []
    for file in files:
        source = Source(file.content, file.name, file.mime_type, holder.depth + 1)
        format_name, mime_type = _kind(source)
        text = decoded(file.content).text if format_name in _TEXTS and looks_like_text(file.content) else None
        if text is not None:
            whole &= len(text) <= left
            text = text[:left]
            left -= len(text)
        document = _document(source, wanted) if wanted.attachments else None
        attachments.append(Attachment(file.name, file.mime_type or mime_type, len(file.content), text, document))
    return attachments, whole


def _kind(source: Source) -> tuple[str | None, str]:
    try:
        found = recognised(source)
    except DocumentError:
        return None, "application/octet-stream"
    return found.name, found.mime_type


def _document(source: Source, wanted: Wanted) -> Parsed | None:
    """None where it cannot be read: a mail is not broken because a file in it is."""
    if source.depth > wanted.limits.depth:
        return None
    try:
        return read(source, wanted.within())
    except DocumentError:
        return None
