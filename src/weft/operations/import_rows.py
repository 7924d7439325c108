"""From the bytes of a file to batches of checked rows. No input or output: bytes are fed, batches are taken."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
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

ROWS_PER_BATCH = 4_000
"""The five round trips and the flush to disk of each are felt below: at 500 a row costs half as much again."""
BYTES_PER_BATCH = 4_000_000
_REPEATED = "The external id {} occurs more than once in this file; the first one was taken."


def _no_rows() -> EntityRows:
    return EntityRows([], [], [], [])


@dataclass(slots=True)
class RowBatch:
    """Rows that are counted and written together."""

    rows: EntityRows = field(default_factory=_no_rows)
    sources: list[bytes] = field(default_factory=list[bytes])
    """Each of the rows as it was sent."""
    rejected: list[RejectedRow] = field(default_factory=list[RejectedRow])
    """Those that may be kept."""
    failed: int = 0
    rows_read: int = 0
    bytes_read: int = 0
    """In the file, up to the end of this batch."""
    size: int = 0

    @property
    def is_full(self) -> bool:
        return self.rows_read >= ROWS_PER_BATCH or self.size >= BYTES_PER_BATCH

    def reject_repeated(self, seen: SeenTexts, field: str) -> bool:
        """Take out the rows whose external ids were seen before; whether there were any."""
        named = zip(self.rows.numbers, self.rows.external_ids, strict=True)
        repeated = {number for number, name in named if name is not None and not seen.add(name)}
        if repeated:
            self.reject(repeated, _REPEATED, field)
        return bool(repeated)

    def reject(self, numbers: AbstractSet[int], reason: str, *path: str) -> None:
        """Some rows are not to be taken after all; `reason` has a place for the external id."""
        rows, self.rows = self.rows, _no_rows()
        sources, self.sources = self.sources, []
        columns = (rows.numbers, rows.ids, rows.external_ids, rows.data, sources)
        for number, new, external_id, data, source in zip(*columns, strict=True):
            if number in numbers:
                self.failed += 1
                refusal = refuse(reason.format(repr(external_id)), *path, code=ErrorCode.CONFLICT)
                self.rejected.append(rejected_row(number, source, refusal))
                continue
            self.rows.numbers.append(number)
            self.rows.ids.append(new)
            self.rows.external_ids.append(external_id)
            self.rows.data.append(data)
            self.sources.append(source)


class ImportRows:
    """Reads one upload of a file. The first `rows_read` rows of the import are checked again but not taken again: it went
    on behind them before. Their external ids are remembered in `seen`, as those of rows that are written have to be: a
    later row may repeat one.
    """

    def __init__(self, of: Import, schema: JsonSchema, *, longest_row: int, errors_kept: int) -> None:
        self._lines = LineSplitter(longest_row)
        self._reader = _reader(of, schema, longest_row)
        self._check = RecordCheck(schema, longest_row)
        self._field = of.external_id_field
        self._in_record = self._field is not None and property_of(schema, schema, self._field).declared
        self._to_skip = of.rows_read
        self._errors_kept = errors_kept
        self._bytes = 0
        self.seen = SeenTexts()
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
        batch = self.batch
        given, sources = batch.rows, batch.sources
        for number, source, record, beside in rows:
            try:
                external_id, data = self._checked(record, beside)
            except RefusedRecord as refusal:
                if not self._skips():
                    self._reject(number, source, refusal)
                continue
            if self._to_skip and self._skips():
                self.seen.remember(filter(None, (external_id,)))
                continue
            batch.rows_read += 1
            batch.size += len(data)
            given.numbers.append(number)
            given.external_ids.append(external_id)
            given.data.append(b"%b" % data)  # a copy: what orjson returns keeps the room of its 1 kB buffer
            sources.append(source)

    def _checked(self, record: Any, external_id: Any) -> tuple[str | None, bytes]:
        if isinstance(record, RefusedRecord):
            raise record
        if self._field is None:
            return None, self._check.to_json(record)
        if external_id is None and type(record) is dict:
            fields = cast("dict[str, Any]", record)
            external_id = fields.get(self._field) if self._in_record else fields.pop(self._field, None)
            if external_id is None:
                raise refuse("The external id is missing.", self._field)
        written = self._check.to_json(record)
        return external_id_of(external_id, self._field), written

    def _skips(self) -> bool:
        """Whether this row was taken before."""
        if not self._to_skip:
            return False
        self._to_skip -= 1
        return True

    def _reject(self, number: int, source: bytes, refusal: RefusedRecord) -> None:
        self.batch.rows_read += 1
        self.batch.failed += 1
        if len(self.batch.rejected) < self._errors_kept:
            self.batch.rejected.append(rejected_row(number, source, refusal))


def rejected_row(line: int, source: bytes, refusal: RefusedRecord) -> RejectedRow:
    first, *others = refusal.problems
    more = f" (and {len(others)} more)" if others else ""
    excerpt = source[:LONGEST_EXCERPT].decode(errors="replace").replace("\0", "\N{REPLACEMENT CHARACTER}")
    return RejectedRow(line, first.code, storable(first.message) + more, tuple(map(storable, first.path)), excerpt)


def _reader(of: Import, schema: JsonSchema, longest_row: int) -> RowReader:
    if of.format is ImportFormat.CSV:
        return CsvReader(schema, of.external_id_field, longest_row)
    return JsonlReader(longest_row)
