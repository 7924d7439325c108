"""The runs of a workflow, or of the workspace, as they start, go on and end.

All watchers of the same workflow, or of the workspace, share what looks for them (`run_source`): a statement a second, however many
they are. Starts and ends are told sooner, where Redis hints at them. Each watcher has what it was not told yet, one entry for each run,
so that a run's changes are one when it takes them slowly; and its filter.
"""

import asyncio
from collections.abc import AsyncGenerator, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice

from weft.domain.access import Role, Viewer
from weft.domain.errors import LimitExceeded, NotFound
from weft.domain.ids import UUID
from weft.domain.run import Run
from weft.operations import run_source
from weft.operations.run_source import RunSource
from weft.operations.services import Services
from weft.operations.workflows import load_workflows
from weft.storage.new_runs import RunScope
from weft.storage.outage import outage
from weft.storage.run_lists import RunFilter

WATCH_SECONDS = 1.0
MOST_UNTOLD = 100_000
"""Runs that have changed and that a watcher was not told of: some megabytes. One that takes them this slowly sees nothing live."""
RETRY_SECONDS = 1.0


class RunChangeKind(StrEnum):
    """What a watcher of runs is told of a run.

    STARTED: The run has been made, and may have begun already.
    PROGRESS: It has changed, however often, since it was told last; or it was under way when the watching began.
    ENDED: It is over, and nothing more comes of it.
    """

    STARTED = "STARTED"
    PROGRESS = "PROGRESS"
    ENDED = "ENDED"


@dataclass(frozen=True, slots=True)
class RunChange:
    kind: RunChangeKind
    run: Run


async def watch_runs(services: Services, viewer: Viewer, wanted: RunFilter) -> AsyncGenerator[RunChange]:
    """First the runs that are under way; from then on every start and every end, each once, of runs that are as wanted at that
    moment. Never ends by itself; an outage of Postgres only delays it.
    """
    viewer.need(Role.VIEWER)
    if (workflow_id := wanted.workflow_id) is not None:
        (workflow,) = await load_workflows(services, viewer, [workflow_id])
        if workflow is None:
            raise NotFound(f"There is no workflow {workflow_id} in this workspace.", path=("workflowId",))
    return _changes(services, RunScope(viewer.workspace_id, workflow_id), wanted)


async def _changes(services: Services, scope: RunScope, wanted: RunFilter) -> AsyncGenerator[RunChange]:
    with services.sources.joined(scope, lambda: RunSource(services, scope, WATCH_SECONDS)) as source:
        watcher = _Watcher(source)
        source.join(watcher)
        try:
            while True:
                run, is_new = await watcher.next()
                if takes(wanted, run):
                    for kind in _kinds(run, is_new=is_new):
                        yield RunChange(kind, run)
        finally:
            source.leave(watcher)


class _Watcher:
    def __init__(self, source: RunSource) -> None:
        self._source = source
        self._untold: dict[UUID, bool] = {}
        """Whether each is new, in the order in which they have to be told."""
        self._most = MOST_UNTOLD
        self._told = asyncio.Event()
        self._error: Exception | None = None

    def begin(self, run_ids: Sequence[UUID]) -> None:
        self._untold = dict.fromkeys(run_ids, False)
        self._most += len(self._untold)
        self._told.set()

    def news(self, run_id: UUID, *, is_new: bool) -> None:
        if run_id not in self._untold and len(self._untold) >= self._most:
            self.fail(
                LimitExceeded("More has happened than was taken from this subscription.", hint="Subscribe again.")
            )
            return
        self._untold[run_id] = is_new or self._untold.get(run_id, False)
        self._told.set()

    def fail(self, error: Exception) -> None:
        self._error = error
        self._untold.clear()
        self._told.set()

    async def next(self) -> tuple[Run, bool]:
        """The newest state of the run that has waited for longest, and whether it is a new one."""
        while True:
            if self._error is not None:
                raise self._error
            if not self._untold:
                self._told.clear()
                await self._told.wait()
            elif self._source.has_read(run_id := next(iter(self._untold))):
                is_new = self._untold.pop(run_id)
                if (run := self._source.newest(run_id)) is not None:  # else it was deleted meanwhile
                    return run, is_new
            else:
                await self._read_some()

    async def _read_some(self) -> None:
        unread = (run_id for run_id in self._untold if not self._source.has_read(run_id))
        try:
            await self._source.read(list(islice(unread, run_source.AT_ONCE)))
        except Exception as error:
            if outage(error) is None:
                raise
            await asyncio.sleep(RETRY_SECONDS)


def takes(wanted: RunFilter, run: Run) -> bool:
    """Whether the run, as it is, is among those that the filter lets through; its workflow is one already."""
    return (
        (wanted.statuses is None or run.status in wanted.statuses)
        and (wanted.trigger_type is None or run.trigger_type is wanted.trigger_type)
        and (wanted.created_after is None or run.created_at > wanted.created_after)
        and (wanted.created_before is None or run.created_at < wanted.created_before)
    )


def _kinds(run: Run, *, is_new: bool) -> Iterator[RunChangeKind]:
    if is_new:
        yield RunChangeKind.STARTED
    if run.status.is_terminal:
        yield RunChangeKind.ENDED
    elif not is_new:
        yield RunChangeKind.PROGRESS
