"""The row of a finished item, and many of them in the binary format of COPY.

There is one row per item, so it is written without the detour over a codec per column. The format is that of PostgreSQL's
page "COPY", section "Binary Format": a header; per row the number of fields, per field its length (-1 for NULL) and its
bytes; a trailer. Numbers are big-endian, times microseconds since 2000, JSON is its text.
"""

from collections.abc import Sequence
from struct import Struct
from typing import NamedTuple

from weft.domain.ids import UUID


class ItemRow(NamedTuple):
    """A tuple, since there is one per item. JSON stands as UTF-8, times as microseconds since the Unix epoch."""

    ordinal: int
    entity_id: UUID | None
    entity_version: int | None
    status: str
    error: bytes | None
    output: bytes | None
    steps: bytes
    started_us: int
    finished_us: int


ITEM_COLUMNS = (
    "run_id",
    "ordinal",
    "entity_id",
    "entity_version",
    "status",
    "error",
    "output",
    "steps",
    "started_at",
    "finished_at",
)
POSTGRES_EPOCH_US = 946_684_800_000_000
"""2000-01-01 in microseconds since the Unix epoch."""

_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER = b"\xff\xff"
_NULL = b"\xff\xff\xff\xff"
_START = Struct(">hi16sii")
_INTEGER = Struct(">ii")
_LENGTH = Struct(">i")
_TIMES = Struct(">iqiq")


def packed(run_id: UUID, rows: Sequence[ItemRow]) -> bytes:
    """The rows of a run as COPY takes them, their fields in the order of `ITEM_COLUMNS`. Raises ValueError, `struct.error`."""
    run, fields = run_id.bytes, len(ITEM_COLUMNS)
    parts = [_HEADER]
    for ordinal, entity_id, version, status, error, output, steps, started_us, finished_us in rows:
        parts += (
            _START.pack(fields, 16, run, 4, ordinal),
            _NULL if entity_id is None else b"\0\0\0\x10" + entity_id.bytes,
            _NULL if version is None else _INTEGER.pack(4, version),
            _field(status.encode()),
            _NULL if error is None else _field(error),
            _NULL if output is None else _field(output),
            _LENGTH.pack(len(steps)),
            steps,
            _TIMES.pack(8, started_us - POSTGRES_EPOCH_US, 8, finished_us - POSTGRES_EPOCH_US),
        )
    parts.append(_TRAILER)
    return b"".join(parts)


def _field(value: bytes) -> bytes:
    return _LENGTH.pack(len(value)) + value
