"""The real side of a worker: what it holds, and the real recorder that stores it.

Preparing, the item's way, finishing, and recording are the engine's own. Only when a step answers, and what, is decided
by the rules, instead of by a step that runs.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from statemachine.way import Deed

from weft.domain.ids import UUID
from weft.domain.step import Fail, PublishEntity
from weft.engine import finishing
from weft.engine.item import OPEN, ItemWay
from weft.engine.plan import Plan, PlannedStep
from weft.engine.recorder import BatchRecord, RunRecorder
from weft.engine.writes import Ended, FinishedItem, Unfinished
from weft.storage.batches import Lease

NOW_US = 1_700_000_000_000_000
"""When every step begins and ends: durations are not compared."""
REFUSED_BY_POSTGRES = b"{"
"""No JSON, although its column wants some."""


@dataclass(eq=False)
class HeldBatch:
    """A batch under way, as the recorder sees it (`weft.engine.recorder.Execution`)."""

    lease: Lease
    plan: Plan
    ways: dict[int, ItemWay]
    finished: list[FinishedItem] = field(default_factory=list[FinishedItem])
    is_lost: bool = False
    told_to_pause: bool = False

    def take_checkpoints(self) -> Unfinished:
        taken = Unfinished()
        for way in self.ways.values():
            if way.fresh:
                taken.add(finishing.checkpoint(way))
        return taken

    def lost(self) -> None:
        self.is_lost = True

    def pause(self) -> None:
        self.told_to_pause = True

    # What steps answer

    def answer(self, ordinal: int, deed: Deed, output: int) -> None:
        way = self.ways[ordinal]
        stop_reason = "stopped" if deed is Deed.STOP_RUN else None
        while (step := self._due(way)) is not None and way.ended_early is None:
            is_last = step.index in self.plan.leaves
            match deed:
                case Deed.FAIL | Deed.STOP_RUN | Deed.SPOIL:
                    self._fail(way, step)
                case Deed.FAIL_AT_END if is_last:
                    self._fail(way, step)
                case Deed.SKIP | Deed.SKIP_ALL:
                    way.skipped(step, "not this one", explicit=True)
                case Deed.TRY_AGAIN:
                    way.retry_at(step, way.attempts.get(step.index, 0) + 1, NOW_US, Fail("not now"))
                case _:
                    effects = (PublishEntity({"published": output}),) if deed is Deed.PUBLISH else ()
                    way.completed(step, output, NOW_US, NOW_US, effects=effects)
            way.fresh = True
            if deed not in {Deed.COMPLETE_ALL, Deed.SKIP_ALL, Deed.FAIL_AT_END}:
                break
        if way.ended_early is not None or self._due(way) is None:
            del self.ways[ordinal]
            self.finished.append(_finished(way, stop_reason, is_refused=deed is Deed.SPOIL))

    def _due(self, way: ItemWay) -> PlannedStep | None:
        """The next step that may begin; those that the graph skips are skipped."""
        for step in self.plan.steps:
            due = way.due(step) if way.states[step.index] == OPEN else None
            if due is False:
                way.skipped(step, way.why_not(step), explicit=False)
            elif due:
                return step
        return None

    @staticmethod
    def _fail(way: ItemWay, step: PlannedStep) -> None:
        way.failed(step, Fail("it is broken", code="BROKEN"), NOW_US, NOW_US)
        way.end_with(step)


def _finished(way: ItemWay, stop_reason: str | None, *, is_refused: bool) -> FinishedItem:
    item = finishing.finish(way, NOW_US, stop_reason)
    if is_refused:
        item.row = item.row._replace(error=REFUSED_BY_POSTGRES)
    return item


@dataclass(eq=False)
class Hands:
    """All that a worker holds, and its recorders: one per run."""

    recorders: dict[UUID, RunRecorder] = field(default_factory=dict[UUID, RunRecorder])
    held: dict[Lease, HeldBatch] = field(default_factory=dict[Lease, HeldBatch])
    records: dict[Lease, BatchRecord] = field(default_factory=dict[Lease, BatchRecord])

    def take(self, batch: HeldBatch) -> None:
        self.held[batch.lease] = batch
        self.records[batch.lease] = self.recorders[batch.lease.run_id].begin(batch)

    async def flush(self, run_id: UUID, ended: Lease | None, ready_in: timedelta) -> None:
        """Everything that gathered of the run. Returns when it is stored, or lost."""
        recorder = self.recorders[run_id]
        for lease, batch in self.held.items():
            for item in batch.finished if lease.run_id == run_id else ():
                recorder.finished(self.records[lease], item)
        recorder.worth_keeping()
        if ended is not None:
            await recorder.ended(self.records[ended], Ended(done=not self.held[ended].ways, ready_in=ready_in))
            del self.held[ended]
        if recorder._task is not None:
            await recorder._task
        for batch in self.held.values():
            if batch.lease.run_id == run_id:
                batch.finished.clear()
        self.drop_lost()

    def forget(self, leases: Sequence[Lease]) -> None:
        for lease in leases:
            self.recorders[lease.run_id].forget(lease)
        self.drop_lost()

    def drop_lost(self) -> None:
        self.held = {lease: batch for lease, batch in self.held.items() if not batch.is_lost}
