"""What is said against a trigger before it is saved."""

from dataclasses import replace
from typing import Any

import pytest
from triggers.sample_events import trigger

from weft.domain.errors import ErrorCode
from weft.domain.event_types import EVENT_TYPES
from weft.domain.ids import UUID, new_id
from weft.triggers.events.checking import Receiver, problems_of

INPUT_ALONE = Receiver(over_entities=False, input_schema=None, parameters_schema=None)
OVER_ENTITIES = replace(INPUT_ALONE, over_entities=True)


def schema(**properties: str) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {name: {"type": kind} for name, kind in properties.items()},
        "required": list(properties),
    }


def said(receiver: Receiver = INPUT_ALONE, event: str | None = "document.uploaded", **values: Any) -> list[Any]:
    return [(problem.code, ".".join(problem.path)) for problem in problems_of(trigger(event, **values), receiver)]


def hint(event: str = "document.uploaded", **values: Any) -> str | None:
    (problem,) = problems_of(trigger(event, **values), INPUT_ALONE)
    return problem.hint


@pytest.mark.parametrize(
    "event", [*EVENT_TYPES, "order.placed", "order_placed", "entry.created", "chat.reaction", None]
)
def test_every_event_may_be_listened_to_without_a_filter(event: str | None) -> None:
    assert said(event=event) == []


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("document.upload", "document.uploaded"),
        ("documents.uploaded", "document.uploaded"),
        ("document_uploaded", "document.uploaded"),
        ("Document.Uploaded", "document.uploaded"),
        ("entity.create", "entity.created"),
        ("run.complete", "run.completed"),
        ("chat.messages", "chat.message"),
    ],
)
def test_a_name_like_that_of_a_platform_event_is_guessed_at(written: str, meant: str) -> None:
    assert said(event=written) == [(ErrorCode.UNKNOWN_REFERENCE, "event")]
    assert hint(event=written) == f"Did you mean {meant!r}?"


@pytest.mark.parametrize("name", ["run.postponed", "webhook.received", "entity.eaten"])
def test_a_name_that_only_weft_could_give_is_refused(name: str) -> None:
    assert said(event=name) == [(ErrorCode.UNKNOWN_REFERENCE, "event")]


@pytest.mark.parametrize(
    ("event", "filters"),
    [
        ("document.uploaded", {"mimeType": ["image/*"], "size": 5, "name": "a", "externalId": None}),
        ("document.uploaded", {"knowledge_base_id": "kb-uuid", "fields.sizes": 5, "customer.country": "DE"}),
        ("entity.updated", {"data.status.code": "open", "entityTypeId": str(new_id()), "version": 2.0}),
        ("run.completed", {"status": ["COMPLETED", "COMPLETED_WITH_FAILURES"], "failed": 0, "error": None}),
        ("extraction.completed", {"output.total": 5, "stepId": "extract", "entityId": None}),
        ("chat.message", {"anything": True}),
        ("order.placed", {"anything": ["a", 5]}),
    ],
)
def test_a_filter_that_an_event_can_pass_is_right(event: str, filters: dict[str, Any]) -> None:
    assert said(event=event, filter=filters) == []


@pytest.mark.parametrize(
    ("event", "field", "value", "code"),
    [
        ("document.processed", "knowledge_base_id", "a", ErrorCode.UNKNOWN_REFERENCE),
        ("document.uploaded", "siize", 5, ErrorCode.UNKNOWN_REFERENCE),
        ("entity.created", "status", "open", ErrorCode.UNKNOWN_REFERENCE),
        ("run.failed", "entityId", str(UUID(int=1)), ErrorCode.UNKNOWN_REFERENCE),
        ("document.uploaded", "size", "5", ErrorCode.TYPE_MISMATCH),
        ("document.uploaded", "name", [True, "a"], ErrorCode.TYPE_MISMATCH),
        ("document.uploaded", "entityId", "my document", ErrorCode.INVALID),
        ("run.completed", "status", "DONE", ErrorCode.INVALID),
    ],
)
def test_a_filter_that_no_event_can_pass_is_refused(event: str, field: str, value: Any, code: ErrorCode) -> None:
    assert said(event=event, filter={field: value}) == [(code, f"filter.{field}")]


def test_hints_say_what_was_meant() -> None:
    assert hint(filter={"mimeTyp": "a/b"}) == (
        "Did you mean 'mimeType'? A field of the document itself is written as 'fields.mimeTyp'."
    )
    assert hint("entity.created", filter={"status": "a"}) == "A field of the entity's data is written as 'data.status'."
    assert hint("run.completed", filter={"workflow": "a"}) == "Did you mean 'workflowId'?"
    assert hint("run.completed", filter={"status": "COMPLETE"}) == "Did you mean 'COMPLETED'?"


def test_expressions_are_checked_against_the_payload() -> None:
    found = problems_of(
        trigger(condition='payload.size > "5"', filter={"size": "5"}, input={"a": "payload.siize"}), INPUT_ALONE
    )
    assert [(problem.code, ".".join(problem.path)) for problem in found] == [
        (ErrorCode.TYPE_MISMATCH, "filter.size"),
        (ErrorCode.TYPE_MISMATCH, "condition"),
        (ErrorCode.UNKNOWN_REFERENCE, "input.a"),
    ]
    assert found[1].line == 1
    assert found[2].hint == 'Did you mean "size"?'
    assert said(event="order.placed", condition='payload.anything.at.all == "5"') == []


def test_the_payload_has_to_fit_the_input_schema() -> None:
    receiver = replace(INPUT_ALONE, input_schema=schema(order="string"))
    assert said(receiver) == [(ErrorCode.TYPE_MISMATCH, "input")]
    assert said(receiver, event="order.placed") == []
    assert said(replace(receiver, input_schema=schema(name="string", size="number"))) == []


def test_the_input_has_to_fit_the_input_schema() -> None:
    receiver = replace(INPUT_ALONE, input_schema=schema(order="string"))
    assert said(receiver, input={"order": "payload.name"}) == []
    assert said(receiver, input={"order": "payload.size"}) == [(ErrorCode.TYPE_MISMATCH, "input")]
    assert said(receiver, input={"name": "payload.name"}) == [(ErrorCode.TYPE_MISMATCH, "input")]


def test_the_parameters_have_to_fit_their_schema() -> None:
    receiver = replace(OVER_ENTITIES, parameters_schema=schema(limit="integer"))
    assert said(receiver) == [(ErrorCode.TYPE_MISMATCH, "parameters")]
    assert said(receiver, parameters={"limit": "payload.size"}) == []
    assert said(receiver, parameters={"limit": '"5"'}) == [(ErrorCode.TYPE_MISMATCH, "parameters")]


def test_a_workflow_over_entities_needs_an_event_or_an_input_that_names_one() -> None:
    assert said(OVER_ENTITIES) == []
    assert said(OVER_ENTITIES, event="order.placed") == []
    assert said(OVER_ENTITIES, event="run.completed") == [(ErrorCode.INVALID, "event")]
    assert said(OVER_ENTITIES, input={"name": "payload.name"}) == [(ErrorCode.INVALID, "input")]
    assert said(OVER_ENTITIES, event="run.completed", input={"entityId": "payload.error"}) == []
