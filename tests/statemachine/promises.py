"""What must hold after every event, whatever it was: the promises of `DESIGN.md` §2, as far as they are about runs."""

from copy import deepcopy
from dataclasses import dataclass, field

from statemachine.model import Model
from statemachine.records import Held, Run
from statemachine.views import RunView, run_view
from statemachine.way import Records


@dataclass(slots=True)
class Promises:
    """Remembers the state before an event, and checks the step from there."""

    _before: dict[int, RunView] = field(default_factory=dict[int, RunView])

    def check(self, model: Model) -> None:
        for run in model.runs:
            _counters_equal_results(run)
            after = run_view(model, run)
            if (before := self._before.get(run.index)) is not None:
                _revision_rises(before, after)
                _the_end_is_final(before, after)
                _results_stay(before, after)
                _recorded_steps_stay(before, after)
            # The model changes its records in place; what is remembered must not follow.
            self._before[run.index] = deepcopy(after)

    def check_claim(self, model: Model, held: Held) -> None:
        """What is handed out has no result, and what was recorded of it is not open."""
        run = model.runs[held.run]
        for ordinal, way in held.ways.items():
            assert ordinal not in run.results, "an item with a result is handed out again"
            recorded = _decided(run.records_of(ordinal))
            assert not recorded & set(way.open_steps()), "a step with a recorded result is handed out again"


def _counters_equal_results(run: Run) -> None:
    statuses = [result.status for result in run.results.values()]
    counted = (run.completed, run.failed, run.skipped)
    assert counted == (statuses.count("COMPLETED"), statuses.count("FAILED"), statuses.count("SKIPPED"))
    assert run.total == run.pending + sum(counted) + run.cancelled
    assert run.pending >= 0
    assert run.is_over == (run.pending == 0)
    assert run.cancelled == 0 or run.is_over


def _revision_rises(before: RunView, after: RunView) -> None:
    assert after.revision >= before.revision, "a revision fell"
    if (before.status, before.counters) != (after.status, after.counters):
        assert after.revision > before.revision, "a state changed without a new revision"


def _the_end_is_final(before: RunView, after: RunView) -> None:
    if before.status in {"COMPLETED", "COMPLETED_WITH_FAILURES", "FAILED", "CANCELLED"}:
        assert after == before, "a run that was over changed"


def _results_stay(before: RunView, after: RunView) -> None:
    for ordinal, result in before.results.items():
        assert after.results.get(ordinal) == result, f"the result of item {ordinal} changed"


def _recorded_steps_stay(before: RunView, after: RunView) -> None:
    """Every answer has an output of its own, so a step that was done again shows itself by another one.

    One exception: where Postgres refuses a row, nobody can tell which of its parts is at fault, and none is kept.
    """
    for was, now in zip(before.items, after.items, strict=True):
        result = after.results.get(was.ordinal)
        if result is not None and result.error == "RESULT_NOT_STORED":
            continue
        for step in _decided(was.records):
            assert now.records.get(step) == was.records[step], f"step {step} of item {was.ordinal} was done again"


def _decided(records: Records) -> set[str]:
    return {step for step, record in records.items() if record.is_decided}
