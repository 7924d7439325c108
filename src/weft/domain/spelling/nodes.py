"""Nodes and connections: the same graph, drawn.

An editor keeps the steps as `nodes` and the edges apart from them, as `connections`. Where a node stands on the canvas
(`position`), and what a connection is called, is no part of the graph and is not kept.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from weft.domain.definition import Dependency
from weft.domain.errors import ErrorCode
from weft.domain.spelling.fields import Fields, Notes, Path, objects, suggestion
from weft.domain.spelling.steps import STEP_FIELDS, WrittenStep, parse_dependency

_NODE_FIELDS: Mapping[str, tuple[str, ...]] = {
    **{name: synonyms for name, synonyms in STEP_FIELDS.items() if name != "dependsOn"},
    "config": ("data",),
    "name": ("label",),
    "position": (),
}
_CONNECTION_FIELDS: Mapping[str, tuple[str, ...]] = {
    "id": (),
    "from": ("source",),
    "to": ("target",),
    "branch": ("sourceHandle", "source_handle"),
    "targetHandle": (),
}


def read_nodes(
    nodes: Sequence[Any], path: Path, connections: Sequence[Any], edges_path: Path, notes: Notes
) -> list[WrittenStep]:
    read = [(Fields(raw, place, notes, _NODE_FIELDS), place) for raw, place in objects(nodes, path, "A node", notes)]
    edges: dict[str, list[tuple[Dependency, Path]]] = {}
    for fields, _ in read:
        if isinstance(node_id := fields.raw("id"), str):
            edges[node_id] = []
        else:
            fields.wrong("id", "A node needs an id: connections refer to it.")
    for raw, place in objects(connections, edges_path, "A connection", notes):
        _connect(Fields(raw, place, notes, _CONNECTION_FIELDS), edges, notes, place)
    return [WrittenStep(fields, place, edges.get(fields.raw("id") or "", [])) for fields, place in read]


def _connect(fields: Fields, edges: dict[str, list[tuple[Dependency, Path]]], notes: Notes, place: Path) -> None:
    source, target = _end(fields, "from"), _end(fields, "to")
    if source is None or target is None:
        return
    dependency = parse_dependency(source)
    if "branch" in fields:
        dependency = Dependency(dependency.step_id, fields.text("branch"))
    if target in edges:
        edges[target].append((dependency, place))
    else:
        message = f"There is no node {target!r}."
        notes.add(ErrorCode.UNKNOWN_REFERENCE, message, fields.path("to"), suggestion(target, edges))


def _end(fields: Fields, name: str) -> str | None:
    if name not in fields:
        fields.wrong(name, f"A connection needs {name!r}: the id of a node.")
    return fields.text(name)
