"""Real runs on a real Postgres, as the counterpart of the model.

Time: leases live by the clock of Postgres, which a test cannot set. A jump of that clock is done the other way round:
`run_batch.ready_at` of every batch moves by as much against it. A tick is an hour, so
that the real seconds of a test never decide anything.
"""

import asyncio
from collections.abc import Coroutine, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import insert, text
from statemachine.broken_commits import breaking
from statemachine.counterpart import Fault
from statemachine.hands import NOW_US, Hands, HeldBatch
from statemachine.reading import read_all
from statemachine.records import LEASE, Ended, Held, Run
from statemachine.views import ClaimView, Seen, WorkerView, records_of
from statemachine.way import Deed

from weft.domain.access import Viewer
from weft.domain.errors import Conflict
from weft.domain.ids import UUID, new_id
from weft.domain.progress import Progress
from weft.domain.run import Selection
from weft.domain.workflow import Workflow
from weft.engine.preparing import Preparation
from weft.engine.recorder import RunRecorder
from weft.operations import runs
from weft.operations.entities import update_entity
from weft.operations.run_retries import RetryRun, retry_run
from weft.operations.run_starts import StartRun, start_run
from weft.operations.services import Services
from weft.storage import batches, loading, tables
from weft.storage.batches import Lease, RunIsFullError

TICK = timedelta(hours=1)
CHANGES = {"pause": runs.pause_run, "resume": runs.resume_run, "cancel": runs.cancel_run}
JUMP = text("UPDATE run_batch SET ready_at = ready_at - :by ::interval")
EMPTY = "TRUNCATE run, run_state, run_batch, run_change, run_item, run_checkpoint, entity CASCADE"


