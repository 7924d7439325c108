"""The graph of a definition: who waits for whom, in which order, and what is wrong with it."""

from dataclasses import dataclass

from weft.domain.definition import Definition
from weft.domain.errors import ErrorCode
from weft.domain.spelling.fields import suggestion
from weft.engine.compiling.findings import Findings
from weft.kit.graph import cycles, topological_order


@dataclass(frozen=True, slots=True)
class Wire:
    """An edge that leads to a step that is there. `place` is its number in `dependsOn`."""

    source: int
    branch: str | None
    place: int


@dataclass(frozen=True, slots=True)
class Wiring:
    """Steps by their number in the definition."""

    wires: tuple[tuple[Wire, ...], ...]
    order: tuple[int, ...]
    """All steps, each after what it depends on; where there is a cycle, the steps on it and behind it come last."""

    def sources(self, step: int) -> tuple[int, ...]:
        """The steps it depends on, each once, in the order of `dependsOn`."""
        return tuple(dict.fromkeys(wire.source for wire in self.wires[step]))

    def leaves(self) -> tuple[int, ...]:
        needed = {wire.source for wires in self.wires for wire in wires}
        return tuple(step for step in self.order if step not in needed)


def wire(definition: Definition, findings: Findings) -> Wiring:
    numbers: dict[str, int] = {}
    for number, step in enumerate(definition.steps):
        numbers.setdefault(step.id, number)
    wires: list[tuple[Wire, ...]] = []
    for step in definition.steps:
        found: list[Wire] = []
        for place, dependency in enumerate(step.depends_on):
            if (source := numbers.get(dependency.step_id)) is not None:
                found.append(Wire(source, dependency.branch, place))
                continue
            message = f"There is no step {dependency.step_id!r}."
            hint = suggestion(dependency.step_id, numbers)
            findings.add(ErrorCode.UNKNOWN_REFERENCE, message, *step.path, "dependsOn", str(place), hint=hint)
        wires.append(tuple(found))
    dependencies = [[edge.source for edge in edges] for edges in wires]
    order = topological_order(dependencies)
    if len(order) < len(wires):
        _report_cycles(definition, wires, dependencies, findings)
        order = (*order, *(number for number in range(len(wires)) if number not in set(order)))
    return Wiring(tuple(wires), order)


def _report_cycles(
    definition: Definition, wires: list[tuple[Wire, ...]], dependencies: list[list[int]], findings: Findings
) -> None:
    for cycle in cycles(dependencies):
        first, second = cycle[0], cycle[1 % len(cycle)]
        place = next(edge.place for edge in wires[first] if edge.source == second)
        # Dependencies point backwards; people read a cycle in the direction in which items would go.
        names = [definition.steps[number].id for number in (*cycle, first)][::-1]
        message = f"The steps wait for each other: {' → '.join(names)}."
        if len(cycle) == 1:
            message = f"The step {names[0]!r} waits for itself."
        path = (*definition.steps[first].path, "dependsOn", str(place))
        findings.add(ErrorCode.CYCLE, message, *path, hint="Take one of these dependencies away.")
