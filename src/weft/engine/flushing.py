"""A flush: what has gathered of a run, written in one transaction, with the counters last and the lines of the log behind them.

When it is tried again because the connection broke, it first looks whether the commit went through.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.ids import UUID
from weft.domain.progress import Progress
from weft.engine import words
from weft.engine.effects import Effects
from weft.engine.run_log import line_of
from weft.engine.writes import BatchWrites, FinishedItem, Flushed, counter_delta, written_by
from weft.storage import doubt, log_lines, results
from weft.storage.batches import Lease
from weft.storage.database import Database
from weft.storage.log_lines import Room, Said
from weft.storage.progress import newer
from weft.storage.results import CounterDelta, Hold


@dataclass(frozen=True, slots=True)
class Flushing:
    """Of one run."""

    database: Database
    run_id: UUID
    steps: int
    lease: timedelta
    effects: Effects

    async def flush(self, writes: Mapping[Lease, BatchWrites], said: Said, *, look_first: bool) -> Flushed:
        """`look_first`: the same was tried before, and nobody knows whether it went through."""
        async with self.database.engine.connect() as connection, connection.begin() as transaction:
            if look_first and (through := await self._went_through(connection, writes, said)) is not None:
                return through
            flushed = await self._write_all(connection, writes, said)
            if flushed.run_is_over:
                await transaction.rollback()
        if flushed.run_is_over and said:
            # Not with the rest: nothing of a run that has ended ever changes, but its log may still be told more.
            async with self.database.transaction() as connection:
                flushed = replace(flushed, room=await log_lines.add_late_lines(connection, self.run_id, said))
        return flushed

    async def _went_through(
        self, connection: AsyncConnection, writes: Mapping[Lease, BatchWrites], said: Said
    ) -> Flushed | None:
        there = await doubt.already_there(connection, self.run_id, written_by(writes))
        if not there and not await log_lines.any_stored(connection, said):
            return None
        found = await newer(connection, {self.run_id: -1})
        return Flushed(found.get(self.run_id), there)

    async def _write_all(self, connection: AsyncConnection, writes: Mapping[Lease, BatchWrites], said: Said) -> Flushed:
        held = await results.keep_leases(connection, self.run_id, self._holds(writes))
        kept = [batch for lease, batch in writes.items() if lease in held]
        finished = [item for batch in kept for item in batch.finished]
        await self._write(connection, kept, finished)
        paid = [part for batch in kept for part in batch.unfinished.paid]
        if not (finished or paid or said):
            return Flushed(None, held)
        stop_reason = next((item.stop_reason for item in finished if item.stop_reason is not None), None)
        if stop_reason is not None:
            # Here, where it is known that it does stop the run.
            said = replace(said, words=[*said.words, line_of(None, None, *words.stopped(stop_reason))])
        delta = counter_delta(finished, paid, self.steps)
        counted = await self._count(connection, delta, stop_reason, said)
        if counted is None:
            return Flushed(None, frozenset(), run_is_over=True)
        progress, room = counted
        return Flushed(progress, held, room=room)

    async def _count(
        self, connection: AsyncConnection, delta: CounterDelta, stop_reason: str | None, said: Said
    ) -> tuple[Progress, Room | None] | None:
        """None where the run is over."""
        if not said:
            progress = await results.add_to_counters(connection, self.run_id, delta, stop_reason)
            return None if progress is None else (progress, None)
        counted = await results.add_to_counters_with_lines(connection, self.run_id, delta, stop_reason, said)
        if counted is not None:
            await log_lines.add_said(connection, self.run_id, said, counted[1])
        return counted

    def _holds(self, writes: Mapping[Lease, BatchWrites]) -> list[Hold]:
        holds: list[Hold] = []
        for lease, batch in writes.items():
            recorded, ended = bool(batch.finished), batch.ended
            if ended is None:
                hold = Hold(lease, done=False, released=False, ready_in=self.lease, recorded=recorded)
            else:
                hold = Hold(lease, ended.done, released=not ended.done, ready_in=ended.ready_in, recorded=recorded)
            holds.append(hold)
        return holds

    async def _write(self, connection: AsyncConnection, kept: list[BatchWrites], finished: list[FinishedItem]) -> None:
        if finished:
            await results.add_items(connection, self.run_id, [item.row for item in finished])
        done = {item.row.ordinal for item in finished}
        # An item may have left a checkpoint for this very flush and finished before it began.
        checkpoints = {
            row.ordinal: row for batch in kept for row in batch.unfinished.checkpoints if row.ordinal not in done
        }
        if checkpoints:
            await results.save_checkpoints(connection, self.run_id, list(checkpoints.values()))
        if stale := [item.row.ordinal for item in finished if item.had_checkpoint]:
            await results.drop_checkpoints(connection, self.run_id, stale)
        await self.effects.take(connection, kept, finished)
