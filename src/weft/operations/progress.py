"""Watching how far a run is."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing

from weft.domain.access import Role, Viewer
from weft.domain.errors import NotFound
from weft.domain.ids import UUID
from weft.domain.progress import Progress
from weft.operations.services import Services
from weft.progress.hub import ReadNewer
from weft.storage import progress as stored
from weft.storage.database import Database


def reader_of(database: Database) -> ReadNewer:
    """How a `ProgressFeed` reads what it missed."""

    async def read_newer(known: Mapping[UUID, int]) -> Mapping[UUID, Progress | None]:
        async with database.reading() as connection:
            return await stored.newer(connection, known)

    return read_newer


async def run_progress(services: Services, viewer: Viewer, run_id: UUID) -> Progress:
    viewer.need(Role.VIEWER)
    async with services.database.reading() as connection:
        progress = await stored.of_run(connection, viewer.workspace_id, run_id)
    if progress is None:
        raise NotFound(f"There is no run {run_id} in this workspace.", path=("runId",))
    return progress


async def watch_run(services: Services, viewer: Viewer, run_id: UUID) -> AsyncGenerator[Progress]:
    """The newest state now, newer ones as they come, the terminal one last. Close it when it is left early."""
    return services.progress.watch(await run_progress(services, viewer, run_id))


async def wait_for_end(services: Services, viewer: Viewer, run_id: UUID, timeout: float) -> Progress:  # noqa: ASYNC109 - running out of time is an answer here, not an error
    """The terminal state, or the newest one when it does not come within `timeout` seconds."""
    newest = await run_progress(services, viewer, run_id)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(timeout), aclosing(services.progress.watch(newest)) as states:
            async for state in states:
                newest = state
    return newest
