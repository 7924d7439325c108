"""Imports: a file of entities, streamed in, checked row by row, upserted by `externalId`."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from weft.domain.ids import UUID


class ImportFormat(StrEnum):
    """How an imported file is written, in UTF-8.

    JSONL: One JSON object on each line.
    CSV: Rows under a header line, separated by what stands most often in it: a comma, a semicolon or a tab.
    """

    JSONL = "JSONL"
    CSV = "CSV"


class OnConflict(StrEnum):
    """What happens to a row whose `externalId` exists already.

    UPDATE: Its data takes the place of the entity's, which gets a new version.
    SKIP: The entity stays as it is, and the row counts as skipped.
    FAIL: The row is not taken, and counts as failed.
    """

    UPDATE = "UPDATE"
    SKIP = "SKIP"
    FAIL = "FAIL"


class ImportStatus(StrEnum):
    """How far an import is. The last three are final.

    PENDING: Waits for the file.
    RUNNING: The file is being read; what was read is stored along the way.
    INTERRUPTED: The upload broke off; what was read is stored, and sending the same file again goes on behind it.
    COMPLETED: The whole file was read, and every row was taken.
    COMPLETED_WITH_FAILURES: The whole file was read, and some rows were not taken: `errors` lists them.
    FAILED: The file as a whole cannot be used; `error` says why.
    """

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    INTERRUPTED = "INTERRUPTED"
    COMPLETED = "COMPLETED"
    COMPLETED_WITH_FAILURES = "COMPLETED_WITH_FAILURES"
    FAILED = "FAILED"

    @property
    def is_terminal(self) -> bool:
        return self in _TERMINAL


_TERMINAL = frozenset({ImportStatus.COMPLETED, ImportStatus.COMPLETED_WITH_FAILURES, ImportStatus.FAILED})


@dataclass(frozen=True, slots=True)
class Import:
    id: UUID
    workspace_id: UUID
    entity_type_id: UUID
    format: ImportFormat
    on_conflict: OnConflict
    external_id_field: str | None
    """The field (or column) that holds the caller's own id."""
    status: ImportStatus
    rows_read: int
    created: int
    updated: int
    skipped: int
    failed: int
    bytes_read: int
    revision: int
    error: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A row that was not taken, with the reason."""

    line: int
    code: str
    message: str
    path: tuple[str, ...]
    excerpt: str
    """The start of the line as it was sent."""