class PostgresRuns:
    def __init__(
        self,
        runner: asyncio.Runner,
        services: Services,
        viewer: Viewer,
        over_entities: Workflow,
        on_input: Workflow,
    ) -> None:
        self._runner = runner
        self._services = services
        self._viewer = viewer
        self._over_entities = over_entities
        self._on_input = on_input
        self._entities: list[UUID] = []
        self._runs: list[UUID] = []
        self._hands: dict[str, Hands] = {}
        self._edits = 0
        self.published: list[Progress] = []

    def _do(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return self._runner.run(asyncio.wait_for(coroutine, 30))

    def at_once(self, first: Coroutine[Any, Any, Any], second: Coroutine[Any, Any, Any], delay: float) -> list[Any]:
        """What each gives. The second begins `delay` seconds behind the first, and does not wait for it."""

        async def later() -> Any:
            await asyncio.sleep(delay)
            return await second

        async def both() -> list[Any]:
            return list(await asyncio.gather(first, later()))

        return self._do(both())

    def empty(self, entities: int, workers: Sequence[str]) -> None:
        """Forget all runs: a history begins."""
        self._entities, self._runs = [new_id() for _ in range(entities)], []
        self._hands = {worker: Hands() for worker in workers}
        self._do(self._empty())

    async def _empty(self) -> None:
        owner = {"workspace_id": self._viewer.workspace_id, "entity_type_id": self._over_entities.entity_type_id}
        rows: list[dict[str, Any]] = [
            {"id": entity_id, "external_id": str(place), "data": {}, **owner}
            for place, entity_id in enumerate(self._entities)
        ]
        async with self._services.database.transaction() as connection:
            await connection.execute(text(EMPTY))
            await connection.execute(insert(tables.entity), rows)

    # Callers

    def start(self, run: Run) -> None:
        workflow, selection = self._on_input, Selection()
        if run.entities is not None:
            workflow, selection = self._over_entities, Selection(ids=tuple(self._entities[at] for at in run.entities))
        wanted = StartRun(workflow.id, selection=selection, priority=run.priority, concurrency=run.concurrency)
        self._runs.append(self._do(start_run(self._services, self._viewer, wanted)).id)

    def retry(self, index: int, *, from_failed_step: bool) -> bool:
        wanted = RetryRun(self._runs[index], from_failed_step=from_failed_step)
        try:
            self._runs.append(self._do(retry_run(self._services, self._viewer, wanted)).id)
        except Conflict:
            return False
        return True

    def change(self, index: int, verb: str) -> bool:
        return self._do(self.changing(index, verb))

    async def changing(self, index: int, verb: str) -> bool:
        try:
            await CHANGES[verb](self._services, self._viewer, self._runs[index])
        except Conflict:
            return False
        return True

    def edit(self, entity: int) -> None:
        self._edits += 1
        self._do(update_entity(self._services, self._viewer, self._entities[entity], {"edit": self._edits}))

    def jump(self, ticks: int) -> None:
        self._do(self._jump(ticks))

    async def _jump(self, ticks: int) -> None:
        async with self._services.database.transaction() as connection:
            await connection.execute(JUMP, {"by": ticks * TICK})

    # Workers

    def claim(self, worker: str) -> ClaimView | None:
        return self._do(self.claiming(worker))

    async def claiming(self, worker: str) -> ClaimView | None:
        hands, database = self._hands[worker], self._services.database
        async with database.engine.connect() as connection:
            try:
                batch = next(iter(await batches.claim(connection, worker, LEASE * TICK, [])), None)
            except RunIsFullError:
                batch = None
            await (connection.commit() if batch is not None else connection.rollback())
        if batch is None:
            return None
        async with database.reading() as connection:
            facts = await loading.run_facts(connection, batch.lease.run_id)
            loaded = await loading.load_items(connection, batch, facts)
        plan = self._services.plans.get(facts.version_id, facts.definition, facts.entity_schema)
        if facts.run_id not in hands.recorders:
            hands.recorders[facts.run_id] = RunRecorder(
                database, facts.run_id, facts.workspace_id, len(plan.steps), LEASE * TICK, self.published.append
            )
        preparation = Preparation(plan, facts)
        ways = {item.ordinal: preparation.way(item, preparation.values(item), NOW_US) for item in loaded}
        hands.take(HeldBatch(batch.lease, plan, ways))
        items = {way.ordinal: (way.entity_version, records_of(way.recorded())) for way in ways.values()}
        return ClaimView(*self._lease(batch.lease), items)

    def renew(self, worker: str) -> dict[tuple[int, int, int], bool]:
        return self._do(self._renew(self._hands[worker]))

    async def _renew(self, hands: Hands) -> dict[tuple[int, int, int], bool]:
        async with self._services.database.transaction() as connection:
            still = await batches.renew(connection, list(hands.held), LEASE * TICK)
        for lease, is_paused in still.items():
            if is_paused:
                hands.held[lease].pause()
        hands.forget([lease for lease in hands.held if lease not in still])
        return {self._lease(lease): is_paused for lease, is_paused in still.items()}

    def answer(self, worker: str, held: Held, ordinal: int, deed: Deed, output: int) -> None:
        self._hands[worker].held[self._real(held.lease)].answer(ordinal, deed, output)

    def flush(self, worker: str, index: int, ended: Ended | None, fault: Fault | None) -> None:
        with breaking(self._services.database.engine, fault):
            self._do(self.flushing(worker, index, ended))

    async def flushing(self, worker: str, index: int, ended: Ended | None) -> None:
        lease = None if ended is None else self._real(ended.lease)
        ready_in = timedelta() if ended is None else ended.ready_in * TICK
        await self._hands[worker].flush(self._runs[index], lease, ready_in)

    def crash(self, worker: str) -> None:
        self._hands[worker] = Hands()

    def _lease(self, lease: Lease) -> tuple[int, int, int]:
        return self._runs.index(lease.run_id), lease.number, lease.token

    def _real(self, lease: tuple[int, int, int]) -> Lease:
        return Lease(self._runs[lease[0]], lease[1], lease[2])

    # What can be seen

    def see(self) -> Seen:
        return self._do(read_all(self._services, self._viewer, self._runs, self._entities))

    def forget(self, worker: str, lease: tuple[int, int, int]) -> None:
        """The worker learns that it is lost."""
        hands = self._hands[worker]
        hands.forget([held for held in hands.held if self._lease(held) == lease])

    def worker_view(self, worker: str) -> WorkerView:
        held = self._hands[worker].held.values()
        return WorkerView({self._lease(batch.lease): batch.told_to_pause for batch in held})
