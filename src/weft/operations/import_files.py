"""What the readers of the file formats have in common."""

from collections.abc import Iterator, Sequence
from typing import Any, Protocol, TypeAlias

from weft.domain.errors import ErrorCode
from weft.operations.import_lines import CutLine
from weft.operations.records import refuse


class UnusableFile(Exception):
    """The file as a whole cannot be read as what it was said to be."""


FileRow: TypeAlias = tuple[int, bytes, Any, Any]
"""One row of a file: the line it begins in, from 1; the row as it was sent, or the start of it; the record, or the
RefusedRecord that says why it cannot be one; its external id, where the file has it beside the record.

A plain tuple, since there is one per row: an object of a class takes ten times as long to make.
"""


class RowReader(Protocol):
    """Reads one file from its start to its end."""

    def read(self, lines: Sequence[bytes]) -> Iterator[FileRow]:
        """The rows that end in the next lines. Raises UnusableFile."""
        ...

    def close(self) -> Iterator[FileRow]:
        """What is left at the end of the file. Raises UnusableFile."""
        ...


def refuse_encoding(line: int, source: bytes, error: UnicodeDecodeError) -> FileRow:
    return line, source, refuse(f"Byte {error.start + 1} of the row is not valid UTF-8."), None


def refuse_length(line: int, source: bytes, longest: int) -> FileRow:
    refusal = refuse(f"The row has more than {longest:,} bytes, the most allowed.", code=ErrorCode.LIMIT_EXCEEDED)
    return line, source, refusal, None


def is_blank(line: bytes) -> bool:
    return not isinstance(line, CutLine) and (not line or line.isspace())


def refuse_utf16(line: bytes) -> None:
    """Looks at the first line of a file."""
    if line.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise UnusableFile("The file is in UTF-16. Save it as UTF-8 and import that.")
