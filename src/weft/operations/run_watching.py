"""The runs of a workflow, or of the workspace, as they start, go on and end.

Postgres is asked once a second for each watcher: which runs are new (`weft.storage.new_runs`), and which of those that are under
way have changed. A run's changes within that second are one. What is kept of a watched run is its id and revision.
"""

import asyncio
from collections.abc import AsyncGenerator, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from weft.domain.access import Role, Viewer
from weft.domain.errors import NotFound
from weft.domain.ids import UUID
from weft.domain.run import Run
from weft.operations.runs import get_runs
from weft.operations.services import Services
from weft.operations.workflows import load_workflows
from weft.storage import new_runs
from weft.storage.new_runs import RunScope

WATCH_SECONDS = 1.0
RUNS_AT_ONCE = 500
"""That are read and told before the next ones are read."""


class RunChangeKind(StrEnum):
    STARTED = "STARTED"
    PROGRESS = "PROGRESS"
    ENDED = "ENDED"


@dataclass(frozen=True, slots=True)
class RunChange:
    kind: RunChangeKind
    run: Run


async def watch_runs(services: Services, viewer: Viewer, workflow_id: UUID | None) -> AsyncGenerator[RunChange]:
    """First the runs that are under way; from then on every start and every end, each once. Never ends by itself."""
    viewer.need(Role.VIEWER)
    if workflow_id is not None and (await load_workflows(services, viewer, [workflow_id]))[0] is None:
        raise NotFound(f"There is no workflow {workflow_id} in this workspace.", path=("workflowId",))
    return _Watch(services, viewer, RunScope(viewer.workspace_id, workflow_id)).changes()


class _Watch:
    def __init__(self, services: Services, viewer: Viewer, scope: RunScope) -> None:
        self._services = services
        self._viewer = viewer
        self._scope = scope
        self._under_way: dict[UUID, int] = {}
        """With the revision that was told last."""

    async def changes(self) -> AsyncGenerator[RunChange]:
        async with self._services.database.reading() as connection:
            seen = await new_runs.look(connection, self._scope)
            found = await new_runs.under_way(connection, self._scope)
        self._under_way = dict.fromkeys(found, -1)
        while True:
            async with self._services.database.reading() as connection:
                now = await new_runs.look(connection, self._scope, since=seen.horizon)
                changed = await new_runs.changed(connection, self._under_way)
            fresh, seen = now.runs - seen.runs, now
            wanted = sorted(fresh.union(changed))
            for first in range(0, len(wanted), RUNS_AT_ONCE):
                for run in await self._read(wanted[first : first + RUNS_AT_ONCE]):
                    for kind in _kinds(run, is_new=run.id in fresh):
                        yield RunChange(kind, run)
            await asyncio.sleep(WATCH_SECONDS)

    async def _read(self, run_ids: Sequence[UUID]) -> list[Run]:
        """Those that were deleted meanwhile are left out."""
        found = await get_runs(self._services, self._viewer, run_ids)
        for run_id, run in zip(run_ids, found, strict=True):
            if run is None or run.status.is_terminal:
                self._under_way.pop(run_id, None)
            else:
                self._under_way[run_id] = run.progress.revision
        return [run for run in found if run is not None]


def _kinds(run: Run, *, is_new: bool) -> Iterator[RunChangeKind]:
    if is_new:
        yield RunChangeKind.STARTED
    if run.status.is_terminal:
        yield RunChangeKind.ENDED
    elif not is_new:
        yield RunChangeKind.PROGRESS
