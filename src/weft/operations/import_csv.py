"""CSV files: a header, then one record per row, quoted fields with line breaks included.

Whether a row ends at a line break is decided before the `csv` module sees it, because that module pulls lines and cannot
wait for the next piece of the file. The rule is the module's own: a quote opens a field only at the field's start.
"""

import csv
from collections.abc import Iterator, Sequence

from weft.domain.entity import JsonSchema
from weft.operations.import_columns import Columns
from weft.operations.import_files import FileRow, UnusableFile, is_blank, refuse_encoding, refuse_length, refuse_utf16
from weft.operations.import_lines import LONGEST_EXCERPT, CutLine
from weft.operations.records import RefusedRecord, refuse

_DELIMITERS = b",;\t"
csv.field_size_limit(2**31 - 1)  # of the whole process; here rows are bounded before they are parsed


class CsvReader:
    def __init__(self, schema: JsonSchema, external_id_field: str | None, longest: int) -> None:
        self._schema = schema
        self._external_id_field = external_id_field
        self._longest = longest
        self._line = 0
        self._columns: Columns | None = None
        self._delimiter = b","
        self._open: list[bytes] = []  # lines of the row that has not ended yet
        self._open_since = 0
        self._open_length = 0

    def read(self, lines: Sequence[bytes]) -> Iterator[FileRow]:
        whole: list[tuple[int, bytes]] = []
        for line in lines:
            self._line += 1
            if (row := self._ended_by(line)) is None:
                continue
            if self._columns is None:
                self._columns = self._read_header(row[1])
            elif isinstance(row[1], CutLine):
                yield from self._parse(whole)
                whole = []
                yield refuse_length(*row, self._longest)
            else:
                whole.append(row)
        yield from self._parse(whole)

    def close(self) -> Iterator[FileRow]:
        if self._open:
            refusal = refuse("A quoted field that begins in this row is not closed before the end of the file.")
            yield self._open_since, b"\n".join(self._open), refusal, None
        elif self._columns is None:
            raise UnusableFile("The file is empty. The first row of a CSV file has the names of the columns.")

    def _ended_by(self, line: bytes) -> tuple[int, bytes] | None:
        """The row that this line ends, with the line it began in."""
        if not self._open:
            if is_blank(line):
                return None
            if self._columns is None and self._line == 1:
                self._delimiter = _delimiter_of(line)
            if b'"' not in line or isinstance(line, CutLine) or not _ends_inside(line, self._delimiter, inside=False):
                return self._line, line
            self._open, self._open_since, self._open_length = [line], self._line, len(line)
            return None
        self._open.append(line)
        self._open_length += len(line) + 1
        too_long = isinstance(line, CutLine) or self._open_length > self._longest
        if not too_long and _ends_inside(line, self._delimiter, inside=True):
            return None
        row = CutLine(self._open[0][:LONGEST_EXCERPT]) if too_long else b"\n".join(self._open)
        self._open = []
        return self._open_since, row

    def _read_header(self, row: bytes) -> Columns:
        refuse_utf16(row)
        if isinstance(row, CutLine):
            raise UnusableFile(f"The header has more than {self._longest:,} bytes.")
        try:
            (names,) = csv.reader((row.decode(),), delimiter=self._delimiter.decode(), strict=True)
        except (UnicodeDecodeError, csv.Error) as error:
            raise UnusableFile(f"The header cannot be read: {error}.") from error
        return Columns(names, self._schema, self._external_id_field)

    def _parse(self, rows: list[tuple[int, bytes]]) -> Iterator[FileRow]:
        try:
            texts = [row.decode() for _, row in rows]
            parsed = list(csv.reader(texts, delimiter=self._delimiter.decode(), strict=True))
        except (UnicodeDecodeError, csv.Error):
            for line, row in rows:
                yield self._parse_one(line, row)
            return
        for (line, row), cells in zip(rows, parsed, strict=True):
            yield self._to_row(line, row, cells)

    def _parse_one(self, line: int, row: bytes) -> FileRow:
        try:
            (cells,) = csv.reader((row.decode(),), delimiter=self._delimiter.decode(), strict=True)
        except UnicodeDecodeError as error:
            return refuse_encoding(line, row, error)
        except csv.Error as error:
            return line, row, refuse(f"The row is not CSV: {error}."), None
        return self._to_row(line, row, cells)

    def _to_row(self, line: int, source: bytes, cells: list[str]) -> FileRow:
        assert self._columns is not None, "rows come behind the header"  # noqa: S101 - for the type checker
        try:
            record, external_id = self._columns.to_record(cells)
        except RefusedRecord as refusal:
            return line, source, refusal, None
        return line, source, record, external_id


def _delimiter_of(header: bytes) -> bytes:
    """What stands most often in the header; a comma where nothing does."""
    return max((_DELIMITERS[at : at + 1] for at in range(len(_DELIMITERS))), key=header.count)


def _ends_inside(line: bytes, delimiter: bytes, *, inside: bool) -> bool:
    """Whether the line ends inside of a quoted field, beginning inside of one or not."""
    opening, at = delimiter + b'"', 0
    if not inside and line.startswith(b'"'):
        inside, at = True, 1
    while True:
        if not inside:
            at = line.find(opening, at)
            if at < 0:
                return False
            inside, at = True, at + len(opening)
        at = line.find(b'"', at)
        if at < 0:
            return True
        if line[at + 1 : at + 2] == b'"':
            at += 2  # a doubled quote is one quote of the text
        else:
            inside, at = False, at + 1
