"""Runs as the design promises them, in plain Python: what is stored, and what each event makes of it.

It knows no SQL and none of the product's code. Time is a number of ticks that only `jump` changes. A worker's memory is
part of the model, since a worker that lost its batch goes on until something tells it.
"""

from collections.abc import Sequence

from statemachine.records import LEASE, Batch, Ended, Entity, Held, Run, Write
from statemachine.way import Deed, Records, Way


class Model:
    def __init__(self, entities: int, workers: Sequence[str]) -> None:
        self.now = 0
        self.entities = [Entity() for _ in range(entities)]
        self.runs: list[Run] = []
        self.workers: dict[str, dict[tuple[int, int, int], Held]] = {worker: {} for worker in workers}

    # What callers do

    def start(
        self,
        entities: Sequence[int] | None,
        *,
        size: int,
        held_limit: int | None,
        concurrency: int | None = None,
        priority: int = 0,
        retry_of: int | None = None,
    ) -> Run:
        total = 1 if entities is None else len(entities)
        batches = [
            Batch(number, range(first, min(first + size, total)), self.now)
            for number, first in enumerate(range(0, total, size))
        ]
        chosen = None if entities is None else list(entities)
        run = Run(len(self.runs), chosen, total, batches, priority, concurrency, held_limit, retry_of)
        if total == 0:
            run.status = "COMPLETED"
        self.runs.append(run)
        return run

    def can_retry(self, index: int) -> bool:
        run = self.runs[index]
        return run.is_over and run.failed > 0

    def retry(self, index: int, *, size: int, held_limit: int | None, from_failed_step: bool) -> Run:
        """A new run over the failed items; it starts behind what they completed, where the entity has not changed."""
        old = self.runs[index]
        failed = [result for _, result in sorted(old.results.items()) if result.status == "FAILED"]
        entities = None if old.entities is None else [old.entities[result.ordinal] for result in failed]
        new = self.start(
            entities,
            size=size,
            held_limit=held_limit,
            concurrency=old.concurrency,
            priority=old.priority,
            retry_of=index,
        )
        for place, result in enumerate(failed):
            completed = {step: record for step, record in result.records.items() if record.status == "C"}
            version = None if entities is None else self.entities[entities[place]].version
            if from_failed_step and completed and version == result.entity_version:
                new.checkpoints[place] = completed
        return new

    def pause(self, index: int) -> bool:
        return self._change(index, ("PENDING", "RUNNING"), "PAUSED")

    def resume(self, index: int) -> bool:
        return self._change(index, ("PAUSED",), "RUNNING" if self.runs[index].began else "PENDING")

    def cancel(self, index: int) -> bool:
        run = self.runs[index]
        pending = run.pending
        if not self._change(index, ("PENDING", "RUNNING", "PAUSED"), "CANCELLED"):
            return False
        run.cancelled = pending
        return True

    def edit(self, entity: int) -> None:
        self.entities[entity].version += 1

    def _change(self, index: int, allowed: tuple[str, ...], status: str) -> bool:
        run = self.runs[index]
        if run.status not in allowed:
            return False
        run.status = status
        run.revision += 1
        return True

    # What happens to workers

    def jump(self, ticks: int) -> None:
        self.now += ticks

    def crash(self, worker: str) -> None:
        self.workers[worker].clear()

    def claimable(self) -> list[tuple[int, int]]:
        """Run and number of the batches that may be claimed now: the first ready one of each run of the highest priority.

        Which of these runs was served least recently is not modelled: any of them is right.
        """
        ready: list[tuple[int, Run, int]] = []
        for run in self.runs:
            first = next((batch for batch in run.batches if batch.is_ready(self.now)), None)
            if run.status in {"PENDING", "RUNNING"} and first is not None and self.has_room(run):
                ready.append((run.priority, run, first.number))
        highest = max((priority for priority, _, _ in ready), default=0)
        return [(run.index, number) for priority, run, number in ready if priority == highest]

    def has_room(self, run: Run) -> bool:
        held = sum(batch.is_held(self.now) for batch in run.batches)
        return run.held_limit is None or held < run.held_limit

    def claim(self, worker: str, index: int, number: int) -> Held:
        """What the worker now holds: every item without a result, each with what was recorded of it."""
        run = self.runs[index]
        batch = run.batches[number]
        if not run.began:
            run.status, run.began = "RUNNING", True
            run.revision += 1
        batch.token += 1
        batch.attempts += 1
        batch.holder = worker
        batch.be_ready_in(LEASE, self.now)
        ways = {
            ordinal: Way(ordinal, self._version(run, ordinal), dict(run.checkpoints.get(ordinal, {})))
            for ordinal in batch.ordinals
            if ordinal not in run.results
        }
        held = Held(index, number, batch.token, ways)
        self.workers[worker][held.lease] = held
        return held

    def _version(self, run: Run, ordinal: int) -> int | None:
        return None if run.entities is None else self.entities[run.entities[ordinal]].version

    def renew(self, worker: str) -> dict[tuple[int, int, int], bool]:
        """The leases that still hold, with whether their run is paused. The worker forgets the others."""
        still: dict[tuple[int, int, int], bool] = {}
        for lease, held in list(self.workers[worker].items()):
            if not self.has(lease):
                del self.workers[worker][lease]
                continue
            run = self.runs[held.run]
            run.batches[held.number].be_ready_in(LEASE, self.now)
            still[lease] = run.status == "PAUSED"
            held.told_to_pause = held.told_to_pause or still[lease]
        return still

    def has(self, lease: tuple[int, int, int]) -> bool:
        """The fence: whether a write with this token counts."""
        run = self.runs[lease[0]]
        batch = run.batches[lease[1]]
        return run.status in {"RUNNING", "PAUSED"} and batch.token == lease[2] and not batch.done

    def answer(self, held: Held, ordinal: int, deed: Deed, output: int) -> None:
        """A step under way answers, in memory."""
        result = held.ways[ordinal].answer(deed, output)
        if result is not None:
            del held.ways[ordinal]
            held.finished.append(result)

    # Flushes

    def flush(self, worker: str, index: int, ended: Ended | None) -> None:
        """Store what the worker gathered of a run: one transaction, or several where Postgres refuses a row of it."""
        mine = [held for held in self.workers[worker].values() if held.run == index]
        writes = [write for held in mine if (write := _gathered(held, ended)) is not None]
        if not any(result.is_refused for write in writes for result in write.finished):
            self._write(worker, index, writes)
            return
        for write in writes:
            items = [result.in_place_of_it if result.is_refused else result for result in write.finished]
            if items:
                self._write(worker, index, [Write(write.lease, items, {}, None)])
                self.runs[index].revision_slack += len(items) - 1
            self._write(worker, index, [Write(write.lease, [], write.checkpoints, write.done, write.ready_in)])

    def _write(self, worker: str, index: int, writes: list[Write]) -> None:
        run, memory = self.runs[index], self.workers[worker]
        kept = [write for write in writes if self.has(write.lease)]
        for write in kept:
            self._store(run, write)
        finished = [result for write in kept for result in write.finished]
        if finished:
            self._count(run, [result.status for result in finished])
            if any(result.stops_run for result in finished):
                run.status, run.error, run.cancelled = "FAILED", "stopped", run.cancelled + run.pending
        for write in writes:
            if write not in kept or write.done is not None:
                memory.pop(write.lease, None)
        for lease, held in list(memory.items()):
            if finished and lease[0] == index:
                held.told_to_pause = held.told_to_pause or run.status == "PAUSED"
                if run.is_over:
                    del memory[lease]

    def _store(self, run: Run, write: Write) -> None:
        batch = run.batches[write.lease[1]]
        batch.be_ready_in(write.ready_in, self.now)
        if write.done is not None:
            batch.done, batch.holder = write.done, None
        for result in write.finished:
            assert result.ordinal not in run.results, f"item {result.ordinal} of run {run.index} has a result already"
            run.results[result.ordinal] = result
            run.checkpoints.pop(result.ordinal, None)
            for step, record in result.records.items():
                run.step_counters[step].count(record)
            self._publish(run, result.ordinal, result.published)
        for ordinal, (records, published) in write.checkpoints.items():
            run.checkpoints[ordinal] = records
            self._publish(run, ordinal, published)

    def _publish(self, run: Run, ordinal: int, value: int | None) -> None:
        if value is not None and run.entities is not None:
            entity = self.entities[run.entities[ordinal]]
            entity.version += 1
            entity.published = value

    @staticmethod
    def _count(run: Run, statuses: list[str]) -> None:
        run.completed += statuses.count("COMPLETED")
        run.failed += statuses.count("FAILED")
        run.skipped += statuses.count("SKIPPED")
        run.revision += 1
        if run.pending == 0:
            some = "FAILED" if run.failed == run.total else "COMPLETED_WITH_FAILURES"
            run.status = some if run.failed else "COMPLETED"


def _gathered(held: Held, ended: Ended | None) -> Write | None:
    """Everything that a worker knows of a batch and has not stored; None when that is nothing."""
    checkpoints: dict[int, tuple[Records, int | None]] = {
        ordinal: way.checkpoint() for ordinal, way in held.ways.items() if way.fresh
    }
    finished, held.finished = held.finished, []
    if ended is not None and ended.lease == held.lease:
        return Write(held.lease, finished, checkpoints, done=not held.ways, ready_in=ended.ready_in)
    return Write(held.lease, finished, checkpoints, None) if finished or checkpoints else None
