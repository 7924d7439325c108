"""What can be said against a trigger before it is saved: that it will never fire, or that what it starts could never begin.

Careful in one direction, as all checks of definitions: what is not known is not refused.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from weft.domain.entity import JsonSchema
from weft.domain.errors import ErrorCode, Invalid, Problem
from weft.domain.event_types import EVENT_TYPES, EventType, is_reserved, meant_instead_of
from weft.domain.ids import id_in
from weft.domain.spelling.fields import suggestion
from weft.engine.compiling.flow import in_words, misfit
from weft.kit.json_schema import schema_at
from weft.kit.schema_shape import json_types
from weft.kit.suggest import did_you_mean
from weft.triggers.events.matching import ONE_ENTITY, SEVERAL_ENTITIES, Listening, Matcher

_SURELY_THE_SAME = 0.8
_NOTHING: JsonSchema = {"type": "object", "properties": {}, "additionalProperties": False}


@dataclass(frozen=True, slots=True)
class Receiver:
    """What a workflow takes."""

    over_entities: bool
    input_schema: JsonSchema | None
    parameters_schema: JsonSchema | None


def problems_of(trigger: Listening, receiver: Receiver) -> list[Problem]:
    """All of them, each path from the trigger on."""
    kind = None if trigger.event is None else EVENT_TYPES.get(trigger.event)
    found = [*_of_name(trigger.event), *_of_filter(trigger.filter, kind)]
    try:
        matcher = Matcher.of(trigger)
    except Invalid as invalid:
        return [*found, *invalid.problems]
    return [*found, *_of_start(matcher, kind, receiver)]


def _of_name(name: str | None) -> Iterator[Problem]:
    if name is None or name in EVENT_TYPES:
        return
    meant = meant_instead_of(name)
    if meant is None and not is_reserved(name):
        return
    hint = suggestion(meant or name, EVENT_TYPES) or f"Those there are: {', '.join(EVENT_TYPES)}."
    yield Problem(ErrorCode.UNKNOWN_REFERENCE, f"There are no events of the name {name!r}.", ("event",), hint)


def _of_filter(filters: Mapping[str, Any], kind: EventType | None) -> Iterator[Problem]:
    schema = None if kind is None else kind.payload_schema
    if schema is None:
        return
    for field, wanted in filters.items():
        located = schema_at(schema, field)
        if located.unknown_name is None:
            values = cast("list[Any]", wanted) if isinstance(wanted, list) else [wanted]
            for value in values:
                yield from _of_value(field, value, located.schema)
        else:
            yield from _of_unknown(field, located.unknown_name, schema["properties"])


def _of_unknown(field: str, unknown: str, properties: Mapping[str, Any]) -> Iterator[Problem]:
    """A document's own fields may have any name, but one that looks like a slip of the pen has to be written out."""
    meant = did_you_mean(unknown, properties, likeness=_SURELY_THE_SAME)
    if "fields" in properties and meant is None:
        return
    if "fields" in properties:
        hint = f"Did you mean {meant!r}? A field of the document itself is written as 'fields.{field}'."
    elif "data" in properties and meant is None:
        hint = f"A field of the entity's data is written as 'data.{field}'."
    else:
        hint = suggestion(unknown, properties) or f"The fields here are: {', '.join(properties)}."
    yield Problem(ErrorCode.UNKNOWN_REFERENCE, f"The event has no field {unknown!r}.", ("filter", field), hint)


def _of_value(field: str, value: object, schema: Any) -> Iterator[Problem]:
    types = json_types(schema, schema)
    if types is None:
        return
    given = _type_of(value)
    if given not in types and not (given == "number" and "integer" in types):
        message = f"{field} is {in_words(types)}, so it can never be {in_words(frozenset({given}))}."
        yield Problem(ErrorCode.TYPE_MISMATCH, message, ("filter", field))
    elif schema.get("format") == "uuid" and isinstance(value, str) and id_in(value, "") is None:
        message = f"{field} is an id, and {value[:60]!r} is none."
        yield Problem(ErrorCode.INVALID, message, ("filter", field), "Pass an id as the API gave it to you.")
    elif "enum" in schema and value not in schema["enum"]:
        message = f"{field} can never be {str(value)[:60]!r}."
        hint = suggestion(str(value), schema["enum"]) or f"It is one of {', '.join(schema['enum'])}."
        yield Problem(ErrorCode.INVALID, message, ("filter", field), hint)


def _type_of(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "number"
        case _:
            return "string"


def _of_start(matcher: Matcher, kind: EventType | None, receiver: Receiver) -> Iterator[Problem]:
    """Whether what comes of an event fits the workflow."""
    if receiver.over_entities:
        yield from _of_entities(matcher, kind)
    elif receiver.input_schema is not None:
        payload = None if kind is None else kind.payload_schema
        given = payload if matcher.input is None else matcher.input.result_schema
        if given is not None and (reason := misfit(given, receiver.input_schema)):
            yield Problem(
                ErrorCode.TYPE_MISMATCH,
                f"What the workflow would be given does not fit its inputSchema: {reason}.",
                ("input",),
                "Let `input` make of the event what the workflow takes." if matcher.input is None else None,
            )
    if receiver.parameters_schema is not None:
        given = _NOTHING if matcher.parameters is None else matcher.parameters.result_schema
        if reason := misfit(given, receiver.parameters_schema):
            message = f"The parameters do not fit the workflow's parametersSchema: {reason}."
            yield Problem(ErrorCode.TYPE_MISMATCH, message, ("parameters",))


def _of_entities(matcher: Matcher, kind: EventType | None) -> Iterator[Problem]:
    hint = 'Let `input` name the entity, such as {"entityId": "payload.customer.entityId"}.'
    if matcher.input is not None:
        if not matcher.input.expressions.keys() & {*ONE_ENTITY, *SEVERAL_ENTITIES}:
            message = "The workflow works on entities, and the input names none."
            yield Problem(ErrorCode.INVALID, message, ("input",), hint)
    elif kind is not None and not kind.names_entities:
        message = f"The workflow works on entities, and the event {kind.name.value!r} names none."
        yield Problem(ErrorCode.INVALID, message, ("event",), hint)
