"""What people say of a schedule, checked when it is saved: by its expression, its zone, and the workflow as it is now."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.access import Viewer
from weft.domain.errors import Invalid, NotFound, Problem
from weft.domain.ids import UUID
from weft.domain.run import Selection
from weft.domain.schedule import CatchUp, Overlap, Schedule, default_name
from weft.engine.starting import check_selection, check_values, plan_of
from weft.kit.storable import why_unstorable
from weft.operations.entity_filters import check_filter
from weft.operations.labels import name_of
from weft.operations.run_starts import check_ids
from weft.operations.services import Services
from weft.storage import entity_types, workflows
from weft.storage.selections import selection_as_json
from weft.triggers.schedules.cron import Cron, CronProblemError, read_cron
from weft.triggers.schedules.slots import next_slot
from weft.triggers.schedules.zones import ZoneProblemError, read_zone


@dataclass(frozen=True, slots=True)
class ScheduleSettings:
    """What can be said of a schedule. Paths of problems name the fields as GraphQL does."""

    cron_expression: str
    timezone: str = "UTC"
    name: str | None = None
    """None for one that says the expression and the zone."""
    selection: Selection = field(default_factory=Selection)
    input: Any = None
    parameters: dict[str, Any] = field(default_factory=dict[str, Any])
    overlap: Overlap = Overlap.SKIP
    catch_up: CatchUp = CatchUp.LAST
    """One run after a stop, however long it was: a daily run that fell into a restart is made up for, and there is no flood."""
    enabled: bool = True

    @classmethod
    def of(cls, schedule: Schedule) -> "ScheduleSettings":
        own_name = schedule.name != default_name(schedule.cron_expression, schedule.timezone)
        return cls(
            cron_expression=schedule.cron_expression,
            timezone=schedule.timezone,
            name=schedule.name if own_name else None,
            selection=schedule.selection,
            input=schedule.input,
            parameters=schedule.parameters,
            overlap=schedule.overlap,
            catch_up=schedule.catch_up,
            enabled=schedule.enabled,
        )

    def columns(self) -> dict[str, Any]:
        return {
            "cron_expression": self.cron_expression.strip(),
            "timezone": self.timezone,
            "name": (self.name or default_name(self.cron_expression, self.timezone)).strip(),
            "selection": selection_as_json(self.selection),
            "input": self.input,
            "parameters": self.parameters,
            "overlap": self.overlap,
            "catch_up": self.catch_up,
            "enabled": self.enabled,
        }


def check_settings(settings: ScheduleSettings, now: datetime) -> datetime:
    """The first slot after now. Raises Invalid with all problems of what can be judged without the workflow."""
    problems: list[Problem] = []
    if settings.name is not None:
        name_of(settings.name, problems)
    for name, value in (("input", settings.input), ("parameters", settings.parameters)):
        if why := why_unstorable(value):
            problems.append(Problem(Invalid.code, f"{name} cannot be stored: {why}.", (name,)))
    timing = read_timing(settings.cron_expression, settings.timezone, problems)
    first = None if timing is None else next_slot(*timing, now)
    if timing is not None and first is None:
        message = "It would never be due: within fifty years there is no such time."
        problems.append(Problem(Invalid.code, message, ("cronExpression",)))
    if problems or first is None:
        raise Invalid(problems=problems)
    return first


def read_timing(cron_expression: str, timezone: str, problems: list[Problem]) -> tuple[Cron, ZoneInfo] | None:
    """None where there are problems with it."""
    cron = zone = None
    try:
        cron = read_cron(cron_expression)
    except CronProblemError as error:
        problems.append(Problem(Invalid.code, str(error), ("cronExpression",), error.hint))
    try:
        zone = read_zone(timezone)
    except ZoneProblemError as error:
        problems.append(Problem(Invalid.code, str(error), ("timezone",)))
    return None if cron is None or zone is None else (cron, zone)


async def check_start(
    services: Services, connection: AsyncConnection, viewer: Viewer, workflow_id: UUID, settings: ScheduleSettings
) -> None:
    """Whether it could start the workflow as it is now. Raises a `CallerError`, with the paths of `runWorkflow`."""
    check_ids(services, settings.selection.ids or ())
    workflow = await workflows.get(connection, viewer.workspace_id, workflow_id)
    if workflow is None:
        raise NotFound("There is no such workflow in this workspace.", path=("workflowId",))
    plan = await plan_of(connection, services.plans, workflow)
    await check_selection(connection, workflow, settings.selection)
    if settings.selection.filter is not None and workflow.entity_type_id is not None:
        found = await entity_types.type_by_id(connection, viewer.workspace_id, workflow.entity_type_id)
        check_filter(settings.selection.filter, None if found is None else found.schema, "entities", "filter")
    check_values(plan, workflow, settings.input, settings.parameters)
