"""A checked CEL expression as a tree of plain values, with the place in the source and the checker's type of every node."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from weft.kit.cel import proto
from weft.kit.cel.schema_types import DYN, CelType


@dataclass(frozen=True, slots=True)
class Constant:
    id: int
    value: Any


@dataclass(frozen=True, slots=True)
class Name:
    id: int
    name: str


@dataclass(frozen=True, slots=True)
class Select:
    """`operand.field`, or `has(operand.field)` where `test_only`."""

    id: int
    operand: "Node"
    field: str
    test_only: bool


@dataclass(frozen=True, slots=True)
class Call:
    """A function, a method (then its object is the first argument) or an operator such as `_+_`."""

    id: int
    function: str
    arguments: tuple["Node", ...]
    is_method: bool


@dataclass(frozen=True, slots=True)
class ListLiteral:
    id: int
    elements: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a map literal; of a message literal where `key` is None."""

    key: "Node | None"
    value: "Node"
    optional: bool


@dataclass(frozen=True, slots=True)
class MapLiteral:
    id: int
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Loop:
    """What the macros all, exists, map, filter, optMap, … become."""

    id: int
    variables: tuple[str, ...]
    range: "Node"
    accumulator: str
    initial: "Node"
    condition: "Node"
    step: "Node"
    result: "Node"


Node: TypeAlias = Constant | Name | Select | Call | ListLiteral | MapLiteral | Loop


@dataclass(frozen=True, slots=True)
class Tree:
    root: Node
    types: Mapping[int, CelType]
    offsets: Mapping[int, int]


def children(node: Node) -> tuple[Node, ...]:
    match node:
        case Select():
            return (node.operand,)
        case Call():
            return node.arguments
        case ListLiteral():
            return node.elements
        case MapLiteral():
            return tuple(part for entry in node.entries for part in (entry.key, entry.value) if part is not None)
        case Loop():
            return (node.range, node.initial, node.condition, node.step, node.result)
        case Constant() | Name():
            return ()


def tree_of(checked: proto.Message) -> Tree:
    """Recursive: the parser bounds the depth to 32 levels of source."""
    return Tree(
        root=_node(checked.expr),
        types={entry.key: _type(entry.value) for entry in checked.types},
        offsets={entry.key: entry.value for entry in checked.source_info.positions},
    )


def _node(expression: proto.Message) -> Node:
    kind = expression.WhichOneof("kind")
    part = getattr(expression, kind)
    match kind:
        case "const_expr":
            held = part.WhichOneof("kind")
            return Constant(expression.id, None if held in {None, "null_value"} else getattr(part, held))
        case "ident_expr":
            return Name(expression.id, part.name)
        case "select_expr":
            return Select(expression.id, _node(part.operand), part.field, part.test_only)
        case "call_expr":
            is_method = part.HasField("target")
            arguments = ([part.target] if is_method else []) + list(part.args)
            return Call(expression.id, part.function, tuple(_node(one) for one in arguments), is_method)
        case "list_expr":
            return ListLiteral(expression.id, tuple(_node(one) for one in part.elements))
        case "struct_expr":
            return MapLiteral(expression.id, tuple(_entry(one) for one in part.entries))
        case _:
            return _loop(expression.id, part)


def _entry(entry: proto.Message) -> Entry:
    key = _node(entry.map_key) if entry.HasField("map_key") else None
    return Entry(key, _node(entry.value), entry.optional_entry)


def _loop(number: int, part: proto.Message) -> Loop:
    return Loop(
        id=number,
        variables=tuple(name for name in (part.iter_var, part.iter_var2) if name),
        range=_node(part.iter_range),
        accumulator=part.accu_var,
        initial=_node(part.accu_init),
        condition=_node(part.loop_condition),
        step=_node(part.loop_step),
        result=_node(part.result),
    )


_PRIMITIVES = {1: "bool", 2: "int", 3: "uint", 4: "double", 5: "string", 6: "bytes"}
_WELL_KNOWN = {2: "timestamp", 3: "duration"}


def _type(written: proto.Message) -> CelType:
    match written.WhichOneof("kind"):
        case "primitive":
            return CelType(_PRIMITIVES.get(written.primitive, "dyn"))
        case "well_known":
            return CelType(_WELL_KNOWN.get(written.well_known, "dyn"))
        case "null":
            return CelType("null")
        case "list_type":
            return CelType("list", element=_type(written.list_type.elem_type))
        case "map_type":
            return CelType("map", element=_type(written.map_type.value_type))
        case "type":
            return CelType("type")
        case "abstract_type" if written.abstract_type.name == "optional_type":
            return CelType("optional", element=_type(written.abstract_type.parameter_types[0]))
        case _:
            return DYN
