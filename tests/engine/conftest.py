"""An engine in the test's own process, over real Postgres and Valkey."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from engine.model_steps import MODEL_TYPES
from engine.step_types import TEST_TYPES, Gate
from sqlalchemy import insert, text

from weft.domain.access import Viewer
from weft.domain.catalogue import Catalogue
from weft.domain.ids import UUID, new_id
from weft.domain.progress import Progress
from weft.domain.run import Run, Selection
from weft.domain.workflow import Workflow
from weft.engine.attempt import Attempts
from weft.engine.dispatcher import Dispatcher
from weft.engine.microbatch import MicroBatches
from weft.engine.plans import PlanCache
from weft.engine.sandbox.isolation import Isolation
from weft.operations import runs
from weft.operations.run_starts import StartRun, start_run
from weft.operations.services import Services
from weft.operations.workflows import NewWorkflow, create_workflow
from weft.steps import discover
from weft.storage import tables

MOVIES_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"title": {"type": "string"}, "year": {"type": "integer"}, "gross": {"type": "number"}},
    "required": ["title"],
    "additionalProperties": False,
}


class Published:
    """Every progress that was published, in order."""

    def __init__(self) -> None:
        self.all: list[Progress] = []

    def publish(self, progress: Progress) -> None:
        self.all.append(progress)


@pytest.fixture
def published() -> Published:
    return Published()


@pytest.fixture
def catalogue() -> Catalogue:
    return Catalogue([*discover(), *TEST_TYPES, *MODEL_TYPES])


@dataclass(frozen=True)
class Bench:
    """Makes workers and runs for a test."""

    services: Services
    viewer: Viewer
    published: Published
    new_worker: Callable[..., Dispatcher]

    async def workflow(self, *steps: dict[str, Any], entity_type: UUID | None = None, **definition: Any) -> Workflow:
        return await create_workflow(
            self.services,
            self.viewer,
            NewWorkflow("test", {"steps": list(steps), **definition}, entity_type_id=entity_type),
        )

    async def movies(self, count: int, **data: Any) -> UUID:
        """An entity type with `count` entities: title "Movie n", year 2000 + n."""
        type_id = new_id()
        owner = {"workspace_id": self.viewer.workspace_id}
        async with self.services.database.transaction() as connection:
            await connection.execute(
                insert(tables.entity_type).values(id=type_id, name=f"movie {type_id}", schema=MOVIES_SCHEMA, **owner)
            )
            rows = [
                {
                    "id": new_id(),
                    "entity_type_id": type_id,
                    "external_id": f"m{number}",
                    "data": {"title": f"Movie {number}", "year": 2000 + number, **data},
                    **owner,
                }
                for number in range(count)
            ]
            if rows:
                await connection.execute(insert(tables.entity), rows)
        return type_id

    async def start(self, workflow: Workflow, **options: Any) -> Run:
        if workflow.entity_type_id is not None:
            options.setdefault("selection", Selection(all=True))
        return await start_run(self.services, self.viewer, StartRun(workflow.id, **options))

    async def finish(self, run: Run, *workers: Dispatcher, within: float = 20.0) -> Progress:
        """The terminal progress, with these workers (or one of its own) at work."""
        working = [asyncio.create_task(worker.run()) for worker in workers or (self.new_worker(),)]
        try:
            return await self.until(run, lambda progress: progress.status.is_terminal, within=within)
        finally:
            for worker in workers:
                await worker.stop()
            for task in working:
                task.cancel()
            await asyncio.gather(*working, return_exceptions=True)

    async def until(self, run: Run, holds: Callable[[Progress], bool], within: float = 20.0) -> Progress:
        async with asyncio.timeout(within):
            while True:
                found = await runs.get_run(self.services, self.viewer, run.id)
                assert found is not None
                if holds(found.progress):
                    return found.progress
                await asyncio.sleep(0.01)

    async def rows(self, query: str, **values: Any) -> list[Any]:
        async with self.services.database.reading() as connection:
            return list((await connection.execute(text(query), values)).mappings())

    async def items(self, run: Run) -> list[Any]:
        return await self.rows("SELECT * FROM run_item WHERE run_id = :id ORDER BY ordinal", id=run.id)


@pytest.fixture
async def bench(services: Services, viewer: Viewer, published: Published, catalogue: Catalogue) -> AsyncIterator[Bench]:
    closing: list[Callable[[], Awaitable[None]]] = []
    isolation = Isolation("weft.steps:discover")
    services = replace(services, catalogue=catalogue, plans=PlanCache(catalogue))

    def new_worker(name: str = "worker", lease: timedelta = timedelta(seconds=10)) -> Dispatcher:
        worker = Dispatcher(
            database=services.database,
            plans=services.plans,
            attempts=Attempts(MicroBatches(), isolation),
            world=services.world,
            publisher=published,
            holder=name,
            lease=lease,
        )
        closing.append(worker.stop)
        return worker

    yield Bench(services, viewer, published, new_worker)
    Gate.opened.set()
    for close in closing:
        await close()
    await isolation.close()
