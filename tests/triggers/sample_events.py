"""Triggers and events for tests, each with what matters to the test."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from weft.domain.events import WEBHOOK_RECEIVED, Event
from weft.domain.ids import UUID, new_id
from weft.domain.run import TriggerType
from weft.domain.trigger import Trigger

NOW = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)

UPLOADED: dict[str, Any] = {
    "entityId": "019a0000-0000-7000-8000-000000000001",
    "entityTypeId": "019a0000-0000-7000-8000-000000000002",
    "externalId": None,
    "name": "Bill.pdf",
    "mimeType": "application/pdf",
    "size": 4_000,
    "sha256": "ab" * 32,
    "fields": {"knowledge_base_id": "kb-uuid", "tags": ["new", "paid"], "customer": {"country": "DE"}},
}


def trigger(event: str | None = "document.uploaded", **values: Any) -> Trigger:
    plain = Trigger(
        id=new_id(),
        workspace_id=UUID(int=1),
        workflow_id=UUID(int=2),
        type=TriggerType.WEBHOOK if event is None else TriggerType.EVENT,
        name="A trigger",
        event=event,
        filter={},
        condition=None,
        input=None,
        parameters=None,
        enabled=True,
        position=0,
        revision=1,
        created_by="tests",
        created_at=NOW,
        updated_at=NOW,
    )
    return replace(plain, **values)


def event(payload: Any = UPLOADED, name: str = "document.uploaded") -> Event:
    return Event(
        id=new_id(),
        workspace_id=UUID(int=1),
        name=name,
        payload=payload,
        depth=1,
        trigger_id=None,
        handled_at=None,
        created_at=NOW,
    )


def call(body: Any, headers: dict[str, str] | None = None, query: dict[str, Any] | None = None) -> Event:
    """A call of an inbound webhook."""
    return event({"body": body, "headers": headers or {}, "query": query or {}}, WEBHOOK_RECEIVED)
