"""The dispatcher: one per worker. It claims batches while it has room, runs them, and keeps their leases.

Which batch comes next is decided by Postgres at the claim. Here it is only decided how much one worker takes at once:
a run that only computes holds a few batches (one computes while others are read and written); a run that waits for others
holds half of the room that the other runs leave, so that some is always left for another run.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta

import structlog

from weft.domain.errors import CallerError
from weft.domain.ids import UUID
from weft.domain.progress import Progress
from weft.engine import words
from weft.engine.attempt import Attempts, Attending
from weft.engine.caching import CachedAttempts, StepCache
from weft.engine.care import Care, needs_care, tries_first
from weft.engine.effects import Effects
from weft.engine.execution import GRACE, BatchExecution
from weft.engine.leases import HeldLeases
from weft.engine.look_around import LOOK_AROUND, LookAround
from weft.engine.outside import World
from weft.engine.outside.telling import TellingModels
from weft.engine.plans import PlanCache
from weft.engine.ports import ProgressPublisher
from weft.engine.preparing import Preparation
from weft.engine.recorder import RunRecorder
from weft.engine.run_here import MOST_BATCHES, RunHere
from weft.engine.run_log import line_of
from weft.storage import batches, loading, log_lines, results
from weft.storage.batches import ClaimedBatch, Lease, RunIsFullError
from weft.storage.database import DATABASE_IS_AWAY, Database, in_short
from weft.storage.log_lines import Said
from weft.storage.results import CounterDelta

log = structlog.get_logger(__name__)

RUNS_REMEMBERED = 64


@dataclass(slots=True)
class Dispatcher:
    database: Database
    plans: PlanCache
    attempts: Attempts
    world: World
    publisher: ProgressPublisher
    holder: str
    """The name of this worker, for people who look into the tables."""
    lease: timedelta
    _runs: dict[UUID, RunHere] = field(default_factory=dict[UUID, RunHere])
    _held: HeldLeases = field(init=False)
    _care: Care = field(init=False)
    _cache: StepCache = field(init=False)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set[asyncio.Task[None]])
    _opening: dict[UUID, int] = field(default_factory=dict[UUID, int])
    """Batches claimed of runs that are not read yet: one at a time, until it is known what the run is like."""
    _looking: LookAround = field(init=False)

    def __post_init__(self) -> None:
        self._looking = LookAround("batches", self.run_once)
        self._held = HeldLeases(self.database, self.lease)
        self._care = Care(self.database, self._held)
        self._cache = StepCache(self.database)

    def wake(self) -> None:
        self._looking.wake()

    async def run(self) -> None:
        """Until `stop`, and what is under way then has ended."""
        keeper = asyncio.create_task(self._held.keep())
        sweeper = asyncio.create_task(self._cache.keep_small())
        try:
            await self._looking.run()
            # Steps may take their time to answer: until then nobody else shall begin them again.
            await self._drain()
        finally:
            keeper.cancel()
            sweeper.cancel()

    async def stop(self) -> None:
        """Begin nothing new, let the steps under way answer, record what there is, give the batches back."""
        self._looking.stop()
        self._held.pause_all()
        await self._drain()

    async def _drain(self) -> None:
        """Wait for the batches under way; not for ever, as the database may be away: their leases run out then."""
        try:
            async with asyncio.timeout(GRACE.total_seconds() + self.lease.total_seconds()):
                while self._tasks:
                    await asyncio.wait(self._tasks)
        except TimeoutError:
            log.warning("Some batches could not be given back; their leases will run out", batches=len(self._tasks))

    async def run_once(self) -> int:
        """Claim as many batches as there is room for; how many it were."""
        if self._held.are_late:
            # What is held comes before what is new, or it would take its own batches from itself.
            await self.keep_leases_once()
        claimed = 0
        lost_races: list[UUID] = []
        while not self._looking.stopping and self._care.alone is None and len(self._tasks) < MOST_BATCHES:
            try:
                found = await self._claim(lost_races)
            except RunIsFullError as error:
                lost_races.append(error.run_id)
                continue
            if not found:
                break
            claimed += len(found)
            for batch in found:
                self._start(batch)
            if found[0].began:
                self.publisher.publish(found[0].progress)
        return claimed

    async def _claim(self, lost_races: list[UUID]) -> list[ClaimedBatch]:
        """The next batches of one run: as many as it has room for here, or one while nothing is known of it."""
        rooms = {run_id: run.room(len(self._tasks)) for run_id, run in self._runs.items()}
        full = [run_id for run_id, room in rooms.items() if not room]
        async with self.database.engine.connect() as connection:
            found = await batches.claim(
                connection, self.holder, self.lease, [*full, *self._opening, *lost_races], rooms
            )
            # Nothing claimed is rolled back: the run may have been paused between the parts of the statement.
            await (connection.commit() if found else connection.rollback())
        return found

    def _start(self, batch: ClaimedBatch) -> None:
        run_id = batch.lease.run_id
        run = self._runs.get(run_id)
        if run is None:
            self._opening[run_id] = 1
        else:
            run.held += 1
        self._held.hold(batch.lease)
        task = asyncio.create_task(self._carry(batch, run))
        self._tasks.add(task)
        task.add_done_callback(self._carried)

    def _carried(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self.wake()

    async def _carry(self, batch: ClaimedBatch, known: RunHere | None) -> None:
        """A claimed batch from its loading to its end."""
        run_id = batch.lease.run_id
        run = known
        try:
            run = known or await self._open(batch)
            if run is not None:
                await self._execute(batch, run)
        except DATABASE_IS_AWAY as error:
            log.warning("A batch could not be carried on and is given back", run=str(run_id), error=in_short(error))
            await self._give_back(batch.lease, LOOK_AROUND)
        except Exception as error:
            log.exception("A batch broke off; its lease will run out", run=str(run_id), exc_info=error)
        finally:
            self._held.drop(batch.lease)
            self._not_alone(batch.lease)
            self._opening.pop(run_id, None)
            if run is not None:
                run.held -= 1
            self._forget_old_runs()

    async def _give_back(self, lease: Lease, pause: timedelta) -> None:
        try:
            async with self.database.transaction() as connection:
                await batches.give_back(connection, lease, pause)
        except DATABASE_IS_AWAY:
            log.warning("A batch could not be given back; its lease will run out", run=str(lease.run_id))

    async def _open(self, batch: ClaimedBatch) -> RunHere | None:
        """Read the run and compile its plan. None when that cannot be: then the run has failed, and says why."""
        run_id = batch.lease.run_id
        async with self.database.reading() as connection:
            facts = await loading.run_facts(connection, run_id)
        try:
            plan = self.plans.get(facts.version_id, facts.definition, facts.entity_schema)
        except CallerError as error:
            await self._fail(batch.progress, f"The workflow cannot be run by this version of Weft: {error}")
            return None
        recorder = RunRecorder(
            self.database,
            run_id,
            facts.workspace_id,
            len(plan.steps),
            self.lease,
            self.publisher.publish,
            Effects(run_id, facts.workspace_id, facts.over_documents, plan.extracting),
        )
        outside = self.world.of(facts.workspace_id)

        def waited(provider: str, wait: timedelta) -> None:
            recorder.log.say(words.waited_for_provider(provider, wait))

        outside = replace(outside, models=TellingModels(outside.models, waited))
        run = RunHere(plan, Preparation(plan, facts), recorder, outside, held=1)
        self._runs[run_id] = run
        self._opening.pop(run_id, None)
        self.wake()
        return run

    async def _execute(self, batch: ClaimedBatch, run: RunHere) -> None:
        lease = batch.lease
        if batch.taken_over:
            run.recorder.log.say((words.carried_with_care if needs_care(batch) else words.taken_over)(batch))
        if (why := await self._care.why_hopeless(batch)) is not None:
            await self._fail(batch.progress, why)
            return
        async with self.database.reading() as connection:
            items = await loading.load_items(connection, batch, run.preparation.facts)
        if tries_first(batch, items) and self._care.alone is None:
            await self._be_alone(lease)
        if self._looking.stopping or self._care.alone not in {None, lease}:
            await self._give_back(lease, timedelta() if self._looking.stopping else LOOK_AROUND)
            return
        attempts: Attending = self.attempts
        if run.plan.caches:
            attempts = CachedAttempts(attempts, self._cache, run.preparation.facts.workspace_id)
        attempts = self._care.attempts_for(batch, attempts, run.recorder.flush, lambda: self._not_alone(lease))
        if lease in self._held:
            execution = BatchExecution(lease, run, items, attempts, lambda: self._held.may_be_lost)
            self._held.hold(lease, execution)
            await execution.run()

    async def _be_alone(self, lease: Lease) -> None:
        """Nothing is claimed any more, and what is under way beside this batch is given back."""
        self._care.alone = lease
        self._held.pause_all(but=lease)
        while others := self._tasks - {asyncio.current_task()}:
            await asyncio.wait(others)

    def _not_alone(self, lease: Lease) -> None:
        if self._care.alone == lease:
            self._care.alone = None
            self.wake()

    async def _fail(self, progress: Progress, reason: str) -> None:
        async with self.database.transaction() as connection:
            said = Said(words=[line_of(None, None, *words.stopped(reason))])
            delta = CounterDelta(len(progress.steps))
            ended = await results.add_to_counters_with_lines(connection, progress.run_id, delta, reason, said)
            if ended is not None:
                await log_lines.add_said(connection, progress.run_id, said, ended[1])
        if ended is not None:
            self.publisher.publish(ended[0])

    def _forget_old_runs(self) -> None:
        for run_id in [run_id for run_id, run in self._runs.items() if not run.held][:-RUNS_REMEMBERED]:
            del self._runs[run_id]

    def keep_leases_aside(self, connect: Callable[[], Database]) -> None:
        """From another thread, while a step keeps this one's loop to itself."""
        self._held.renew_aside(connect)

    async def keep_leases_once(self) -> int:
        """Renew what is held; how many of them were lost."""
        return await self._held.renew()
