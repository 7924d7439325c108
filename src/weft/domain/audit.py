"""The audit log: who changed what, when, from where.

It holds what callers did. What Weft does by itself has records of its own, with more in them: a run that a trigger or a
schedule started is in the firings (`domain.trigger.Firing`: what fired, why, and what came of it) and names its cause, a
message is a delivery. Neither gets an entry here; that a caller made or changed the trigger does.
"""

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
    """The name of the API key, or what acted without one, such as the command line."""
    action: str
    """Noun and verb: `workflow.updated`."""
    subject_id: str
    details: dict[str, Any]
    address: str | None
    key_id: UUID | None
    """Of the API key: names may be shared. None for what acted without one."""
