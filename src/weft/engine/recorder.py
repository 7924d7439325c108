"""The recorder: the only writer of results and counters.

One per run and worker. Executions hand it finished items and ended batches; it writes what has gathered, every
`FLUSH_INTERVAL` or `FLUSH_ITEMS`, at once when a batch ends, and never two flushes of one run at the same time. While
one flush is under way the next one gathers, so a slow database makes flushes larger, not more.

A flush is one transaction (`weft.storage.results`). When it fails for now, it is tried again with the same rows until it
succeeds or the leases are gone; when the connection broke at the commit, a look at the rows tells whether it went
through. When Postgres refuses it for good, it goes on in parts (`salvage`).
"""

import asyncio
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Protocol

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.ids import UUID
from weft.domain.progress import Progress, RunStatus
from weft.engine.context import LogRow
from weft.engine.effects import Effects
from weft.engine.salvage import UnwritableError, salvage
from weft.engine.writes import BatchWrites, Ended, FinishedItem, Flushed, Unfinished, counter_delta, written_by
from weft.kit.backoff import Backoff
from weft.storage import doubt, results
from weft.storage.batches import Lease
from weft.storage.database import DATABASE_IS_AWAY, Database, in_short, is_passing
from weft.storage.progress import newer
from weft.storage.results import Hold

log = structlog.get_logger(__name__)

FLUSH_INTERVAL = timedelta(milliseconds=100)
FLUSH_ITEMS = 1_000
FLUSH_BYTES = 64 * 1024 * 1024
"""Of step results and outputs. Whoever finds so much gathered waits until it is written, before more is made."""


class Execution(Protocol):
    """A batch under way, as the recorder sees it."""

    lease: Lease

    def take_checkpoints(self) -> Unfinished:
        """Of the items that are not finished: what was decided since the last time, if it is worth keeping."""
        ...

    def lost(self) -> None:
        """Somebody else holds the batch now, or the run has ended: nothing of it can be written any more."""
        ...

    def pause(self) -> None:
        """Begin nothing new; give the batch back."""
        ...


class BatchRecord:
    """A batch under way, and what gathered of it since the last flush."""

    __slots__ = ("execution", "settled", "writes")

    def __init__(self, execution: Execution) -> None:
        self.execution = execution
        self.writes = BatchWrites()
        self.settled = asyncio.Event()
        """Set when all of it is stored, or lost. What is still handed in for a batch that was lost goes nowhere."""

    def take(self) -> BatchWrites:
        writes, self.writes = self.writes, BatchWrites()
        return writes


