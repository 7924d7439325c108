"""Schedules: made, changed and deleted by editors. `schedule_lists` reads them."""

from dataclasses import replace
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.access import Role, Viewer
from weft.domain.errors import Conflict, LimitExceeded, NotFound
from weft.domain.ids import UUID, new_id
from weft.domain.schedule import Overlap, Schedule
from weft.domain.trigger import FiringOutcome
from weft.operations.schedule_checks import ScheduleSettings, check_settings, check_start
from weft.operations.services import Services
from weft.storage import audit, schedule_slots, schedules, workflows

MOST_OF_WORKFLOW = 100

_OF_THE_START = frozenset({"selection", "input", "parameters"})
_OF_THE_TIME = frozenset({"cron_expression", "timezone", "enabled"})


async def create_schedule(
    services: Services, viewer: Viewer, workflow_id: UUID, settings: ScheduleSettings
) -> Schedule:
    viewer.need(Role.EDITOR)
    now, schedule_id = services.clock(), new_id()
    first = check_settings(settings, now)
    async with services.database.transaction() as connection:
        await _hold_workflow(connection, viewer, workflow_id)
        await check_start(services, connection, viewer, workflow_id, settings)
        values = {
            **settings.columns(),
            "id": schedule_id,
            "workspace_id": viewer.workspace_id,
            "workflow_id": workflow_id,
            "next_at": first if settings.enabled else None,
            "created_by": viewer.key_name,
            "created_at": now,
            "updated_at": now,
        }
        made = await schedules.add(connection, values)
        details = {"name": made.name, "workflow": str(workflow_id)}
        await audit.record(connection, viewer, "schedule.created", schedule_id, details)
    return made


async def update_schedule(
    services: Services,
    viewer: Viewer,
    schedule_id: UUID,
    changes: dict[str, Any],
    *,
    expected_revision: int | None = None,
) -> Schedule:
    """Sets the given fields of `ScheduleSettings`; with `expected_revision` refused when somebody else changed it meanwhile.

    A changed time counts from now, and so does enabling. Disabled, or with another overlap than QUEUE, it gives up the runs
    that wait.
    """
    viewer.need(Role.EDITOR)
    async with services.database.transaction() as connection:
        current = await _locked(connection, viewer, schedule_id)
        if expected_revision not in {None, current.revision}:
            raise Conflict(
                f"The schedule is at revision {current.revision} by now.",
                path=("expectedRevision",),
                hint="Read it again and apply your change to what it is now.",
            )
        before = ScheduleSettings.of(current)
        settings = replace(before, **changes)
        now = services.clock()
        first = check_settings(settings, now)
        if changes.keys() & _OF_THE_START:
            await check_start(services, connection, viewer, current.workflow_id, settings)
        values = {**settings.columns(), "updated_at": now}
        if any(getattr(settings, name) != getattr(before, name) for name in _OF_THE_TIME):
            values["next_at"] = first if settings.enabled else None
        if current.queue and not (settings.enabled and settings.overlap is Overlap.QUEUE):
            reason = "The schedule no longer queues runs." if settings.enabled else "The schedule was disabled."
            values |= await _give_up_queue(connection, current, reason)
        changed = await schedules.change(connection, viewer.workspace_id, schedule_id, values)
        details = {"fields": sorted(changes), "revision": changed.revision}
        await audit.record(connection, viewer, "schedule.updated", schedule_id, details)
    return changed


async def delete_schedule(services: Services, viewer: Viewer, schedule_id: UUID) -> None:
    """Its runs and firings stay on record."""
    viewer.need(Role.EDITOR)
    async with services.database.transaction() as connection:
        removed = await _locked(connection, viewer, schedule_id)
        if removed.queue:
            await _give_up_queue(connection, removed, "The schedule was deleted.")
        await schedules.remove(connection, viewer.workspace_id, schedule_id)
        await audit.record(connection, viewer, "schedule.deleted", schedule_id, {"name": removed.name})


async def _give_up_queue(connection: AsyncConnection, schedule: Schedule, reason: str) -> dict[str, Any]:
    """The columns that say so."""
    await schedule_slots.settle(connection, schedule, schedule.queue, FiringOutcome.SKIPPED, reason=reason)
    return {"queue": [], "waits_for": None}


async def _hold_workflow(connection: AsyncConnection, viewer: Viewer, workflow_id: UUID) -> None:
    """It is not deleted, and gets no other schedule, until the end of the transaction."""
    if await workflows.lock(connection, viewer.workspace_id, workflow_id) is None:
        raise NotFound("There is no such workflow in this workspace.", path=("workflowId",))
    count = await schedules.count_of_workflow(connection, viewer.workspace_id, workflow_id)
    if count >= MOST_OF_WORKFLOW:
        raise LimitExceeded(f"The workflow has {count} schedules already.", path=("workflowId",))


async def _locked(connection: AsyncConnection, viewer: Viewer, schedule_id: UUID) -> Schedule:
    found = await schedules.lock(connection, viewer.workspace_id, schedule_id)
    if found is None:
        raise NotFound("There is no such schedule in this workspace.", path=("id",))
    return found
