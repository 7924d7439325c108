"""Which of the data an expression reads."""

from collections.abc import Collection, Mapping
from typing import Any, TypeAlias, cast

from weft.kit.cel.tree import Call, Constant, Loop, Name, Node, Select, Tree, children

Path: TypeAlias = tuple[str, ...]
Wanted: TypeAlias = tuple[tuple[str, "Wanted | None"], ...]
"""The names to keep, each with what to keep below it: None for everything."""

_BY_NAME = frozenset({"_[_]", "_?._", "_[?_]"})


def paths_read(tree: Tree, names: Collection[str]) -> frozenset[Path]:
    """The longest paths from a name in scope that are written as names: `input.lines[0].price` reads ("input", "lines")."""
    found: set[Path] = set()
    _collect(tree.root, frozenset(names), found)
    return frozenset(found)


def wanted(paths: Collection[Path]) -> Wanted:
    """The paths as a tree for `pruned`; a path that is read whole hides the longer ones."""
    below: dict[str, list[Path]] = {}
    for path in paths:
        below.setdefault(path[0], []).append(path[1:])
    return tuple((name, None if () in rest else wanted(rest)) for name, rest in sorted(below.items()))


def pruned(value: Mapping[str, Any], keep: Wanted) -> dict[str, Any]:
    """Only what is read: the library converts every entry of a map it touches (0.2 µs each), read or not."""
    kept: dict[str, Any] = {}
    for name, below in keep:
        if name in value:
            part = value[name]
            kept[name] = (
                part if below is None or type(part) is not dict else pruned(cast("dict[str, Any]", part), below)
            )
    return kept


def _collect(node: Node, names: frozenset[str], found: set[Path]) -> None:
    if (path := path_of(node, names)) is not None:
        found.add(path)
        return
    if isinstance(node, Loop):
        _collect(node.range, names, found)
        _collect(node.initial, names, found)
        inner = names - {*node.variables, node.accumulator}
        for part in (node.condition, node.step):
            _collect(part, inner, found)
        _collect(node.result, names - {node.accumulator}, found)
        return
    for part in children(node):
        _collect(part, names, found)


def path_of(node: Node, names: Collection[str]) -> Path | None:
    """The path from a name in scope that the node is, where it is nothing else."""
    match node:
        case Name() if node.name in names:
            return (node.name,)
        case Select():
            owner = path_of(node.operand, names)
            return None if owner is None else (*owner, node.field)
        case Call(function=function, arguments=(owner_node, Constant(value=str(field)))) if function in _BY_NAME:
            owner = path_of(owner_node, names)
            return None if owner is None else (*owner, field)
        case _:
            return None
