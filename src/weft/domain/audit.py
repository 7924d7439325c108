"""The audit log: who changed what, when, from where."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from weft.domain.ids import UUID


@dataclass(frozen=True, slots=True)
class AuditEntry:
    id: UUID
    workspace_id: UUID
    at: datetime
    actor: str
    """The name of the API key, or what acted by itself."""
    action: str
    """Noun and verb: `workflow.updated`."""
    subject_id: str
    details: dict[str, Any]
    address: str | None
