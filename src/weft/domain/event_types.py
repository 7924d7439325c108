"""What is known of events by their name: when Weft writes one, and what stands in its payload."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from weft.domain.entity import JsonSchema
from weft.domain.events import LARGEST_PART_BYTES, PlatformEvent
from weft.domain.progress import RunStatus
from weft.domain.run import TriggerType
from weft.kit.suggest import did_you_mean

EVENT_NAME = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")
LONGEST_EVENT_NAME = 100

RESERVED = frozenset({"document", "extraction", "entity", "run", "webhook"})
"""First words of names that only Weft gives: what a caller emits under such a name would look like its own."""

_AS_GOOD_AS_SAME = 0.9

_ID: JsonSchema = {"type": "string", "format": "uuid"}
_ID_OR_NULL: JsonSchema = {"type": ["string", "null"], "format": "uuid"}
_TEXT: JsonSchema = {"type": "string"}
_TEXT_OR_NULL: JsonSchema = {"type": ["string", "null"]}
_COUNT: JsonSchema = {"type": "integer"}
_DATA: JsonSchema = {"type": "object", "additionalProperties": True}
_LEFT_OUT = f"Left out where it is larger than {LARGEST_PART_BYTES:,} bytes."
_MIME_TYPE: JsonSchema = {"type": "string", "description": "What the content is, by looking at it: `application/pdf`."}


@dataclass(frozen=True, slots=True)
class EventType:
    name: PlatformEvent
    description: str
    payload_schema: JsonSchema | None
    """None where whoever writes the event decides."""

    @property
    def names_entities(self) -> bool:
        """Whether one might name the entity that it is about."""
        return self.payload_schema is None or "entityId" in self.payload_schema["properties"]


def _object(optional: Mapping[str, Any] | None = None, **always: JsonSchema) -> JsonSchema:
    return {
        "type": "object",
        "properties": {**always, **(optional or {})},
        "required": list(always),
        "additionalProperties": False,
    }


_ENTITY = _object(
    {"data": {**_DATA, "description": _LEFT_OUT}},
    entityId=_ID,
    entityTypeId=_ID,
    externalId=_TEXT_OR_NULL,
    version={"type": "integer"},
)
_RUN: dict[str, JsonSchema] = {
    "runId": _ID,
    "workflowId": _ID,
    "status": {"type": "string", "enum": [status.value for status in RunStatus]},
    "triggerType": {"type": "string", "enum": [kind.value for kind in TriggerType]},
    "total": _COUNT,
    "completed": _COUNT,
    "failed": _COUNT,
    "skipped": _COUNT,
    "cancelled": _COUNT,
}
_ENDED = _object(None, **_RUN, durationMs={"type": ["integer", "null"]}, error=_TEXT_OR_NULL)

EVENT_TYPES: Mapping[str, EventType] = {
    kind.name.value: kind
    for kind in (
        EventType(
            PlatformEvent.DOCUMENT_UPLOADED,
            "A document was made of an uploaded file.",
            _object(
                {"fields": {**_DATA, "description": f"The document's own, as given to createDocument. {_LEFT_OUT}"}},
                entityId=_ID,
                entityTypeId=_ID,
                externalId=_TEXT_OR_NULL,
                name={"type": "string", "description": "The file's name."},
                mimeType=_MIME_TYPE,
                size={"type": "integer", "description": "Bytes."},
                sha256=_TEXT,
            ),
        ),
        EventType(
            PlatformEvent.DOCUMENT_PROCESSED,
            "A run has completed the item of a document.",
            _object(entityId=_ID, entityTypeId=_ID, sha256=_TEXT, mimeType=_MIME_TYPE, runId=_ID, workflowId=_ID),
        ),
        EventType(
            PlatformEvent.EXTRACTION_COMPLETED,
            "A step has extracted values, in an item that a run has completed.",
            _object(
                {"output": {"description": f"What the step gave. {_LEFT_OUT}"}},
                entityId=_ID_OR_NULL,
                entityTypeId=_ID_OR_NULL,
                externalId=_TEXT_OR_NULL,
                runId=_ID,
                workflowId=_ID,
                stepId=_TEXT,
            ),
        ),
        EventType(PlatformEvent.CHAT_MESSAGE, "A message in a chat, emitted by whatever runs the chat.", None),
        EventType(PlatformEvent.ENTITY_CREATED, "An entity was made, also by an import.", _ENTITY),
        EventType(PlatformEvent.ENTITY_UPDATED, "The data of an entity changed.", _ENTITY),
        EventType(PlatformEvent.ENTITY_PUBLISHED, "A step has published an entity.", _ENTITY),
        EventType(PlatformEvent.RUN_STARTED, "A run began.", _object(None, **_RUN)),
        EventType(PlatformEvent.RUN_COMPLETED, "A run ended, with or without failed items.", _ENDED),
        EventType(PlatformEvent.RUN_FAILED, "A run failed as a whole.", _ENDED),
        EventType(PlatformEvent.RUN_CANCELLED, "A run was cancelled.", _ENDED),
    )
}


def meant_instead_of(name: str) -> str | None:
    """The platform event that somebody who wrote this name most likely meant; None for a platform event, and for a name that
    is rightly a caller's own.
    """
    if name in EVENT_TYPES:
        return None
    plain = re.sub(r"[ _-]", ".", name.lower())
    return plain if plain in EVENT_TYPES else did_you_mean(plain, EVENT_TYPES, likeness=_AS_GOOD_AS_SAME)


def is_reserved(name: str) -> bool:
    """Whether only Weft writes events of this name, or of such a name."""
    return name.partition(".")[0].lower() in RESERVED
