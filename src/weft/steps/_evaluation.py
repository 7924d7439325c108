"""Evaluating what a step compiled, with every mistake as a `Fail` that the reader of a failed item understands."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from weft.domain.entity import JsonSchema
from weft.domain.errors import ErrorCode
from weft.domain.step import Fail, StepContext, StepScope
from weft.kit.cel import CelEvaluationError, CelExpression, CelMapping
from weft.kit.json import in_words
from weft.kit.liquid import LiquidRenderError, LiquidTemplate
from weft.kit.schema_shape import json_types


def evaluated(mapping: CelMapping, ctx: StepContext) -> dict[str, Any]:
    try:
        return mapping.evaluate(ctx.values)
    except CelEvaluationError as error:
        raise Fail(str(error), code="EXPRESSION_FAILED") from error


def mapped_schemas(mapping: CelMapping | None) -> dict[str, JsonSchema]:
    """What each expression of the mapping gives, as far as it is known."""
    return {} if mapping is None else mapping.result_schema["properties"]


class Conditions:
    """Several conditions over the same item, evaluated together where none of them fails: that costs little more than one."""

    def __init__(self, mapping: CelMapping, labels: Sequence[str]) -> None:
        self._mapping = mapping
        self._labels = labels

    def answers(self, ctx: StepContext) -> Iterable[bool | Fail]:
        """One answer per condition, in order.

        Where one fails, each is evaluated when it is asked for, so a condition behind the one that decided is not looked at.
        """
        try:
            together = self._mapping.evaluate(ctx.values)
        except CelEvaluationError:
            expressions = self._mapping.expressions.values()
            return (_alone(label, one, ctx) for label, one in zip(self._labels, expressions, strict=True))
        answers = together.values()
        if all(isinstance(answer, bool) for answer in answers):
            return answers
        return (_answer(label, answer) for label, answer in zip(self._labels, answers, strict=True))


def _alone(label: str, expression: CelExpression, ctx: StepContext) -> bool | Fail:
    try:
        return _answer(label, expression.evaluate(ctx.values))
    except CelEvaluationError as error:
        return Fail(f"{label}: {error}", code="EXPRESSION_FAILED")


def _answer(label: str, answer: Any) -> bool | Fail:
    """Anything but true and false is a failure: a text would be true by accident."""
    if isinstance(answer, bool):
        return answer
    return Fail(f"{label}: the condition gives {in_words(answer)}, not true or false.", code="EXPRESSION_FAILED")


def conditions(
    scope: StepScope, sources: Mapping[str, str], *path: str, labels: Sequence[str] | None = None
) -> Conditions:
    """Compiles conditions, and notes those that can never be true or false. Labels name them in messages."""
    mapping = scope.mapping(sources, *path)
    for name, schema in mapped_schemas(mapping).items():
        types = json_types(schema, schema)
        if types is not None and "boolean" not in types:
            message = f"A condition has to be true or false, and this is {' or '.join(sorted(types))}."
            scope.problem(ErrorCode.TYPE_MISMATCH, message, *path, name, hint="Write a comparison: input.total > 0.0")
    return Conditions(mapping, labels or tuple(sources))


def rendered(template: LiquidTemplate, ctx: StepContext) -> str:
    try:
        return template.render(ctx.values)
    except LiquidRenderError as error:
        raise Fail(f"The text cannot be written: {error.message}.", code="TEMPLATE_FAILED") from error
