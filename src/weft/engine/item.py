"""One item's way through a plan: what of it is decided, what is open, and how it ends. No input or output here.

The executor asks `ready_step` what to do next, does it, and reports back by `completed`, `skipped`, `failed` or
`retry_at`. Each records the step in the shape that is stored (`weft.storage.step_codec`), so that finishing an item is
one serialisation.

The rule of the graph: a step runs when at least one of its dependencies completed and none failed or is still open; it
is skipped when all were skipped or lead through a branch that was not taken, and when one failed that did not end the
item.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from weft.domain.ids import UUID
from weft.domain.step import Effect, Fail, PublishEntity, SendMessage
from weft.domain.usage import Usage
from weft.engine.plan import Plan, PlannedStep
from weft.engine.spending import Spending
from weft.kit.storable import storable, why_unstorable

OPEN, RUNNING, COMPLETED, FAILED, SKIPPED = range(5)

DECIDED_OF = {"C": COMPLETED, "F": FAILED, "S": SKIPPED}


@dataclass(frozen=True, slots=True)
class Ending:
    """How an item ended."""

    status: str
    """COMPLETED, FAILED or SKIPPED."""
    error: dict[str, Any] | None = None


class ItemWay:
    """The state of one item. Mutable, owned by one batch execution, never shared."""

    __slots__ = (
        "attempts",
        "branches",
        "checkpointed",
        "effects",
        "ended_early",
        "entity_id",
        "entity_version",
        "explicit_skip",
        "first_error",
        "fresh",
        "input",
        "messages",
        "not_before",
        "ordinal",
        "outputs",
        "plan",
        "records",
        "running",
        "spending",
        "started_us",
        "states",
        "values",
    )

    def __init__(
        self,
        plan: Plan,
        ordinal: int,
        entity_id: UUID | None,
        entity_version: int | None,
        values: dict[str, Any],
        started_us: int,
    ) -> None:
        self.plan = plan
        self.ordinal = ordinal
        self.entity_id = entity_id
        self.entity_version = entity_version
        self.values = values
        """The names in scope of expressions; `input` is set for the step that runs."""
        self.input: Any = values["input"]
        """What a root step gets: the entity's data, or the run's input."""
        self.outputs: dict[str, Any] = values["steps"]
        self.started_us = started_us
        self.states = [OPEN] * len(plan.steps)
        self.records: list[dict[str, Any] | None] = [None] * len(plan.steps)
        self.branches: dict[int, tuple[str, ...]] = {}
        self.attempts: dict[int, int] = {}
        self.not_before: dict[int, int] = {}
        """Step index to the microsecond before which it is not tried again."""
        self.running = 0
        self.effects: list[PublishEntity] = []
        self.messages: list[tuple[str, SendMessage]] = []
        """Each with the step that sends it."""
        self.spending: Spending | None = None
        """None until an attempt took something."""
        self.fresh = False
        """Whether something was decided since the last checkpoint that must not be done twice. What only computes is
        not worth a row of its own: it is kept with the item, or done again."""
        self.checkpointed = False
        self.ended_early: Ending | None = None
        """Set where the item cannot even begin, or where a failure ended it."""
        self.first_error: dict[str, Any] | None = None
        self.explicit_skip = False

    # What to do next

    def due(self, step: PlannedStep) -> bool | None:
        """Whether an open step is to run (True), to be skipped (False), or has to wait for others (None)."""
        completed = not step.edges
        for edge in step.edges:
            state = self.states[edge.index]
            if state == COMPLETED:
                if edge.branch is None or edge.branch in self.branches.get(edge.index, ()):
                    completed = True
            elif state == FAILED:
                return False
            elif state != SKIPPED:
                return None
        return completed

    def why_not(self, step: PlannedStep) -> str:
        """Why a step is skipped that `due` said no to."""
        for edge in step.edges:
            if self.states[edge.index] == FAILED:
                return f"step {self.plan.steps[edge.index].id!r} failed"
        return "no branch leads here"

    def input_of(self, step: PlannedStep) -> Any:
        """The output of the one dependency, or of several merged; the item's own input for a root."""
        edges = step.edges
        if not edges:
            return self.input
        if len(edges) == 1:
            return self.outputs[self.plan.steps[edges[0].index].id]
        # Two branches of one condition are one dependency.
        indexes = list(dict.fromkeys(edge.index for edge in edges))
        if len(indexes) == 1:
            return self.outputs[self.plan.steps[indexes[0]].id]
        taken = {edge.index for edge in edges if self._passes(edge.index, edge.branch)}
        names = [self.plan.steps[index].id for index in indexes if index in taken]
        return merged({name: self.outputs[name] for name in names})

    def leaf_output(self) -> Any:
        """What the last steps gave: the item's output where the definition maps nothing else. None when none completed."""
        leaves = [self.plan.steps[index].id for index in self.plan.leaves if self.states[index] == COMPLETED]
        if len(self.plan.leaves) == 1:
            return self.outputs[leaves[0]] if leaves else None
        return merged({step_id: self.outputs[step_id] for step_id in leaves}) if leaves else None

    def _passes(self, index: int, branch: str | None) -> bool:
        return self.states[index] == COMPLETED and (branch is None or branch in self.branches.get(index, ()))

    # What was done

    def completed(
        self,
        step: PlannedStep,
        value: Any,
        began_us: int,
        ended_us: int,
        branches: tuple[str, ...] | None = None,
        effects: tuple[Effect, ...] = (),
        saved: Usage | None = None,
    ) -> None:
        """`saved` is what an output from the cache took when it was computed: it took no time now."""
        record = {"id": step.id, "s": "C", "t": began_us, "d": ended_us - began_us, "o": value}
        if saved is not None:
            record |= {"d": 0, "h": saved.figures if saved else ()}
        if branches is not None:
            record["b"] = branches
            self.branches[step.index] = branches
        self.outputs[step.id] = value
        if effects:
            self.messages += [(step.id, effect) for effect in effects if isinstance(effect, SendMessage)]
            self.effects += [effect for effect in effects if isinstance(effect, PublishEntity)]
        self._decide(step, COMPLETED, record)

    def skipped(self, step: PlannedStep, reason: str, *, explicit: bool) -> None:
        """`explicit`: the step or its `when` said so; otherwise the graph did."""
        self.explicit_skip = self.explicit_skip or explicit
        self._decide(step, SKIPPED, {"id": step.id, "s": "S", "r": storable(reason)})

    def failed(self, step: PlannedStep, fail: Fail, began_us: int, ended_us: int) -> None:
        error: dict[str, Any] = {"code": storable(fail.code), "message": storable(fail.reason)}
        if fail.details is not None and why_unstorable(fail.details) is None:
            error["details"] = fail.details
        record = {"id": step.id, "s": "F", "t": began_us, "d": ended_us - began_us, "e": error}
        if self.first_error is None:
            self.first_error = {"step": step.id, **error}
        self._decide(step, FAILED, record)

    def spent(self, step: PlannedStep, usage: Usage) -> None:
        """Note what the attempt took that has just ended. Said before what it came to."""
        if not usage:
            return
        if self.spending is None:
            self.spending = Spending()
        self.spending.note(step.index, self.attempts.get(step.index, 0) + 1, usage)

    def retry_at(
        self, step: PlannedStep, attempt: int, not_before_us: int, fail: Fail, wait_us: int | None = None
    ) -> None:
        """The attempt failed; the step is open again, but not before that time, which lies `wait_us` ahead."""
        self.attempts[step.index] = attempt
        self.not_before[step.index] = not_before_us
        self.states[step.index] = OPEN
        self.records[step.index] = record = {
            "id": step.id,
            "s": "P",
            "a": attempt,
            "n": not_before_us,
            "w": not_before_us if wait_us is None else wait_us,
            "e": {"code": storable(fail.code), "message": storable(fail.reason)},
        }
        if self.spending is not None:
            self.spending.tell(step.index, record)
        self.fresh = True

    def _decide(self, step: PlannedStep, state: int, record: dict[str, Any]) -> None:
        attempts = self.attempts.get(step.index, 0) + 1
        if attempts > 1:
            record["a"] = attempts
        if self.spending is not None:
            self.spending.tell(step.index, record)
        self.states[step.index] = state
        self.records[step.index] = record

    def end_with(self, failed: PlannedStep) -> None:
        """This failure ends the item, whatever else completed. What still runs or waits beside is not waited for."""
        record = self.records[failed.index]
        self.ended_early = Ending("FAILED", None if record is None else {"step": failed.id, **record["e"]})
        for step in self.plan.steps:
            state, record = self.states[step.index], self.records[step.index]
            if state == RUNNING or (state == OPEN and record is not None):
                self.records[step.index] = cancelled = {"id": step.id, "s": "X"}
                if self.spending is not None:
                    self.spending.tell(step.index, cancelled)

    # How it ends

    def ending(self) -> Ending:
        """Of an item with no open step left, or one that a failure ended."""
        if self.ended_early is not None:
            return self.ended_early
        leaves = [self.states[index] for index in self.plan.leaves]
        if COMPLETED in leaves:
            return Ending("COMPLETED")
        if self.first_error is not None:
            return Ending("FAILED", self.first_error)
        return Ending("SKIPPED" if self.explicit_skip else "COMPLETED")

    def recorded(self) -> list[dict[str, Any]]:
        return [record for record in self.records if record is not None]

    def take_up(self, records: Iterable[dict[str, Any]]) -> None:
        """What completed on the straight way."""
        for index, record in enumerate(records):
            self.records[index] = record
            self.states[index] = COMPLETED
            self.outputs[record["id"]] = record["o"]

    def restore(self, checkpoint: list[dict[str, Any]]) -> None:
        """Take up what was recorded before; nothing of it is done again."""
        index_of = {step.id: step.index for step in self.plan.steps}
        for record in checkpoint:
            index = index_of.get(record["id"])
            if index is None:
                continue
            self.records[index] = record
            if "u" in record:
                self.spending = self.spending or Spending()
                self.spending.restore(index, record["u"])
            state = DECIDED_OF.get(record["s"])
            if state is not None:
                self._restore_decided(index, state, record)
            elif record["s"] == "P":
                self.attempts[index] = record["a"]
                # Further ahead than it was to wait at all: the clock was set back meanwhile, and it has waited enough.
                if record["n"] - self.started_us <= record.get("w", record["n"]):
                    self.not_before[index] = record["n"]
        # Only the graph's own reasons are told again by the graph.
        self.explicit_skip = any(self.states[step.index] == SKIPPED and self.due(step) for step in self.plan.steps)
        self.checkpointed = True

    def _restore_decided(self, index: int, state: int, record: dict[str, Any]) -> None:
        self.states[index] = state
        if state == COMPLETED:
            self.outputs[record["id"]] = record["o"]
            if "b" in record:
                self.branches[index] = tuple(record["b"])
        elif state == FAILED and self.first_error is None:
            self.first_error = {"step": record["id"], **record["e"]}


def merged(outputs: Mapping[str, Any]) -> Any:
    """The outputs of several steps as one value: their fields together, or an object by step id where one has no fields."""
    values = outputs.values()
    if all(isinstance(value, dict) for value in values):
        return {name: field for value in values for name, field in value.items()}
    return dict(outputs)
