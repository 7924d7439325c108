"""Events: what happened in the workspace, and what came of it."""

from datetime import datetime
from typing import Any

import strawberry
from strawberry.scalars import JSON

from weft.domain import events as domain
from weft.domain.page import Page
from weft.graphql.context import Info
from weft.graphql.firings import Firing, firings_of_event
from weft.graphql.mutations import Answer, UserError, mutation
from weft.graphql.nodes import Node, read_id, read_key
from weft.graphql.paging import Connection, read_page
from weft.operations import events
from weft.operations.events import EmitEvent
from weft.storage.event_lists import EventFilter


@strawberry.type(
    description="Something that happened. Those that come in masses (of entities and runs) are kept only where a trigger listens."
)
class Event(Node):
    name: str = strawberry.field(description="What happened, as words joined by dots: `document.uploaded`.")
    payload: JSON = strawberry.field(
        description="A JSON object that says what it happened to; `eventTypes` has the schemas."
    )
    depth: int = strawberry.field(
        description="How many runs lie behind it, each the cause of the next: 0 for what somebody did."
    )
    created_at: datetime = strawberry.field(
        description="When it was stored, which is before anything is started by it."
    )
    handled_at: datetime | None = strawberry.field(
        description="When the triggers that listen had looked at it; null while it waits for that."
    )
    firings: Any = strawberry.field(
        firings_of_event, graphql_type=Connection[Firing], description="What came of it, by workflow."
    )

    @classmethod
    async def find(cls, info: Info, key: str) -> domain.Event | None:
        return await info.context.load(events.load_events, read_key(key))


@strawberry.input(description="All that are given must hold.")
class EventFilterInput:
    name: str | None = strawberry.field(default=None, description="Only events of this name, to the letter.")
    created_after: datetime | None = None


@strawberry.type
class EventQuery:
    @strawberry.field(
        graphql_type=Event | None,
        description="An event; null when there is none with this id, or it is no longer kept.",
    )
    async def event(self, info: Info, id: strawberry.ID) -> domain.Event | None:
        return await info.context.load(events.load_events, read_id(id, "Event", "id"))

    @strawberry.field(graphql_type=Connection[Event], description="Events of the workspace, newest first.")
    async def events(
        self, info: Info, filter: EventFilterInput | None = None, first: int = 20, after: str | None = None
    ) -> Page[domain.Event]:
        wanted = EventFilter() if filter is None else EventFilter(filter.name, filter.created_after)
        return await events.list_events(info.context.services, info.context.viewer, wanted, read_page(first, after))


@strawberry.input
class EmitEventInput:
    name: str = strawberry.field(
        description="A name of your own, words joined by dots such as `order.paid`; or `chat.message`."
    )
    payload: JSON = strawberry.field(description="A JSON object of at most 256 KiB: what triggers filter and map.")
    idempotency_key: str | None = strawberry.field(
        default=None,
        description="The same key with the same input gives the same event; with another input it is refused.",
    )


@strawberry.type
class EmitEventPayload:
    event: Event | None
    errors: list[UserError]


@strawberry.type
class EventMutation:
    @mutation(
        EmitEventPayload,
        description="Tell of something that happened: every workflow with a trigger for it is started once. For runners.",
    )
    async def emit_event(self, info: Info, input: EmitEventInput) -> Answer:
        wanted = EmitEvent(input.name, input.payload, input.idempotency_key)
        return Answer(event=await events.emit_event(info.context.services, info.context.viewer, wanted))
