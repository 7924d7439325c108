"""How much work an expression can cause, as a formula in the size of its data; computed once, when it is compiled.

The unit is one byte read, copied or made. Nothing an evaluation makes is freed before its end, so the formula bounds its memory
too. It is a sum of terms `factor * n^a * k^b * i^c` with n the bytes of the data, k the longest list a loop goes over
(`guard` caps it at 1,000) and i the rounds of a loop (nested loops share the library's 10,000). So `a + b` is linear and never
worth a second look, `a.replace(b, c)` and `list.map(x, a + x)` grow faster, and are looked at together with their data.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from weft.kit.cel.guard import LONGEST_RANGE
from weft.kit.cel.schema_types import SCALARS
from weft.kit.cel.tree import Call, Constant, Entry, ListLiteral, Loop, MapLiteral, Name, Node, Select, Tree

MOST_NODES = 1000
DEEPEST_LOOPS = 2
MOST_ROUNDS = 10_000
"""The library's own limit for one evaluation, all loops together."""

MOST_WORK = 200_000_000
"""About a second and 200 MB where the formula is exact; mostly it is far above the truth."""

_HIGHEST_POWER = 6
_LINEAR_FACTOR = 64
_SCALAR_SIZE = 32.0
_POINTER = 16.0
_ESCAPED = 8.0
"""What one character may become: an element of a list (split), an escape sequence (quote), a formatted number."""

_FORMATTED = 1000.0
"""One digit of a precision in `format` can ask for this many characters."""

Formula: TypeAlias = dict[tuple[str, ...], float]

_FIXED = _SCALAR_SIZE
_SIZED = frozenset({"_[_]", "_?._", "_[?_]", "orValue", "or", "value", "dyn", "first", "last"})
_COMPARISONS = frozenset({"_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_"})


class TooCostlyError(Exception):
    """The expression is refused whatever its data; the message says why."""


