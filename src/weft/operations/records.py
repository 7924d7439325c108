"""Whether a record can be stored as an entity of a type, and as what."""

from collections.abc import Iterable
from typing import Any

import orjson

from weft.domain.entity import JsonSchema
from weft.domain.errors import ErrorCode, Problem
from weft.kit.json import in_words
from weft.kit.json_schema import SchemaViolation, canonicalise_numbers, compile_schema
from weft.kit.storable import NUL_AS_JSON, is_storable_text, path_to_nul

LONGEST_EXTERNAL_ID = 500
"""Characters. Four bytes each still fit into an index entry of Postgres (2,704 bytes)."""


class RefusedRecord(Exception):
    """The record cannot be stored; `problems` are relative to the record."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__(problems[0].message)
        self.problems = problems


def refuse(message: str, *path: str, code: ErrorCode = ErrorCode.INVALID, hint: str | None = None) -> RefusedRecord:
    return RefusedRecord(Problem(code, message, path, hint))


class RecordCheck:
    """The schema of one type, ready to check any number of records."""

    def __init__(self, schema: JsonSchema, max_bytes: int) -> None:
        self._validator = compile_schema(schema)
        self._convert = canonicalise_numbers(schema)
        self._max_bytes = max_bytes

    def to_json(self, data: Any) -> bytes:
        """The record as it is stored: valid, with its numbers as the schema types them. Raises RefusedRecord."""
        if type(data) is not dict:
            raise refuse(f"A record is a JSON object; this is {in_words(data)}.", code=ErrorCode.TYPE_MISMATCH)
        if not self._validator.is_valid(data):
            raise RefusedRecord(*_problems(self._validator.check(data)))
        if self._convert is not None:
            data = self._convert(data)
        try:
            written = orjson.dumps(data)
        except orjson.JSONEncodeError as error:
            raise refuse(f"The record cannot be stored: {error}.") from error
        if len(written) > self._max_bytes:
            raise refuse(
                f"The record has {len(written):,} bytes; at most {self._max_bytes:,} are allowed.",
                code=ErrorCode.LIMIT_EXCEEDED,
            )
        # The six characters may also be a backslash and text: only looking at each text tells.
        if NUL_AS_JSON in written and (path := path_to_nul(data)) is not None:
            raise refuse("The text holds the character NUL (\\u0000), which cannot be stored.", *path)
        return written


def external_id_of(value: Any, *path: str) -> str:
    """An external id as text; whole numbers are taken as well. Raises RefusedRecord."""
    if type(value) is int:
        value = str(value)
    if not isinstance(value, str):
        raise refuse(
            f"An external id is a text or a whole number; this is {in_words(value)}.",
            *path,
            code=ErrorCode.TYPE_MISMATCH,
        )
    if not value:
        raise refuse("The external id is empty.", *path)
    if len(value) > LONGEST_EXTERNAL_ID:
        raise refuse(
            f"The external id has {len(value):,} characters; at most {LONGEST_EXTERNAL_ID} are allowed.",
            *path,
            code=ErrorCode.LIMIT_EXCEEDED,
        )
    if not is_storable_text(value):
        raise refuse("The external id holds a character that cannot be stored (NUL or half of a pair).", *path)
    return value


def _problems(violations: Iterable[SchemaViolation]) -> list[Problem]:
    return [
        Problem(
            ErrorCode.TYPE_MISMATCH if violation.keyword == "type" else ErrorCode.INVALID,
            f"{'.'.join(violation.path) or 'The record'}: {violation.message}",
            tuple(violation.path),
        )
        for violation in violations
    ]
