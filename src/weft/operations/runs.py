"""Runs: cancelled, paused, resumed, read. They are started by `run_starts` and retried by `run_retries`."""

from collections.abc import Awaitable, Callable, Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.access import Role, Viewer
from weft.domain.errors import Conflict, NotFound
from weft.domain.ids import UUID
from weft.domain.page import Page, PageRequest
from weft.domain.progress import Progress
from weft.domain.run import Run
from weft.operations.services import Services
from weft.storage import audit, run_lists, runs
from weft.storage.run_lists import RunFilter

Change = Callable[[AsyncConnection, UUID, UUID], Awaitable[Progress | None]]


async def cancel_run(services: Services, viewer: Viewer, run_id: UUID) -> Run:
    """End it now: what is finished stays, the rest is cancelled."""
    return await _change(services, viewer, run_id, runs.cancel, "cancelled")


async def pause_run(services: Services, viewer: Viewer, run_id: UUID) -> Run:
    """Begin no further item. Steps under way are let finish and are recorded."""
    return await _change(services, viewer, run_id, runs.pause, "paused")


async def resume_run(services: Services, viewer: Viewer, run_id: UUID) -> Run:
    run = await _change(services, viewer, run_id, runs.resume, "resumed")
    await services.wakeups.wake()
    return run


async def get_run(services: Services, viewer: Viewer, run_id: UUID) -> Run | None:
    return (await get_runs(services, viewer, [run_id]))[0]


async def get_runs(services: Services, viewer: Viewer, run_ids: Sequence[UUID]) -> list[Run | None]:
    """In the order of the ids; None where there is none in the workspace."""
    viewer.need(Role.VIEWER)
    async with services.database.reading() as connection:
        found = await runs.get_many(connection, viewer.workspace_id, run_ids)
    return [found.get(run_id) for run_id in run_ids]


async def list_runs(services: Services, viewer: Viewer, wanted: RunFilter, request: PageRequest) -> Page[Run]:
    viewer.need(Role.VIEWER)
    async with services.database.reading() as connection:
        return await run_lists.page(connection, viewer.workspace_id, wanted, request)


async def _change(services: Services, viewer: Viewer, run_id: UUID, change: Change, done: str) -> Run:
    viewer.need(Role.RUNNER)
    async with services.database.transaction() as connection:
        progress = await change(connection, viewer.workspace_id, run_id)
        run = (await runs.get_many(connection, viewer.workspace_id, [run_id])).get(run_id)
        if run is None:
            raise NotFound(f"There is no run {run_id} in this workspace.", path=("runId",))
        if progress is None:
            already = run.status.lower() == done
            why = f"The run is {done} already." if already else f"The run is {run.status}: it cannot be {done}."
            raise Conflict(why, path=("runId",))
        await audit.record(connection, viewer, f"run.{done}", run_id)
    await services.channel.publish(progress)
    return run
