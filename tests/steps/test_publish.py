"""The publish step."""

from typing import Any

import pytest
from steps.items import problems, run, step

from weft.domain.errors import ErrorCode
from weft.domain.step import Fail, Output, PublishEntity

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"title": {"type": "string"}, "year": {"type": "integer"}},
    "required": ["title"],
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    ("config", "fields"),
    [
        ({"fields": {"year": "input.year + 1"}}, {"year": 2001}),
        ({"fields": ["year"]}, {"year": 2000}),
        ({}, {"title": "new", "year": 2000}),
    ],
)
def test_the_chosen_fields_are_written_over_those_of_the_entity(config: dict[str, Any], fields: dict[str, Any]) -> None:
    entity = {"title": "old"}
    output = run(step("publish", config, entity_schema=SCHEMA), {"title": "new", "year": 2000}, entity=entity)

    assert output == Output({**entity, **fields}, effects=(PublishEntity(fields, publish=True),))
    assert entity == {"title": "old"}


def test_an_entity_may_be_written_without_being_published() -> None:
    output = run(step("publish", {"publish": False}, entity_schema=SCHEMA), {"title": "a"}, entity={"title": "b"})

    assert output.effects == (PublishEntity({"title": "a"}, publish=False),)


def test_an_entity_that_would_break_its_schema_is_not_written() -> None:
    with pytest.raises(Fail) as failure:
        run(step("publish", {"fields": {"year": "'later'"}}), {"year": "later"}, entity=None)
    assert failure.value.code == "NO_ENTITY"

    loose = step("publish", {"fields": ["year"]}, entity_schema={**SCHEMA, "properties": {"year": {"minimum": 1900}}})
    with pytest.raises(Fail) as failure:
        run(loose, {"year": 1}, entity={"title": "a"})
    assert failure.value.code == "ENTITY_INVALID"


def test_a_field_that_the_input_lacks_fails_with_its_name() -> None:
    with pytest.raises(Fail, match="'year'") as failure:
        run(step("publish", {"fields": ["year"]}, entity_schema=SCHEMA), {"title": "a"}, entity={"title": "b"})

    assert failure.value.code == "FIELD_MISSING"


def test_a_run_without_entities_fails_clearly() -> None:
    with pytest.raises(Fail, match="no entities") as failure:
        run(step("publish"), {"title": "a"}, entity=None)

    assert failure.value.code == "NO_ENTITY"


@pytest.mark.parametrize("fields", [{"titel": "'a'"}, ["titel"]])
def test_a_field_that_the_entity_type_does_not_have_is_a_problem_with_a_hint(fields: Any) -> None:
    found = problems("publish", {"fields": fields}, entity_schema=SCHEMA)

    assert found
    assert found[0].code in {ErrorCode.UNKNOWN_REFERENCE, ErrorCode.TYPE_MISMATCH}
    assert any("title" in f"{problem.message} {problem.hint}" for problem in found)
