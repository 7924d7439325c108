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
import orjson

from weft.kit.json_numbers import canonicalise_numbers
from weft.kit.schema_limits import DEEPEST_VALUE, SchemaLimits, deeper_than, limits_of, parts_in
from weft.kit.schema_shape import Located, Schema, declared_properties, schema_at
from weft.kit.suggest import hint_for

__all__ = [
    "Located", "Schema", "SchemaProblemError", "SchemaValidator", "SchemaViolation",
    "canonicalise_numbers", "compile_schema", "declared_properties", "schema_at",
]  # fmt: skip

MOST_VIOLATIONS = 50
LONGEST_MESSAGE = 240
LONGEST_ECHO = 60
LARGEST_SEARCH = 30_000
"""Parts of a value times subschemas: about a second when all of them fail, because the library finds all violations at once
at 35 µs each. Beyond it only the first violation is looked for.
"""

META_SCHEMA_CHECKS = 10
"""Of a draft's own schema one part is tried on each part of a schema, roughly."""

_MASK = "\x00"
"""Stands for the value in the library's messages, which would copy it whole, once per violation: 500 MB took 11 s."""

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

    def __init__(self, schema: Schema, validator: jsonschema_rs.Validator, limits: SchemaLimits) -> None:
        self.schema = schema
        self._validator = validator
        self._deepest_value = limits.deepest_value
        self._largest_value = LARGEST_SEARCH // max(1, limits.checks)

    def is_valid(self, value: Any) -> bool:
        if self._deepest_value is not None and deeper_than(value, self._deepest_value):
            return False
        try:
            return self._validator.is_valid(value)
        except ValueError:  # not a JSON value, or nested beyond the library's own limit
            return False

    def check(self, value: Any, *, most: int = MOST_VIOLATIONS) -> list[SchemaViolation]:
        """What is wrong with the value, at most `most` violations (one, where the value is very large); empty when it is valid."""
        if self._deepest_value is not None and deeper_than(value, self._deepest_value):
            return [SchemaViolation([], f"is nested more than {self._deepest_value} levels deep", "depth")]
        try:
            if self._validator.is_valid(value):
                return []
            return list(islice(_violations(self._errors(value), self.schema, value), most))
        except ValueError as error:
            return [SchemaViolation([], f"is not plain JSON: {_shortened(str(error))}", "type")]

    def _errors(self, value: Any) -> Iterable[jsonschema_rs.ValidationError]:
        if parts_in(value, self._largest_value) <= self._largest_value:
            return self._validator.iter_errors(value)
        try:
            self._validator.validate(value)
        except jsonschema_rs.ValidationError as error:
            return [error]
        return []


def compile_schema(schema: Schema) -> SchemaValidator:
    """Checks a schema against its draft (2020-12 unless `$schema` names another) and compiles it.

    Raises SchemaProblemError with every problem found in it.
    """
    limits = limits_of(schema)
    if limits.problem is not None:
        raise SchemaProblemError([SchemaViolation([], limits.problem, "limits")])
    plain = cast("dict[str, Any] | bool", schema)
    draft = _draft_of(plain)
    described = draft(
        {"$ref": _META_SCHEMAS[draft]}, offline=True, pattern_options=jsonschema_rs.RegexOptions(), mask=_MASK
    )
    if problems := SchemaValidator({}, described, SchemaLimits(None, DEEPEST_VALUE, META_SCHEMA_CHECKS)).check(plain):
        raise SchemaProblemError(problems)
    try:
        validator = draft(
            plain,
            offline=True,
            pattern_options=jsonschema_rs.RegexOptions(size_limit=1 << 20),
            validate_formats=True,
            mask=_MASK,
        )
    except (ValueError, jsonschema_rs.ReferencingError) as error:
        raise SchemaProblemError([_compile_problem(error)]) from error
    return SchemaValidator(schema, validator, limits)


def _draft_of(schema: dict[str, Any] | bool) -> type[jsonschema_rs.Validator]:
    # The library takes a draft it does not know for the newest.
    named = schema.get("$schema") if isinstance(schema, dict) else None
    if named is None:
        return jsonschema_rs.Draft202012Validator
    for draft, uri in _META_SCHEMAS.items():
        if isinstance(named, str) and named.rstrip("#") == uri.rstrip("#"):
            return draft
    known = ", ".join(_META_SCHEMAS.values())
    raise SchemaProblemError([SchemaViolation(["$schema"], f"is not a draft known here: {known}", "$schema")])


def _compile_problem(error: Exception) -> SchemaViolation:
    if isinstance(error, jsonschema_rs.ValidationError):
        message = _compile_message(error.message.replace(_MASK, "the value"))
        return SchemaViolation([str(part) for part in error.instance_path], message, error.kind.name)
    return SchemaViolation([], _compile_message(str(error)), "$ref")


def _compile_message(message: str) -> str:
    if "Retrieval is disabled" in message or "not present in a registry" in message:
        return f"references to other documents are not allowed: {_shortened(message.split(' is not present', maxsplit=1)[0])}"
    return _shortened(message)


def _violations(
    errors: Iterable[jsonschema_rs.ValidationError], schema: Schema, value: Any
) -> Iterable[SchemaViolation]:
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
            yield from _violations(nearest, schema, value)
        else:
            message = error.message.replace(_MASK, _echo(value, error.instance_path))
            yield SchemaViolation(path, _shortened(message), kind.name)


def _echo(value: Any, path: list[str | int]) -> str:
    """The value at the path where it is short, so that a message can show it."""
    for step in path:
        value = value[step]
    if isinstance(value, dict | list) or (isinstance(value, str) and len(value) > LONGEST_ECHO):
        return "the value"
    return orjson.dumps(value, default=lambda _: "the value").decode()


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
    # What was expected may be long too (an enum); the ends say most.
    return f"{message[: LONGEST_MESSAGE // 3]} … {message[-LONGEST_MESSAGE // 2 :]}"
