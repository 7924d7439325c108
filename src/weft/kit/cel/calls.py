"""What functions and operators make of their arguments, and how much work that is."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from math import inf

from weft.kit.cel.formulas import Formula, constant, growth, number, product, times, total
from weft.kit.cel.measures import FIXED, FIXED_MEASURE, Measure, one_of
from weft.kit.cel.patterns import work_of_pattern, work_of_unknown
from weft.kit.cel.schema_types import SCALARS
from weft.kit.cel.tree import Call, Constant, Node

_ESCAPED = 8.0
"""What one character may become in a function not named here, or as a formatted number."""
_LONGEST_NUMBER = 400
"""Characters of a number that is formatted without a precision."""
_SEARCHED = 1 / 256
"""Looking for a text may stop at each place, and compare each of its bytes there; 256 of them in the time of copying one."""
_PER_PART = 32.0
"""Bytes of memory for each part of a text that was split."""


def made(node: Call, kind: str, given: Sequence[Measure]) -> Measure:
    """What a call gives. `kind` is the type of the result as far as the library's checker knows it."""
    function = node.function
    if (kind in SCALARS and kind not in {"string", "bytes"}) or kind in _FIXED_KINDS or function in _ARITHMETIC:
        return FIXED_MEASURE
    if function.startswith("math."):
        return FIXED_MEASURE
    if function in _SAME:
        return (
            Measure(total(given[0].size, constant(FIXED)), 0, 0)
            if function == "string"
            else replace(given[0], text=None)
        )
    if function in _PARTS:
        return given[0].part
    if function in _ALTERNATIVES:
        return one_of(given[1:] if function == "_?_:_" else given)
    if (special := _SPECIAL.get(function)) is not None and (result := special(node.arguments, given)) is not None:
        return result
    return Measure(times(total(*(one.size for one in given)), _ESCAPED))


def _added(_nodes: Sequence[Node], given: Sequence[Measure]) -> Measure:
    length = sum(one.length for one in given)
    return Measure(total(*(one.size for one in given)), length, max(one.inner for one in given))


def _replaced(nodes: Sequence[Node], given: Sequence[Measure]) -> Measure | None:
    if len(given) < 3:  # noqa: PLR2004 - the text, what, and with what
        return None
    text, new = given[0].size, given[2].size
    match nodes[1:]:
        case [Constant(value=str(old)), Constant(), *_] if old:
            # Each place found takes away the bytes of the old text.
            size = times(text, max(1.0, number(new) / len(old.encode())))
        case [_, _, Constant(value=int(most))] if most >= 0:
            size = total(text, times(new, float(most)))
        case _:
            size = total(text, product(total(text, constant(1)), new))
    return Measure(size, 0, 0)


def _joined(_nodes: Sequence[Node], given: Sequence[Measure]) -> Measure | None:
    parts = given[0]
    if len(given) == 1:
        return Measure(parts.size, 0, 0)
    separator = given[1].size
    count = constant(parts.length) if parts.length < inf else total(parts.size, constant(1))
    return Measure(total(parts.size, product(count, separator)), 0, 0)


def _quoted(_nodes: Sequence[Node], given: Sequence[Measure]) -> Measure:
    return Measure(total(times(given[0].size, 2.0), constant(2)), 0, 0)


def _split(_nodes: Sequence[Node], given: Sequence[Measure]) -> Measure:
    text = given[0].size
    length = number(text) + 1 if set(text) <= {()} else inf
    return Measure(text, length, 0)


def _formatted(nodes: Sequence[Node], given: Sequence[Measure]) -> Measure | None:
    if len(given) < 2:  # noqa: PLR2004 - the text and the list
        return None
    values = times(given[1].size, _ESCAPED)
    match nodes[0]:
        case Constant(value=str(text)):
            written = sum(int(precision or _LONGEST_NUMBER) + _LONGEST_NUMBER for precision in _CLAUSE.findall(text))
            return Measure(total(values, constant(float(len(text.encode()) + written))), 0, 0)
        case _:
            # One digit of a precision can ask for a thousand characters.
            return Measure(total(values, times(given[0].size, 1000.0)), 0, 0)


def work_of(node: Call, given: Sequence[Measure], result: Measure) -> Formula:
    """Of the call alone, with its arguments made."""
    sizes = [one.size for one in given]
    if node.function in _COMPARISONS:
        return min(sizes, key=growth)  # it ends with the shorter of the two
    if node.function in _READS_NOTHING:
        return constant(1)
    work = total(*sizes, result.size)
    if node.function == "matches":
        return total(work, _matching(given))
    if node.function in _SEARCHES and len(given) > 1:
        work = total(work, sizes[0], times(product(sizes[0], sizes[1]), _SEARCHED))
    return total(work, times(sizes[0], _PER_PART)) if node.function == "split" else work


def _matching(given: Sequence[Measure]) -> Formula:
    text, pattern = given[0].size, given[-1]
    if pattern.text is not None:
        written, per_byte = work_of_pattern(pattern.text)
        return total(constant(written), times(text, per_byte))
    written, per_byte = work_of_unknown()
    return total(constant(written), times(product(text, pattern.size), per_byte))


_COMPARISONS = frozenset({"_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_"})
_SEARCHES = frozenset({"contains", "indexOf", "lastIndexOf", "replace", "split"})
_READS_NOTHING = frozenset({
    "_[_]", "_?._", "_[?_]", "orValue", "or", "value", "hasValue", "dyn", "first", "last", "optional.of",
    "_?_:_", "_&&_", "_||_", "!_", "@not_strictly_false",
})  # fmt: skip
_CLAUSE = re.compile(r"%(?:\.(\d{1,9}))?")
_FIXED_KINDS = frozenset({"timestamp", "duration", "type"})
_ARITHMETIC = frozenset({"_-_", "_*_", "_/_", "_%_", "-_"})
_SAME = frozenset({
    "dyn", "lowerAscii", "upperAscii", "trim", "reverse", "substring", "charAt", "string", "bytes",
    "value", "optional.of", "optional.ofNonZeroValue",
})  # fmt: skip
_PARTS = frozenset({"_[_]", "_?._", "_[?_]", "first", "last"})
_ALTERNATIVES = frozenset({"_?_:_", "orValue", "or", "optional.none"})
_SPECIAL: Mapping[str, Callable[[Sequence[Node], Sequence[Measure]], Measure | None]] = {
    "_+_": _added,
    "replace": _replaced,
    "join": _joined,
    "strings.quote": _quoted,
    "split": _split,
    "format": _formatted,
}
