"""The straight way of a plan whose last step serves many: what computes before it runs inline, then the item is one call of a
micro-batch, and its answer makes the row. Between the two nothing of it is kept but that call.

As on the straight way, whatever is no simple output is handed over to the general way, and no step runs twice for it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from weft.domain.step import Call, Output, Shape, StepSignal
from weft.engine.context import BatchTools, ItemContext
from weft.engine.microbatch import Caller, MicroBatches
from weft.engine.outcomes import outcome_of
from weft.engine.plan import Plan
from weft.engine.straight import Departure, Leg, StraightWay, is_plain, legs_of
from weft.engine.writes import FinishedItem
from weft.storage.loading import LoadedItem

Arrived = Callable[["ServedItem", FinishedItem | Departure], None]


@dataclass(frozen=True, slots=True)
class StraightServedWay:
    computing: StraightWay
    last: Leg
    windows: MicroBatches
    tools: BatchTools
    now_us: Callable[[], int]

    def carry(self, item: LoadedItem, values: dict[str, Any], arrived: Arrived) -> "ServedItem | Departure":
        """As far as the call; `arrived` is told with what it came to, unless nobody waits for it any more."""
        own, last = values["input"], self.last
        records: list[dict[str, Any]] = []
        started = self.now_us()
        began = self.computing.compute(item, values, records, started)
        if isinstance(began, Departure):
            return began
        values["input"] = value = own if last.source is None else values["steps"][last.source]
        served = ServedItem(self, item, records, started, began, arrived)
        self.windows.add(last.step, Call(ItemContext(self.tools, item.ordinal, values, last.id), value), served)
        return served


class ServedItem(Caller):
    __slots__ = ("_arrived", "_began", "_records", "_started", "_way", "item")

    def __init__(
        self,
        way: StraightServedWay,
        item: LoadedItem,
        records: list[dict[str, Any]],
        started_us: int,
        began_us: int,
        arrived: Arrived,
    ) -> None:
        super().__init__()
        self.item = item
        self._way = way
        self._records = records
        self._started = started_us
        self._began = began_us
        self._arrived = arrived

    @property
    def ordinal(self) -> int:
        return self.item.ordinal

    def answered(self, answer: Any) -> None:
        way, records, began = self._way, self._records, self._began
        if isinstance(answer, (Output, StepSignal)):
            departure = Departure(self._started, records, way.last.step, outcome_of(answer), began)
            self._arrived(self, departure)
            return
        ended = way.now_us()
        records.append({"id": way.last.id, "s": "C", "t": began, "d": ended - began, "o": answer})
        self._arrived(self, way.computing.arrived(self.item, records, self._started, ended))


def straight_served_way(
    plan: Plan, windows: MicroBatches, tools: BatchTools, now_us: Callable[[], int]
) -> StraightServedWay | None:
    """None for a plan in which something has to be decided on the way, or whose last step does not serve many."""
    *computing, last = plan.steps
    if plan.output is not None or last.shape is not Shape.SERVES_MANY or not is_plain(last):
        return None
    if not all(step.shape is Shape.COMPUTES and is_plain(step) for step in computing):
        return None
    *before, end = legs_of(plan)
    return StraightServedWay(StraightWay(tuple(before), tools, now_us), end, windows, tools, now_us)
