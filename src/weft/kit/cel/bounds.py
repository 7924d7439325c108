"""How much work an expression can cause: refused before it is done.

The unit is one byte read, copied or made. Nothing an evaluation makes is freed before its end, so the work bounds its memory
too. A walk over the expression adds it up from the sizes of the data (`measures`) and what each call makes of them (`calls`):

- when it is compiled, for data that could be the whole of each path it reads. So it is known from which size of data on the work
  has to be looked at; for `a + b`, literal replacements and simple loops, never. What is too much for 1 kB of data is refused;
- before an evaluation with more data than that, with the sizes of what it really reads.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from math import inf
from typing import Any

from weft.kit.cel.calls import made, work_of
from weft.kit.cel.formulas import ROUNDS, Formula, GrowthError, constant, number, product, total
from weft.kit.cel.guard import LONGEST_RANGE
from weft.kit.cel.measures import (
    FIXED_MEASURE,
    NOTHING,
    POINTER,
    Measure,
    Measures,
    assumed,
    held,
    literal,
    measured,
)
from weft.kit.cel.references import Path, path_of
from weft.kit.cel.tree import Call, Constant, Entry, ListLiteral, Loop, MapLiteral, Name, Node, Select, Tree

MOST_NODES = 1000
DEEPEST_LOOPS = 2
MOST_ROUNDS = 10_000
"""The library's own limit for one evaluation, all loops together."""

MOST_WORK = 200_000_000
"""About a second and 200 MB where the bound is exact; mostly it is far above the truth."""

SMALL_DATA = 1024
"""What an expression must be able to take."""

_LINEAR_FACTOR = 64
_HUGE = 1e9
_SIZES = (SMALL_DATA, 8_192, 65_536, 524_288, 4_194_304)


_HINT = "do less in one expression, or split it over several steps"
_HINTS = {
    "matches": "write the pattern into the expression, without large repetitions or Unicode classes, and use it less often",
    "replace": "write the texts into the expression, or use shorter ones",
}


