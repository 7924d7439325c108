"""CEL expressions from strangers: compiled and checked once, evaluated often.

The dialect is Google's CEL with its extensions strings, math and optional (`environment`). Compiling finds syntax errors, unknown names
and, with the schemas in the scope, undeclared properties and type errors (`checking`); all problems at once, each with its place.

What is bounded, so that an expression from a stranger costs little whatever it says:
- the source: 10,000 characters, 32 levels of nesting (the library's), 1,000 parts, loops in loops in no more loops;
- the rounds of all loops in one evaluation: 10,000 (the library's), of one loop: 1,000 (`guard`);
- everything that can grow faster than its data (replace with texts from the data, loops over them): a bound of its work (`bounds`),
  looked at before an evaluation with much data. What would be too much with 1 kB is refused when it is compiled.
The entries of a map have no order: a loop over a map, and a map that is the result, come in another one each time.
The worst found by trying is about half a second and 200 MB. Regular expressions are RE2: linear in the text.
"""

import math
from collections.abc import Mapping
from functools import cached_property
from typing import Any, cast

import orjson
from cel_expr_python import cel
from google.protobuf.message import DecodeError

from weft.kit.cel.bounds import Bound, TooCostlyError, bound_of
from weft.kit.cel.checking import check
from weft.kit.cel.guard import guarded
from weft.kit.cel.json_values import NotJsonError, json_value
from weft.kit.cel.problems import CelProblem, CelSyntaxError, place, problems_of, run_time_message
from weft.kit.cel.proto import parse
from weft.kit.cel.references import Path, paths_read, pruned, wanted
from weft.kit.cel.schema_types import CelType, JsonSchema, json_schema_of
from weft.kit.cel.scope import CelScope
from weft.kit.cel.tree import tree_of

__all__ = [
    "CelEvaluationError",
    "CelExpression",
    "CelProblem",
    "CelScope",
    "CelSyntaxError",
    "compile_cel",
    "json_schema_of",
]

LONGEST_SOURCE = 10_000

_ERROR = cel.Type.ERROR
_LIBRARY_ERRORS = (RuntimeError, TypeError, SystemError, ValueError, OverflowError)


class CelEvaluationError(Exception):
    """The expression failed on this data; the message says why. `name` is the mapping's name that failed."""

    def __init__(self, message: str, name: str | None = None) -> None:
        super().__init__(f"{name}: {message}" if name is not None else message)
        self.message = message
        self.name = name


class CelExpression:
    """A compiled expression. Safe to share between threads and runs."""

    def __init__(
        self, source: str, program: cel.Expression, result_type: CelType, reference_paths: frozenset[Path], bound: Bound
    ) -> None:
        self.source = source
        self.result_type = result_type
        self.reference_paths = reference_paths
        self.bound = bound
        self._wanted = wanted(reference_paths)
        self._eval = program.eval

    @cached_property
    def references(self) -> frozenset[str]:
        """What it reads, as dotted paths from the names in scope: {"input.total", "steps.extract.date"}."""
        return frozenset(".".join(path) for path in self.reference_paths)

    @cached_property
    def result_schema(self) -> JsonSchema:
        """The JSON Schema of its results, as far as it is known."""
        return json_schema_of(self.result_type)

    def evaluate(self, values: Mapping[str, Any]) -> Any:
        """The result as plain JSON (`json_values` says how times and bytes are written). Raises CelEvaluationError."""
        data = pruned(values, self._wanted)
        if not self.bound.linear:
            self._refuse_too_much(data)
        try:
            value = self._eval(data=data)
            result: Any = value.plain_value()
        except _LIBRARY_ERRORS as error:
            raise CelEvaluationError(_exception_message(error)) from error
        kind = cast("type[Any]", type(result))
        if kind is bool or kind is int or result is None or (kind is float and math.isfinite(result)):
            return result
        # A failed evaluation returns a value of the type ERROR, which looks like a text.
        if kind is str:
            if value.type() == _ERROR:
                raise CelEvaluationError(run_time_message(result))
            return result
        try:
            return json_value(result)
        except NotJsonError as error:
            raise CelEvaluationError(str(error)) from error

    def _refuse_too_much(self, data: dict[str, Any]) -> None:
        try:
            size = len(orjson.dumps(data))
        except TypeError as error:
            raise CelEvaluationError(f"the data is not plain JSON: {error}") from error
        try:
            self.bound.check(data, size)
        except TooCostlyError as error:
            line, column = place(self.source, error.offset)
            raise CelEvaluationError(f"{line}:{column}: {error}") from error


def compile_cel(source: str, scope: CelScope) -> CelExpression:
    """Raises CelSyntaxError with all that is wrong with the expression."""
    if len(source) > LONGEST_SOURCE:
        raise CelSyntaxError([CelProblem(f"has {len(source)} characters, at most {LONGEST_SOURCE} are allowed", 1, 1)])
    if not source.isprintable() and any("\ud800" <= character <= "\udfff" for character in source):
        raise CelSyntaxError([CelProblem("holds a character that is half of one (a lone surrogate)", 1, 1)])
    environment = scope.environment()
    try:
        program = environment.compile(source)
    except _LIBRARY_ERRORS as error:
        raise CelSyntaxError(problems_of(str(error), source, scope.names)) from error
    serialised = program.serialize()
    try:
        tree = tree_of(parse(serialised))
        read = paths_read(tree, scope.names)
        bound = bound_of(tree, read)
        if (changed := guarded(serialised)) is not None:
            program = environment.deserialize(changed)
    except TooCostlyError as error:
        raise CelSyntaxError([CelProblem(str(error), *place(source, error.offset))]) from error
    except (DecodeError, RuntimeError) as error:
        # Messages nest at most 100 deep, and every loop over a loop's result takes several.
        raise CelSyntaxError(
            [CelProblem("the expression is nested too deeply, or chains too many loops", 1, 1)]
        ) from error
    result_type, problems = check(tree, scope.types, source, strict=scope.strict)
    if problems:
        raise CelSyntaxError(problems)
    return CelExpression(source, program, result_type, read, bound)


def _exception_message(error: BaseException) -> str:
    if isinstance(error, TypeError | SystemError):
        return "the result is not a JSON value (an optional is unwrapped with .orValue(…))"
    return run_time_message(str(error))
