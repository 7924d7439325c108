"""The filter of a trigger, as it is written.

| written | canonical |
|---|---|
| `mime_types`, `mimeTypes`, `mime_type` | `mimeType` |
| `file_type: "pdf"`, of an event that has a `mimeType` | `mimeType: "application/pdf"` |
| `{"fields": {"customer": "…"}}` | `{"fields.customer": "…"}` |
| `entity_type_id`, of an event that has an `entityTypeId` | `entityTypeId` |
| an opaque id, where the event has an id | the UUID, as events have it |
"""

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

from weft.domain.errors import ErrorCode
from weft.domain.event_types import EVENT_TYPES
from weft.domain.ids import id_in
from weft.domain.spelling.fields import Notes, Path, snake, suggestion
from weft.kit.mime.extensions import extensions, mime_type_of

MOST_FIELDS = 50
MOST_VALUES = 100
LONGEST_TEXT = 1_000
DEEPEST = 8

_MIME_PATTERN = re.compile(r"[\w.+-]+/([\w.+-]+|\*)|\*(/\*)?")
_FAMILIES = frozenset({"image", "audio", "video", "text"})


def is_mime_field(field: str) -> bool:
    return _plain(field.rpartition(".")[2]) in {"mimetype", "contenttype"}


def properties_of(event: str) -> Mapping[str, Any]:
    """What is known of the payload's fields; nothing for an event of which whoever emits it decides."""
    known = EVENT_TYPES.get(event)
    return {} if known is None or known.payload_schema is None else known.payload_schema["properties"]


def read_filter(raw: Mapping[str, Any], event: str, written_at: Path, canonical: Path, notes: Notes) -> dict[str, Any]:
    """`canonical` is where the filter stands in the canonical spelling."""
    found: dict[str, Any] = {}
    for field, value, path in _entries(raw, "", written_at, notes):
        name, values = _field(field, value, event)
        read = [_value(name, one, event, path, notes) for one in values]
        if name in found:
            notes.add(ErrorCode.INVALID, f"{name!r} is there twice: make it one list.", path)
        elif not read:
            notes.add(ErrorCode.INVALID, "A list of values needs at least one.", path)
        elif len(read) > MOST_VALUES:
            notes.add(ErrorCode.LIMIT_EXCEEDED, f"A field may have {MOST_VALUES} values; these are {len(read)}.", path)
        else:
            found[name] = read if isinstance(value, list) else read[0]
            notes.places[*canonical, name] = path
    if len(found) > MOST_FIELDS:
        notes.add(
            ErrorCode.LIMIT_EXCEEDED, f"A filter may have {MOST_FIELDS} fields; here are {len(found)}.", written_at
        )
    return found


def _entries(
    raw: Mapping[str, Any], above: str, path: Path, notes: Notes, depth: int = 1
) -> Iterator[tuple[str, Any, Path]]:
    """The fields with their values; what is nested has a dotted name."""
    for key, value in raw.items():
        place = (*path, key)
        if not key.strip(".") or len(key) > LONGEST_TEXT or depth > DEEPEST:
            notes.add(ErrorCode.INVALID, "This is no name of a field.", place)
        elif isinstance(value, Mapping):
            yield from _entries(cast("Mapping[str, Any]", value), f"{above}{key}.", place, notes, depth + 1)
        else:
            yield f"{above}{key}", value, place


def _field(field: str, value: Any, event: str) -> tuple[str, list[Any]]:
    """The canonical name, and the values as a list."""
    values = cast("list[Any]", value) if isinstance(value, list) else [value]
    properties = properties_of(event)
    first, dot, rest = field.partition(".")
    first = {"mimetypes": "mimeType", "mimetype": "mimeType"}.get(_plain(first), first)
    if _plain(first) in {"filetype", "filetypes"} and "mimeType" in properties:
        first = "mimeType"
    else:
        first = next((name for name in properties if _plain(name) == _plain(first)), first)
    return f"{first}{dot}{rest}", values


def _value(name: str, value: object, event: str, path: Path, notes: Notes) -> object:
    if is_mime_field(name):
        return _mime_pattern(value, path, notes)
    if value is None or isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    if not isinstance(value, str):
        notes.add(ErrorCode.INVALID, "A filter has a value, or a list of values, for a field.", path)
        return None
    if len(value) > LONGEST_TEXT:
        message = f"A value may have {LONGEST_TEXT:,} characters; this has {len(value):,}."
        notes.add(ErrorCode.LIMIT_EXCEEDED, message, path)
    if properties_of(event).get(name, {}).get("format") == "uuid":
        # `entityTypeId` holds the id of an EntityType.
        meant = id_in(value, f"{name[0].upper()}{name[1:].removesuffix('Id')}")
        return value if meant is None else str(meant)
    return value


def _mime_pattern(value: object, path: Path, notes: Notes) -> object:
    """`image/*` and `image`, `application/pdf` and `pdf`."""
    if not isinstance(value, str) or len(value) > LONGEST_TEXT:
        notes.add(ErrorCode.INVALID, "A MIME type is a text, such as 'application/pdf' or 'image/*'.", path)
        return value
    written = value.strip().lower()
    if written in _FAMILIES:
        return f"{written}/*"
    if "/" not in written and (known := mime_type_of(written)) is not None:
        return known
    if _MIME_PATTERN.fullmatch(written) is None:
        hint = (
            suggestion(written, extensions())
            or "Write a MIME type such as 'application/pdf', or 'image/*' for all images."
        )
        notes.add(ErrorCode.INVALID, f"{value!r} is no MIME type.", path, hint)
    return written


def _plain(name: str) -> str:
    return snake(name).replace("_", "").replace("-", "")
