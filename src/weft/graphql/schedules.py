"""Schedules: workflows that start by themselves at times of the clock."""

from datetime import datetime
from typing import Annotated, Any

import strawberry
from strawberry.scalars import JSON

from weft.domain import run, trigger
from weft.domain import schedule as domain
from weft.domain.page import Page
from weft.domain.run import Selection, TriggerType
from weft.domain.schedule import CatchUp, Overlap
from weft.domain.workflow import Workflow
from weft.graphql.context import Info
from weft.graphql.firings import Firing
from weft.graphql.nodes import Node, encode_id, lazy, read_id, read_key, read_optional_id
from weft.graphql.paging import Connection, read_page
from weft.operations import firings, schedule_lists, workflows
from weft.operations.firings import FiringList
from weft.operations.schedule_lists import OwnedList, Times
from weft.storage.firings import FiringFilter
from weft.storage.schedules import ScheduleFilter
from weft.storage.selections import filter_as_json

EXPRESSION = (
    "Five fields: minute, hour, day of month, month, day of week (`30 9 * * 1-5`), or `@hourly`, `@daily`, `@weekly`, "
    "`@monthly`, `@yearly`. Where clocks change, the rules are those of Debian's cron: a fixed time that the clock jumps "
    "over is due right behind the gap, one that comes twice is due once; what runs every some minutes or hours follows the clock."
)
ZONE = "By its name in the IANA database, such as Europe/Berlin."


@strawberry.type(description="Which entities: exactly one of these.")
class EntitySelection:
    """A view over `domain.run.Selection`."""

    all: bool = strawberry.field(
        description="Whether it is every entity of the type; `ids` and `filter` are null then."
    )

    @strawberry.field(description="Those that were named; null for another choice.")
    @staticmethod
    def ids(parent: strawberry.Parent[Selection]) -> list[strawberry.ID] | None:
        return None if parent.ids is None else [encode_id("Entity", one) for one in parent.ids]

    @strawberry.field(description="In the form of an `EntityFilterInput`; null for another choice.")
    @staticmethod
    def filter(parent: strawberry.Parent[Selection]) -> JSON | None:
        return None if parent.filter is None else JSON(filter_as_json(parent.filter))


@strawberry.type(description="When a workflow is run by itself, and over what.")
class Schedule(Node):
    name: str = strawberry.field(
        description="1 to 200 characters, for people; by default the expression with its zone."
    )
    cron_expression: str = strawberry.field(
        description="When it is due, as it was written: five fields, or a word such as `@daily`."
    )
    timezone: str = strawberry.field(description=ZONE)
    input: JSON | None = strawberry.field(
        description="What each run gets as its input; null for a workflow over entities."
    )
    parameters: JSON = strawberry.field(description="An object: what the definition reads as `params`, in every run.")
    overlap: Overlap = strawberry.field(
        description="What becomes of a time that comes while a run of it goes on still."
    )
    catch_up: CatchUp = strawberry.field(description="What becomes of times that passed while no worker was there.")
    enabled: bool = strawberry.field(description="Whether it is due at all: it starts nothing while this is false.")
    last_run_at: datetime | None = strawberry.field(description="When it last started a run; null before the first.")
    revision: int = strawberry.field(description="Rises with every change.")
    created_by: str = strawberry.field(description="The name of the API key that made it.")
    created_at: datetime
    updated_at: datetime

    @strawberry.field(description="When it is due next; null while it is disabled.")
    @staticmethod
    def next_run_at(parent: strawberry.Parent[domain.Schedule]) -> datetime | None:
        return parent.next_at

    @strawberry.field(
        graphql_type=EntitySelection | None,
        description="What each run is over, chosen anew at each time; null for a workflow that runs on its input alone.",
    )
    @staticmethod
    def entities(parent: strawberry.Parent[domain.Schedule]) -> Selection | None:
        return None if parent.selection.is_empty else parent.selection

    @strawberry.field(graphql_type=lazy("Workflow", "weft.graphql.workflows"), description="What it starts.")
    @staticmethod
    async def workflow(parent: strawberry.Parent[domain.Schedule], info: Info) -> Workflow | None:
        return await info.context.load(workflows.load_workflows, parent.workflow_id)

    @strawberry.field(description="When it is due next, or would be if it were enabled. `count` is 1 to 100.")
    @staticmethod
    async def next_runs(parent: strawberry.Parent[domain.Schedule], info: Info, count: int = 5) -> list[datetime]:
        return await _next_runs(info, Times(parent.cron_expression, parent.timezone, count))

    @strawberry.field(
        graphql_type=Connection[Firing], description="Each time that it was due, and what came of it; newest first."
    )
    @staticmethod
    async def firings(
        parent: strawberry.Parent[domain.Schedule], info: Info, first: int = 20, after: str | None = None
    ) -> Page[trigger.Firing]:
        wanted = FiringList("trigger_id", parent.id, FiringFilter(), read_page(first, after))
        return await info.context.load(firings.load_firing_pages, wanted)

    @strawberry.field(
        graphql_type=Connection[lazy("Run", "weft.graphql.runs")],
        description="What it started, newest first. Runs that try such a run again are not among them.",
    )
    @staticmethod
    async def runs(
        parent: strawberry.Parent[domain.Schedule], info: Info, first: int = 20, after: str | None = None
    ) -> Page[run.Run]:
        return await info.context.load(schedule_lists.load_run_pages, OwnedList(parent.id, read_page(first, after)))

    @classmethod
    async def find(cls, info: Info, key: str) -> domain.Schedule | None:
        return await info.context.load(schedule_lists.load_schedules, read_key(key))


