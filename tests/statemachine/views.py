"""What of a run can be seen: the same shape read from the model and from Postgres, so that one `==` compares them."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

from statemachine.model import Model
from statemachine.records import Held, Run, StepCounters
from statemachine.way import Record, Records


class BatchView(NamedTuple):
    number: int
    ordinals: range
    done: bool
    holder: str | None
    token: int
    attempts: int
    is_ready: bool


class ResultView(NamedTuple):
    status: str
    records: Records
    error: str | None
    entity_version: int | None


class ItemView(NamedTuple):
    """An item as the API lists it."""

    ordinal: int
    entity: int | None
    status: str
    records: Records


@dataclass(frozen=True, slots=True)
class RunView:
    status: str
    revision: int
    counters: tuple[int, int, int, int, int]
    """Total, completed, failed, skipped, cancelled."""
    error: str | None
    steps: dict[str, StepCounters]
    batches: Sequence[BatchView]
    """Of a run that is over: none, since nobody looks at them any more."""
    results: dict[int, ResultView]
    checkpoints: dict[int, Records]
    items: Sequence[ItemView]
    unsuccessful: Sequence[ItemView]
    """The list again, of those that are waiting, under way or failed."""


@dataclass(frozen=True, slots=True)
class Seen:
    runs: list[RunView]
    entities: list[tuple[int, int | None]]
    """The version of each, and what was published into it last."""


@dataclass(frozen=True, slots=True)
class ClaimView:
    """A batch that was just claimed, as its worker sees it."""

    run: int
    number: int
    token: int
    items: dict[int, tuple[int | None, Records]]
    """The items handed out, by ordinal, with the entity's version and what was recorded of them."""

    @classmethod
    def of(cls, held: Held) -> "ClaimView":
        items = {way.ordinal: (way.entity_version, dict(way.records)) for way in held.ways.values()}
        return cls(held.run, held.number, held.token, items)


@dataclass(frozen=True, slots=True)
class WorkerView:
    """What a worker believes to hold, with whether it was told to pause."""

    leases: dict[tuple[int, int, int], bool]


def run_view(model: Model, run: Run) -> RunView:
    items = [
        ItemView(
            ordinal,
            None if run.entities is None else run.entities[ordinal],
            run.status_of(ordinal, model.now),
            run.records_of(ordinal),
        )
        for ordinal in range(run.total)
    ]
    batches = [
        BatchView(
            batch.number,
            batch.ordinals,
            batch.done,
            batch.holder,
            batch.token,
            batch.attempts,
            batch.is_ready(model.now),
        )
        for batch in run.batches
    ]
    return RunView(
        run.status,
        run.revision,
        (run.total, run.completed, run.failed, run.skipped, run.cancelled),
        run.error,
        run.step_counters,
        [] if run.is_over else batches,
        {
            ordinal: ResultView(result.status, result.records, result.error, result.entity_version)
            for ordinal, result in run.results.items()
        },
        run.checkpoints,
        items,
        [item for item in items if item.status in {"PENDING", "RUNNING", "FAILED"}],
    )


def difference(index: int, seen: RunView, expected: RunView) -> str:
    parts = [
        f"{field.name} of run {index}: Postgres has {getattr(seen, field.name)}, the model {getattr(expected, field.name)}"
        for field in fields(RunView)
        if getattr(seen, field.name) != getattr(expected, field.name)
    ]
    return "\n".join(parts)


def worker_view(model: Model, worker: str) -> WorkerView:
    return WorkerView({lease: held.told_to_pause for lease, held in model.workers[worker].items()})


def record_of(raw: dict[str, Any]) -> Record:
    """A stored step, by the table in `weft.storage.step_codec`."""
    return Record(raw["s"], raw.get("o"), raw.get("a", 1))


def records_of(raw: Sequence[dict[str, Any]]) -> Records:
    return {step["id"]: record_of(step) for step in raw}
