"""What has to hold between values. Pure: candidates in, candidates in a better order and with truer confidence out."""

from collections.abc import Callable, Mapping, Sequence
from itertools import islice, product

from weft.kit.extraction.candidates import SUREST_RULE, Candidate
from weft.kit.extraction.rules import Check

CENT = 0.011
"""Sums may be off by a cent: each line is rounded for itself."""
MOST_TRIED = 6
"""Candidates of one field that are tried with those of the others."""
MOST_COMBINATIONS = 2_000
AGREED = 0.95
"""Numbers that add up are hardly wrong: the confidence that each of them rises towards."""
RISE = 0.75
CONTRADICTED = 0.6
OUT_OF_ORDER = 0.4
OUTDONE = 0.5
LEAST_SHARE = 0.3
"""A combination is only worth trying with candidates that are at least so sure, compared with the best of their field."""

Candidates = dict[str, list[Candidate]]


def apply(checks: Sequence[Check], candidates: Candidates) -> None:
    for check in checks:
        _KINDS[check.kind](check, candidates)


def sums(check: Check, candidates: Candidates) -> None:
    """The likeliest combination that adds up is the one that is meant; without any, nothing of it is sure."""
    names = [*check.fields, check.to[0]]
    if any(not candidates.get(name) for name in names):
        return
    options = [_numbers(candidates[name]) for name in names]
    fitting = [
        combination
        for combination in islice(product(*options), MOST_COMBINATIONS)
        if abs(sum(_number(one) for one in combination[:-1]) - _number(combination[-1])) < CENT
    ]
    if not fitting:
        for name in names:
            _doubt(candidates, name, CONTRADICTED)
        return
    best = max(fitting, key=lambda combination: sum(one.confidence for one in combination))
    if all(_number(one) == 0 for one in best):
        return
    for name, one in zip(names, best, strict=True):
        _agree(candidates, name, one)


def order(check: Check, candidates: Candidates) -> None:
    """ISO dates that must not fall behind each other."""
    for earlier, later in zip(check.fields, check.fields[1:], strict=False):
        first, second = candidates.get(earlier), candidates.get(later)
        if not first or not second or str(first[0].value) <= str(second[0].value):
            continue
        fitting = [one for one in second if str(first[0].value) <= str(one.value)]
        if fitting:
            candidates[later] = [*fitting, *(one.doubted(OUT_OF_ORDER) for one in second if one not in fitting)]
        else:
            _doubt(candidates, later, OUT_OF_ORDER)
            _doubt(candidates, earlier, CONTRADICTED)


def distinct(check: Check, candidates: Candidates) -> None:
    """What one field has at a place is not another field's as well."""
    taken: set[object] = set()
    for name in check.fields:
        left = [one for one in candidates.get(name, []) if _place(one) not in taken]
        candidates[name] = left
        if left:
            taken.add(_place(left[0]))


def rows(check: Check, candidates: Candidates) -> None:
    """The numbers of a column add up to one of the fields `to`, or to several that are equal."""
    field, column = check.fields[0], check.fields[1]
    for one in candidates.get(field, []):
        numbers = [row[column] for row in one.value if isinstance(row.get(column), int | float)]
        total = sum(numbers)
        if len(numbers) != len(one.value) or not total:
            continue
        agreeing = {name: other for name in check.to if (other := _worth(candidates.get(name, []), total)) is not None}
        if agreeing:
            for name, other in agreeing.items():
                _agree(candidates, name, other)
            _agree(candidates, field, one)
            return
    if any(candidates.get(name) for name in check.to):
        _doubt(candidates, field, CONTRADICTED)


def _worth(candidates: Sequence[Candidate], number: float) -> Candidate | None:
    """The candidate of that number, where it is likely enough."""
    fitting = next((one for one in candidates if abs(_number(one) - number) < CENT), None)
    if fitting is None or fitting.confidence < LEAST_SHARE * candidates[0].confidence:
        return None
    return fitting


_KINDS: Mapping[str, Callable[[Check, Candidates], None]] = {
    "sum": sums, "order": order, "distinct": distinct, "rows": rows,
}  # fmt: skip


def _agree(candidates: Candidates, name: str, one: Candidate) -> None:
    """It moves to the front, surer than before, and the others no longer rival it."""
    surer = one.surer(min(SUREST_RULE, one.confidence + max(0.0, AGREED - one.confidence) * RISE))
    rest = [other for other in candidates[name] if other is not one]
    candidates[name] = [surer, *(other.doubted(OUTDONE) for other in rest)]


def _doubt(candidates: Candidates, name: str, share: float) -> None:
    candidates[name] = [one.doubted(share) for one in candidates.get(name, [])]


def _numbers(candidates: Sequence[Candidate]) -> list[Candidate]:
    enough = candidates[0].confidence * LEAST_SHARE
    return [one for one in candidates if one.confidence >= enough and _is_number(one)][:MOST_TRIED]


def _is_number(one: Candidate) -> bool:
    return isinstance(one.value, int | float) and not isinstance(one.value, bool)


def _number(one: Candidate) -> float:
    return float(one.value) if _is_number(one) else float("nan")


def _place(one: Candidate) -> object:
    return (one.found.page, one.found.start) if one.found is not None else id(one)