async def _next_runs(info: Info, asked: Times) -> list[datetime]:
    found: Any = await info.context.load(schedule_lists.load_times, asked)
    return found


async def schedules_of_workflow(
    parent: strawberry.Parent[Workflow], info: Info, first: int = 20, after: str | None = None
) -> Page[domain.Schedule]:
    """The field `Workflow.schedules`."""
    return await info.context.load(schedule_lists.load_schedule_pages, OwnedList(parent.id, read_page(first, after)))


async def schedule_of_run(parent: strawberry.Parent[run.Run], info: Info) -> domain.Schedule | None:
    """The field `RunTrigger.schedule`."""
    if parent.trigger_type is not TriggerType.SCHEDULE or parent.trigger_id is None:
        return None
    return await info.context.load(schedule_lists.load_schedules, parent.trigger_id)


@strawberry.input(description="All that are given must hold.")
class ScheduleFilterInput:
    workflow_id: strawberry.ID | None = None
    enabled: bool | None = strawberry.field(
        default=None, description="Only those that are enabled, or only those that are not."
    )


@strawberry.type
class ScheduleQuery:
    @strawberry.field(graphql_type=Schedule | None, description="A schedule; null when there is none with this id.")
    async def schedule(self, info: Info, id: strawberry.ID) -> domain.Schedule | None:
        return await info.context.load(schedule_lists.load_schedules, read_id(id, "Schedule", "id"))

    @strawberry.field(graphql_type=Connection[Schedule], description="Schedules of the workspace, newest first.")
    async def schedules(
        self, info: Info, first: int = 20, after: str | None = None, filter: ScheduleFilterInput | None = None
    ) -> Page[domain.Schedule]:
        given = filter or ScheduleFilterInput()
        workflow_id = read_optional_id(given.workflow_id, "Workflow", "filter", "workflowId")
        return await schedule_lists.list_schedules(
            info.context.services,
            info.context.viewer,
            ScheduleFilter(workflow_id, given.enabled),
            read_page(first, after),
        )

    @strawberry.field(
        description="When an expression would be due next in a time zone, before anything is saved. `count` is 1 to 100."
    )
    async def next_runs(
        self,
        info: Info,
        cron_expression: Annotated[str, strawberry.argument(description=EXPRESSION)],
        timezone: Annotated[str, strawberry.argument(description=ZONE)] = "UTC",
        count: int = 5,
    ) -> list[datetime]:
        return await _next_runs(info, Times(cron_expression, timezone, count))
