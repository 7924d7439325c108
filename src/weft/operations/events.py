"""Events: told by callers, seen by everybody of the workspace. What the platform tells of itself is written where it happens."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from weft.domain.access import Role, Viewer
from weft.domain.errors import Conflict, Invalid, LimitExceeded
from weft.domain.event_types import EVENT_NAME, EVENT_TYPES, LONGEST_EVENT_NAME, is_reserved, meant_instead_of
from weft.domain.events import Event, PlatformEvent
from weft.domain.ids import UUID, new_id
from weft.domain.page import Page, PageRequest
from weft.kit.json import dump_bytes, in_words
from weft.kit.storable import is_storable_text, storable, why_nul
from weft.operations.idempotency_keys import check_key
from weft.operations.services import Services
from weft.storage import audit, event_lists, events, idempotency
from weft.storage.event_lists import EventFilter

LARGEST_PAYLOAD_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class EmitEvent:
    name: str
    payload: Any
    idempotency_key: str | None = None


async def emit_event(services: Services, viewer: Viewer, wanted: EmitEvent) -> Event:
    """The event, once it is stored; triggers that listen look at it right after that."""
    viewer.need(Role.RUNNER)
    _check_name(wanted.name)
    payload, written = _checked_payload(wanted.payload)
    event_id = new_id()
    async with services.database.transaction() as connection:
        before = None
        if (key := wanted.idempotency_key) is not None:
            check_key(key)
            digest = hashlib.sha256(dump_bytes([wanted.name, None]) + written).digest()
            before = await idempotency.claim(connection, viewer.workspace_id, "emitEvent", key, digest, event_id)
        if before is None:
            await events.add_event(connection, viewer.workspace_id, wanted.name, payload, event_id=event_id)
            await audit.record(connection, viewer, "event.emitted", event_id, {"name": wanted.name})
        found = await event_lists.by_ids(connection, viewer.workspace_id, [before or event_id])
    if not found:
        raise Conflict("The event that this request made is no longer kept.", path=("idempotencyKey",))
    (event,) = found.values()
    if before is None and event.handled_at is None:
        await services.wakeups.wake()
    return event


async def load_events(services: Services, viewer: Viewer, ids: Sequence[UUID]) -> list[Event | None]:
    """In the order of the ids."""
    viewer.need(Role.VIEWER)
    async with services.database.reading() as connection:
        found = await event_lists.by_ids(connection, viewer.workspace_id, ids)
    return [found.get(one) for one in ids]


async def list_events(services: Services, viewer: Viewer, wanted: EventFilter, request: PageRequest) -> Page[Event]:
    viewer.need(Role.VIEWER)
    if wanted.name is not None and not is_storable_text(wanted.name):
        wanted = replace(wanted, name=storable(wanted.name))
    async with services.database.reading() as connection:
        return await event_lists.page(connection, viewer.workspace_id, wanted, request)


def _check_name(name: str) -> None:
    if name == PlatformEvent.CHAT_MESSAGE:
        return
    if len(name) > LONGEST_EVENT_NAME or not EVENT_NAME.fullmatch(name):
        raise Invalid(
            f"An event's name is words joined by dots, {LONGEST_EVENT_NAME} characters at most.",
            path=("name",),
            hint="Such as `order.paid`; a word has letters, digits, `_` and `-`.",
        )
    if is_reserved(name):
        only = f"Only Weft itself tells of {name!r}" if name in EVENT_TYPES else "Such names belong to Weft itself"
        hint = f"Put a word of your own in front, such as `my.{name}`, and let the triggers listen for that."
        raise Invalid(f"{only}.", path=("name",), hint=hint)
    if (meant := meant_instead_of(name)) is not None:
        raise Invalid(f"{name!r} looks like the event {meant!r}.", path=("name",), hint="Choose another name.")


def _checked_payload(payload: Any) -> tuple[dict[str, Any], bytes]:
    """The payload, and as JSON."""
    if not isinstance(payload, dict):
        raise Invalid(f"The payload of an event is a JSON object; this is {in_words(payload)}.", path=("payload",))
    checked = cast("dict[str, Any]", payload)
    try:
        written = dump_bytes(checked)
    except (TypeError, ValueError) as error:
        raise Invalid(f"This payload cannot be stored: {storable(str(error))}.", path=("payload",)) from error
    if (why := why_nul(written, checked)) is not None:
        raise Invalid(f"This payload cannot be stored: {why}.", path=("payload",))
    if len(written) > LARGEST_PAYLOAD_BYTES:
        raise LimitExceeded(
            f"The payload has {len(written):,} bytes; at most {LARGEST_PAYLOAD_BYTES:,} are taken.",
            path=("payload",),
            hint="Store what is large as an entity or a document, and name its id.",
        )
    return checked, written
