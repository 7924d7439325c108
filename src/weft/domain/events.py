"""Events: what happened in a workspace, for whatever waits for it.

An event is written in the transaction of what it tells of (an outbox), so there is one exactly when it happened. Those that
come in masses (of entities, items and runs) are written only where a trigger of the workspace listens for their name: a
million entities need no million events that nobody reads.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from weft.domain.ids import UUID


class PlatformEvent(StrEnum):
    """The names of the events that Weft itself writes; CHAT_MESSAGE is written by whoever runs the chat, as `emitEvent`."""

    DOCUMENT_UPLOADED = "document.uploaded"
    DOCUMENT_PROCESSED = "document.processed"
    EXTRACTION_COMPLETED = "extraction.completed"
    CHAT_MESSAGE = "chat.message"
    ENTITY_CREATED = "entity.created"
    ENTITY_UPDATED = "entity.updated"
    ENTITY_PUBLISHED = "entity.published"
    RUN_STARTED = "run.started"
    RUN_COMPLETED = "run.completed"
    RUN_FAILED = "run.failed"
    RUN_CANCELLED = "run.cancelled"


LARGEST_PART_BYTES = 64 * 1024
"""Of what events carry along (the data of an entity, an output); what is larger is left out, and read by its id."""

WEBHOOK_RECEIVED = "webhook.received"
"""The name of events that are calls of an inbound webhook: for its trigger alone."""


@dataclass(frozen=True, slots=True)
class Event:
    id: UUID
    workspace_id: UUID
    name: str
    payload: Mapping[str, Any]
    depth: int
    """How many runs lie behind it: 0 for what somebody did, 1 for what a run did that somebody started."""
    trigger_id: UUID | None
    """Of the inbound webhook that it came in by; None for what all triggers may listen to."""
    handled_at: datetime | None
    """When it was looked at by the triggers that listened; None while it waits for that."""
    created_at: datetime
