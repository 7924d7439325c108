from typing import Any

import pytest

from weft.kit.schema_shape import declared_properties, json_types, property_of, refuses_others, schema_at

ORDER: dict[str, Any] = {
    "type": "object",
    "properties": {
        "total": {"type": "number"},
        "lines": {"type": "array", "items": {"$ref": "#/$defs/line"}},
        "parent": {"$ref": "#"},
    },
    "$defs": {"line": {"type": "object", "properties": {"price": {"type": "number"}}}},
}


@pytest.mark.parametrize(
    ("schema", "types"),
    [
        ({"type": "integer"}, {"integer"}),
        ({"enum": ["a", None]}, {"string", "null"}),
        ({"const": 5}, {"integer"}),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, {"string", "null"}),
        ({"anyOf": [{"type": "string"}, {}]}, None),
        ({"allOf": [{"type": "number"}, {"type": "integer"}]}, {"integer"}),
        ({"type": ["string", "null"], "enum": ["a"]}, {"string"}),
        ({"$ref": "#/$defs/a", "description": "x"}, {"string"}),
        ({"$ref": "https://example.test/other"}, None),
        ({"properties": {}}, None),
        (True, None),
    ],
)
def test_the_types_of_a_schema_are_what_every_valid_value_has(schema: Any, types: set[str] | None) -> None:
    root = {"$defs": {"a": {"type": "string"}}}
    assert json_types(schema, root) == (None if types is None else frozenset(types))


def test_a_dotted_path_leads_through_references_items_and_recursion() -> None:
    assert schema_at(ORDER, "lines.0.price").schema == {"type": "number"}
    assert schema_at(ORDER, "parent.parent.total").schema == {"type": "number"}


def test_a_path_that_nobody_declares_names_the_place_and_the_candidates() -> None:
    located = schema_at(ORDER, "lines.0.prise")
    assert located.unknown_name == "prise"
    assert located.candidates == ("price",)


@pytest.mark.parametrize(
    "extra",
    [{"additionalProperties": True}, {"additionalProperties": {"type": "string"}}, {"patternProperties": {"^x": {}}}],
)
def test_an_open_object_declares_every_name(extra: dict[str, Any]) -> None:
    assert property_of({"properties": {"a": {}}, **extra}, True, "b").declared


def test_an_object_that_lists_its_properties_declares_no_others() -> None:
    assert not property_of({"properties": {"a": {}}}, True, "b").declared
    assert not refuses_others({"properties": {"a": {}}}, True)
    assert refuses_others({"properties": {"a": {}}, "additionalProperties": False}, True)


def test_an_object_that_lists_nothing_may_have_anything() -> None:
    assert property_of({"type": "object"}, True, "b").declared


def test_a_property_of_one_alternative_only_has_no_known_type() -> None:
    schema: Any = {"anyOf": [{"properties": {"a": {"type": "string"}}}, {"properties": {"b": {"type": "string"}}}]}
    assert property_of(schema, schema, "a").schema == {}
    assert property_of(schema, schema, "a").declared
    assert not property_of(schema, schema, "c").declared


def test_the_parts_of_all_of_add_up() -> None:
    schema: dict[str, Any] = {"allOf": [{"properties": {"a": {}}}, {"required": ["a"]}], "properties": {"b": {}}}
    assert set(declared_properties(schema)) == {"a", "b"}
    assert not property_of(schema, schema, "c").declared


def test_broken_schemas_are_read_as_unknown() -> None:
    broken: list[Any] = [
        {"properties": []},
        {"$ref": "#/$defs/none"},
        {"$ref": 5},
        {"allOf": 5},
        {"type": 5},
        {"$ref": "#"},
    ]
    for schema in broken:
        assert schema_at(schema, "a.b").unknown_name is None
        assert json_types(schema, schema) is None
