"""Triggers that listen to events, and the events that there are."""

from datetime import datetime
from typing import Optional

import strawberry
from strawberry.scalars import JSON

from weft.domain import event_types, workflow
from weft.domain.run import TriggerType
from weft.domain.trigger import Trigger
from weft.graphql.context import Info
from weft.graphql.nodes import Node, encode_id, lazy, read_key
from weft.operations import event_triggers, workflows


@strawberry.type(description="Which events start a workflow: an entry of `triggers` of its definition.")
class EventTrigger(Node):
    """A view over `domain.trigger.Trigger`, of the type EVENT."""

    name: str = strawberry.field(description="What people call it; that of the event, where it was given none.")
    event: str = strawberry.field(description="The name of the events that it listens to.")
    filter: JSON = strawberry.field(
        description="By field of the payload: the value it has to have, or a list of those it may have. All have to hold."
    )
    condition: str | None = strawberry.field(
        description="CEL over `payload` and `event`, true for events that it is for."
    )
    input: JSON | None = strawberry.field(description="CEL by name that make the run's input; null for the payload.")
    parameters: JSON | None = strawberry.field(description="CEL by name that make the run's parameters.")
    enabled: bool = strawberry.field(
        description="Whether events start runs by it: nothing is started while this is false."
    )
    created_at: datetime
    updated_at: datetime

    @strawberry.field(description="Opaque, and unique over all types.")
    @staticmethod
    def id(parent: strawberry.Parent[Trigger]) -> strawberry.ID:
        return encode_id("EventTrigger", parent.id)

    @strawberry.field(
        graphql_type=Optional[lazy("Workflow", "weft.graphql.workflows")],  # noqa: UP045 - a lazy type knows no |
        description="What it starts; null when that was deleted meanwhile.",
    )
    @staticmethod
    async def workflow(parent: strawberry.Parent[Trigger], info: Info) -> workflow.Workflow | None:
        return await info.context.load(workflows.load_workflows, parent.workflow_id)

    @classmethod
    def is_type_of(cls, value: object, _info: object) -> bool:
        return isinstance(value, Trigger) and value.type is TriggerType.EVENT

    @classmethod
    async def find(cls, info: Info, key: str) -> Trigger | None:
        return await info.context.load(event_triggers.load_triggers, read_key(key))


@strawberry.type(description="An event that Weft writes, or whose name it knows.")
class EventType:
    """A view over `domain.event_types.EventType`."""

    name: str = strawberry.field(description="What `event` of a trigger names, such as `document.uploaded`.")
    description: str = strawberry.field(description="When it happens.")
    payload_schema: JSON | None = strawberry.field(
        description="JSON Schema of the payload; null where whoever emits the event decides."
    )


@strawberry.type
class TriggerQuery:
    @strawberry.field(
        graphql_type=list[EventType],
        description="The events that triggers can listen to, besides those with names of your own.",
    )
    def event_types(self, info: Info) -> list[event_types.EventType]:
        return event_triggers.list_event_types(info.context.viewer)
