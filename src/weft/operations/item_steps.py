"""What the graph of a definition says about an item: its steps in order, and their inputs. Pure. Its output is told by
`weft.engine.step_graph`.

Stored is only what steps did. What went into them follows from the graph, by the rules of `weft.engine.item`: a root gets
the item's own input, a step behind one other gets its output, a step behind several gets theirs merged.
"""

from dataclasses import dataclass, replace
from typing import Any

from weft.domain.definition import StepDefinition
from weft.domain.run import Item, ItemStatus, StepResult, StepStatus
from weft.engine.step_graph import StepGraph, together

_GOES_ON = frozenset({ItemStatus.PENDING, ItemStatus.RUNNING})


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
    return together({name: results[name].output for name in names}, len(sources))


def _nothing(step_id: str) -> StepResult:
    return StepResult(step_id, StepStatus.PENDING, 0, None, None, None, None, None, None)
