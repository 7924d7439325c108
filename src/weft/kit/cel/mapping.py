"""Several named expressions over the same data, evaluated as one.

Entering the library costs more than a small expression, so the expressions of a mapping are compiled once more as one list literal.
Only when that fails are they evaluated one by one, to say which failed.
"""

from collections.abc import Mapping
from typing import Any

from weft.kit.cel.expression import LONGEST_SOURCE, CelEvaluationError, CelExpression, CelSyntaxError, compile_cel
from weft.kit.cel.problems import CelProblem
from weft.kit.cel.schema_types import CelType, JsonSchema, json_schema_of
from weft.kit.cel.scope import CelScope


class CelMapping:
    """Compiled named expressions. Safe to share between threads and runs."""

    def __init__(self, expressions: Mapping[str, CelExpression], together: CelExpression | None) -> None:
        self.expressions = dict(expressions)
        self.result_type = CelType("map", members={name: one.result_type for name, one in expressions.items()})
        self.references = frozenset[str]().union(*(one.references for one in expressions.values()))
        self._names = tuple(expressions)
        self._together = together

    @property
    def result_schema(self) -> JsonSchema:
        return json_schema_of(self.result_type)

    def evaluate(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The results by name, in the order of the mapping. Raises CelEvaluationError with the name that failed."""
        if self._together is not None:
            try:
                return dict(zip(self._names, self._together.evaluate(values), strict=True))
            except CelEvaluationError:
                # One of them failed, or they are too much only together: alone each says for itself.
                return self._one_by_one(values)
        return self._one_by_one(values)

    def _one_by_one(self, values: Mapping[str, Any]) -> dict[str, Any]:
        results: dict[str, Any] = {}
        for name, expression in self.expressions.items():
            try:
                results[name] = expression.evaluate(values)
            except CelEvaluationError as error:
                raise CelEvaluationError(error.message, name) from error
        return results


def compile_mapping(sources: Mapping[str, str], scope: CelScope) -> CelMapping:
    """Raises CelSyntaxError with the problems of all the expressions, each with its name."""
    expressions: dict[str, CelExpression] = {}
    problems: list[CelProblem] = []
    for name, source in sources.items():
        try:
            expressions[name] = compile_cel(source, scope)
        except CelSyntaxError as error:
            problems.extend(error.under(name))
    if problems:
        raise CelSyntaxError(problems)
    return CelMapping(expressions, _together(sources, scope))


def _together(sources: Mapping[str, str], scope: CelScope) -> CelExpression | None:
    # Each was compiled alone, so none can end early and change the others. The line break ends a comment.
    joint = f"[{', '.join(f'({source}{chr(10)})' for source in sources.values())}]"
    if len(sources) < 2 or len(joint) > LONGEST_SOURCE:  # noqa: PLR2004 - one needs no list
        return None
    try:
        return compile_cel(joint, scope)
    except CelSyntaxError:
        return None  # nested too deeply, or too much, only together
