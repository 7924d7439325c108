"""The single values that a JSON Schema asks for, and how they would be found with no rule but their names."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from weft.kit.extraction.rules import LONGEST_LABEL, Column, FieldRules, Kind, LabelRule
from weft.kit.json_schema import Schema
from weft.kit.schema_shape import declared_properties, items_of, json_types, resolve

MOST_LEAVES = 200
DEEPEST = 8
BY_ITS_NAME = 0.7

_BY_FORMAT = {"date": Kind.DATE, "date-time": Kind.DATE, "email": Kind.MAIL}
_NUMBERS = frozenset({"number", "integer"})
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[_\-]+")


@dataclass(frozen=True, slots=True)
class Leaf:
    path: str
    """Names from the top, with dots between."""
    schema: Schema
    types: frozenset[str] | None
    """Of the value, or of each value of a list; None for any."""
    many: bool
    columns: Mapping[str, "Leaf"]
    """Of a list of objects."""
    required: bool


def leaves(schema: Schema) -> dict[str, Leaf]:
    """By path. What lies deeper than a list of flat objects is no leaf, and not found by rules."""
    found: dict[str, Leaf] = {}
    for leaf in _below(schema, schema, (), True):
        if len(found) == MOST_LEAVES:
            break
        found[leaf.path] = leaf
    return found


def default_rules(leaf: Leaf) -> FieldRules:
    """By the title or the name of the property as a label."""
    name = leaf.path.rpartition(".")[2]
    if leaf.columns:
        columns = {
            column: Column(type=_kind(inner), headers=_labels(inner.schema, column))
            for column, inner in leaf.columns.items()
        }
        return FieldRules(type=Kind.ROWS, columns=columns)
    kind = _kind(leaf)
    rule = LabelRule(kind="label", labels=_labels(leaf.schema, name), confidence=BY_ITS_NAME)
    choices = {str(value): () for value in _enum(leaf.schema)} if kind is Kind.CHOICE else {}
    return FieldRules(type=kind, many=leaf.many, rules=(rule,), choices=choices)


def _below(schema: Schema, root: Schema, path: tuple[str, ...], required: bool) -> Iterator[Leaf]:
    wanted = _required(resolve(schema, root))
    for name, inner in declared_properties(schema, root).items():
        if "." in name or not name:
            continue
        here, is_required = (*path, name), required and name in wanted
        types = json_types(inner, root)
        if declared_properties(inner, root) and len(here) < DEEPEST:
            yield from _below(inner, root, here, is_required)
        elif types is not None and "array" in types:
            item = items_of(inner, root)
            columns = {leaf.path: leaf for leaf in _flat(item, root)}
            yield Leaf(".".join(here), inner, json_types(item, root), True, columns, is_required)
        elif types is None or types & {"string", "number", "integer", "boolean", "null"}:
            yield Leaf(".".join(here), inner, types, False, {}, is_required)


def _flat(schema: Schema, root: Schema) -> Iterator[Leaf]:
    wanted = _required(resolve(schema, root))
    for name, inner in declared_properties(schema, root).items():
        types = json_types(inner, root)
        if name and "." not in name and not (types is not None and types <= {"object", "array"}):
            yield Leaf(name, inner, types, False, {}, name in wanted)


def _required(schema: Schema) -> frozenset[str]:
    names = schema.get("required") if isinstance(schema, Mapping) else None
    return frozenset(map(str, cast("list[object]", names))) if isinstance(names, list) else frozenset()


def _enum(schema: Schema) -> list[Any]:
    values = schema.get("enum") if isinstance(schema, Mapping) else None
    return cast("list[Any]", values) if isinstance(values, list) else []


def _kind(leaf: Leaf) -> Kind:
    written = leaf.schema.get("format") if isinstance(leaf.schema, Mapping) else None
    if isinstance(written, str) and written in _BY_FORMAT:
        return _BY_FORMAT[written]
    if _enum(leaf.schema):
        return Kind.CHOICE
    return Kind.NUMBER if leaf.types is not None and leaf.types & _NUMBERS else Kind.TEXT


def _labels(schema: Schema, name: str) -> tuple[str, ...]:
    title = schema.get("title") if isinstance(schema, Mapping) else None
    spoken = _HUMP.sub(" ", name).strip() or name
    labels = (title[:LONGEST_LABEL], spoken) if isinstance(title, str) and title.strip() else (spoken,)
    return tuple(label[:LONGEST_LABEL] for label in labels)
