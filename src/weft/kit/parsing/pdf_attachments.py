"""The files that a PDF carries with it: the XML of an electronic invoice, above all."""

from pypdfium2 import PdfDocument, PdfiumError

from weft.kit.parsing.attached import Attached, attachments_of
from weft.kit.parsing.parsed import Attachment, Wanted
from weft.kit.parsing.source import Source


def embedded_files(document: PdfDocument, source: Source, wanted: Wanted) -> tuple[list[Attachment], bool]:
    """The files, and whether they are all there."""
    count = document.count_attachments()
    if not count:
        return [], True
    files = [_file(document, index) for index in range(min(count, wanted.limits.attachments))]
    attachments, whole = attachments_of(files, source, wanted)
    return attachments, whole and count <= wanted.limits.attachments


def _file(document: PdfDocument, index: int) -> Attached:
    attachment = document.get_attachment(index)
    try:
        return Attached(attachment.get_name(), attachment.get_subtype(), bytes(attachment.get_data()))
    except PdfiumError:  # empty, or its stream is damaged
        return Attached(f"attachment {index + 1}", "", b"")