class RunRecorder:
    def __init__(
        self,
        database: Database,
        run_id: UUID,
        workspace_id: UUID,
        steps: int,
        lease: timedelta,
        publish: Callable[[Progress], None],
        effects: Effects | None = None,
    ) -> None:
        """`effects` where there is more to know of the run than whose it is."""
        self._database = database
        self._run_id = run_id
        self._steps = steps
        self._lease = lease
        self._publish = publish
        self._effects = effects or Effects(run_id, workspace_id)
        self._batches: dict[Lease, BatchRecord] = {}
        self._logs: list[LogRow] = []
        self._gathered = 0
        self._gathered_bytes = 0
        self._wanted = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._waiting: list[asyncio.Future[None]] = []

    # What executions say

    def begin(self, execution: Execution) -> BatchRecord:
        batch = BatchRecord(execution)
        self._batches[execution.lease] = batch
        return batch

    def finished(self, batch: BatchRecord, item: FinishedItem) -> None:
        batch.writes.finished.append(item)
        self._gathered += 1
        self._gathered_bytes += len(item.row.steps) + len(item.row.output or b"")
        if self._gathered >= FLUSH_ITEMS or self.is_full or item.stop_reason is not None:
            self._wanted.set()
        self._ensure_running()

    @property
    def is_full(self) -> bool:
        return self._gathered_bytes >= FLUSH_BYTES

    def worth_keeping(self) -> None:
        """An item that is not finished has something that must not be done twice: flush within the interval."""
        self._ensure_running()

    async def ended(self, batch: BatchRecord, ended: Ended) -> None:
        """Returns when all of the batch is stored, or lost."""
        batch.writes.ended = ended
        self._wanted.set()
        self._ensure_running()
        await batch.settled.wait()

    async def flush(self) -> None:
        """Returns when all that has gathered until now is stored, or lost."""
        self._waiting.append(written := asyncio.get_running_loop().create_future())
        self._wanted.set()
        self._ensure_running()
        await written

    def add_log(self, row: LogRow) -> None:
        self._logs.append(row)
        self._ensure_running()

    def forget(self, lease: Lease) -> None:
        """The batch is lost: what gathered of it is dropped."""
        batch = self._batches.pop(lease, None)
        if batch is not None:
            batch.execution.lost()
            batch.settled.set()

    # Writing

    def _ensure_running(self) -> None:
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._flush_until_empty())

    async def _flush_until_empty(self) -> None:
        while True:
            if not self._wanted.is_set():
                try:
                    async with asyncio.timeout(FLUSH_INTERVAL.total_seconds()):
                        await self._wanted.wait()
                except TimeoutError:
                    pass
            self._wanted.clear()
            self._gathered = self._gathered_bytes = 0
            self._gather_checkpoints()
            writes = {lease: batch.take() for lease, batch in self._batches.items() if batch.writes}
            logs, self._logs = self._logs, []
            waiting, self._waiting = self._waiting, []
            if writes or logs:
                await self._flush_all(writes, logs)
            for future in waiting:
                if not future.done():
                    future.set_result(None)
            if not writes and not logs and not self._waiting:
                return

    def _gather_checkpoints(self) -> None:
        for batch in self._batches.values():
            batch.writes.unfinished.add(batch.execution.take_checkpoints())

    async def _flush_all(self, writes: dict[Lease, BatchWrites], logs: list[LogRow]) -> None:
        try:
            self._settle(writes, await self._written(writes, logs))
        except UnwritableError as error:
            log.warning("A flush is refused and goes on in parts", run=str(self._run_id), error=str(error))
            for lease, batch in writes.items():
                await self._salvage(lease, batch)
        except Exception as error:  # noqa: BLE001 - whatever it is, executions must not wait for ever
            self._give_up(writes, error)

    async def _salvage(self, lease: Lease, batch: BatchWrites) -> None:
        try:
            self._settle({lease: batch}, await salvage(self._write_one, lease, batch))
        except Exception as error:  # noqa: BLE001 - the same
            self._give_up([lease], error)

    def _give_up(self, leases: Iterable[Lease], error: Exception) -> None:
        """A fault of our own: what these batches hold is done again when their leases run out."""
        log.error("A flush broke off; its batches are left to their leases", run=str(self._run_id), exc_info=error)
        for lease in list(leases):
            self.forget(lease)

    async def _write_one(self, lease: Lease, batch: BatchWrites) -> Flushed:
        return await self._written({lease: batch}, [])

    async def _written(self, writes: dict[Lease, BatchWrites], logs: list[LogRow]) -> Flushed:
        """Flush, and again for as long as it fails only for now."""
        backoff = Backoff(first=0.05, longest=2.0)
        tried = False
        while True:
            try:
                return await self._flush(writes, logs, look_first=tried)
            except DATABASE_IS_AWAY as error:
                if not is_passing(error):
                    raise UnwritableError(in_short(error)) from error
                tried = True
                log.warning("A flush failed and is tried again", run=str(self._run_id), error=in_short(error))
            await asyncio.sleep(backoff.next())

    async def _flush(self, writes: dict[Lease, BatchWrites], logs: list[LogRow], *, look_first: bool) -> Flushed:
        async with self._database.engine.connect() as connection, connection.begin() as transaction:
            if look_first and (there := await doubt.already_there(connection, self._run_id, written_by(writes))):
                found = await newer(connection, {self._run_id: -1})
                return Flushed(found.get(self._run_id), there)
            held = await results.keep_leases(connection, self._run_id, self._holds(writes))
            kept = [batch for lease, batch in writes.items() if lease in held]
            finished = [item for batch in kept for item in batch.finished]
            await self._write(connection, kept, finished)
            if logs:
                await results.add_logs(connection, logs)
            paid = [part for batch in kept for part in batch.unfinished.paid]
            if not finished and not paid:
                return Flushed(None, held)
            stop_reason = next((item.stop_reason for item in finished if item.stop_reason is not None), None)
            delta = counter_delta(finished, paid, self._steps)
            progress = await results.add_to_counters(connection, self._run_id, delta, stop_reason)
            if progress is None:
                await transaction.rollback()
                return Flushed(None, frozenset(), run_is_over=True)
            return Flushed(progress, held)

    def _holds(self, writes: dict[Lease, BatchWrites]) -> list[Hold]:
        holds: list[Hold] = []
        for lease, batch in writes.items():
            recorded, ended = bool(batch.finished), batch.ended
            if ended is None:
                hold = Hold(lease, done=False, released=False, ready_in=self._lease, recorded=recorded)
            else:
                hold = Hold(lease, ended.done, released=not ended.done, ready_in=ended.ready_in, recorded=recorded)
            holds.append(hold)
        return holds

    async def _write(self, connection: AsyncConnection, kept: list[BatchWrites], finished: list[FinishedItem]) -> None:
        if finished:
            await results.add_items(connection, self._run_id, [item.row for item in finished])
        done = {item.row.ordinal for item in finished}
        # An item may have left a checkpoint for this very flush and finished before it began.
        checkpoints = {
            row.ordinal: row for batch in kept for row in batch.unfinished.checkpoints if row.ordinal not in done
        }
        if checkpoints:
            await results.save_checkpoints(connection, self._run_id, list(checkpoints.values()))
        if stale := [item.row.ordinal for item in finished if item.had_checkpoint]:
            await results.drop_checkpoints(connection, self._run_id, stale)
        await self._effects.take(connection, kept, finished)

    def _settle(self, writes: dict[Lease, BatchWrites], flushed: Flushed) -> None:
        """After the commit: who lost its batch, whose batch is through, and what the run's state asks for."""
        for lease, batch in writes.items():
            if lease not in flushed.held:
                self.forget(lease)
            elif batch.ended is not None and (ended := self._batches.pop(lease, None)) is not None:
                ended.settled.set()
        progress = flushed.progress
        if progress is not None:
            self._publish(progress)
        if flushed.run_is_over or (progress is not None and progress.status.is_terminal):
            for lease in list(self._batches):
                self.forget(lease)
        elif progress is not None and progress.status is RunStatus.PAUSED:
            for batch in list(self._batches.values()):
                batch.execution.pause()
