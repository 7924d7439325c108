"""Sums of products, in which bounds are computed: {("x1", "x1"): 2.0, (): 5.0} is 2 x1² + 5.

The symbols stand for what differs from round to round of a loop: `x1` for the size of the element, `rounds` for the rounds of a
loop inside. Outside of loops a formula is a number. All factors are positive, so more is never less.
"""

from collections.abc import Iterable
from typing import TypeAlias

Formula: TypeAlias = dict[tuple[str, ...], float]

ROUNDS = "rounds"
HIGHEST_POWER = 6


class GrowthError(Exception):
    """A product of more symbols than anything useful has."""


def constant(value: float) -> Formula:
    return {(): value}


def number(formula: Formula) -> float:
    """Its value where it has no symbols."""
    return formula.get((), 0.0)


def total(*formulas: Formula) -> Formula:
    result: Formula = {}
    for formula in formulas:
        for symbols, factor in formula.items():
            result[symbols] = result.get(symbols, 0.0) + factor
    return result


def either(formulas: Iterable[Formula]) -> Formula:
    """At least as large as each of them."""
    result: Formula = {}
    for formula in formulas:
        for symbols, factor in formula.items():
            result[symbols] = max(result.get(symbols, 0.0), factor)
    return result


def times(formula: Formula, factor: float) -> Formula:
    return {symbols: one * factor for symbols, one in formula.items()}


def product(one: Formula, other: Formula) -> Formula:
    result: Formula = {}
    for left, left_factor in one.items():
        for right, right_factor in other.items():
            symbols = tuple(sorted(left + right))
            if len(symbols) > HIGHEST_POWER:
                raise GrowthError
            result[symbols] = result.get(symbols, 0.0) + left_factor * right_factor
    return result


def growth(formula: Formula) -> tuple[int, bool, float]:
    """Sorts by how large they become, an element before a number: all elements together are only as large as their list."""
    power = max((len(symbols) for symbols in formula), default=0)
    return max(power, 1), power == 0, sum(formula.values())