class TooCostlyError(Exception):
    """The expression is refused; the message says why, `offset` where in the source."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.offset = offset


@dataclass(frozen=True, slots=True)
class Bound:
    tree: Tree
    paths: tuple[Path, ...]
    harmless_size: float
    """So many bytes of data are never too much, whatever they are; inf: no data is worth measuring."""

    @property
    def linear(self) -> bool:
        return self.harmless_size == inf

    def check(self, data: Mapping[str, Any], size: int) -> None:
        """Raises TooCostlyError where this data, of so many bytes, could be too much."""
        if size > self.harmless_size:
            _work(self.tree, measured(self.paths, data), MOST_WORK, f"with {size} bytes of data")


def bound_of(tree: Tree, paths: Collection[Path]) -> Bound:
    """Raises TooCostlyError for what is too much with next to no data."""
    read = tuple(sorted(paths))
    _work(tree, assumed(read, SMALL_DATA / max(1, len(read)), text=""), MOST_WORK, "even with 1 kB of data")
    if _is_linear(tree, read):
        return Bound(tree, read, inf)
    harmless = 0
    for size in _SIZES:
        try:
            _work(tree, assumed(read, size), MOST_WORK)
        except TooCostlyError:
            break
        harmless = size
    return Bound(tree, read, harmless)


def _is_linear(tree: Tree, paths: tuple[Path, ...]) -> bool:
    # With this much data every loop is at its longest, so what is left of the work is a straight line, or is not.
    one, two = (_work(tree, assumed(paths, size), inf) for size in (_HUGE, 2 * _HUGE))
    slope = (two - one) / _HUGE
    return slope <= _LINEAR_FACTOR and one - slope * _HUGE <= MOST_WORK


def _work(tree: Tree, measures: Measures, most: float, when: str = "") -> float:
    _, work = _Walk(tree, measures, frozenset(path[0] for path in measures), most, when).visit(tree.root, {}, 0)
    return number(work)


@dataclass(slots=True)
class _Walk:
    tree: Tree
    measures: Measures
    names: frozenset[str]
    most: float
    when: str
    nodes: int = 0
    loops: int = 0
    highest_cost: float = 0.0
    costliest: Node | None = None
    """Which part to blame; in a loop, by the cost of one round."""
    longest_inside: float = 1.0
    """Of the loops within the present outer one."""

    def visit(self, node: Node, known: Mapping[str, Measure], depth: int) -> tuple[Measure, Formula]:
        """The size of the node's value, and the work of making it."""
        self.nodes += 1
        if self.nodes > MOST_NODES:
            message = f"the expression has more than {MOST_NODES} parts: split it over several steps"
            raise TooCostlyError(message, 0)
        try:
            measure, work = self._visit(node, known, depth)
        except GrowthError:
            raise self._growing(node) from None
        # Written so that a result which is not a number is refused too.
        if not depth and not number(work) <= self.most:
            raise self._growing(self.costliest or node)
        return measure, work

    def _note(self, cost: Formula, node: Node) -> None:
        if (size := sum(cost.values())) > self.highest_cost:
            self.highest_cost, self.costliest = size, node

    def _visit(self, node: Node, known: Mapping[str, Measure], depth: int) -> tuple[Measure, Formula]:
        path = path_of(node, self.names.difference(known))
        if path is not None and path in self.measures:
            is_test = isinstance(node, Select) and node.test_only
            return FIXED_MEASURE if is_test else self.measures[path], constant(len(path))
        match node:
            case Constant():
                return literal(node.value), constant(1)
            case Name():
                return known.get(node.name, FIXED_MEASURE), constant(1)
            case Select():
                measure, work = self.visit(node.operand, known, depth)
                return (FIXED_MEASURE if node.test_only else measure.part), total(work, constant(1))
            case Call():
                return self._call(node, known, depth)
            case ListLiteral():
                return self._literal(node.elements, len(node.elements), known, depth)
            case MapLiteral():
                return self._literal(_parts(node.entries), len(node.entries), known, depth)
            case Loop():
                return self._loop(node, known, depth)

    def _growing(self, node: Node) -> TooCostlyError:
        function = node.function.strip("_@") if isinstance(node, Call) else ""
        what = f'"{function}"' if function else "this"
        message = f"{what} could take too much time or memory {self.when}: {_HINTS.get(function, _HINT)}"
        return TooCostlyError(message, self.tree.offsets.get(node.id, 0))

    def _literal(
        self, parts: tuple[Node, ...], length: int, known: Mapping[str, Measure], depth: int
    ) -> tuple[Measure, Formula]:
        visited = [self.visit(part, known, depth) for part in parts]
        work = total(constant(POINTER * (len(parts) + 1)), *(work for _, work in visited))
        return held([measure for measure, _ in visited], length), work

    def _call(self, node: Call, known: Mapping[str, Measure], depth: int) -> tuple[Measure, Formula]:
        visited = [self.visit(argument, known, depth) for argument in node.arguments]
        given = [measure for measure, _ in visited]
        kind = self.tree.types[node.id].kind if node.id in self.tree.types else "dyn"
        result = made(node, kind, given)
        cost = work_of(node, given, result)
        self._note(cost, node)
        return result, total(constant(1), cost, *(work for _, work in visited))

    def _loop(self, node: Loop, known: Mapping[str, Measure], depth: int) -> tuple[Measure, Formula]:
        over, work = self.visit(node.range, known, depth)
        start, start_work = self.visit(node.initial, known, depth)
        if isinstance(node.range, ListLiteral) and not node.range.elements:
            # Not a loop: the macros' way of naming a value (optMap).
            result, result_work = self.visit(node.result, {**known, node.accumulator: start}, depth)
            return result, total(work, start_work, result_work)
        if depth == DEEPEST_LOOPS:
            message = f"loops (map, filter, all, …) are nested more than {DEEPEST_LOOPS} deep"
            raise TooCostlyError(message, self.tree.offsets.get(node.id, 0))
        self.loops += 1
        element = f"x{self.loops}"
        rounds = min(over.length, LONGEST_RANGE)
        if not depth:
            self.longest_inside = 1.0
        inside = dict.fromkeys(node.variables, Measure({(element,): 1.0}, over.inner, over.inner))
        inside = {**known, **inside, node.accumulator: NOTHING}
        _, condition_work = self.visit(node.condition, inside, depth + 1)
        grown, step_work = self.visit(node.step, inside, depth + 1)
        per_round = total(constant(1), condition_work, step_work)
        if isinstance(node.initial, ListLiteral):
            per_round = total(per_round, constant(POINTER * rounds))  # the list made so far is copied in every round
        self._note(over.size, node)
        every = _Rounds(element, over.size, rounds, self.longest_inside if not depth else None)
        if depth:
            self.longest_inside = max(self.longest_inside, rounds)
        made_list = Measure(
            total(start.size, every.of(grown.size)), start.length + rounds * grown.length, max(start.inner, grown.inner)
        )
        result, result_work = self.visit(node.result, {**known, node.accumulator: made_list}, depth)
        return result, total(work, start_work, over.size, every.of(per_round), result_work)


@dataclass(frozen=True, slots=True)
class _Rounds:
    """Adds up over the rounds of one loop: the elements together are as large as what holds them, the rest counts in each."""

    element: str
    over: Formula
    rounds: float
    inside: float | None
    """The rounds of the longest loop within this one; None for a loop that is itself within another."""

    def of(self, per_round: Formula) -> Formula:
        return total(*(self._term(symbols, factor) for symbols, factor in per_round.items()))

    def _term(self, symbols: tuple[str, ...], factor: float) -> Formula:
        elements = symbols.count(self.element)
        inner = symbols.count(ROUNDS)
        kept = tuple(symbol for symbol in symbols if symbol != self.element)
        if self.inside is None:
            term: Formula = {kept: factor}
            if not elements:
                term = product(term, {(ROUNDS,): 1.0})
        else:
            term = constant(factor * self._rounds_of(self.inside, inner, once=not elements))
        for _ in range(elements):
            term = product(term, self.over)
        return term

    def _rounds_of(self, inside: float, power: int, *, once: bool) -> float:
        """`once`: no element is part of the term, so every round has it. All rounds of all loops together have a limit."""
        if not once:
            return inside**power
        return min(self.rounds * inside, MOST_ROUNDS) * inside ** (power - 1) if power else self.rounds


def _parts(entries: tuple[Entry, ...]) -> tuple[Node, ...]:
    return tuple(part for entry in entries for part in (entry.key, entry.value) if part is not None)
