"""The configs of the steps, as their types spell them. What the types are is known by the catalogue, so this comes after reading.

| written | canonical |
|---|---|
| snake_case names, and those that the type lists in `spellings` | the names of the config's fields |
| a choice in another case: `leave` | as the type spells it: `LEAVE` |
| `schemaId`, where the config has a field `schema` | what the type makes of that schema: it is taken as it is now |

Names that mean nothing stay, for whoever checks the config to say so.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from inspect import isclass
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from weft.domain.catalogue import Catalogue
from weft.domain.definition import StepDefinition
from weft.domain.entity import JsonSchema
from weft.domain.errors import ErrorCode
from weft.domain.spelling.fields import Notes, Path, snake
from weft.domain.spelling.reading import Reading
from weft.domain.step import AnyStepType

SCHEMA, SCHEMA_ID = "schema", "schemaId"
NO_SCHEMAS: Mapping[str, JsonSchema] = {}


@dataclass(frozen=True, slots=True)
class _Fields:
    names: Mapping[str, str]
    """By each spelling."""
    words: Mapping[str, Mapping[str, str]]
    """Of a field that is a choice: its words by their lower-case form."""


def schemas_named(reading: Reading, catalogue: Catalogue) -> frozenset[str]:
    """What `schemaId` refers to in the steps of the definition."""
    return frozenset(
        value
        for step in reading.definition.steps
        if (found := catalogue.find(step.type)) is not None
        for name, value in step.config.items()
        if _fields(found[0]).names.get(name) == SCHEMA_ID and isinstance(value, str)
    )


def in_own_words(reading: Reading, catalogue: Catalogue, schemas: Mapping[str, JsonSchema]) -> Reading:
    """The definition with every config as its type spells it. `schemas` has those of entity types, by what refers to them."""
    notes = Notes([*reading.problems], dict(reading.places))
    steps = tuple(
        step if (found := catalogue.find(step.type)) is None else _step(step, found[0], schemas, reading, notes)
        for step in reading.definition.steps
    )
    return Reading(replace(reading.definition, steps=steps), tuple(notes.problems), notes.places)


def _step(
    step: StepDefinition, step_type: AnyStepType, schemas: Mapping[str, JsonSchema], reading: Reading, notes: Notes
) -> StepDefinition:
    fields = _fields(step_type)
    config: dict[str, Any] = {}
    written: dict[str, str] = {}
    for key, value in step.config.items():
        name = fields.names.get(key, key)
        place = reading.locate((*step.path, "config", key))
        if name in written:
            message = f"{key!r} and {written[name]!r} mean the same field: keep one of them."
            notes.add(ErrorCode.INVALID, message, place)
            continue
        if name != key:
            notes.places[*step.path, "config", name] = place
        written[name] = key
        config[name] = fields.words[name].get(value.lower(), value) if _is_word(value, fields, name) else value
    if SCHEMA_ID in config and fields.names.get(SCHEMA_ID) == SCHEMA_ID:
        config = _with_schema(
            config, step_type, schemas, reading.locate((*step.path, "config", written[SCHEMA_ID])), notes
        )
    return replace(step, config=config)


def _is_word(value: Any, fields: _Fields, name: str) -> bool:
    return isinstance(value, str) and name in fields.words


def _with_schema(
    config: Mapping[str, Any], step_type: AnyStepType, schemas: Mapping[str, JsonSchema], place: Path, notes: Notes
) -> dict[str, Any]:
    """The config with what `schemaId` stands for in its place; without it where it stands for nothing, which is noted."""
    reference = config[SCHEMA_ID]
    kept = {name: value for name, value in config.items() if name != SCHEMA_ID}
    if not isinstance(reference, str):
        notes.add(ErrorCode.INVALID_CONFIG, "schemaId is a text: the id or the name of an entity type.", place)
        return {SCHEMA: {"type": "object"}, **kept}
    stands_for = step_type.of_schema(reference, schemas.get(reference))
    if stands_for is None:
        message = f"There is no schema {reference!r}: it is the id or the name of an entity type of the workspace."
        notes.add(ErrorCode.UNKNOWN_REFERENCE, message, place, "entityTypes lists those there are.")
        return {SCHEMA: {"type": "object"}, **kept}
    if twice := stands_for.keys() & kept.keys() & {SCHEMA}:
        notes.add(ErrorCode.INVALID, f"schemaId and {', '.join(twice)} say the same twice: keep one of them.", place)
    return {**stands_for, **kept}


@cache
def _fields(step_type: AnyStepType) -> _Fields:
    own = {field.alias or name: field for name, field in step_type.Config.model_fields.items()}
    names = {spelling: name for name in own for spelling in (snake(name), name)}
    if SCHEMA in own:
        names |= {SCHEMA_ID: SCHEMA_ID, snake(SCHEMA_ID): SCHEMA_ID}
    names |= {spelling: name for other, name in step_type.spellings.items() for spelling in (snake(other), other)}
    words = {name: {word.lower(): word for word in _words(field.annotation)} for name, field in own.items()}
    return _Fields(names, {name: known for name, known in words.items() if known})


def _words(annotation: Any) -> Iterator[str]:
    """Those of a choice; none of anything else."""
    if isclass(annotation) and issubclass(annotation, StrEnum):
        yield from (word.value for word in annotation)
    elif get_origin(annotation) is Literal:
        yield from (word for word in get_args(annotation) if isinstance(word, str))
    elif get_origin(annotation) in {Union, UnionType}:
        options = [option for option in get_args(annotation) if option is not NoneType]
        if len(options) == 1:
            yield from _words(options[0])
