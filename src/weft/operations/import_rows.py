"""From the bytes of a file to batches of checked rows. No input or output: bytes are fed, batches are taken."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, cast

from weft.domain.entity import JsonSchema
from weft.domain.errors import ErrorCode
from weft.domain.imports import Import, ImportFormat, RejectedRow
from weft.kit.schema_shape import property_of
from weft.kit.storable import storable
from weft.operations.import_csv import CsvReader
from weft.operations.import_duplicates import SeenTexts
from weft.operations.import_files import FileRow, RowReader, UnusableFile
from weft.operations.import_jsonl import JsonlReader
from weft.operations.import_lines import LONGEST_EXCERPT, LineSplitter
from weft.operations.records import RecordCheck, RefusedRecord, external_id_of, refuse
from weft.storage.entity_writes import EntityRows, new_ids

ROWS_PER_BATCH = 2_000
"""Larger batches are no faster, smaller ones are: 65,000 rows a second at 2,000, 50,000 at 500."""
BYTES_PER_BATCH = 4_000_000


@dataclass(slots=True)
class RowBatch:
    """Rows that are counted and written together."""

    rows: EntityRows = field(default_factory=lambda: EntityRows([], [], [], []))
    rejected: list[RejectedRow] = field(default_factory=list[RejectedRow])
    """Those of them that may be kept, in the order of the file."""
    failed: int = 0
    rows_read: int = 0
    bytes_read: int = 0
    """In the file, up to the end of this batch."""
    size: int = 0

    @property
    def is_full(self) -> bool:
        return self.rows_read >= ROWS_PER_BATCH or self.size >= BYTES_PER_BATCH


class ImportRows:
    """Reads one upload of a file. The first `rows_read` rows of the import are checked again but not taken again: it went
    on behind them before, and a later row may repeat one of their external ids.
    """

    def __init__(self, of: Import, schema: JsonSchema, *, longest_row: int, errors_kept: int) -> None:
        self._lines = LineSplitter(longest_row)
        self._reader = _reader(of, schema, longest_row)
        self._check = RecordCheck(schema, longest_row)
        self._field = of.external_id_field
        self._in_record = self._field is not None and property_of(schema, schema, self._field).declared
        self._seen = SeenTexts()
        self._to_skip = of.rows_read
        self._errors_kept = errors_kept
        self._bytes = 0
        self.batch = RowBatch()

    def feed(self, data: bytes) -> None:
        """Raises UnusableFile."""
        self._bytes += len(data)
        self._take(self._reader.read(self._lines.feed(data)))

    def close(self) -> None:
        """The file has ended. Raises UnusableFile."""
        self._take(self._reader.read(self._lines.close()))
        self._take(self._reader.close())
        if self._to_skip:
            raise UnusableFile("The file has fewer rows than were read of it before: it is not the same file.")

    def take_batch(self) -> RowBatch:
        batch, self.batch = self.batch, RowBatch()
        batch.bytes_read = self._bytes
        batch.rows.ids = new_ids(len(batch.rows.numbers))
        return batch

    def _take(self, rows: Iterable[FileRow]) -> None:
        for row in rows:
            try:
                if row.refusal is not None:
                    raise row.refusal
                external_id, data = self._checked(row)
            except RefusedRecord as refusal:
                if self._counts():
                    self._reject(row, refusal)
            else:
                if self._counts():
                    given = self.batch.rows
                    given.numbers.append(row.line)
                    given.external_ids.append(external_id)
                    given.data.append(data)
                    self.batch.size += len(data)

    def _checked(self, row: FileRow) -> tuple[str | None, str]:
        record = row.record
        external_id = row.external_id
        if self._field is not None and external_id is None and type(record) is dict:
            fields = cast("dict[str, Any]", record)
            external_id = fields.get(self._field) if self._in_record else fields.pop(self._field, None)
            if external_id is None:
                raise refuse("The external id is missing.", self._field)
        written = self._check.to_json(record).decode()
        if external_id is None:
            return None, written
        external_id = external_id_of(external_id, self._field or "")
        if not self._seen.add(external_id):
            raise refuse(
                f"The external id {external_id!r} occurs more than once in this file; the first one was taken.",
                self._field or "",
                code=ErrorCode.CONFLICT,
            )
        return external_id, written

    def _counts(self) -> bool:
        if self._to_skip:
            self._to_skip -= 1
            return False
        self.batch.rows_read += 1
        return True

    def _reject(self, row: FileRow, refusal: RefusedRecord) -> None:
        self.batch.failed += 1
        if len(self.batch.rejected) < self._errors_kept:
            self.batch.rejected.append(rejected_row(row.line, row.source, refusal))


def rejected_row(line: int, source: bytes, refusal: RefusedRecord) -> RejectedRow:
    first, *others = refusal.problems
    more = f" (and {len(others)} more)" if others else ""
    excerpt = source[:LONGEST_EXCERPT].decode(errors="replace").replace("\0", "\N{REPLACEMENT CHARACTER}")
    return RejectedRow(line, first.code, storable(first.message) + more, tuple(map(storable, first.path)), excerpt)


def _reader(of: Import, schema: JsonSchema, longest_row: int) -> RowReader:
    if of.format is ImportFormat.CSV:
        return CsvReader(schema, of.external_id_field, longest_row)
    return JsonlReader(longest_row)
