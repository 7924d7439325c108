"""What callers and clocks do to runs, as rules; and what is compared and checked after every rule."""

from collections import Counter
from collections.abc import Sequence

from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    Rule,
    RuleBasedStateMachine,
    RuleStrategy,
    initialize,
    multiple,
    precondition,
    rule,
)
from statemachine.counterpart import Counterpart
from statemachine.model import Model
from statemachine.promises import Promises
from statemachine.records import LEASE
from statemachine.views import difference, run_view, worker_view

from weft.engine.batching import Cut, cut

WORKERS = ("ada", "bob", "cyd")
FINISHER = "fin"
"""A worker that comes at the end and carries everything through."""
ENTITIES = 7
MOST_STARTS = 3
MOST_RUNS = 6

places = st.integers(0, 11)
concurrencies = st.sampled_from([None, None, 10, 3, 1])


class EveryRule(RuleStrategy):
    """Without swarm testing: Hypothesis would switch off about half of the rules in each history, and where nobody claims,
    or nobody stores, nothing happens at all. That would leave little of the few histories there is time for on Postgres.
    """

    def _rule_is_enabled(self, r: Rule) -> bool:
        return self.is_valid(r)


class CallerRules(RuleBasedStateMachine):
    runs: Bundle[int] = Bundle("runs")

    def __init__(self, met: Counter[str], counterpart: Counterpart | None = None) -> None:
        """`met` counts the situations that are worth meeting, so that a test can tell that it was about something."""
        super().__init__()
        self._rules_strategy = EveryRule(self)
        self.model = Model(ENTITIES, (*WORKERS, FINISHER))
        self.promises = Promises()
        self.counterpart = counterpart
        self.met = met
        self._answers = 0

    # Callers

    @initialize(target=runs, count=st.integers(2, ENTITIES), concurrency=concurrencies)
    def first_run(self, count: int, concurrency: int | None) -> int:
        return self._start_over(count, concurrency, 0)

    @precondition(lambda self: self._started() < MOST_STARTS)
    @rule(
        target=runs,
        count=st.integers(0, ENTITIES),
        concurrency=concurrencies,
        priority=st.sampled_from([0, 0, 5]),
    )
    def start(self, count: int, concurrency: int | None, priority: int) -> int:
        return self._start_over(count, concurrency, priority)

    @precondition(lambda self: self._started() < MOST_STARTS)
    @rule(target=runs)
    def start_on_input(self) -> int:
        return self._start(None, Cut(1, None), None, 0)

    def _started(self) -> int:
        return sum(run.retry_of is None for run in self.model.runs)

    def _start_over(self, count: int, concurrency: int | None, priority: int) -> int:
        cutting = cut(count, in_bulk=False, concurrency=concurrency)
        return self._start(range(count), cutting, concurrency, priority)

    def _start(self, entities: Sequence[int] | None, cutting: Cut, concurrency: int | None, priority: int) -> int:
        run = self.model.start(
            entities, size=cutting.size, held_limit=cutting.held_limit, concurrency=concurrency, priority=priority
        )
        if self.counterpart is not None:
            self.counterpart.start(run)
        self._compare()
        return run.index

    @precondition(lambda self: len(self.model.runs) < MOST_RUNS and any(run.is_over for run in self.model.runs))
    @rule(target=runs, at=places, from_failed_step=st.sampled_from([True, True, False]))
    def retry(self, at: int, from_failed_step: bool) -> int | MultipleResults[int]:
        """Of a run that can be retried; where there is none, of one that cannot."""
        every = range(len(self.model.runs))
        candidates = [run for run in every if self.model.can_retry(run)] or every
        of = candidates[at % len(candidates)]
        old, may = self.model.runs[of], self.model.can_retry(of)
        if may:
            cutting = cut(old.failed, in_bulk=False, concurrency=old.concurrency)
            new = self.model.retry(
                of, size=cutting.size, held_limit=cutting.held_limit, from_failed_step=from_failed_step
            )
            self.met["retry behind recorded steps"] += bool(new.checkpoints)
        if self.counterpart is not None:
            assert self.counterpart.retry(of, from_failed_step=from_failed_step) == may
        self._compare()
        nothing: MultipleResults[int] = multiple()
        return len(self.model.runs) - 1 if may else nothing

    @rule(run=runs, verb=st.sampled_from([*["pause", "resume", "resume"] * 2, "cancel"]))
    def change(self, run: int, verb: str) -> None:
        change = {"pause": self.model.pause, "resume": self.model.resume, "cancel": self.model.cancel}[verb]
        done = change(run)
        if self.counterpart is not None:
            assert self.counterpart.change(run, verb) == done, f"{verb} of run {run}: the model says {done}"
        self._compare()

    @precondition(lambda self: any(run.is_over and run.failed for run in self.model.runs))
    @rule(entity=st.integers(0, ENTITIES - 1))
    def edit(self, entity: int) -> None:
        self.model.edit(entity)
        if self.counterpart is not None:
            self.counterpart.edit(entity)
        self._compare()

    # Time

    @rule(ticks=st.sampled_from([1, LEASE, LEASE + 1, LEASE + 1, -1, -LEASE - 1]))
    def jump(self, ticks: int) -> None:
        self._jump(ticks)
        self._compare()

    def _jump(self, ticks: int) -> None:
        self.model.jump(ticks)
        if self.counterpart is not None:
            self.counterpart.jump(ticks)

    # What must hold

    def _compare(self) -> None:
        if self.counterpart is not None:
            self._compare_with(self.counterpart)
        self.promises.check(self.model)

    def _compare_with(self, counterpart: Counterpart) -> None:
        seen = counterpart.see()
        for run, view in zip(self.model.runs, seen.runs, strict=True):
            allowed = range(run.revision, run.revision + run.revision_slack + 1)
            assert view.revision in allowed, f"revision of run {run.index}: {view.revision} is none of {allowed}"
            run.revision, run.revision_slack = view.revision, 0
            assert view == run_view(self.model, run), difference(run.index, view, run_view(self.model, run))
        entities = [(entity.version, entity.published) for entity in self.model.entities]
        assert seen.entities == entities, f"entities: Postgres has {seen.entities}, the model {entities}"
        self._compare_workers()

    def _compare_workers(self) -> None:
        """All that there is to compare behind what happened in memory only."""
        if self.counterpart is not None:
            for worker in self.model.workers:
                seen, known = self.counterpart.worker_view(worker), worker_view(self.model, worker)
                assert seen == known, f"{worker} holds {seen}, in the model {known}"
