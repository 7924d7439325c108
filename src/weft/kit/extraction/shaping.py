"""Values in the shape of a JSON Schema: each put at its path and into its type, and what does not fit left out."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from weft.kit.extraction.candidates import Candidate
from weft.kit.extraction.extraction import Extracted, Extraction
from weft.kit.extraction.leaves import Leaf, leaves
from weft.kit.json_schema import Schema, SchemaValidator, compile_schema

MOST_ROUNDS = 10
"""Of leaving out what does not fit: leaving out one value can make another one wrong."""


class Shaper:
    """Made once per schema. Raises SchemaProblemError for a schema that is none."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self.leaves = leaves(schema)
        self.full = compile_schema(schema)
        self.open: SchemaValidator = compile_schema(without_required(schema))
        """Of an object that may still lack required values."""

    @property
    def required(self) -> tuple[str, ...]:
        return tuple(path for path, leaf in self.leaves.items() if leaf.required)

    def shaped(self, decisions: Mapping[str, Sequence[Candidate]], min_confidence: float) -> Extraction:
        """The fields are looked for in the order of the decisions; of what is found, nothing below `min_confidence` is kept."""
        fields: dict[str, Extracted] = {}
        for path, candidates in decisions.items():
            if (leaf := self.leaves.get(path)) is not None:
                sure = [one for one in candidates if one.confidence >= min_confidence]
                fields.update(_extracted(leaf, sure))
        values = self._fitting(fields)
        missing = [path for path in decisions if path in self.leaves and not _is_there(path, fields)]
        return Extraction(values, fields, missing, self._confidence(fields, missing))

    def _fitting(self, fields: dict[str, Extracted]) -> dict[str, Any]:
        """The values of the fields as one object. Takes out of `fields` what does not fit."""
        for _ in range(MOST_ROUNDS):
            values = self._nested(fields)
            violations = self.open.check(values)
            if not violations:
                return values
            wrong = {path for violation in violations for path in _blamed(".".join(violation.path), fields)}
            if not wrong:
                break
            for path in wrong:
                del fields[path]
        fields.clear()
        return {}

    def _confidence(self, fields: Mapping[str, Extracted], missing: Sequence[str]) -> float:
        """On average, a list of rows counting as one, and a required value that is missing as 0."""
        by_leaf: dict[str, list[float]] = {}
        for path, field in fields.items():
            by_leaf.setdefault(self._leaf_of(path), []).append(field.confidence)
        shares = [sum(found) / len(found) for found in by_leaf.values()]
        shares += [0.0 for path in missing if self.leaves[path].required]
        return sum(shares) / len(shares) if shares else 0.0

    def _leaf_of(self, path: str) -> str:
        """The field that a path belongs to: itself, or the list that it is an element of."""
        while path not in self.leaves and "." in path:
            path = path.rpartition(".")[0]
        return path

    def _nested(self, fields: Mapping[str, Extracted]) -> dict[str, Any]:
        values: dict[str, Any] = {}
        lists: dict[str, dict[str, Any]] = {}
        for path, field in fields.items():
            name = self._leaf_of(path)
            if path == name:
                _put(values, name, field.value)
                continue
            number, _, column = path[len(name) + 1 :].partition(".")
            elements = lists.setdefault(name, {})
            if column:
                elements.setdefault(number, {})[column] = field.value
            else:
                elements[number] = field.value
        for name, elements in lists.items():
            _put(values, name, list(elements.values()))
        return values


def without_required(schema: Schema) -> Schema:
    """The same schema for an object of which parts may be missing: at every level that holds single properties."""
    if isinstance(schema, bool):
        return schema
    relaxed = {
        key: value for key, value in schema.items() if key not in {"required", "minProperties", "dependentRequired"}
    }
    for key in ("properties", "$defs", "definitions"):
        if isinstance(parts := relaxed.get(key), Mapping):
            named = cast("Mapping[str, Any]", parts)
            relaxed[key] = {name: without_required(part) if _is_schema(part) else part for name, part in named.items()}
    for key in ("items",):
        if _is_schema(relaxed.get(key)):
            relaxed[key] = without_required(relaxed[key])
    for key in ("allOf", "anyOf", "oneOf"):
        if isinstance(parts := relaxed.get(key), list):
            relaxed[key] = [without_required(part) if _is_schema(part) else part for part in cast("list[Any]", parts)]
    return relaxed


def _is_schema(value: Any) -> bool:
    return isinstance(value, Mapping | bool)


def _extracted(leaf: Leaf, candidates: Sequence[Candidate]) -> Iterator[tuple[str, Extracted]]:
    if leaf.columns:
        for candidate in candidates[:1]:
            yield from _rows(leaf, candidate)
        return
    number = 0
    for candidate in candidates if leaf.many else candidates[:1]:
        value = fitted(candidate.value, leaf.types, leaf.schema)
        if value is not None:
            path = f"{leaf.path}.{number}" if leaf.many else leaf.path
            yield path, Extracted(value, candidate.confidence, candidate.found)
            number += 1


def _rows(leaf: Leaf, candidate: Candidate) -> Iterator[tuple[str, Extracted]]:
    rows = cast("list[dict[str, Any]]", candidate.value if isinstance(candidate.value, list) else [candidate.value])
    cells: list[Mapping[str, Any]] = list(candidate.extra.get("cells", ()))
    number = 0
    for index, row in enumerate(rows):
        kept = {
            name: value
            for name, given in row.items()
            if name in leaf.columns
            and (value := fitted(given, leaf.columns[name].types, leaf.columns[name].schema)) is not None
        }
        for name, value in kept.items():
            found = cells[index].get(name) if index < len(cells) else None
            yield f"{leaf.path}.{number}.{name}", Extracted(value, candidate.confidence, found or candidate.found)
        number += bool(kept)


def fitted(value: Any, types: frozenset[str] | None, schema: Schema) -> Any:
    """The value as one of the types; None where it cannot be."""
    if isinstance(schema, Mapping) and isinstance(value, str) and isinstance(schema.get("enum"), list):
        value = next((one for one in schema["enum"] if str(one).casefold() == value.casefold()), value)
    if types is None:
        return value
    if isinstance(value, bool):
        return value if "boolean" in types else None
    if isinstance(value, str):
        return value if "string" in types else _from_text(value, types)
    if isinstance(value, int | float):
        if "number" in types:
            return float(value)
        if "integer" in types:
            return int(value) if float(value).is_integer() else None
        return f"{value:g}" if "string" in types else None
    return value if types & {"object", "array"} else None


def _from_text(value: str, types: frozenset[str]) -> Any:
    if "boolean" in types and value.casefold() in {"true", "false"}:
        return value.casefold() == "true"
    try:
        number = float(value)
    except ValueError:
        return None
    if "number" in types:
        return number
    return int(number) if "integer" in types and number.is_integer() else None


def _put(values: dict[str, Any], path: str, value: Any) -> None:
    *outer, last = path.split(".")
    for name in outer:
        values = values.setdefault(name, {})
    values[last] = value


def _blamed(path: str, fields: Mapping[str, Extracted]) -> list[str]:
    """The fields at the path, below it, or the one that it lies in."""
    if path in fields:
        return [path]
    below = [name for name in fields if not path or name.startswith(f"{path}.")]
    return below or [name for name in fields if path.startswith(f"{name}.")]


def _is_there(path: str, fields: Mapping[str, Extracted]) -> bool:
    return path in fields or any(name.startswith(f"{path}.") for name in fields)
