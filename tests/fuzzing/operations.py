"""Operations over the schema, most of them valid: fields, arguments, variables, fragments, aliases and directives by chance."""

import random
from dataclasses import dataclass, field
from typing import Any, cast

from fuzzing.literals import literal
from fuzzing.values import Values
from graphql import (
    GraphQLArgument,
    GraphQLField,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    OperationType,
    get_named_type,
    is_abstract_type,
    is_leaf_type,
    is_object_type,
    is_required_argument,
)

DEEPEST = 6
MOST_FIELDS = 6


@dataclass(frozen=True)
class Operation:
    type: OperationType
    query: str
    variables: dict[str, Any]
    name: str | None

    @property
    def parameters(self) -> dict[str, Any]:
        named = {"operationName": self.name} if self.name else {}
        return {"query": self.query, "variables": self.variables, **named}


@dataclass
class Maker:
    """Makes one operation."""

    schema: GraphQLSchema
    values: Values
    chance: random.Random
    variables: dict[str, Any] = field(default_factory=dict[str, Any])
    _declared: list[str] = field(default_factory=list[str])
    _fragments: list[str] = field(default_factory=list[str])
    _aliases: int = 0

    def operation(self, kind: OperationType) -> Operation:
        root = self.schema.get_root_type(kind)
        assert root is not None
        most = 1 if kind is OperationType.SUBSCRIPTION else self.chance.choice((1, 1, 1, 2, 3))
        fields = self.chance.sample(sorted(root.fields), k=min(most, len(root.fields)))
        chosen = " ".join(self._field(name, root.fields[name], 1) for name in fields)
        name = "Fuzz" if self.chance.random() < 0.3 else None
        declared = f"({', '.join(self._declared)})" if self._declared else ""
        head = f"{kind.value} {name or ''}{declared}" if name or declared or kind is not OperationType.QUERY else ""
        return Operation(kind, " ".join([f"{head} {{ {chosen} }}", *self._fragments]), self.variables, name)

    def _field(self, name: str, definition: GraphQLField, depth: int, *, aliased: bool = False) -> str:
        arguments = self._arguments(definition.args)
        alias = self._alias() if aliased or self.chance.random() < 0.05 else ""
        return f"{alias}{name}{arguments}{self._directive()}{self._selection(_named(definition), depth)}"

    def _selection(self, of: GraphQLNamedType, depth: int) -> str:
        if is_leaf_type(of):
            return ""
        if is_abstract_type(of):
            return f" {{ __typename {self._of_possible_types(of, depth)} }}"
        assert is_object_type(of)
        fields = self._fields(of, depth)
        match self.chance.random():
            case low if low < 0.07:
                name = f"F{len(self._fragments)}"
                self._fragments.append(f"fragment {name} on {of.name} {{ {fields} }}")
                return f" {{ ...{name} __typename }}"
            case low if low < 0.14:
                return f" {{ ... on {of.name} {{ {fields} }} }}"
            case _:
                return f" {{ {fields} }}"

    def _of_possible_types(self, of: GraphQLNamedType, depth: int) -> str:
        possible = sorted(self.schema.get_possible_types(cast("Any", of)), key=lambda one: one.name)
        chosen = self.chance.sample(possible, k=min(len(possible), 2))
        # With an alias each: the same name may mean fields of different types.
        return " ".join(
            f"... on {one.name} {{ {self._alias()}{self._simple(one)} {self._fields(one, depth + 1, aliased=True)} }}"
            for one in chosen
        )

    def _fields(self, of: GraphQLObjectType, depth: int, *, aliased: bool = False) -> str:
        names = sorted(of.fields)
        if depth >= DEEPEST:
            names = [name for name in names if is_leaf_type(_named(of.fields[name]))]
        chosen = self.chance.sample(names, k=min(len(names), self.chance.randint(1, MOST_FIELDS)))
        made = [self._field(name, of.fields[name], depth + 1, aliased=aliased) for name in chosen]
        return " ".join(made) or "__typename"

    def _simple(self, of: GraphQLObjectType) -> str:
        """A field that needs no selection."""
        leaves = [name for name, one in sorted(of.fields.items()) if is_leaf_type(_named(one))]
        plain = [name for name in leaves if not any(map(is_required_argument, of.fields[name].args.values()))]
        return plain[0] if plain else "__typename"

    def _arguments(self, arguments: dict[str, GraphQLArgument]) -> str:
        given = [
            f"{name}: {self._value(name, argument)}"
            for name, argument in sorted(arguments.items())
            if is_required_argument(argument) or self.chance.random() < 0.4
        ]
        return f"({', '.join(given)})" if given else ""

    def _value(self, name: str, argument: GraphQLArgument) -> str:
        kind: object = cast("Any", argument).type
        value = self.values.of(kind, name)
        if self.chance.random() < 0.5:
            return literal(value, kind)
        variable = f"v{len(self._declared)}"
        self._declared.append(f"${variable}: {kind}")
        self.variables[variable] = value
        return f"${variable}"

    def _alias(self) -> str:
        self._aliases += 1
        return f"a{self._aliases}: "

    def _directive(self) -> str:
        return self.chance.choice((" @skip(if: false)", " @include(if: true)")) if self.chance.random() < 0.03 else ""


def _named(definition: GraphQLField) -> GraphQLNamedType:
    """The type of a field without what is around it."""
    return cast("GraphQLNamedType", get_named_type(cast("Any", definition).type))
