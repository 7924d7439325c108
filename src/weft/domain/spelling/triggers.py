"""The triggers of a definition, as they are written.

| written | canonical |
|---|---|
| `triggers: [{"type": "document_upload", …}]` | `{"type": "EVENT", "event": "document.uploaded", …}` |
| `filters` | `filter` (see `trigger_filters`) |
| `trigger_type: "event", trigger_config: {"event": …, "filters": …}` | `triggers: [{…}]` |
| the type `manual` | nothing: every workflow can be run by hand |
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from weft.domain.definition import TriggerDefinition
from weft.domain.errors import ErrorCode
from weft.domain.event_types import EVENT_NAME, EVENT_TYPES, LONGEST_EVENT_NAME
from weft.domain.spelling.fields import Fields, Notes, Path, objects, snake, suggestion
from weft.domain.spelling.trigger_filters import read_filter
from weft.kit.storable import is_storable_text

TRIGGER_KEYS: Mapping[str, tuple[str, ...]] = {"triggers": (), "triggerType": (), "triggerConfig": ()}
"""Of a definition."""

MOST_TRIGGERS = 20
MOST_MAPPED = 50
LONGEST_NAME = 200

_BODY: Mapping[str, tuple[str, ...]] = {
    "event": ("eventType", "event_type"),
    "name": (),
    "filter": ("filters",),
    "condition": (),
    "input": (),
    "parameters": (),
    "enabled": (),
}
_ENTRY: Mapping[str, tuple[str, ...]] = {"type": (), **_BODY, "config": ()}

_EVENT = "event"
_BY_HAND = "manual"
_ELSEWHERE = {
    **dict.fromkeys(("schedule", "scheduled", "cron"), "createSchedule"),
    "webhook": "createWebhookTrigger",
}
_EVENT_OF_TYPE = {name.replace(".", "_"): name for name in EVENT_TYPES} | {
    "document_upload": "document.uploaded",
    "extraction_complete": "extraction.completed",
}


@dataclass(frozen=True, slots=True)
class _Written:
    type: Any
    type_path: Path
    body: Fields
    path: Path


def names_triggers(definition: Any) -> bool:
    """Whether a definition, in any spelling, says something of triggers."""
    spellings = {spelling for name in TRIGGER_KEYS for spelling in (name, snake(name))}
    return isinstance(definition, Mapping) and any(
        definition.get(name) is not None for name in spellings & cast("Mapping[str, Any]", definition).keys()
    )


def read_triggers(fields: Fields, notes: Notes) -> tuple[TriggerDefinition, ...] | None:
    """None where nothing is said of triggers."""
    if "triggerType" in fields or "triggerConfig" in fields:
        if "triggers" in fields:
            fields.wrong("triggers", "Give either triggers, or triggerType with triggerConfig, not both.")
        written = _single(fields, notes)
    elif "triggers" in fields:
        written = [_entry(raw, path, notes) for raw, path in _listed(fields, notes)]
    else:
        return None
    read: list[TriggerDefinition] = []
    for one in written:
        event = _event(one, notes)
        if event is not None:
            read.append(_trigger(one, event, ("triggers", str(len(read))), notes))
    return tuple(read)


def write_trigger(trigger: TriggerDefinition) -> dict[str, Any]:
    written: dict[str, Any] = {"type": "EVENT", "event": trigger.event}
    if trigger.name != trigger.event:
        written["name"] = trigger.name
    written["filter"] = dict(trigger.filter)
    if trigger.condition is not None:
        written["condition"] = trigger.condition
    if trigger.input is not None:
        written["input"] = dict(trigger.input)
    if trigger.parameters is not None:
        written["parameters"] = dict(trigger.parameters)
    if not trigger.enabled:
        written["enabled"] = False
    return written


def _listed(fields: Fields, notes: Notes) -> list[tuple[Mapping[str, Any], Path]]:
    path = fields.path("triggers")
    listed = fields.items("triggers") or []
    if len(listed) > MOST_TRIGGERS:
        message = f"There are {len(listed)} triggers; {MOST_TRIGGERS} are allowed."
        notes.add(ErrorCode.LIMIT_EXCEEDED, message, path)
        return []
    return objects(listed, path, "A trigger", notes)


def _single(fields: Fields, notes: Notes) -> list[_Written]:
    config = fields.object("triggerConfig") or {}
    path = fields.path("triggerConfig")
    return [_Written(fields.raw("triggerType"), fields.path("triggerType"), Fields(config, path, notes, _BODY), path)]


def _entry(raw: Mapping[str, Any], path: Path, notes: Notes) -> _Written:
    fields = Fields(raw, path, notes, _ENTRY)
    body = fields
    if (config := fields.object("config")) is not None:
        path = fields.path("config")
        body = Fields(config, path, notes, _BODY)
        for name in _BODY:
            if name in fields:
                fields.wrong(name, f"{name} belongs into config, where there is one.")
    return _Written(fields.raw("type"), fields.path("type"), body, path)


def _event(written: _Written, notes: Notes) -> str | None:
    """The name of the events; None for what is no trigger of a definition."""
    given = written.body.text("event")
    kind = _EVENT if written.type is None else snake(str(written.type)).replace(".", "_").replace("-", "_")
    if kind == _BY_HAND:
        return None
    if kind in _ELSEWHERE:
        message = f"A trigger of the type {written.type!r} is no part of a definition."
        notes.add(ErrorCode.INVALID, message, written.type_path, f"Make it with {_ELSEWHERE[kind]}.")
        return None
    if kind == _EVENT:
        return _named(written, given)
    meant = _EVENT_OF_TYPE.get(kind)
    if meant is None:
        hint = suggestion(kind, [_EVENT, _BY_HAND, *_EVENT_OF_TYPE])
        message = "The type of a trigger is 'EVENT', with the name of its `event`."
        notes.add(ErrorCode.INVALID, message, written.type_path, hint)
    elif given not in {None, meant}:
        written.body.wrong("event", f"A trigger of the type {written.type!r} listens to {meant!r}: leave event out.")
    return meant


def _named(written: _Written, name: str | None) -> str | None:
    if name is not None and EVENT_NAME.fullmatch(name) and len(name) <= LONGEST_EVENT_NAME:
        return name
    if name is not None:
        message = f"The name of an event is words joined by dots, at most {LONGEST_EVENT_NAME} characters."
        written.body.wrong("event", message, "For example 'order.placed'.")
    elif "event" not in written.body:
        written.body.wrong(
            "event", "A trigger needs the name of the event that it listens to.", "eventTypes lists them."
        )
    return None


def _trigger(written: _Written, event: str, canonical: Path, notes: Notes) -> TriggerDefinition:
    body = written.body
    notes.places[canonical] = written.path
    for name in _BODY:
        notes.places[*canonical, name] = body.path(name)
    notes.places[*canonical, "event"] = body.path("event") if "event" in body else written.type_path
    filters = body.object("filter")
    name, condition = body.text("name"), body.text("condition")
    for what, text in (("name", name), ("condition", condition)):
        if text is not None and not is_storable_text(text):
            body.wrong(what, f"{what} contains a character that is no text.")
    if name is not None and len(name) > LONGEST_NAME:
        body.wrong("name", f"name has {len(name):,} characters; {LONGEST_NAME} are allowed.")
    enabled = body.raw("enabled")
    if not isinstance(enabled, bool | None):
        body.wrong("enabled", "enabled must be true or false.")
    return TriggerDefinition(
        event=event,
        name=event if name is None else name.strip(),
        filter={}
        if filters is None
        else read_filter(filters, event, body.path("filter"), (*canonical, "filter"), notes),
        condition=condition,
        input=_mapping(body, "input", notes),
        parameters=_mapping(body, "parameters", notes),
        enabled=enabled is not False,
    )


def _mapping(body: Fields, name: str, notes: Notes) -> dict[str, str] | None:
    raw = body.object(name)
    if raw is None:
        return None
    if len(raw) > MOST_MAPPED:
        body.wrong(name, f"{name} has {len(raw):,} entries; {MOST_MAPPED} are allowed.")
        return None
    for key, source in raw.items():
        if not isinstance(source, str) or not source.strip():
            message = f"Each entry of {name} is a CEL expression, written as a text."
            notes.add(ErrorCode.INVALID, message, (*body.path(name), key))
    return {key: source for key, source in raw.items() if isinstance(source, str) and source.strip()}
