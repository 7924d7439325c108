"""What stands in Weft's tables when all is over, and whether it agrees with itself."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import RowMapping, text
from torture.runs import SMALL_ITEMS
from torture.steps import expected_failures

from weft.storage.database import Database

RUNS = text(
    """
    SELECT s.*, r.workflow_id, extract(epoch FROM r.created_at)::float8 AS created,
      extract(epoch FROM s.finished_at)::float8 AS finished
    FROM run_state s JOIN run r ON r.id = s.run_id ORDER BY r.created_at
    """
)
ITEMS = text(
    "SELECT run_id, status, count(*) AS items, count(DISTINCT ordinal) AS ordinals FROM run_item GROUP BY 1, 2"
)
STEPS = text(
    """
    SELECT i.run_id, r ->> 'id' AS step, r ->> 's' AS status, count(*) AS items,
      sum(coalesce((r ->> 'a')::int, 1) - 1)::int AS retried
    FROM run_item i, json_array_elements(i.steps) r GROUP BY 1, 2, 3
    """
)
LEFT = text(
    """
    SELECT (SELECT count(*) FROM run_checkpoint) AS checkpoints,
      (SELECT sum(attempts - 1) FROM run_batch WHERE attempts > 0)::int AS claimed_again
    """
)


@dataclass(slots=True)
class RunTruth:
    """One run: its own row, and what its items say."""

    run_id: str
    workflow_id: str
    status: str
    created: float
    finished: float | None
    total: int
    counted: Counter[str]
    """Items by status, as the counters have it."""
    found: Counter[str]
    """Items by status, as the results have it."""
    ordinals: int
    steps_counted: dict[tuple[str, str], int]
    """By step, and status or "retried"."""
    steps_found: dict[tuple[str, str], int]

    @property
    def keys(self) -> list[str]:
        """The idempotency keys of its payments."""
        return [f"{self.run_id}:{ordinal}:pay" for ordinal in range(self.total)]

    def wrong_results(self) -> list[str]:
        failures = expected_failures(self.total)
        expected = Counter({"COMPLETED": self.total - failures, "FAILED": failures})
        if self.found == expected and self.ordinals == self.total:
            return []
        return [f"run {self.run_id}: {dict(self.found)} over {self.ordinals} ordinals instead of {dict(expected)}"]

    def wrong_counters(self) -> list[str]:
        wrong: list[str] = []
        if self.counted != self.found or self.counted.total() != self.total:
            wrong.append(f"run {self.run_id}: counters {dict(self.counted)}, results {dict(self.found)}")
        names = {*self.steps_counted, *self.steps_found}
        wrong += [
            f"run {self.run_id}: step {' '.join(name)} is counted {self.steps_counted.get(name, 0)} times "
            f"and stands in {self.steps_found.get(name, 0)} results"
            for name in sorted(names)
            if self.steps_counted.get(name, 0) != self.steps_found.get(name, 0)
        ]
        if self.status != ("COMPLETED_WITH_FAILURES" if self.found["FAILED"] else "COMPLETED"):
            wrong.append(f"run {self.run_id} is {self.status} with results {dict(self.found)}")
        return wrong


@dataclass(slots=True)
class Truth:
    runs: list[RunTruth] = field(default_factory=list[RunTruth])
    checkpoints_left: int = 0
    claimed_again: int = 0
    """Batches that were taken over, or given back and taken up again."""

    @property
    def small(self) -> list[RunTruth]:
        return [run for run in self.runs if run.total == SMALL_ITEMS]

    @property
    def items(self) -> int:
        return sum(run.total for run in self.runs)


async def truth(database: Database) -> Truth:
    async with database.engine.connect() as connection:
        await connection.execution_options(
            isolation_level="REPEATABLE READ"
        )  # a run that did not end goes on meanwhile
        runs = (await connection.execute(RUNS)).mappings().all()
        items = (await connection.execute(ITEMS)).all()
        steps = (await connection.execute(STEPS)).all()
        left = (await connection.execute(LEFT)).one()
    found, ordinals = defaultdict[Any, Counter[str]](Counter), Counter[Any]()
    for row in items:
        found[row.run_id][row.status] = row.items
        ordinals[row.run_id] += row.ordinals
    steps_found = defaultdict[Any, Counter[tuple[str, str]]](Counter)
    for row in steps:
        steps_found[row.run_id][row.step, row.status] += row.items
        steps_found[row.run_id][row.step, "retried"] += row.retried
    read = [_run(run, found[run["run_id"]], ordinals[run["run_id"]], steps_found[run["run_id"]]) for run in runs]
    return Truth(read, left.checkpoints, left.claimed_again or 0)


async def until(database: Database, question: str) -> None:
    """Returns once the answer is true; raises TimeoutError where it does not become so."""
    async with asyncio.timeout(60):
        while True:
            async with database.reading() as connection:
                if (await connection.execute(text(question))).scalar_one():
                    return
            await asyncio.sleep(0.01)


def _run(row: RowMapping, found: Counter[str], ordinals: int, steps_found: Counter[tuple[str, str]]) -> RunTruth:
    columns = {"C": "step_completed", "F": "step_failed", "S": "step_skipped", "retried": "step_retried"}
    steps_counted = {
        (step, name): count
        for name, column in columns.items()
        for step, count in zip(row["step_ids"], _numbers(row[column]), strict=True)
    }
    statuses = ("completed", "failed", "skipped", "cancelled")
    return RunTruth(
        run_id=str(row["run_id"]),
        workflow_id=str(row["workflow_id"]),
        status=row["status"],
        created=row["created"],
        finished=row["finished"],
        total=row["total"],
        counted=Counter({name.upper(): row[name] for name in statuses if row[name]}),
        found=found,
        ordinals=ordinals,
        steps_counted=steps_counted,
        steps_found=dict(steps_found),
    )


def _numbers(value: Sequence[int]) -> Sequence[int]:
    return value
