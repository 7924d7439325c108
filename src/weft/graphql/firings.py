"""Firings: every time that a trigger or a schedule fired, and what came of it."""

from datetime import datetime
from typing import Any, Optional

import strawberry

from weft.domain import events as events_domain
from weft.domain import trigger as domain
from weft.domain import workflow as workflow_domain
from weft.domain.page import Page
from weft.domain.run import Run, TriggerType
from weft.domain.trigger import FiringOutcome
from weft.graphql.context import Info
from weft.graphql.nodes import Node, key_of, lazy, read_key, read_optional_id
from weft.graphql.paging import Connection, read_page
from weft.operations import events, firings, runs, workflows
from weft.operations.firings import FiringList
from weft.storage.firings import FiringFilter


@strawberry.type(description="One time that a trigger or a schedule fired, and what came of it.")
class Firing(Node):
    trigger_type: TriggerType = strawberry.field(description="What kind of thing fired: EVENT, WEBHOOK or SCHEDULE.")
    trigger_name: str = strawberry.field(description="What the trigger or schedule was called then.")
    outcome: FiringOutcome = strawberry.field(description="What came of it.")
    reason: str | None = strawberry.field(description="Why no run was started; null where one was.")
    slot_at: datetime | None = strawberry.field(
        description="The time of the schedule that it was for; null for an event."
    )
    created_at: datetime = strawberry.field(description="When it was looked at.")

    @strawberry.field(
        graphql_type=Optional[lazy("Event", "weft.graphql.events")],  # noqa: UP045 - a lazy type knows no |
        description="The event that it answered; null for a schedule, and where the event is no longer kept.",
    )
    @staticmethod
    async def event(parent: strawberry.Parent[domain.Firing], info: Info) -> events_domain.Event | None:
        return None if parent.event_id is None else await info.context.load(events.load_events, parent.event_id)

    @strawberry.field(
        graphql_type=Optional[lazy("Run", "weft.graphql.runs")],  # noqa: UP045 - a lazy type knows no |
        description="What it started; null where nothing was, and where the run is no longer kept.",
    )
    @staticmethod
    async def run(parent: strawberry.Parent[domain.Firing], info: Info) -> Run | None:
        return None if parent.run_id is None else await info.context.load(runs.get_runs, parent.run_id)

    @strawberry.field(
        graphql_type=Optional[lazy("Workflow", "weft.graphql.workflows")],  # noqa: UP045 - a lazy type knows no |
        description="The workflow that it was for; null where that was deleted.",
    )
    @staticmethod
    async def workflow(parent: strawberry.Parent[domain.Firing], info: Info) -> workflow_domain.Workflow | None:
        return await info.context.load(workflows.load_workflows, parent.workflow_id)

    @classmethod
    async def find(cls, info: Info, key: str) -> domain.Firing | None:
        return await info.context.load(firings.load_firings, read_key(key))


@strawberry.input(description="All that are given must hold.")
class FiringFilterInput:
    workflow_id: strawberry.ID | None = None
    trigger_id: strawberry.ID | None = strawberry.field(
        default=None, description="Only what this trigger or schedule did: its `id`, or the bare UUID in it."
    )
    outcome: list[FiringOutcome] | None = strawberry.field(
        default=None, description="Only what came out in one of these ways."
    )
    trigger_type: TriggerType | None = strawberry.field(
        default=None, description="Only what this kind of thing did: EVENT, WEBHOOK or SCHEDULE."
    )


async def firings_of_workflow(
    parent: strawberry.Parent[workflow_domain.Workflow],
    info: Info,
    first: int = 20,
    after: str | None = None,
    outcome: list[FiringOutcome] | None = None,
) -> Page[domain.Firing]:
    """The field `Workflow.firings`."""
    return await _page_of("workflow_id", parent.id, info, first, after, outcome)


async def firings_of_event(
    parent: strawberry.Parent[events_domain.Event],
    info: Info,
    first: int = 20,
    after: str | None = None,
    outcome: list[FiringOutcome] | None = None,
) -> Page[domain.Firing]:
    """The field `Event.firings`."""
    return await _page_of("event_id", parent.id, info, first, after, outcome)


async def _page_of(
    owner: str, owner_id: Any, info: Info, first: int, after: str | None, outcome: list[FiringOutcome] | None
) -> Page[domain.Firing]:
    wanted = FiringFilter(outcomes=None if outcome is None else tuple(outcome))
    return await info.context.load(
        firings.load_firing_pages, FiringList(owner, owner_id, wanted, read_page(first, after))
    )


@strawberry.type
class FiringQuery:
    @strawberry.field(
        graphql_type=Connection[Firing],
        description="Every time that a trigger or a schedule of the workspace fired, newest first.",
    )
    async def firings(
        self, info: Info, filter: FiringFilterInput | None = None, first: int = 20, after: str | None = None
    ) -> Page[domain.Firing]:
        return await firings.list_firings(
            info.context.services, info.context.viewer, _read_filter(filter), read_page(first, after)
        )


def _read_filter(given: FiringFilterInput | None) -> FiringFilter:
    if given is None:
        return FiringFilter()
    return FiringFilter(
        workflow_id=read_optional_id(given.workflow_id, "Workflow", "filter", "workflowId"),
        trigger_id=None if given.trigger_id is None else read_key(key_of(given.trigger_id, "filter", "triggerId")),
        outcomes=None if given.outcome is None else tuple(given.outcome),
        trigger_type=given.trigger_type,
    )
