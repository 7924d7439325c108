"""The recorder: the only writer of results and counters.

One per run and worker. Executions hand it finished items and ended batches; it writes what has gathered, every
`FLUSH_INTERVAL` or `FLUSH_ITEMS`, at once when a batch ends, and never two flushes of one run at the same time. While
one flush is under way the next one gathers, so a slow database makes flushes larger, not more.

A flush is one transaction (`flushing`), which also takes along what was said for the log of the run (`run_log`). When it
fails for now, it is tried again with the same rows until it succeeds or the leases are gone; when the connection broke at the
commit, a look at the rows tells whether it went through. When Postgres refuses it for good, it goes on in parts (`salvage`).
"""

import asyncio
import time
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Protocol

import structlog

from weft.domain.ids import UUID
from weft.domain.progress import Progress, RunStatus
from weft.engine import words
from weft.engine.effects import Effects
from weft.engine.flushing import Flushing
from weft.engine.run_log import BatchLog, RunLog
from weft.engine.salvage import UnwritableError, salvage
from weft.engine.writes import BatchWrites, Ended, FinishedItem, Flushed, Unfinished
from weft.kit.backoff import Backoff
from weft.storage.batches import Lease
from weft.storage.database import DATABASE_IS_AWAY, Database, in_short, is_passing
from weft.storage.log_lines import NOTHING_SAID, Said

log = structlog.get_logger(__name__)

FLUSH_INTERVAL = timedelta(milliseconds=100)
FLUSH_ITEMS = 1_000
FLUSH_BYTES = 64 * 1024 * 1024
"""Of step results and outputs. Whoever finds so much gathered waits until it is written, before more is made."""
LONG_AWAY_SECONDS = 1.0
"""Then the log of the run says that the database was."""


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

    __slots__ = ("execution", "log", "settled", "writes")

    def __init__(self, execution: Execution, log: BatchLog) -> None:
        self.execution = execution
        self.log = log
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
        self.log = RunLog(self._said_something)
        self._run_id = run_id
        self._flushing = Flushing(database, run_id, steps, lease, effects or Effects(run_id, workspace_id))
        self._publish = publish
        self._batches: dict[Lease, BatchRecord] = {}
        self._gathered = 0
        self._gathered_bytes = 0
        self._wanted = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._waiting: list[asyncio.Future[None]] = []

    # What executions say

    def begin(self, execution: Execution) -> BatchRecord:
        batch = BatchRecord(execution, BatchLog(self.log))
        self._batches[execution.lease] = batch
        return batch

    def finished(self, batch: BatchRecord, item: FinishedItem) -> None:
        batch.writes.finished.append(item)
        if batch.log:
            batch.log.item_ended(item.row.ordinal)
        self._gathered += 1
        self._gathered_bytes += len(item.row.steps) + len(item.row.output or b"")
        if self._gathered >= FLUSH_ITEMS or self.is_full or item.stop_reason is not None:
            self._wanted.set()
        self._ensure_running()

    @property
    def is_full(self) -> bool:
        return self._gathered_bytes >= FLUSH_BYTES or self.log.is_pressing

    def worth_keeping(self) -> None:
        """An item that is not finished has something that must not be done twice: flush within the interval."""
        self._ensure_running()

    async def ended(self, batch: BatchRecord, ended: Ended) -> None:
        """Returns when all of the batch is stored, or lost."""
        batch.log.batch_ended()
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

    def forget(self, lease: Lease) -> None:
        """The batch is lost: what gathered of it is dropped."""
        batch = self._batches.pop(lease, None)
        if batch is not None:
            batch.execution.lost()
            batch.log.batch_ended()
            batch.settled.set()

    def _said_something(self) -> None:
        if self.log.is_much:
            self._wanted.set()
        self._ensure_running()

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
            said = self.log.take()
            waiting, self._waiting = self._waiting, []
            if writes or said:
                await self._flush_all(writes, said)
            for future in waiting:
                if not future.done():
                    future.set_result(None)
            if not writes and not said and not self._waiting:
                return

    def _gather_checkpoints(self) -> None:
        for batch in self._batches.values():
            batch.writes.unfinished.add(batch.execution.take_checkpoints())

    async def _flush_all(self, writes: dict[Lease, BatchWrites], said: Said) -> None:
        try:
            self._settle(writes, await self._written(writes, said))
        except UnwritableError as error:
            log.warning("A flush is refused and goes on in parts", run=str(self._run_id), error=str(error))
            for lease, batch in writes.items():
                await self._salvage(lease, batch)
            await self._salvage_lines(said)
        except Exception as error:  # noqa: BLE001 - whatever it is, executions must not wait for ever
            self._give_up(writes, error)
            self.log.lost(said)

    async def _salvage(self, lease: Lease, batch: BatchWrites) -> None:
        try:
            self._settle({lease: batch}, await salvage(self._write_one, lease, batch))
        except Exception as error:  # noqa: BLE001 - the same
            self._give_up([lease], error)

    async def _salvage_lines(self, said: Said) -> None:
        try:
            if said:
                self._settle({}, await self._written({}, said))
        except Exception as error:
            # They are no results, and nobody waits for them.
            log.exception("Lines of the log of a run are lost", run=str(self._run_id), exc_info=error)
            self.log.lost(said)

    def _give_up(self, leases: Iterable[Lease], error: Exception) -> None:
        """A fault of our own: what these batches hold is done again when their leases run out."""
        log.error("A flush broke off; its batches are left to their leases", run=str(self._run_id), exc_info=error)
        for lease in list(leases):
            self.forget(lease)

    async def _write_one(self, lease: Lease, batch: BatchWrites) -> Flushed:
        return await self._written({lease: batch}, NOTHING_SAID)

    async def _written(self, writes: dict[Lease, BatchWrites], said: Said) -> Flushed:
        """Flush, and again for as long as it fails only for now."""
        backoff = Backoff(first=0.05, longest=2.0)
        tried, began = False, time.monotonic()
        while True:
            try:
                flushed = await self._flushing.flush(writes, said, look_first=tried)
                break
            except DATABASE_IS_AWAY as error:
                if not is_passing(error):
                    raise UnwritableError(in_short(error)) from error
                tried = True
                log.warning("A flush failed and is tried again", run=str(self._run_id), error=in_short(error))
            await asyncio.sleep(backoff.next())
        if tried and (seconds := time.monotonic() - began) >= LONG_AWAY_SECONDS:
            self.log.say(words.database_was_away(seconds))
        return flushed

    def _settle(self, writes: dict[Lease, BatchWrites], flushed: Flushed) -> None:
        """After the commit: who lost its batch, whose batch is through, and what the run's state asks for."""
        for lease, batch in writes.items():
            if lease not in flushed.held:
                self.forget(lease)
            elif batch.ended is not None and (ended := self._batches.pop(lease, None)) is not None:
                ended.settled.set()
        if flushed.room is not None:
            self.log.stored(flushed.room)
        progress = flushed.progress
        if progress is not None:
            self._publish(progress)
        if flushed.run_is_over or (progress is not None and progress.status.is_terminal):
            for lease in list(self._batches):
                self.forget(lease)
        elif progress is not None and progress.status is RunStatus.PAUSED:
            for batch in list(self._batches.values()):
                batch.execution.pause()
