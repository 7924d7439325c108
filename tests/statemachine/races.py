"""Two things that happen at the same time, and the model's answer: they come out as one after the other."""

from abc import ABC, abstractmethod
from collections.abc import Coroutine
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from statemachine.model import Model
from statemachine.postgres import PostgresRuns
from statemachine.records import Ended
from statemachine.views import ClaimView, Seen, run_view, worker_view


class Happening(ABC):
    @abstractmethod
    def really(self, postgres: PostgresRuns) -> Coroutine[Any, Any, Any]: ...

    @abstractmethod
    def is_explained(self, model: Model, outcome: Any) -> bool:
        """Whether it may come out like that in this state. Takes the step in the model."""


@dataclass(frozen=True, slots=True)
class Claim(Happening):
    worker: str

    def really(self, postgres: PostgresRuns) -> Coroutine[Any, Any, Any]:
        return postgres.claiming(self.worker)

    def is_explained(self, model: Model, outcome: ClaimView | None) -> bool:
        if outcome is None:  # it does not wait for what another has locked just then
            return True
        run = model.runs[outcome.run]
        batch = run.batches[outcome.number]
        if run.status not in {"PENDING", "RUNNING"} or not batch.is_ready(model.now) or not model.has_room(run):
            return False
        return ClaimView.of(model.claim(self.worker, outcome.run, outcome.number)) == outcome


@dataclass(frozen=True, slots=True)
class Flush(Happening):
    worker: str
    run: int
    ended: Ended | None

    def really(self, postgres: PostgresRuns) -> Coroutine[Any, Any, Any]:
        return postgres.flushing(self.worker, self.run, self.ended)

    def is_explained(self, model: Model, outcome: None) -> bool:  # noqa: ARG002 - it has none
        model.flush(self.worker, self.run, self.ended)
        return True


@dataclass(frozen=True, slots=True)
class Change(Happening):
    run: int
    verb: str

    def really(self, postgres: PostgresRuns) -> Coroutine[Any, Any, Any]:
        return postgres.changing(self.run, self.verb)

    def is_explained(self, model: Model, outcome: bool) -> bool:
        change = {"pause": model.pause, "resume": model.resume, "cancel": model.cancel}[self.verb]
        return change(self.run) == outcome


def race(model: Model, postgres: PostgresRuns, first: Happening, second: Happening, delay: float) -> Model:
    """Both at once, and the model in which one came after the other."""
    outcomes = postgres.at_once(first.really(postgres), second.really(postgres), delay)
    pairs = list(zip((first, second), outcomes, strict=True))
    seen = postgres.see()
    for order in (pairs, pairs[::-1]):
        after = deepcopy(model)
        explained = all(happening.is_explained(after, outcome) for happening, outcome in order)
        if explained and _is_what(after, seen) and _is_known(after, postgres):
            return after
    raise AssertionError(f"{first} and {second} at once came out as neither after the other: {outcomes}, {seen}")


def _is_what(model: Model, seen: Seen) -> bool:
    for run, view in zip(model.runs, seen.runs, strict=True):
        if not run.revision <= view.revision <= run.revision + run.revision_slack:
            return False
        run.revision, run.revision_slack = view.revision, 0
        if view != run_view(model, run):
            return False
    return seen.entities == [(entity.version, entity.published) for entity in model.entities]


def _is_known(model: Model, postgres: PostgresRuns) -> bool:
    """What workers hold. One may learn sooner of a loss than the model tells it, or later, when its claim was answered
    after the run had ended; never of one that is none.
    """
    for worker, mine in model.workers.items():
        for lease in postgres.worker_view(worker).leases:
            if lease not in mine and not model.has(lease):
                postgres.forget(worker, lease)
        known = postgres.worker_view(worker).leases
        for lease in [lease for lease in mine if lease not in known and not model.has(lease)]:
            del mine[lease]
        if worker_view(model, worker).leases != known:
            return False
    return True
