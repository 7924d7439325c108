"""What the graph of a definition says about an item as a whole: its output. Pure.

Stored is only what steps did. What came of them follows from the graph, by the rules of `weft.engine.item`.
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from weft.domain.definition import Definition
from weft.domain.ids import UUID
from weft.domain.run import Item, ItemStatus, StepStatus
from weft.domain.spelling import read_definition
from weft.engine.compiling.findings import Findings
from weft.engine.compiling.wiring import Wiring, wire
from weft.engine.item import merged

GRAPHS_KEPT = 256


@dataclass(frozen=True, slots=True)
class StepGraph:
    definition: Definition
    wiring: Wiring

    @classmethod
    def of(cls, canonical: Mapping[str, Any]) -> "StepGraph":
        """From the definition of a version."""
        reading = read_definition(canonical)
        return cls(reading.definition, wire(reading.definition, Findings(reading)))

    def leaf_ids(self) -> list[str]:
        """Of the steps that nothing comes behind: their outputs are that of the item, where no mapping makes it."""
        return [self.definition.steps[number].id for number in self.wiring.leaves()]


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


def output_of(graph: StepGraph, item: Item) -> Any:
    """What the definition's mapping made of a completed item, or else what its last steps gave; null for any other item."""
    if item.status is not ItemStatus.COMPLETED or graph.definition.output is not None:
        return item.output
    leaves = graph.leaf_ids()
    results = {result.step_id: result for result in item.steps}
    outputs: dict[str, Any] = {}
    for step_id in leaves:
        result = results.get(step_id)
        if result is not None and result.status is StepStatus.COMPLETED:
            outputs[step_id] = result.output
    return together(outputs, len(leaves))


def together(outputs: Mapping[str, Any], sources: int) -> Any:
    """The outputs of as many sources as there are, one or several, as one value."""
    if not outputs:
        return None
    return next(iter(outputs.values())) if sources == 1 else merged(outputs)
