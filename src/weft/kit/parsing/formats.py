"""Which format a document has: by what it begins with. A name only tells text formats apart."""

import re
import zipfile
from dataclasses import dataclass
from zipfile import BadZipFile, ZipFile

from weft.kit.parsing.decoding import decoded, looks_like_text
from weft.kit.parsing.parsed import DocumentError, broken, encrypted, unsupported
from weft.kit.parsing.source import Source

HEAD_BYTES = 64 * 1024
"""What a text format is told by; the mark of a PDF may follow up to a kilobyte of other bytes."""


@dataclass(frozen=True, slots=True)
class Format:
    name: str
    mime_type: str
    module: str
    """Which reads it."""


_OPENXML = "application/vnd.openxmlformats-officedocument"
FORMATS = {
    made.name: made
    for made in (
        Format("pdf", "application/pdf", "pdf"),
        Format("docx", f"{_OPENXML}.wordprocessingml.document", "docx"),
        Format("pptx", f"{_OPENXML}.presentationml.presentation", "pptx"),
        Format("xlsx", f"{_OPENXML}.spreadsheetml.sheet", "spreadsheets"),
        Format("xlsb", "application/vnd.ms-excel.sheet.binary.macroEnabled.12", "spreadsheets"),
        Format("xls", "application/vnd.ms-excel", "spreadsheets"),
        Format("ods", "application/vnd.oasis.opendocument.spreadsheet", "spreadsheets"),
        Format("html", "text/html", "html"),
        Format("eml", "message/rfc822", "eml"),
        Format("markdown", "text/markdown", "markdown"),
        Format("csv", "text/csv", "csv"),
        Format("json", "application/json", "json"),
        Format("xml", "application/xml", "text"),
        Format("text", "text/plain", "text"),
    )
}

_ZIP_PARTS = {
    "word/document.xml": "docx",
    "ppt/presentation.xml": "pptx",
    "xl/workbook.xml": "xlsx",
    "xl/workbook.bin": "xlsb",
}
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OTHERS = (
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"II*\0", "a TIFF image"),
    (b"MM\0*", "a TIFF image"),
    (b"{\\rtf", "rich text (RTF)"),
    (b"%!PS", "PostScript"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!", "a RAR archive"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
)

_BY_EXTENSION = {
    ".html": "html",
    ".htm": "html",
    ".xhtml": "html",
    ".eml": "eml",
    ".md": "markdown",
    ".markdown": "markdown",
    ".csv": "csv",
    ".tsv": "csv",
    ".json": "json",
    ".xml": "xml",
    ".txt": "text",
}
_BY_MIME_TYPE = {made.mime_type: made.name for made in FORMATS.values()} | {"text/xml": "xml"}
_HTML = re.compile(
    r"\s*(?:<\?xml[^>]*>\s*)?(?:(?><!--.*?-->)\s*+)*+<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE | re.DOTALL
)
_MAIL_HEADER = re.compile(
    r"^(?:From|To|Subject|Date|Received|Return-Path|Message-ID|MIME-Version|Delivered-To|Content-Type):",
    re.IGNORECASE | re.MULTILINE,
)
_HEADERS_OF_A_MAIL = 3


def recognised(source: Source) -> Format:
    """Raises DocumentError where the format is none of ours."""
    head = source.head(HEAD_BYTES)
    if not head:
        raise DocumentError("DOCUMENT_EMPTY", "The file is empty.")
    if b"%PDF-" in head[:1024]:
        return FORMATS["pdf"]
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return FORMATS[_in_zip(source)]
    if head.startswith(_OLE):
        return FORMATS[_in_ole(source)]
    for mark, what in _OTHERS:
        if head.startswith(mark):
            raise unsupported(f"The file is {what}, which is not read.")
    if not looks_like_text(head):
        raise unsupported("The file is neither text nor of a document format that is known.")
    return FORMATS[_of_text(source, decoded(head).text)]


def _in_zip(source: Source) -> str:
    try:
        with source.opened() as file, ZipFile(file) as archive:
            names = set(archive.namelist())
            if "mimetype" in names and archive.getinfo("mimetype").file_size < 200:  # noqa: PLR2004 - a MIME type
                told = archive.read("mimetype").decode("ascii", "replace").strip()
                if told == FORMATS["ods"].mime_type:
                    return "ods"
                raise unsupported(f"The file is {told[:100]}, which is not read.")
    except (BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError, zipfile.LargeZipFile) as error:
        raise broken("The file begins like an Office document or another ZIP archive, and is damaged.") from error
    for part, name in _ZIP_PARTS.items():
        if part in names:
            return name
    raise unsupported("The file is a ZIP archive, and no document of a format that is known.")


def _in_ole(source: Source) -> str:
    """By the names in the directory of the compound file, which may stand anywhere in it."""
    with source.opened() as file:
        content = file.read()
    if "EncryptedPackage".encode("utf-16-le") in content:
        raise encrypted("The Office document is encrypted; it has to be saved without a password.")
    if any(name.encode("utf-16-le") in content for name in ("Workbook\0", "Book\0")):
        return "xls"
    for name, what in (("WordDocument", "Word 97"), ("PowerPoint Document", "PowerPoint 97"), ("__substg", "Outlook")):
        if name.encode("utf-16-le") in content:
            raise unsupported(f"The file is in the format of {what}, which is not read; save it in a newer one.")
    raise unsupported("The file is in an old format of Microsoft Office that is not read.")


def _of_text(source: Source, head: str) -> str:
    if _HTML.match(head):
        return "html"
    named = _BY_EXTENSION.get(source.extension) or _BY_MIME_TYPE.get(source.mime_type.partition(";")[0].strip().lower())
    if named is not None and named != "text":
        return named
    start = head.lstrip()
    if start.startswith("<?xml"):
        return "xml"
    if start.startswith(("{", "[")):
        return "json"
    headers = head.partition("\n\n")[0]
    if len(set(map(str.lower, _MAIL_HEADER.findall(headers)))) >= _HEADERS_OF_A_MAIL:
        return "eml"
    return "text"
