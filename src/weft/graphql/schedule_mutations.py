"""Making, changing and deleting schedules."""

from typing import Any

import strawberry
from strawberry.scalars import JSON

from weft.domain.errors import Invalid
from weft.domain.run import Selection
from weft.domain.schedule import CatchUp, Overlap
from weft.graphql.context import Info
from weft.graphql.entity_inputs import EntitySelectionInput, read_selection
from weft.graphql.mutations import Answer, UserError, mutation
from weft.graphql.nodes import read_id
from weft.graphql.run_mutations import read_parameters
from weft.graphql.schedules import EXPRESSION, ZONE, Schedule
from weft.operations import schedules
from weft.operations.schedule_checks import ScheduleSettings

_ENTITIES = "On which entities, chosen anew at each time; left out for a workflow that runs on its input alone."
_INPUT = "Checked against the workflow's `inputSchema`, when it is saved and when it is due."
_PARAMETERS = "An object, checked against the workflow's `parametersSchema`."
_NAME = "Left out, it is the expression with its zone."


@strawberry.input
class CreateScheduleInput:
    workflow_id: strawberry.ID
    cron_expression: str = strawberry.field(description=EXPRESSION)
    timezone: str = strawberry.field(default="UTC", description=ZONE)
    name: str | None = strawberry.field(default=None, description=_NAME)
    entities: EntitySelectionInput | None = strawberry.field(default=None, description=_ENTITIES)
    input: JSON | None = strawberry.field(default=None, description=_INPUT)
    parameters: JSON | None = strawberry.field(default=None, description=_PARAMETERS)
    overlap: Overlap = strawberry.field(
        default=Overlap.SKIP, description="What becomes of a time that comes while a run of it goes on still."
    )
    catch_up: CatchUp = strawberry.field(
        default=CatchUp.LAST, description="What becomes of times that pass while no worker is there."
    )
    enabled: bool = strawberry.field(default=True, description="False: made, and not due before it is enabled.")

    def read(self) -> ScheduleSettings:
        return ScheduleSettings(
            cron_expression=self.cron_expression,
            timezone=self.timezone,
            name=self.name,
            selection=Selection() if self.entities is None else read_selection(self.entities, "entities"),
            input=self.input,
            parameters=read_parameters(self.parameters),
            overlap=self.overlap,
            catch_up=self.catch_up,
            enabled=self.enabled,
        )


@strawberry.input(
    description="What is left out stays as it is; null takes `name`, `entities`, `input` or `parameters` away. "
    "A changed time counts from now, and so does enabling. Runs that wait are given up when it is disabled, or no longer queues."
)
class UpdateScheduleInput:
    id: strawberry.ID
    cron_expression: str | None = strawberry.field(default=strawberry.UNSET, description=EXPRESSION)
    timezone: str | None = strawberry.field(default=strawberry.UNSET, description=ZONE)
    name: str | None = strawberry.field(default=strawberry.UNSET, description="Null: the expression with its zone.")
    entities: EntitySelectionInput | None = strawberry.field(
        default=strawberry.UNSET,
        description="On which entities, chosen anew at each time; null for a workflow that runs on its input alone.",
    )
    input: JSON | None = strawberry.field(default=strawberry.UNSET, description=_INPUT)
    parameters: JSON | None = strawberry.field(default=strawberry.UNSET, description=_PARAMETERS)
    overlap: Overlap | None = strawberry.UNSET
    catch_up: CatchUp | None = strawberry.UNSET
    enabled: bool | None = strawberry.UNSET
    expected_revision: int | None = strawberry.field(
        default=None, description="Refuse the change when the schedule is at another revision by now."
    )

    def read(self) -> dict[str, Any]:
        """Fields of `ScheduleSettings`."""
        changes: dict[str, Any] = {"name": self.name, "input": self.input}
        if self.entities is not strawberry.UNSET:
            changes["selection"] = Selection() if self.entities is None else read_selection(self.entities, "entities")
        if self.parameters is not strawberry.UNSET:
            changes["parameters"] = read_parameters(self.parameters)
        needed = {
            "cron_expression": self.cron_expression,
            "timezone": self.timezone,
            "overlap": self.overlap,
            "catch_up": self.catch_up,
            "enabled": self.enabled,
        }
        return {name: value for name, value in changes.items() if value is not strawberry.UNSET} | _given(needed)


def _given(needed: dict[str, Any]) -> dict[str, Any]:
    """Those that were said. A schedule cannot be without any of these."""
    for name, value in needed.items():
        if value is None:
            first, *more = name.split("_")
            spelled = first + "".join(map(str.capitalize, more))
            raise Invalid(f"`{spelled}` cannot be null: leave it out to keep it.", path=(spelled,))
    return {name: value for name, value in needed.items() if value is not strawberry.UNSET}


@strawberry.input
class ScheduleIdInput:
    id: strawberry.ID


@strawberry.type
class SchedulePayload:
    schedule: Schedule | None
    errors: list[UserError]


@strawberry.type
class DeleteSchedulePayload:
    deleted_id: strawberry.ID | None
    errors: list[UserError]


@strawberry.type
class ScheduleMutation:
    @mutation(
        SchedulePayload,
        description="Run a workflow by itself at times of the clock, whenever it is ACTIVE and enabled then. For editors.",
    )
    async def create_schedule(self, info: Info, input: CreateScheduleInput) -> Answer:
        workflow_id = read_id(input.workflow_id, "Workflow", "workflowId")
        made = await schedules.create_schedule(info.context.services, info.context.viewer, workflow_id, input.read())
        return Answer(schedule=made)

    @mutation(SchedulePayload, description="Change a schedule, or disable it for a while. For editors.")
    async def update_schedule(self, info: Info, input: UpdateScheduleInput) -> Answer:
        changed = await schedules.update_schedule(
            info.context.services,
            info.context.viewer,
            read_id(input.id, "Schedule", "id"),
            input.read(),
            expected_revision=input.expected_revision,
        )
        return Answer(schedule=changed)

    @mutation(
        DeleteSchedulePayload,
        description="Start nothing by it any more; its runs and firings stay on record. For editors.",
    )
    async def delete_schedule(self, info: Info, input: ScheduleIdInput) -> Answer:
        schedule_id = read_id(input.id, "Schedule", "id")
        await schedules.delete_schedule(info.context.services, info.context.viewer, schedule_id)
        return Answer(deleted_id=input.id)
