"""Those who watch runs, and runs that are small."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from engine.conftest import Bench

from weft.domain.ids import UUID, new_id
from weft.domain.run import Run, TriggerType
from weft.domain.trigger import Cause
from weft.domain.workflow import Workflow
from weft.engine.starting import SmallRun, plan_of
from weft.operations.run_source import RunSource
from weft.operations.run_watching import RunChangeKind, watch_runs
from weft.operations.services import Services
from weft.storage.new_runs import RunScope
from weft.storage.run_lists import RunFilter

STARTED, PROGRESS, ENDED = RunChangeKind


class Watcher:
    def __init__(self) -> None:
        self.told: list[tuple[UUID, RunChangeKind, Run]] = []

    def kinds(self, run_id: UUID) -> list[RunChangeKind]:
        """Without how it went on in between."""
        return [kind for told, kind, _ in self.told if told == run_id and kind is not PROGRESS]

    @property
    def ended(self) -> set[UUID]:
        return {run_id for run_id, kind, _ in self.told if kind is ENDED}

    async def until(self, run_ids: set[UUID], kind: RunChangeKind) -> None:
        async with asyncio.timeout(30):
            while not run_ids <= {told for told, one, _ in self.told if one is kind}:
                await asyncio.sleep(0.01)


@asynccontextmanager
async def watching(
    bench: Bench, workflow: Workflow | None = None, *, services: Services | None = None, **wanted: Any
) -> AsyncGenerator[Watcher]:
    """With a first look taken."""
    watcher, services = Watcher(), services or bench.services
    scope = RunScope(bench.viewer.workspace_id, workflow.id if workflow else None)
    changes = await watch_runs(services, bench.viewer, RunFilter(workflow_id=scope.workflow_id, **wanted))
    already = watchers(services, scope)

    async def take() -> None:
        async for change in changes:
            watcher.told.append((change.run.id, change.kind, change.run))

    taking = asyncio.create_task(take())
    try:
        async with asyncio.timeout(30):
            while watchers(services, scope) == already and not taking.done():
                await asyncio.sleep(0.01)
        yield watcher
        assert not taking.done()
    finally:
        taking.cancel()
        await asyncio.gather(taking, return_exceptions=True)


def watchers(services: Services, scope: RunScope) -> int:
    source = services.sources.find(scope)
    return source.watchers if isinstance(source, RunSource) else 0


async def small(workflow: Workflow, bench: Bench) -> SmallRun:
    cause = Cause(TriggerType.EVENT, "a trigger of this test")
    async with bench.services.database.reading() as connection:
        plan = await plan_of(connection, bench.services.plans, workflow)
    return SmallRun(new_id(), workflow, plan, cause, None, None, {})
