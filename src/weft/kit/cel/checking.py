"""Checks an expression against the schemas of the names it uses, and finds the type of its result.

The library has checked the expression already, but knows the names in scope only as "anything". This walk knows their schemas. It follows
one rule: an expression that would run is never refused. So it speaks only where every value that fits the schemas fails:
operators and functions without an overload for known types, fields of things that have none, and, when `strict`, names that a
schema with declared properties does not declare. Where CEL itself is lenient at run time (== between any types, < between
numbers, ?: with two types), so is this.

Whether a function takes certain types is asked of the library: a call with variables of these types either compiles or not.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from cel_expr_python import cel

from weft.kit.cel.environment import new_environment
from weft.kit.cel.problems import CelProblem, cannot_apply, place
from weft.kit.cel.schema_types import (
    BOOL,
    DYN,
    NUMBERS,
    SCALARS,
    STRING,
    CelType,
    any_of,
    either,
    element_of,
    member_of,
)
from weft.kit.cel.tree import Call, Constant, ListLiteral, Loop, MapLiteral, Name, Node, Select, Tree
from weft.kit.schema_shape import refuses_others
from weft.kit.suggest import hint_for

_ANY_TYPES = frozenset({"_==_", "_!=_"})
_ORDER = frozenset({"_<_", "_<=_", "_>_", "_>=_"})
_BY_NAME = frozenset({"_[_]", "_?._", "_[?_]"})
_OPERATOR = re.compile(r"_(\S+)_")
_FUNCTION = re.compile(r"[A-Za-z][A-Za-z0-9_.]*")

_CEL_TYPES = {
    "null": cel.Type.NULL,
    "bool": cel.Type.BOOL,
    "int": cel.Type.INT,
    "uint": cel.Type.UINT,
    "double": cel.Type.DOUBLE,
    "string": cel.Type.STRING,
    "bytes": cel.Type.BYTES,
    "timestamp": cel.Type.TIMESTAMP,
    "duration": cel.Type.DURATION,
    "list": cel.Type.List(cel.Type.DYN),
    "map": cel.Type.Map(cel.Type.DYN, cel.Type.DYN),
}
_KINDS = {"LIST": "list", "MAP": "map", **{name.upper(): name for name in _CEL_TYPES}}


def check(tree: Tree, scope: Mapping[str, CelType], source: str, *, strict: bool) -> tuple[CelType, list[CelProblem]]:
    """The type of the result, and everything that cannot work."""
    walk = _Walk(tree, source, strict)
    return walk.type_of(tree.root, scope), walk.problems


@lru_cache(maxsize=4096)
def takes(function: str, kinds: tuple[str, ...], is_method: bool) -> tuple[bool, str]:
    """Whether the function has an overload for these kinds, and the kind of its result."""
    call = _written(function, [f"a{index}" for index in range(len(kinds))], is_method=is_method)
    if call is None:
        return True, "dyn"
    environment = new_environment({f"a{index}": _CEL_TYPES.get(kind, cel.Type.DYN) for index, kind in enumerate(kinds)})
    try:
        result = environment.compile(call).return_type().name()
    except RuntimeError as error:
        return "no matching overload" not in str(error), "dyn"
    return True, _KINDS.get(result.partition("<")[0], "dyn")


def _written(function: str, names: list[str], *, is_method: bool) -> str | None:
    if function == "_[_]":
        return f"{names[0]}[{names[1]}]"
    if (operator := _OPERATOR.fullmatch(function)) and len(names) == 2:  # noqa: PLR2004 - a binary operator
        return f"{names[0]} {operator[1]} {names[1]}"
    if function in {"!_", "-_"}:
        return f"{function[0]}{names[0]}"
    if not _FUNCTION.fullmatch(function):
        return None  # what a macro became: it has no spelling
    return f"{names[0]}.{function}({', '.join(names[1:])})" if is_method else f"{function}({', '.join(names)})"


def _a(kind: str) -> str:
    return f"an {kind}" if kind[0] in "aeio" else f"a {kind}"


@dataclass(slots=True)
class _Walk:
    tree: Tree
    source: str
    strict: bool
    problems: list[CelProblem] = field(default_factory=list[CelProblem])

    def type_of(self, node: Node, names: Mapping[str, CelType]) -> CelType:
        match node:
            case Name():
                return names.get(node.name, self._checked(node))
            case Select():
                return self._select(node, names)
            case Call():
                return self._call(node, names)
            case ListLiteral():
                elements = [self.type_of(element, names) for element in node.elements]
                return CelType("list", element=any_of(elements) if elements else None)
            case MapLiteral():
                return self._map(node, names)
            case Loop():
                return self._loop(node, names)
            case Constant():
                return self._checked(node)

    def _checked(self, node: Node) -> CelType:
        return self.tree.types.get(node.id, DYN)

    def _select(self, node: Select, names: Mapping[str, CelType]) -> CelType:
        owner = self.type_of(node.operand, names)
        found = self._member(node, owner, node.field, tested=node.test_only)
        return BOOL if node.test_only else found

    def _member(self, node: Node, owner: CelType, name: str, *, tested: bool) -> CelType:
        if owner.kind not in {"dyn", "map", "optional"}:
            if owner.kind in SCALARS or owner.kind == "list":
                hint = f": use .map(x, x.{name}) or [0]" if owner.kind == "list" else ""
                self._report(node, f'{_a(owner.kind)} has no field "{name}"{hint}')
            return DYN
        if owner.kind == "optional":
            return DYN
        type_, known = member_of(owner, name)
        # A test for an undeclared name is an honest question unless the answer can only be no.
        asked = tested and (owner.schema is None or not refuses_others(owner.schema, owner.root))
        if not known.declared and self.strict and not asked:
            self._report(node, f'there is no "{name}" here{hint_for(name, known.candidates)}')
        return type_

    def _map(self, node: MapLiteral, names: Mapping[str, CelType]) -> CelType:
        values = [self.type_of(entry.value, names) for entry in node.entries]
        keys = [entry.key for entry in node.entries]
        for key in keys:
            if key is not None and not isinstance(key, Constant):
                self.type_of(key, names)
        if self._checked(node).kind != "map":
            return self._checked(node)
        if all(isinstance(key, Constant) and isinstance(key.value, str) for key in keys):
            written = [key.value for key in keys if isinstance(key, Constant)]
            absent = frozenset(name for name, entry in zip(written, node.entries, strict=True) if entry.optional)
            return CelType("map", members=dict(zip(written, values, strict=True)), absent=absent)
        return CelType("map", element=any_of(values))

    def _loop(self, node: Loop, names: Mapping[str, CelType]) -> CelType:
        over = self.type_of(node.range, names)
        if over.kind not in {"dyn", "list", "map"}:
            self._report(node.range, f"{_a(over.kind)} cannot be looped over: it must be a list or a map")
            over = DYN
        first = STRING if over.kind == "map" else element_of(over) if over.kind == "list" else DYN
        started = self.type_of(node.initial, names)
        inside = {
            **names,
            **dict.fromkeys(node.variables[1:], DYN),
            node.variables[0]: first,
            node.accumulator: started,
        }
        self.type_of(node.condition, inside)
        grown = self.type_of(node.step, inside)
        return self.type_of(node.result, {**names, node.accumulator: either(started, grown)})

    def _call(self, node: Call, names: Mapping[str, CelType]) -> CelType:
        types = [self.type_of(argument, names) for argument in node.arguments]
        function = node.function
        if function in _BY_NAME and (found := self._index(node, types)) is not None:
            return found
        if function == "_?_:_":
            if types[0].kind not in {"bool", "dyn"}:
                self._report(node, f"the condition of ?: must be a bool, not {_a(types[0].kind)}")
            return either(types[1], types[2])
        if function in _ANY_TYPES or (function in _ORDER and {type_.kind for type_ in types} <= NUMBERS):
            return BOOL
        if function == "@in":
            if types[1].kind in SCALARS:
                self._report(node, f'the right side of "in" must be a list or a map, not {_a(types[1].kind)}')
            return BOOL
        if function == "_+_" and types[0].kind == types[1].kind == "list":
            return either(types[0], types[1])
        if function == "dyn":
            return DYN
        return self._ask(node, types)

    def _index(self, node: Call, types: list[CelType]) -> CelType | None:
        owner, key = types[0], node.arguments[1]
        optional = node.function != "_[_]"
        if isinstance(key, Constant) and isinstance(key.value, str) and owner.kind in {"map", "dyn"}:
            found = self._member(node, owner, key.value, tested=optional)
        elif owner.kind == "list" and (types[1].kind in NUMBERS or types[1].kind == "dyn"):
            found = element_of(owner)
        elif owner.kind == "map":
            found = owner.element or DYN
        else:
            return self._checked(node) if optional else None
        return CelType("optional", element=found) if optional else found

    def _ask(self, node: Call, types: list[CelType]) -> CelType:
        checked = self._checked(node)
        if node.function in {"orValue", "or"} and types[0].kind == "optional" and types[0].element is not None:
            return either(types[0].element, types[1]) if node.function == "orValue" else types[0]
        if node.function == "value" and types[0].kind == "optional":
            return types[0].element or DYN
        if (
            node.function in {"math.@max", "math.@min"}
            and len({type_.kind for type_ in types}) == 1
            and types[0].kind in NUMBERS
        ):
            return types[0]
        if node.function.startswith("@") or all(type_.kind == "dyn" for type_ in types):
            return checked
        fits, kind = takes(node.function, tuple(type_.kind for type_ in types), node.is_method)
        if not fits:
            self._report(node, cannot_apply(node.function, [type_.kind for type_ in types]))
            return DYN
        return CelType(kind) if checked.kind == "dyn" and kind not in {"dyn", "list", "map"} else checked

    def _report(self, node: Node, message: str) -> None:
        offset = self.tree.offsets.get(node.id, 0)
        if isinstance(node, Select) and self.source[offset : offset + 1] == ".":
            offset += 1  # the name, not the dot before it
        problem = CelProblem(message, *place(self.source, offset))
        if problem not in self.problems:
            self.problems.append(problem)
