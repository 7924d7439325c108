"""How large a query may be, and how large it is: depth, aliases and cost.

Cost is the number of objects that the query may return at most. An object is 1, a leaf nothing; a list is its length times
what one element costs. The length of a connection, and of a list that takes one, is its `first`; that of any other list is
taken as `LIST_LENGTH`. A mutation is `MUTATION_COST`. Introspection is free here: rules of its own bound it (`introspection`, and one of graphql-core).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    is_abstract_type,
    is_leaf_type,
    is_object_type,
)

LIST_LENGTH = 10
MUTATION_COST = 10
PAGE_SIZE_WHEN_UNKNOWN = 20
MOST_COST = 2**53 - 1
"""What is told of more than that: the largest number that every client reads."""


@dataclass(frozen=True, slots=True)
class QueryLimits:
    characters: int = 50_000
    tokens: int = 1_000
    depth: int = 15
    aliases: int = 30
    cost: int = 20_000


@dataclass(frozen=True, slots=True)
class Size:
    depth: int = 0
    aliases: int = 0
    cost: int = 0


@dataclass(slots=True)
class Measurement:
    """Measures one operation. Each fragment is measured once per type and page size: spreads of spreads cannot explode."""

    schema: GraphQLSchema
    fragments: Mapping[str, FragmentDefinitionNode]
    numbers: Mapping[str, int]
    """The variables that are whole numbers."""
    _fragments: dict[tuple[str, str, int | None], Size] = field(default_factory=dict[tuple[str, str, int | None], Size])

    def operation(self, operation: OperationDefinitionNode) -> Size:
        root = self.schema.get_root_type(operation.operation)
        size = self._selections(operation.selection_set, root, None)
        mutations = len(operation.selection_set.selections) if root is self.schema.mutation_type else 0
        return Size(size.depth, size.aliases, min(size.cost + MUTATION_COST * mutations, MOST_COST))

    def _selections(
        self, selections: SelectionSetNode | None, parent: GraphQLNamedType | None, page: int | None
    ) -> Size:
        """`page` is the page size of the connection whose fields these are."""
        depth = aliases = cost = 0
        for node in selections.selections if selections else ():
            match node:
                case FieldNode():
                    size = self._field(node, parent, page)
                case FragmentSpreadNode():
                    size = self._fragment(node.name.value, parent, page)
                case InlineFragmentNode():
                    narrowed = self.schema.get_type(node.type_condition.name.value) if node.type_condition else parent
                    size = self._selections(node.selection_set, narrowed, page)
                case _:
                    continue
            depth = max(depth, size.depth)
            aliases += size.aliases
            cost += size.cost
        return Size(depth, aliases, cost)

    def _fragment(self, name: str, parent: GraphQLNamedType | None, page: int | None) -> Size:
        fragment = self.fragments.get(name)
        if fragment is None:
            return Size()
        key = (name, parent.name if parent else "", page)
        if key not in self._fragments:
            self._fragments[key] = Size()  # a fragment within itself ends here; validation refuses it
            narrowed = self.schema.get_type(fragment.type_condition.name.value)
            self._fragments[key] = self._selections(fragment.selection_set, narrowed, page)
        return self._fragments[key]

    def _field(self, node: FieldNode, parent: GraphQLNamedType | None, page: int | None) -> Size:
        aliased = int(node.alias is not None)
        name = node.name.value
        if name.startswith("__") or not (is_object_type(parent) or is_abstract_type(parent)):
            return Size(1, aliased)
        definition: Any = getattr(parent, "fields", {}).get(name)
        if definition is None:
            return Size(1, aliased)
        named = cast("GraphQLNamedType", get_named_type(definition.type))
        if is_leaf_type(named):
            return Size(1, aliased)
        first = self._page_size(node, definition.args)
        if _is_list(definition.type):
            length, page = first or page or LIST_LENGTH, None
        else:
            length, page = 1, first
        inner = self._selections(node.selection_set, named, page)
        return Size(1 + inner.depth, aliased + inner.aliases, length * (1 + inner.cost))

    def _page_size(self, node: FieldNode, arguments: Mapping[str, Any]) -> int | None:
        """The `first` that a connection or a list is asked for; None for a field that takes none."""
        if "first" not in arguments:
            return None
        default = arguments["first"].default_value
        page = default if isinstance(default, int) else PAGE_SIZE_WHEN_UNKNOWN
        for argument in node.arguments or ():
            if argument.name.value == "first":
                match argument.value:
                    case IntValueNode(value=text):
                        page = int(text)
                    case VariableNode(name=variable):
                        page = self.numbers.get(variable.value, page)
                    case _:
                        pass
        return max(page, 1)


def _is_list(field_type: Any) -> bool:
    return isinstance(field_type.of_type if isinstance(field_type, GraphQLNonNull) else field_type, GraphQLList)


@dataclass(frozen=True, slots=True)
class Excess:
    """What is too large about a query, and what to do."""

    message: str
    cost: Mapping[str, int] | None = None
    """Where it is the cost."""


def excess(size: Size, limits: QueryLimits) -> Excess | None:
    """None for a query within its limits."""
    if size.depth > limits.depth:
        return Excess(
            f"This query is {size.depth} levels deep; at most {limits.depth} are allowed. Ask in two queries."
        )
    if size.aliases > limits.aliases:
        return Excess(
            f"This query has {size.aliases} aliases; at most {limits.aliases} are allowed. Ask in several queries."
        )
    if size.cost > limits.cost:
        return Excess(
            f"This query may return {size.cost:,} objects (its cost); at most {limits.cost:,} are allowed. "
            "Ask for smaller pages with `first`, or for fewer lists within lists.",
            {"requested": size.cost, "limit": limits.cost},
        )
    return None


def numbers(operation: OperationDefinitionNode, given: Mapping[str, Any]) -> dict[str, int]:
    """The operation's variables that are whole numbers: the only ones that can change its cost."""
    found: dict[str, int] = {}
    for definition in operation.variable_definitions or ():
        name = definition.variable.name.value
        value = given.get(name)
        if value is None and isinstance(definition.default_value, IntValueNode):
            value = int(definition.default_value.value)
        # To GraphQL 100.0 is a whole number as well.
        if isinstance(value, int) or (isinstance(value, float) and value.is_integer()):
            found[name] = int(value)
    return found
