"""What a document holds, whatever its format."""

from dataclasses import dataclass, field, replace
from typing import Any

Cell = str | int | float | bool | None


class DocumentError(Exception):
    """The document cannot be read; the code says which kind of trouble it is, the message tells a person."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class UnforeseenError(DocumentError):
    """Nobody expected of a library what it raised: its cause is of interest to whoever looks after Weft."""


def broken(message: str) -> DocumentError:
    return DocumentError("DOCUMENT_BROKEN", message)


def encrypted(message: str) -> DocumentError:
    return DocumentError("DOCUMENT_ENCRYPTED", message)


def too_large(message: str) -> DocumentError:
    return DocumentError("DOCUMENT_TOO_LARGE", message)


def unsupported(message: str) -> DocumentError:
    return DocumentError("FORMAT_UNSUPPORTED", message)


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a document is read. What is beyond is left out and `truncated` says so, unless reading it would be the danger."""

    characters: int = 1_000_000
    """Of the text of all pages."""
    pages: int = 2_000
    table_pages: int = 50
    """Pages of a PDF that are searched for tables: a page takes a hundred times as long as its text."""
    cells: int = 200_000
    """Of all tables."""
    attachments: int = 100
    attachment_characters: int = 1_000_000
    """Of the text of all attachments."""
    depth: int = 3
    """Documents within documents."""
    markup_bytes: int = 32 * 1024 * 1024
    """Of HTML, JSON, text and e-mail: their trees take many times the memory."""
    unpacked_bytes: int = 256 * 1024 * 1024
    """Of an Office file, which is a ZIP archive."""
    ratio: int = 200
    """How many times its packed size a large part of an archive may unpack to: a table of equal rows comes to about 100."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked of a document."""

    tables: bool = False
    """Of a PDF. Other formats say where their tables are, so they are always given."""
    attachments: bool = False
    """Whether attachments are read as documents of their own."""
    pages: tuple[tuple[int, int | None], ...] = ()
    """Ranges of page numbers, both ends included, the end open where None. Empty for all."""
    password: str | None = None
    limits: Limits = field(default_factory=Limits)

    def wants_page(self, number: int) -> bool:
        return not self.pages or any(first <= number <= (last or number) for first, last in self.pages)

    def within(self) -> "Wanted":
        """For a document within this one: all of it, but a quarter as much, so that what a file unfolds to stays bounded."""
        limits = self.limits
        smaller = replace(
            limits,
            characters=limits.characters // 4,
            cells=limits.cells // 4,
            attachments=limits.attachments // 4,
            attachment_characters=limits.attachment_characters // 4,
        )
        return replace(self, pages=(), password=None, limits=smaller)


@dataclass(frozen=True, slots=True)
class Page:
    number: int
    text: str
    width: float | None = None
    """In points of 1/72 inch."""
    height: float | None = None


@dataclass(frozen=True, slots=True)
class Table:
    rows: list[list[Cell]]
    page: int | None = None
    name: str | None = None
    """Of the sheet."""


@dataclass(frozen=True, slots=True)
class Attachment:
    name: str
    mime_type: str
    size: int
    text: str | None = None
    """Where it is text: XML, JSON, CSV, plain text."""
    document: "Parsed | None" = None
    """Where attachments are asked for and it can be read."""


@dataclass(frozen=True, slots=True)
class Parsed:
    format: str
    mime_type: str
    pages: list[Page]
    markdown: str | None = None
    tables: list[Table] = field(default_factory=list[Table])
    attachments: list[Attachment] = field(default_factory=list[Attachment])
    metadata: dict[str, Any] = field(default_factory=dict[str, Any])
    data: Any = None
    """The value of a JSON document."""
    truncated: bool = False

    @property
    def text(self) -> str:
        return self.pages[0].text if len(self.pages) == 1 else "\n\n".join(page.text for page in self.pages)
