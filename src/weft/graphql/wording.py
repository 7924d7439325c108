"""What the schema says of what recurs: written once, here, and put wherever nothing more particular is said.

A description stands beside what it describes, in the file of its noun. What has none there gets its words from

| what | whence |
|---|---|
| a mutation's input and payload | the mutations that take or give it |
| a field of a payload | `PAYLOADS`, and else: the object as the mutation left it |
| an id, in arguments and inputs | the type that it is of |
| an argument | `ARGUMENTS`, by its name |
| a field of an input | the field of the same name in the type that it makes, changes or filters: `CreateApiKeyInput.name` is `ApiKey.name` |
| a field of a type, and of an input that none of these fits | `FIELDS`, by its name |

The values of enums are described in the domain, and come in by `scalars.py`. A test names what is left without words.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import cast

from graphql import (
    GraphQLArgument,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLNamedType,
    GraphQLSchema,
    is_input_object_type,
    is_interface_type,
    is_object_type,
)

ARGUMENTS: Mapping[str, str] = {
    "first": "The most rows that are given: 1 to 100.",
    "after": "A cursor: the rows behind it are given. Left out, the list begins at its first row.",
    "filter": "Which rows are given. Left out, all of them.",
    "search": "Only those that have this text in their words, upper and lower case alike.",
    "input": "All that the mutation is told.",
    "status": "Only those with one of these statuses. Left out, those of every status.",
    "outcome": "Only those with one of these outcomes. Left out, those of every outcome.",
    "category": "Only those of this category. Left out, those of every category.",
    "count": "How many times are given: 1 to 100.",
    "level": "Only lines that matter at least this much.",
    "stepId": "Only what this step did: its `id` in the definition.",
}

FIELDS: Mapping[str, str] = {
    "createdAt": "When it was made.",
    "updatedAt": "When it was last changed, or else made.",
    "createdBy": "The name of the API key that made it.",
    "createdAfter": "Only what was made later than this.",
    "createdBefore": "Only what was made earlier than this.",
    "idempotencyKey": "1 to 200 characters of your own. The same key with the same input gives the same answer, so that a "
    "request may be sent again; with another input it is refused as a CONFLICT.",
    "expectedRevision": "The `revision` that the change was thought out for: where there is another one by now, it is "
    "refused as a CONFLICT. Left out, it is made in any case.",
}

PAYLOADS: Mapping[str, str] = {
    "errors": "What has to be put right in `input`, all of it at once. Empty where the mutation was carried out.",
    "deletedId": "The `id` of what is no more; null where there are `errors`.",
}

_CHANGED = "As the mutation left it; null where there are `errors`."
_THIS = "Which one: its `id`, or the bare UUID in it, which messages and the outputs of steps carry."
_ABOUT = re.compile(r"(?:Create|Update|New)(\w+)Input|(\w+?)(?:Filter|Config|Changes)?Input")

_NAMED: Mapping[str, str] = {
    "JSON": "Any JSON value, written as such in variables and answers: an object, a list, a text, a number, true, false or null.",
    "Query": "What can be read. Every field needs an API key, and shows what its workspace has.",
    "Mutation": "What can be done. What the caller can put right comes back in `errors`, and what could not be done changes nothing.",
    "Subscription": "What can be watched, by websocket (graphql-transport-ws) or as server-sent events.",
}

Described = GraphQLArgument | GraphQLInputField


def describe(schema: GraphQLSchema) -> None:
    """Gives words to all that has none of its own."""
    for kind in _types(schema, _NAMED):
        kind.description = _NAMED[kind.name]
    _describe_mutations(schema)
    for kind in schema.type_map.values():
        if is_object_type(kind) or is_interface_type(kind):
            for name, field in kind.fields.items():
                field.description = field.description or FIELDS.get(name)
                for argument_name, argument in field.args.items():
                    known = _of_id(schema, argument_name, argument, narrows=True) or ARGUMENTS.get(argument_name)
                    argument.description = argument.description or known
    for kind in schema.type_map.values():
        if is_input_object_type(kind):
            subject = _subject(schema, kind)
            for name, field in kind.fields.items():
                known = (
                    _of_id(schema, name, field, narrows=kind.name.endswith("FilterInput"))
                    or subject.get(name)
                    or FIELDS.get(name)
                )
                field.description = field.description or known


def _describe_mutations(schema: GraphQLSchema) -> None:
    taking: defaultdict[str, list[str]] = defaultdict(list)
    giving: defaultdict[str, list[str]] = defaultdict(list)
    mutations: Mapping[str, GraphQLField] = schema.mutation_type.fields if schema.mutation_type else {}
    for name, field in mutations.items():
        giving[_bare(field)].append(name)
        for argument in field.args.values():
            taking[_bare(argument)].append(name)
    for kind in _types(schema, taking):
        kind.description = kind.description or f"What {_listed(taking[kind.name])} is told."
    for kind in _types(schema, giving):
        kind.description = kind.description or f"What came of {_listed(giving[kind.name])}."
        if is_object_type(kind):
            for name, field in kind.fields.items():
                field.description = field.description or PAYLOADS.get(name, _CHANGED)


def _types(schema: GraphQLSchema, names: Iterable[str]) -> Iterator[GraphQLNamedType]:
    return (schema.type_map[name] for name in names)


def _listed(names: list[str]) -> str:
    return " or ".join(f"`{name}`" for name in names)


def _type_of(part: GraphQLField | Described) -> str:
    """As it is written: `[ID!]`."""
    return str(cast("object", part.type))


def _bare(part: GraphQLField | Described) -> str:
    return _type_of(part).strip("[]!")


def _of_id(schema: GraphQLSchema, name: str, given: Described, *, narrows: bool) -> str | None:
    """What an id is of: `id` of the object itself, `workflowId` of a Workflow. `narrows`: where it may be left out, it filters."""
    if _type_of(given).rstrip("!") != "ID":
        return None
    noun = name.removesuffix("Id")
    kind = f"{noun[0].upper()}{noun[1:]}"
    if noun != name and kind in schema.type_map:
        which = "Only those of this" if narrows and not _type_of(given).endswith("!") else "Which"
        return f"{which} {kind}: its `id`, or the bare UUID in it."
    return _THIS if name == "id" else None


def _subject(schema: GraphQLSchema, kind: GraphQLInputObjectType) -> dict[str, str | None]:
    """By their names, the descriptions of the fields of the type that an input makes, changes or filters."""
    named = _ABOUT.fullmatch(kind.name)
    noun = (named[1] or named[2]) if named else ""
    subjects = (schema.type_map.get(name) for name in (noun, f"{noun}Config"))
    subject = next((subject for subject in subjects if is_object_type(subject)), None)
    return {} if subject is None else {name: field.description for name, field in subject.fields.items()}
