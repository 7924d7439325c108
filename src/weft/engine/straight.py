"""The straight way: steps that only compute, one after the other, for as long as each simply gives an output.

Nearly every item of a computing plan goes like that, so it is the shortest way from an entity to its row: no state to
keep, nothing to decide. Whatever else happens (a failure, a skip, branches, effects, a result that cannot be stored) is
handed over to the general way (`item`) together with what was done so far, so that no step runs twice for it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson

from weft.domain.step import Outcome, Output, Shape, StepContext, StepSignal
from weft.engine.context import BatchTools, ItemContext
from weft.engine.finishing import LARGEST_ITEM_BYTES
from weft.engine.outcomes import outcome_of, outcome_of_error
from weft.engine.plan import Plan, PlannedStep
from weft.engine.writes import FinishedItem, StepCounts
from weft.kit.storable import NUL_AS_JSON
from weft.storage.item_rows import ItemRow
from weft.storage.loading import LoadedItem


@dataclass(frozen=True, slots=True)
class Leg:
    """One step of a straight way."""

    step: PlannedStep
    id: str
    run: Callable[[StepContext, Any], Any]
    source: str | None
    """The step whose output is its input; None for the item's own."""


@dataclass(frozen=True, slots=True)
class Departure:
    """Where an item left the straight way."""

    started_us: int
    records: list[dict[str, Any]]
    """Of the steps that gave their outputs."""
    step: PlannedStep | None = None
    """The step that came to something else; None when all are through, and only the row could not be made here."""
    outcome: Outcome | None = None
    began_us: int = 0


class StraightWay:
    def __init__(self, legs: tuple[Leg, ...], tools: BatchTools, now_us: Callable[[], int]) -> None:
        self._legs = legs
        self._tools = tools
        self._now_us = now_us

    def carry(self, item: LoadedItem, values: dict[str, Any]) -> FinishedItem | Departure:
        """All steps of an item that has nothing behind it. `values` are its names in scope."""
        records: list[dict[str, Any]] = []
        started = self._now_us()
        ended = self.compute(item, values, records, started)
        return ended if isinstance(ended, Departure) else self.arrived(item, records, started, ended)

    def compute(
        self, item: LoadedItem, values: dict[str, Any], records: list[dict[str, Any]], began: int
    ) -> int | Departure:
        """Adds the records of all steps; when the last one ended."""
        now_us, own, outputs = self._now_us, values["input"], values["steps"]
        ctx, started = ItemContext(self._tools, item.ordinal, values), began
        for leg in self._legs:
            values["input"] = value = own if leg.source is None else outputs[leg.source]
            ctx.step_id = leg.id
            try:
                output = leg.run(ctx, value)
            except BaseException as error:  # noqa: BLE001 - a step is a plugin: whatever it raises ends its item, never the worker
                return Departure(started, records, leg.step, outcome_of_error(error, leg.step), began)
            if isinstance(output, (Output, StepSignal)):
                return Departure(started, records, leg.step, outcome_of(output), began)
            ended = now_us()
            outputs[leg.id] = output
            records.append({"id": leg.id, "s": "C", "t": began, "d": ended - began, "o": output})
            began = ended
        return began

    @staticmethod
    def arrived(item: LoadedItem, records: list[dict[str, Any]], started: int, ended: int) -> FinishedItem | Departure:
        """The row of an item whose steps are all through."""
        steps = _stored(records)
        if steps is None:
            return Departure(started, records)
        ordinal, entity_id, _, version, _, _ = item
        row = ItemRow(ordinal, entity_id, version, "COMPLETED", None, None, steps, started, ended)
        return FinishedItem(row, StepCounts("C" * len(records), tuple([record["d"] for record in records]), ()))


def straight_way(plan: Plan, tools: BatchTools, now_us: Callable[[], int]) -> StraightWay | None:
    """None for a plan in which something has to be decided on the way."""
    if plan.output is not None or not all(step.shape is Shape.COMPUTES and is_plain(step) for step in plan.steps):
        return None
    return StraightWay(legs_of(plan), tools, now_us)


def legs_of(plan: Plan) -> tuple[Leg, ...]:
    """Of a plan whose steps are all plain."""
    return tuple(
        Leg(step, step.id, step.type.run, plan.steps[step.edges[0].index].id if step.edges else None)
        for step in plan.steps
    )


def is_plain(step: PlannedStep) -> bool:
    """Whether it always runs, for the output of one step or the item's own input."""
    return (
        step.when is None
        and step.cache is None
        and len(step.edges) <= 1
        and all(edge.branch is None for edge in step.edges)
    )


def _stored(records: list[dict[str, Any]]) -> bytes | None:
    """The records as they are stored; None where they cannot be."""
    try:
        steps = orjson.dumps(records)
    except (TypeError, ValueError, MemoryError):
        return None
    return None if len(steps) > LARGEST_ITEM_BYTES or NUL_AS_JSON in steps else steps
