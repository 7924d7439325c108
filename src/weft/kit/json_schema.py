"""JSON Schemas from strangers: checked themselves, compiled once, then used to check values.

Bounded here: the size, nesting and expanded size of a schema (`schema_limits`), the time of its patterns (they run in linear
time; look-around and back-references are refused), the number and length of the violations. References to other documents
are refused, and nothing is ever fetched. Formats (`date`, `email`, …) are checked, not only noted.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any, cast

import jsonschema_rs

from weft.kit.json_numbers import canonicalise_numbers
from weft.kit.schema_limits import DEEPEST_VALUE, deeper_than, limits_of
from weft.kit.schema_shape import Located, Schema, declared_properties, schema_at
from weft.kit.suggest import hint_for

__all__ = [
    "Located", "Schema", "SchemaProblemError", "SchemaValidator", "SchemaViolation",
    "canonicalise_numbers", "compile_schema", "declared_properties", "schema_at",
]  # fmt: skip

MOST_VIOLATIONS = 50
LONGEST_MESSAGE = 240

_META_SCHEMAS: dict[type[jsonschema_rs.Validator], str] = {
    jsonschema_rs.Draft4Validator: "http://json-schema.org/draft-04/schema#",
    jsonschema_rs.Draft6Validator: "http://json-schema.org/draft-06/schema#",
    jsonschema_rs.Draft7Validator: "http://json-schema.org/draft-07/schema#",
    jsonschema_rs.Draft201909Validator: "https://json-schema.org/draft/2019-09/schema",
    jsonschema_rs.Draft202012Validator: "https://json-schema.org/draft/2020-12/schema",
}


@dataclass(frozen=True, slots=True)
class SchemaViolation:
    """One thing wrong with a value: where (names and indexes from the top), what, and which keyword says so."""

    path: list[str]
    message: str
    keyword: str


class SchemaProblemError(ValueError):
    """The schema itself is wrong; `problems` has each with its path inside the schema."""

    def __init__(self, problems: list[SchemaViolation]) -> None:
        super().__init__("; ".join(f"{'.'.join(problem.path) or 'schema'}: {problem.message}" for problem in problems))
        self.problems = problems


class SchemaValidator:
    """A compiled schema. Safe to share between threads and runs."""

    def __init__(self, schema: Schema, validator: jsonschema_rs.Validator, deepest_value: int | None) -> None:
        self.schema = schema
        self._validator = validator
        self._deepest_value = deepest_value

    def is_valid(self, value: Any) -> bool:
        if self._deepest_value is not None and deeper_than(value, self._deepest_value):
            return False
        try:
            return self._validator.is_valid(value)
        except ValueError:  # not a JSON value, or nested beyond the library's own limit
            return False

    def check(self, value: Any, *, most: int = MOST_VIOLATIONS) -> list[SchemaViolation]:
        """What is wrong with the value, at most `most` violations; empty when it is valid."""
        if self._deepest_value is not None and deeper_than(value, self._deepest_value):
            return [SchemaViolation([], f"is nested more than {self._deepest_value} levels deep", "depth")]
        try:
            if self._validator.is_valid(value):
                return []
            return list(islice(_violations(self._validator.iter_errors(value), self.schema), most))
        except ValueError as error:
            return [SchemaViolation([], f"is not plain JSON: {_shortened(str(error))}", "type")]


def compile_schema(schema: Schema) -> SchemaValidator:
    """Checks a schema against its draft (2020-12 unless `$schema` names another) and compiles it.

    Raises SchemaProblemError with every problem found in it.
    """
    limits = limits_of(schema)
    if limits.problem is not None:
        raise SchemaProblemError([SchemaViolation([], limits.problem, "limits")])
    plain = cast("dict[str, Any] | bool", schema)
    try:
        draft = jsonschema_rs.validator_cls_for(plain)
    except ValueError as error:
        raise SchemaProblemError([SchemaViolation(["$schema"], _shortened(str(error)), "$schema")]) from error
    meta = _META_SCHEMAS.get(draft)
    if meta is None:
        raise SchemaProblemError([SchemaViolation(["$schema"], "is not a JSON Schema draft known here", "$schema")])
    described = draft({"$ref": meta}, offline=True, pattern_options=jsonschema_rs.RegexOptions())
    if problems := SchemaValidator({}, described, DEEPEST_VALUE).check(plain):
        raise SchemaProblemError(problems)
    try:
        validator = draft(
            plain, offline=True, pattern_options=jsonschema_rs.RegexOptions(size_limit=1 << 20), validate_formats=True
        )
    except (ValueError, jsonschema_rs.ReferencingError) as error:
        raise SchemaProblemError([_compile_problem(error)]) from error
    return SchemaValidator(schema, validator, limits.deepest_value)


def _compile_problem(error: Exception) -> SchemaViolation:
    if isinstance(error, jsonschema_rs.ValidationError):
        kind = error.kind.name if error.kind else ""
        return SchemaViolation([str(part) for part in error.instance_path], _compile_message(error.message), kind)
    return SchemaViolation([], _compile_message(str(error)), "$ref")


def _compile_message(message: str) -> str:
    if "Retrieval is disabled" in message or "not present in a registry" in message:
        return f"references to other documents are not allowed: {_shortened(message.split(' is not present', maxsplit=1)[0])}"
    return _shortened(message)


def _violations(errors: Iterable[jsonschema_rs.ValidationError], schema: Schema) -> Iterable[SchemaViolation]:
    for error in errors:
        path = [str(part) for part in error.instance_path]
        kind = error.kind
        if isinstance(kind, jsonschema_rs.ValidationErrorKind.Required):
            yield SchemaViolation([*path, kind.property], "is missing", kind.name)
        elif isinstance(kind, jsonschema_rs.ValidationErrorKind.AdditionalProperties):
            known = declared_properties(schema_at(schema, path).schema, schema)
            for name in kind.unexpected:
                yield SchemaViolation(
                    [*path, _shortened(name)], f"is not a known property{hint_for(name, known)}", kind.name
                )
        elif nearest := _nearest_choice(kind, error.instance_path):
            yield from _violations(nearest, schema)
        else:
            yield SchemaViolation(path, _shortened(error.message), kind.name)


def _nearest_choice(kind: Any, path: list[str | int]) -> list[jsonschema_rs.ValidationError]:
    """Of several allowed forms, the errors of the one that was meant: it has the right type and the fewest errors."""
    if not isinstance(kind, jsonschema_rs.ValidationErrorKind.AnyOf | jsonschema_rs.ValidationErrorKind.OneOfNotValid):
        return []
    right_type = [
        errors
        for errors in kind.context
        if errors and not any(e.kind.name == "type" and e.instance_path == path for e in errors)
    ]
    return min(right_type, key=len) if right_type else []


def _shortened(message: str) -> str:
    if len(message) <= LONGEST_MESSAGE:
        return message
    # The value stands at the start, what is wrong with it at the end.
    return f"{message[: LONGEST_MESSAGE // 3]} … {message[-LONGEST_MESSAGE // 2 :]}"
