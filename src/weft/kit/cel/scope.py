"""The names an expression may use, with what is known of their values."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import orjson
from cel_expr_python import cel

from weft.kit.cel.environment import new_environment
from weft.kit.cel.schema_types import CelType, type_of_schema
from weft.kit.schema_limits import limits_of
from weft.kit.schema_shape import Schema


class CelScope:
    """Immutable. `names` maps a name to the JSON Schema of its value, or to None where nothing is known.

    A dotted name is an entry of an object that the scope puts together: {"steps.parse": …, "steps.check": …} is one name
    `steps` with exactly these two entries (the part after the first dot may hold any characters). That way every schema keeps
    its own `$defs`. `strict`: an undeclared property of a schema that declares its properties is a problem.
    Values must be valid against their schemas, their numbers put right by `canonicalise_numbers`.
    A schema over the limits of `schema_limits` counts as not known.
    """

    __slots__ = ("_key", "names", "strict", "types")

    def __init__(self, names: Mapping[str, Schema | None], *, strict: bool = True) -> None:
        self.strict = strict
        self.types = _types(names)
        self.names = frozenset(self.types)
        self._key = (strict, orjson.dumps(dict(names), option=orjson.OPT_SORT_KEYS))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CelScope) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    def environment(self) -> cel.Env:
        return _environment(self.names)


def _types(names: Mapping[str, Schema | None]) -> dict[str, CelType]:
    types: dict[str, CelType] = {}
    together: dict[str, dict[str, CelType]] = {}
    for name, schema in names.items():
        usable: Any = schema if schema is not None and limits_of(schema).problem is None else None
        first, dot, rest = name.partition(".")
        if not first.isidentifier() or not first.isascii():
            raise ValueError(f"{first!r} cannot be a name in an expression: it must be letters, digits and _")
        if dot:
            together.setdefault(first, {})[rest] = type_of_schema(usable)
        else:
            types[name] = type_of_schema(usable)
    for name, members in together.items():
        types[name] = CelType("map", members=members)
    return types


@lru_cache(maxsize=64)
def _environment(names: frozenset[str]) -> cel.Env:
    # Evaluation knows the names only as "anything": what is known of them is the business of `checking`.
    return new_environment(dict.fromkeys(names, cel.Type.DYN))
