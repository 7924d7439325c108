"""What the graph of a definition says about an item: its steps in order, their inputs, its output. Pure.

Stored is only what steps did. What went into them follows from the graph, by the rules of `weft.engine.item`: a root gets
the item's own input, a step behind one other gets its output, a step behind several gets theirs merged.
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from weft.domain.definition import Definition, StepDefinition
from weft.domain.ids import UUID
from weft.domain.run import Item, ItemStatus, StepResult, StepStatus
from weft.domain.spelling import read_definition
from weft.engine.compiling.findings import Findings
from weft.engine.compiling.wiring import Wiring, wire
from weft.engine.item import merged

GRAPHS_KEPT = 256
_GOES_ON = frozenset({ItemStatus.PENDING, ItemStatus.RUNNING})


@dataclass(frozen=True, slots=True)
class StepGraph:
    definition: Definition
    wiring: Wiring

    @classmethod
    def of(cls, canonical: Mapping[str, Any]) -> "StepGraph":
        """From the definition of a version."""
        reading = read_definition(canonical)
        return cls(reading.definition, wire(reading.definition, Findings(reading)))


class StepGraphs:
    """Kept: a version never changes, so its graph is read once per process."""

    def __init__(self) -> None:
        self._graphs: OrderedDict[UUID, StepGraph] = OrderedDict()

    def known(self, version_ids: Iterable[UUID]) -> dict[UUID, StepGraph]:
        return {version_id: self._graphs[version_id] for version_id in version_ids if version_id in self._graphs}

    def keep(self, version_id: UUID, canonical: Mapping[str, Any]) -> StepGraph:
        graph = self._graphs[version_id] = StepGraph.of(canonical)
        if len(self._graphs) > GRAPHS_KEPT:
            self._graphs.popitem(last=False)
        return graph


@dataclass(frozen=True, slots=True)
class ItemStep:
    """A step of the definition and what it did for one item."""

    graph: StepGraph
    item: Item
    number: int
    """Of the step in the definition."""
    result: StepResult

    @property
    def step(self) -> StepDefinition:
        return self.graph.definition.steps[self.number]

    @property
    def is_root(self) -> bool:
        return not self.graph.wiring.wires[self.number]


def steps_of(graph: StepGraph, item: Item) -> tuple[ItemStep, ...]:
    """Every step, in the order of the plan. Those that nothing was recorded of are waiting, or never came."""
    results = {result.step_id: result for result in item.steps}
    goes_on = item.status in _GOES_ON
    found: list[ItemStep] = []
    for number in graph.wiring.order:
        step_id = graph.definition.steps[number].id
        result = results.get(step_id) or _nothing(step_id)
        if result.status is StepStatus.PENDING and not goes_on:
            result = replace(result, status=StepStatus.CANCELLED)
        found.append(ItemStep(graph, item, number, result))
    return tuple(found)


def input_of(step: ItemStep, own_input: Any) -> Any:
    """What went into the step; null where it got nothing, or has not yet. `own_input` is what a root gets."""
    if step.is_root:
        return own_input
    results = {result.step_id: result for result in step.item.steps}
    taken: set[int] = set()
    for edge in step.graph.wiring.wires[step.number]:
        source = results.get(step.graph.definition.steps[edge.source].id)
        if source is None or source.status not in {StepStatus.COMPLETED, StepStatus.SKIPPED}:
            return None
        if source.status is StepStatus.COMPLETED and (edge.branch is None or edge.branch in (source.branches or ())):
            taken.add(edge.source)
    sources = step.graph.wiring.sources(step.number)
    names = [step.graph.definition.steps[number].id for number in sources if number in taken]
    return _together({name: results[name].output for name in names}, len(sources))


def output_of(graph: StepGraph, item: Item) -> Any:
    """What the definition's mapping made of a completed item, or else what its last steps gave; null for any other item."""
    if item.status is not ItemStatus.COMPLETED or graph.definition.output is not None:
        return item.output
    leaves = graph.wiring.leaves()
    results = {result.step_id: result for result in item.steps}
    outputs: dict[str, Any] = {}
    for number in leaves:
        result = results.get(graph.definition.steps[number].id)
        if result is not None and result.status is StepStatus.COMPLETED:
            outputs[result.step_id] = result.output
    return _together(outputs, len(leaves))


def _together(outputs: Mapping[str, Any], sources: int) -> Any:
    if not outputs:
        return None
    return next(iter(outputs.values())) if sources == 1 else merged(outputs)


def _nothing(step_id: str) -> StepResult:
    return StepResult(step_id, StepStatus.PENDING, 0, None, None, None, None, None, None)
