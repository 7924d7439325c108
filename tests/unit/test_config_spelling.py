"""Configs in other spellings mean the same step, and are stored in the one of its type."""

from typing import Any

import pytest
from steps.items import CATALOGUE

from weft.domain.errors import ErrorCode
from weft.domain.spelling import read_definition, write_definition
from weft.domain.spelling.configs import in_own_words, schemas_named
from weft.engine.compiling.compiler import examine

PERSON: dict[str, Any] = {"type": "object", "properties": {"name": {"type": "string"}}}


def stored(step: dict[str, Any], **schemas: Any) -> dict[str, Any]:
    """The config that a version keeps of a step."""
    reading = in_own_words(read_definition({"steps": [step]}), CATALOGUE, schemas)
    assert reading.problems == ()
    return write_definition(reading.definition)["steps"][0]["config"]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ({"type": "document_parser", "config": {"output_format": "json"}}, {"outputFormat": "JSON"}),
        ({"type": "parse", "config": {"max_pages": 3, "outputFormat": "text"}}, {"maxPages": 3, "outputFormat": "TEXT"}),
        (
            {"type": "database_connector", "config": {"connection": "default_database", "table": "invoices"}},
            {"datastore": "default_database", "table": "invoices"},
        ),
        ({"type": "store", "config": {"mode": "upsert", "key": ["n"]}}, {"mode": "UPSERT", "key": ["n"]}),
        (
            {"type": "integration", "config": {"integration_id": "slack-uuid", "template": "Hi {{ name }}"}},
            {"integration": "slack-uuid", "message": "Hi {{ name }}"},
        ),
        ({"type": "notify", "config": {"integrationId": "x"}}, {"integration": "x"}),
        ({"type": "StaticTextInput", "input": "Hello, world!"}, {"value": "Hello, world!"}),
        ({"type": "TextOperation.Replace", "config": {"ignore_case": True}}, {"ignoreCase": True}),
        ({"type": "text", "config": {"operation": "UPPER"}}, {"operation": "upper"}),
        (
            {"type": "extract", "config": {"min_confidence": 0.8, "on_missing": "leave", "by": "rules"}},
            {"minConfidence": 0.8, "onMissing": "LEAVE", "by": "RULES"},
        ),
    ],
)  # fmt: skip
def test_a_config_is_stored_in_the_words_of_its_type(written: dict[str, Any], meant: dict[str, Any]) -> None:
    assert stored(written) == meant
    assert stored({"type": written["type"], "config": meant}) == meant


def test_texts_that_are_no_choice_stay_as_they_are() -> None:
    assert stored({"type": "store", "config": {"datastore": "UPSERT", "table": "insert"}}) == {
        "datastore": "UPSERT",
        "table": "insert",
    }


def test_two_spellings_of_a_field_are_a_mistake_at_the_second() -> None:
    step = {"type": "notify", "config": {"message": "a", "integration": "x", "template": "b"}}
    (problem,) = examine({"steps": [step]}, CATALOGUE, None).problems
    assert (problem.code, problem.path) == (ErrorCode.INVALID, ("steps", "0", "config", "template"))
    assert problem.message == "'template' and 'message' mean the same field: keep one of them."


def test_a_mistake_is_named_where_it_was_written() -> None:
    nodes = [{"id": "say", "type": "integration", "data": {"integration_id": "x", "template": "{{ nobody"}}]
    problems = examine({"nodes": nodes, "connections": []}, CATALOGUE, None).problems
    assert [problem.path for problem in problems] == [("nodes", "0", "data", "template")]


def test_a_name_that_means_nothing_is_still_a_mistake() -> None:
    step = {"type": "store", "config": {"conection": "x", "table": "t"}}
    problems = examine({"steps": [step]}, CATALOGUE, None).problems
    assert ("steps", "0", "config", "conection") in {problem.path for problem in problems}


def test_a_schema_id_is_replaced_by_the_schema_as_it_is_now() -> None:
    by_id = {"id": "a", "type": "extract", "config": {"schema_id": "people"}}
    assert stored(by_id, people=PERSON) == {"schema": PERSON, "give": "VALUES"}
    assert stored({"type": "validate", "config": {"schemaId": "people"}}, people=PERSON) == {"schema": PERSON}
    assert stored({"type": "extract", "config": {"schemaId": "people", "give": "extraction"}}, people=PERSON) == {
        "schema": PERSON,
        "give": "EXTRACTION",
    }


def test_a_schema_id_may_name_a_built_in_schema_which_an_entity_type_of_that_name_precedes() -> None:
    step = {"type": "extract", "config": {"schema_id": "invoice"}}
    assert stored(step) == {"use": "invoice", "give": "VALUES"}
    assert stored(step, invoice=PERSON) == {"schema": PERSON, "give": "VALUES"}


@pytest.mark.parametrize(
    ("config", "code", "field"),
    [
        ({"schemaId": "nobody"}, ErrorCode.UNKNOWN_REFERENCE, "schemaId"),
        ({"schema_id": "invoice", "schema": PERSON, "schemaId": "invoice"}, ErrorCode.INVALID, "schemaId"),
        ({"schema_id": "people", "schema": PERSON}, ErrorCode.INVALID, "schema_id"),
        ({"schema_id": 5}, ErrorCode.INVALID_CONFIG, "schema_id"),
    ],
)
def test_a_schema_id_that_says_nothing_or_too_much_is_a_mistake(
    config: dict[str, Any], code: ErrorCode, field: str
) -> None:
    definition = {"steps": [{"type": "extract", "config": config}]}
    problems = examine(definition, CATALOGUE, None, schemas={"people": PERSON}).problems
    assert (code, ("steps", "0", "config", field)) in {(problem.code, problem.path) for problem in problems}


def test_the_schemas_that_a_definition_refers_to_are_known_before_it_is_checked() -> None:
    steps = [
        {"type": "extract", "config": {"schema_id": "a"}},
        {"type": "validate", "config": {"schemaId": "b"}},
        {"type": "echo", "config": {"schemaId": "c"}},
        {"type": "nothing", "config": {"schemaId": "d"}},
    ]
    assert schemas_named(read_definition({"steps": steps}), CATALOGUE) == {"a", "b"}
