"""Runs: their state, their items, their logs."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Optional

import strawberry
from strawberry.scalars import JSON

from weft.domain import run as domain
from weft.domain import usage as usages
from weft.domain.entity import EntityType
from weft.domain.events import Event
from weft.domain.page import Page
from weft.domain.progress import RunStatus
from weft.domain.run import ItemStatus, TriggerType
from weft.domain.run_webhook import RunWebhook as RunWebhookFacts
from weft.domain.trigger import Firing
from weft.domain.workflow import Workflow, WorkflowVersion
from weft.engine.step_graph import output_of
from weft.graphql.context import Info
from weft.graphql.deliveries import Delivery, deliveries_of_run
from weft.graphql.items import FailureGroup, Item, in_ms
from weft.graphql.nodes import Node, lazy, read_id, read_key, read_optional_id
from weft.graphql.paging import Connection, read_page
from weft.graphql.progress import RunProgress
from weft.graphql.run_logs import LogLine, logs_of_run
from weft.graphql.run_webhooks import RunWebhook
from weft.graphql.scalars import BigInt
from weft.graphql.schedules import Schedule, schedule_of_run
from weft.graphql.usage import Usage
from weft.graphql.webhook_triggers import WebhookTrigger, webhook_trigger_of_run
from weft.operations import entity_types, events, firings, items, run_lists, run_webhooks, runs, workflows
from weft.operations.firings import StartedBy
from weft.operations.items import FailureList, ItemFilter, ItemList, ItemPlace
from weft.operations.run_lists import RunList
from weft.storage.run_lists import RunFilter


@strawberry.type(description="What started a run.")
class RunTrigger:
    """A view over the run itself."""

    @strawberry.field(description="What kind of thing started it.")
    @staticmethod
    def type(parent: strawberry.Parent[domain.Run]) -> TriggerType:
        return parent.trigger_type

    @strawberry.field(description="The name of what started it: an API key, a trigger, a schedule.")
    @staticmethod
    def by(parent: strawberry.Parent[domain.Run]) -> str:
        return parent.triggered_by

    @strawberry.field(description="What the trigger or schedule was called then; null for a run that somebody started.")
    @staticmethod
    def name(parent: strawberry.Parent[domain.Run]) -> str | None:
        return None if parent.trigger_id is None else parent.triggered_by

    @strawberry.field(description="How many runs lie behind it, each the cause of the next.")
    @staticmethod
    def depth(parent: strawberry.Parent[domain.Run]) -> int:
        return parent.depth

    @strawberry.field(
        graphql_type=Optional[lazy("Event", "weft.graphql.events")],  # noqa: UP045 - a lazy type knows no |
        description="The event that started it; null for other runs, and where it is no longer kept.",
    )
    @staticmethod
    async def event(parent: strawberry.Parent[domain.Run], info: Info) -> Event | None:
        return None if parent.event_id is None else await info.context.load(events.load_events, parent.event_id)

    @strawberry.field(
        graphql_type=Optional[lazy("Firing", "weft.graphql.firings")],  # noqa: UP045 - a lazy type knows no |
        description="The record of the event's trigger; null for other runs, and where it is no longer kept.",
    )
    @staticmethod
    async def firing(parent: strawberry.Parent[domain.Run], info: Info) -> Firing | None:
        if parent.event_id is None:
            return None
        return await info.context.load(firings.load_firings_behind, StartedBy(parent.workflow_id, parent.event_id))

    webhook_trigger: Any = strawberry.field(
        webhook_trigger_of_run,
        graphql_type=WebhookTrigger | None,
        description="The webhook trigger whose call started it; null for other runs, and where it is no more.",
    )
    schedule: Any = strawberry.field(
        schedule_of_run,
        graphql_type=Schedule | None,
        description="The schedule that started it; null for other runs, and where it is no more.",
    )


@strawberry.type(description="One workflow version over a frozen selection of entities, or over the run's own input.")
class Run(Node):
    status: RunStatus = strawberry.field(description="Where it stands; the same as in `progress`.")
    progress: RunProgress = strawberry.field(description="How far it is: exact counters, as of their `revision`.")
    parameters: JSON = strawberry.field(description="An object: what the definition reads as `params`.")
    input: JSON | None = strawberry.field(
        description="What the run was given as its input; null for a run over entities."
    )
    error: str | None = strawberry.field(
        description="Why the run as a whole failed; null where it did not. Items have their own errors."
    )
    priority: int = strawberry.field(
        description="-100 to 100; of runs that are ready, those of a higher one are served first."
    )
    concurrency: int | None = strawberry.field(description="Items under way at once, at most; null for no limit.")
    created_at: datetime

    @strawberry.field(graphql_type=lazy("Workflow", "weft.graphql.workflows"), description="What it is a run of.")
    @staticmethod
    async def workflow(parent: strawberry.Parent[domain.Run], info: Info) -> Workflow | None:
        return await info.context.load(workflows.load_workflows, parent.workflow_id)

    @strawberry.field(
        graphql_type=lazy("WorkflowVersion", "weft.graphql.workflows"),
        description="The definition that it began with and keeps, whatever becomes of the workflow.",
    )
    @staticmethod
    async def version(parent: strawberry.Parent[domain.Run], info: Info) -> WorkflowVersion | None:
        return await info.context.load(workflows.load_versions, parent.version_id)

    @strawberry.field(
        graphql_type=Optional[lazy("EntityType", "weft.graphql.entity_types")],  # noqa: UP045 - a lazy type knows no |
        description="The type of its entities; null for a run on its input alone.",
    )
    @staticmethod
    async def entity_type(parent: strawberry.Parent[domain.Run], info: Info) -> EntityType | None:
        if parent.entity_type_id is None:
            return None
        return await info.context.load(entity_types.load_entity_types, parent.entity_type_id)

    @strawberry.field(
        graphql_type=Optional[lazy("Run", "weft.graphql.runs")],  # noqa: UP045 - a lazy type knows no |
        description="The run whose failed items this one tries again; null for every other.",
    )
    @staticmethod
    async def retry_of(parent: strawberry.Parent[domain.Run], info: Info) -> domain.Run | None:
        return None if parent.retry_of is None else await info.context.load(runs.get_runs, parent.retry_of)

    @strawberry.field(graphql_type=RunTrigger, description="What started it.")
    @staticmethod
    def trigger(parent: strawberry.Parent[domain.Run]) -> domain.Run:
        return parent

    @strawberry.field(description="When its first item was begun; null before.")
    @staticmethod
    def started_at(parent: strawberry.Parent[domain.Run]) -> datetime | None:
        return parent.progress.started_at

    @strawberry.field(description="When it was over; null while it is not.")
    @staticmethod
    def finished_at(parent: strawberry.Parent[domain.Run]) -> datetime | None:
        return parent.progress.finished_at

    @strawberry.field(description="From the start of its first item to its end; null while it is not over.")
    @staticmethod
    def duration_ms(parent: strawberry.Parent[domain.Run]) -> float | None:
        return in_ms(parent.duration)

    @strawberry.field(graphql_type=Usage, description="What calls of models took, for all its items so far.")
    @staticmethod
    def usage(parent: strawberry.Parent[domain.Run]) -> usages.Usage:
        return parent.progress.usage

    @strawberry.field(description="The output of the item of a run of one item; null while it is not completed.")
    @staticmethod
    async def result(parent: strawberry.Parent[domain.Run], info: Info) -> JSON | None:
        if parent.progress.total != 1:
            return None
        item = await info.context.load(items.load_items, ItemPlace(parent.id, 0))
        found = await info.context.load(items.load_graphs, parent.id)
        return None if item is None or found is None else output_of(found.graph, item)

    @strawberry.field(
        graphql_type=Connection[Item],
        description="In the order of the run. `totalCount` is null where the counters do not tell it.",
    )
    @staticmethod
    async def items(
        parent: strawberry.Parent[domain.Run],
        info: Info,
        first: int = 20,
        after: str | None = None,
        status: list[ItemStatus] | None = None,
        entity_id: strawberry.ID | None = None,
    ) -> Page[domain.Item]:
        statuses = None if status is None else frozenset(status)
        wanted = ItemFilter(statuses, read_optional_id(entity_id, "Entity", "entityId"))
        page = info.context.load(items.load_item_pages, ItemList(parent.id, wanted, read_page(first, after)))
        # The graph at the same time: every item of the page shows its steps and output by it.
        found, _ = await asyncio.gather(page, info.context.load(items.load_graphs, parent.id))
        return found

    @strawberry.field(graphql_type=list[FailureGroup], description="Why items failed, most frequent causes first.")
    @staticmethod
    async def failures(
        parent: strawberry.Parent[domain.Run], info: Info, first: int = 20
    ) -> Sequence[domain.FailureGroup]:
        return await info.context.load(items.load_failures, FailureList(parent.id, read_page(first, None).first))

    logs: Any = strawberry.field(
        logs_of_run,
        graphql_type=Connection[LogLine],
        description="What its steps and its workers said, first line first: lines of `level` and above, of the step with the id "
        "`stepId` or of all.",
    )
    log_lines_left_out: BigInt = strawberry.field(
        description="Lines that were said and are not in `logs`, since the run, or an item, may say only so much; nearly always 0."
    )
    deliveries: Any = strawberry.field(
        deliveries_of_run,
        graphql_type=Connection[Delivery],
        description="What its steps sent, and what its webhook is told, newest first.",
    )

    @strawberry.field(graphql_type=RunWebhook | None, description="Who is told how it goes on; null where nobody is.")
    @staticmethod
    async def webhook(parent: strawberry.Parent[domain.Run], info: Info) -> RunWebhookFacts | None:
        return await info.context.load(run_webhooks.load_run_webhooks, parent.id)

    @classmethod
    async def find(cls, info: Info, key: str) -> domain.Run | None:
        return await info.context.load(runs.get_runs, read_key(key))


@strawberry.input(description="All that are given must hold.")
class RunFilterInput:
    workflow_id: strawberry.ID | None = None
    status: list[RunStatus] | None = strawberry.field(
        default=None, description="Only those with one of these statuses."
    )
    trigger_type: TriggerType | None = strawberry.field(
        default=None, description="Only those that this kind of thing started."
    )
    created_after: datetime | None = None
    created_before: datetime | None = None


def read_run_filter(given: RunFilterInput | None) -> RunFilter:
    if given is None:
        return RunFilter()
    return RunFilter(
        workflow_id=read_optional_id(given.workflow_id, "Workflow", "filter", "workflowId"),
        statuses=None if given.status is None else tuple(given.status),
        trigger_type=given.trigger_type,
        created_after=given.created_after,
        created_before=given.created_before,
    )


async def runs_of_workflow(
    parent: strawberry.Parent[Workflow],
    info: Info,
    first: int = 20,
    after: str | None = None,
    filter: RunFilterInput | None = None,
) -> Page[domain.Run]:
    """The field `Workflow.runs`."""
    wanted = RunList(parent.id, read_run_filter(filter), read_page(first, after))
    return await info.context.load(run_lists.load_run_pages, wanted)


@strawberry.type
class RunQuery:
    @strawberry.field(graphql_type=Run | None, description="A run; null when there is none with this id.")
    async def run(self, info: Info, id: strawberry.ID) -> domain.Run | None:
        return await info.context.load(runs.get_runs, read_id(id, "Run", "id"))

    @strawberry.field(graphql_type=Connection[Run], description="Runs of the workspace, newest first.")
    async def runs(
        self,
        info: Info,
        first: int = 20,
        after: str | None = None,
        filter: RunFilterInput | None = None,
    ) -> Page[domain.Run]:
        return await runs.list_runs(
            info.context.services, info.context.viewer, read_run_filter(filter), read_page(first, after)
        )
