"""Events: what happened in a workspace, for whatever waits for it.

An event is written in the transaction of what it tells of (an outbox), so there is one exactly when it happened.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from weft.domain.ids import UUID


class PlatformEvent(StrEnum):
    """The names of the events that Weft itself writes."""

    DOCUMENT_UPLOADED = "document.uploaded"
    DOCUMENT_PROCESSED = "document.processed"


@dataclass(frozen=True, slots=True)
class Event:
    id: UUID
    workspace_id: UUID
    name: str
    payload: dict[str, Any]
    depth: int
    """How many runs lie behind it: 0 for what somebody did, 1 for what a run did that somebody started."""
    created_at: datetime