@dataclass(frozen=True, slots=True)
class Bound:
    """The work of one expression. `linear`: too little to be worth measuring the data."""

    terms: tuple[tuple[float, int, int, int], ...]
    linear: bool

    def work(self, data_size: int) -> float:
        longest = min(LONGEST_RANGE, data_size // 2 + 1)
        return sum(
            factor * data_size**n * longest**k * (min(longest**i, MOST_ROUNDS) if i else 1)
            for factor, n, k, i in self.terms
        )


def bound_of(tree: Tree, source_length: int) -> Bound:
    """Raises TooCostlyError for what no data makes cheap."""
    walk = _Walk(tree)
    _, work = walk.visit(tree.root, {}, 0)
    terms = [
        (factor, powers.count("n"), powers.count("k"), powers.count("i")) for powers, factor in work.items() if factor
    ]
    linear = (
        all(n <= 1 and not k and not i for _, n, k, i in terms)
        and sum(term[0] for term in terms if term[1]) <= _LINEAR_FACTOR
    )
    if not linear:
        terms.append((float(source_length), 0, 0, 1))  # a literal list is as long as the source lets it be
    return Bound(tuple(terms), linear)


@dataclass(slots=True)
class _Walk:
    tree: Tree
    nodes: int = 0
    loops: int = 0
    variables: list[str] = field(default_factory=list[str])

    def visit(self, node: Node, sizes: Mapping[str, Formula], depth: int) -> tuple[Formula, Formula]:
        """The size of the node's value, and the work of making it."""
        self.nodes += 1
        if self.nodes > MOST_NODES:
            raise TooCostlyError(f"the expression has more than {MOST_NODES} parts: split it over several steps")
        match node:
            case Constant():
                return _constant(float(len(str(node.value)) * 4 + 16)), _constant(1)
            case Name():
                return sizes.get(node.name, {("n",): 1.0}), _constant(1)
            case Select():
                size, work = self.visit(node.operand, sizes, depth)
                return (_constant(_FIXED) if node.test_only else size), _sum(work, _constant(1))
            case Call():
                return self._call(node, sizes, depth)
            case ListLiteral():
                return self._literal(node.elements, sizes, depth)
            case MapLiteral():
                return self._literal(_parts(node.entries), sizes, depth)
            case Loop():
                return self._loop(node, sizes, depth)

    def _literal(self, parts: tuple[Node, ...], sizes: Mapping[str, Formula], depth: int) -> tuple[Formula, Formula]:
        visited = [self.visit(part, sizes, depth) for part in parts]
        size = _sum(_constant(_POINTER * (len(parts) + 1)), *(one for one, _ in visited))
        return size, _sum(_constant(_POINTER * (len(parts) + 1)), *(work for _, work in visited))

    def _call(self, node: Call, sizes: Mapping[str, Formula], depth: int) -> tuple[Formula, Formula]:
        visited = [self.visit(argument, sizes, depth) for argument in node.arguments]
        arguments = [size for size, _ in visited]
        works = [work for _, work in visited]
        size = self._result_size(node, arguments)
        if node.function in _COMPARISONS:
            # Comparing ends with the shorter of the two.
            cost = min(arguments, key=_growth)
        elif node.function in _SIZED or node.function in {"_?_:_", "_&&_", "_||_", "!_", "@not_strictly_false"}:
            cost = _constant(1)
        else:
            cost = _sum(*arguments, size)
        return size, _sum(_constant(1), cost, *works)

    def _result_size(self, node: Call, arguments: list[Formula]) -> Formula:
        function = node.function
        kind = self.tree.types[node.id].kind if node.id in self.tree.types else "dyn"
        if (kind in SCALARS and kind not in {"string", "bytes"}) or function in {"_-_", "_*_", "_/_", "_%_", "-_"}:
            return _constant(_FIXED)
        if function == "replace" and len(arguments) >= 3:  # noqa: PLR2004 - the object, what, and with what
            return _sum(arguments[0], _product(_sum(arguments[0], _constant(1)), arguments[2]))
        if function == "join" and len(arguments) > 1:
            return _sum(arguments[0], _product(arguments[0], arguments[1]))
        if function == "format":
            return _sum(_product(arguments[0], _constant(_FORMATTED)), _product(arguments[1], _constant(_ESCAPED)))
        if function in {"_[_]", "_[?_]"}:
            return arguments[0]
        if function in {"_+_", "_?_:_"} or function in _SIZED:
            return _sum(*arguments)
        return _product(_sum(*arguments), _constant(_ESCAPED))

    def _loop(self, node: Loop, sizes: Mapping[str, Formula], depth: int) -> tuple[Formula, Formula]:
        over, work = self.visit(node.range, sizes, depth)
        start, start_work = self.visit(node.initial, sizes, depth)
        if isinstance(node.range, ListLiteral) and not node.range.elements:
            # Not a loop: the macros' way of naming a value (optMap).
            result, result_work = self.visit(node.result, {**sizes, node.accumulator: start}, depth)
            return result, _sum(work, start_work, result_work)
        if depth == DEEPEST_LOOPS:
            raise TooCostlyError(f"loops (map, filter, all, …) are nested more than {DEEPEST_LOOPS} deep")
        self.loops += 1
        element = f"x{self.loops}"
        inside = {**sizes, **{key: {(element,): 1.0} for key in node.variables}, node.accumulator: _constant(0)}
        _, condition_work = self.visit(node.condition, inside, depth + 1)
        grown, step_work = self.visit(node.step, inside, depth + 1)
        rounds = _sum(_constant(1), condition_work, step_work)
        if isinstance(node.initial, ListLiteral):
            rounds = _sum(rounds, {("k",): _POINTER})  # the list made so far is copied in every round
        total = _sum(start, _over_all(grown, element, over))
        result, result_work = self.visit(node.result, {**sizes, node.accumulator: total}, depth)
        return result, _sum(work, start_work, over, _over_all(rounds, element, over), result_work)


def _parts(entries: tuple[Entry, ...]) -> tuple[Node, ...]:
    return tuple(part for entry in entries for part in (entry.key, entry.value) if part is not None)


def _constant(value: float) -> Formula:
    return {(): value}


def _sum(*formulas: Formula) -> Formula:
    total: Formula = {}
    for formula in formulas:
        for powers, factor in formula.items():
            total[powers] = total.get(powers, 0.0) + factor
    return total


def _product(one: Formula, other: Formula) -> Formula:
    total: Formula = {}
    for left, left_factor in one.items():
        for right, right_factor in other.items():
            powers = tuple(sorted(left + right))
            if len(powers) > _HIGHEST_POWER:
                raise TooCostlyError(
                    "the size of the result grows too fast: replace, join or loops build upon each other"
                )
            total[powers] = total.get(powers, 0.0) + left_factor * right_factor
    return total


def _over_all(per_round: Formula, element: str, over: Formula) -> Formula:
    """The sum over all rounds: the elements together are as large as what holds them, the rest counts once per round."""
    total: Formula = {}
    for powers, factor in per_round.items():
        times = powers.count(element)
        term: Formula = {tuple(power for power in powers if power != element): factor}
        if not times:
            term = _product(term, {("i",): 1.0})
        for _ in range(times):
            term = _product(term, over)
        total = _sum(total, term)
    return total


def _growth(formula: Formula) -> tuple[int, float]:
    return max((len(powers) for powers in formula), default=0), sum(formula.values())
