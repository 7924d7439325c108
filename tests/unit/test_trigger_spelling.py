"""Triggers in every spelling mean the same, and what is none says where and why."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weft.domain.definition import TriggerDefinition
from weft.domain.errors import ErrorCode
from weft.domain.ids import new_id
from weft.domain.spelling import Reading, read_definition, write_definition
from weft.graphql.nodes import encode_id
from weft.triggers.events.checking import Receiver, problems_of
from weft.triggers.events.matching import Matcher

STEPS: dict[str, Any] = {"steps": [{"id": "a", "type": "echo"}]}


def read(*triggers: Any) -> Reading:
    return read_definition({**STEPS, "triggers": list(triggers)})


def only(reading: Reading) -> TriggerDefinition:
    assert reading.problems == ()
    assert reading.definition.triggers is not None
    (found,) = reading.definition.triggers
    return found


def complaint(*triggers: Any) -> tuple[ErrorCode, tuple[str, ...], str | None]:
    (problem,) = read(*triggers).problems
    return problem.code, problem.path, problem.hint


def test_a_document_upload_with_mime_types_listens_to_uploaded_documents() -> None:
    found = only(read({"type": "document_upload", "filter": {"mime_types": ["application/pdf"]}}))
    assert found == TriggerDefinition(
        event="document.uploaded", name="document.uploaded", filter={"mimeType": ["application/pdf"]}
    )


def test_a_trigger_type_with_a_config_beside_the_steps_is_one_trigger() -> None:
    filters = {"file_type": "pdf", "knowledge_base_id": "kb-uuid"}
    config = {"event": "document.uploaded", "filters": filters}
    found = only(read_definition({**STEPS, "trigger_type": "event", "trigger_config": config}))
    assert found.event == "document.uploaded"
    assert found.filter == {"mimeType": "application/pdf", "knowledge_base_id": "kb-uuid"}
    assert only(read({"type": "event", "config": config})) == found


@pytest.mark.parametrize(
    ("kind", "event"),
    [
        ("document_upload", "document.uploaded"),
        ("documentUploaded", "document.uploaded"),
        ("document.processed", "document.processed"),
        ("DOCUMENT_PROCESSED", "document.processed"),
        ("chat-message", "chat.message"),
    ],
)
def test_the_name_of_a_platform_event_is_a_type(kind: str, event: str) -> None:
    assert only(read({"type": kind})).event == event


@pytest.mark.parametrize("kind", ["event", "EVENT", None])
def test_any_other_event_is_named(kind: str | None) -> None:
    assert only(read({"type": kind, "event": "order.placed"})).event == "order.placed"


def test_the_canonical_spelling_is_read_as_it_was_written() -> None:
    full = {
        "type": "EVENT",
        "event": "order.placed",
        "name": "Large orders",
        "filter": {"currency": ["EUR", "CHF"], "customer.vip": True},
        "condition": "payload.total > 1000.0",
        "input": {"order": "payload.id"},
        "parameters": {"limit": "5"},
        "enabled": False,
    }
    reading = read(full, {"event": "chat.message"})
    assert reading.problems == ()
    assert write_definition(reading.definition)["triggers"] == [
        full,
        {"type": "EVENT", "event": "chat.message", "filter": {}},
    ]
    assert read_definition(write_definition(reading.definition)).definition == reading.definition


def test_manual_is_no_trigger_but_says_that_there_are_none() -> None:
    assert read({"type": "manual"}).definition.triggers == ()
    assert read_definition({**STEPS, "trigger_type": "manual"}).definition.triggers == ()
    assert read_definition(STEPS).definition.triggers is None
    assert "triggers" not in write_definition(read({"type": "manual"}).definition)


@pytest.mark.parametrize(
    ("kind", "instead"),
    [
        ("schedule", "createSchedule"),
        ("scheduled", "createSchedule"),
        ("cron", "createSchedule"),
        ("webhook", "createWebhookTrigger"),
    ],
)
def test_schedules_and_webhooks_are_made_elsewhere(kind: str, instead: str) -> None:
    assert complaint({"event": "a.b"}, {"type": kind}) == (
        ErrorCode.INVALID,
        ("triggers", "1", "type"),
        f"Make it with {instead}.",
    )


def test_a_type_that_nobody_knows_is_guessed_at() -> None:
    assert complaint({"type": "document_uplod"}) == (
        ErrorCode.INVALID,
        ("triggers", "0", "type"),
        "Did you mean 'document_upload'?",
    )


def test_all_problems_come_at_once_with_their_places() -> None:
    reading = read(
        "chat.message",
        {"type": ["event"], "event": "a.b"},
        {"type": "event"},
        {"type": "document_upload", "event": "chat.message"},
        {"event": "not a name"},
        {"event": "a.b", "enabled": "yes", "filtr": {}, "condition": ""},
        {"event": "a.b", "input": {"order": 5}, "parameters": "all"},
        {"event": "a.b", "config": {"event": "a.b"}},
        {"event": "a.b", "name": "a\0", "condition": "'\0' == '\0'"},
    )
    places = [".".join(problem.path[1:]) for problem in reading.problems]
    assert places == [
        "0", "5.filtr", "7.event", "1.type", "2.event", "3.event", "4.event", "5.condition", "5.enabled", "6.input.order",
        "6.parameters", "8.name", "8.condition",
    ]  # fmt: skip


def test_triggers_are_given_in_one_place() -> None:
    reading = read_definition({**STEPS, "triggers": [], "triggerConfig": {"event": "a.b"}})
    assert [problem.path for problem in reading.problems] == [("triggers",)]


def test_there_is_an_end_to_triggers() -> None:
    reading = read(*({"event": "a.b"} for _ in range(21)))
    assert [(problem.code, problem.path) for problem in reading.problems] == [(ErrorCode.LIMIT_EXCEEDED, ("triggers",))]


@pytest.mark.parametrize("name", ["mime_types", "mimeTypes", "mime_type", "mimeType", "file_type", "fileType"])
def test_every_spelling_of_a_file_type_means_its_mime_type(name: str) -> None:
    assert only(read({"type": "document_upload", "filter": {name: "docx"}})).filter == {
        "mimeType": "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    }


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("image/*", "image/*"),
        ("image", "image/*"),
        ("*/*", "*/*"),
        (".PNG", "image/png"),
        ("Text/CSV", "text/csv"),
        (["pdf", "image/*"], ["application/pdf", "image/*"]),
    ],
)
def test_mime_types_may_be_endings_and_patterns(written: Any, canonical: Any) -> None:
    assert only(read({"type": "document_upload", "filter": {"mime_type": written}})).filter == {"mimeType": canonical}


def test_a_custom_event_may_have_a_file_type_of_its_own() -> None:
    assert only(read({"event": "scan.done", "filter": {"file_type": "pdf"}})).filter == {"file_type": "pdf"}


def test_nested_filters_are_dotted_paths() -> None:
    written = {"fields": {"customer": {"country": "DE"}, "vip": True}, "name": "a"}
    assert only(read({"type": "document_upload", "filter": written})).filter == {
        "fields.customer.country": "DE",
        "fields.vip": True,
        "name": "a",
    }


def test_an_opaque_id_is_stored_as_events_have_it() -> None:
    type_id = new_id()
    written = {"entity_type_id": [encode_id("EntityType", type_id), str(type_id)]}
    assert only(read({"event": "entity.created", "filter": written})).filter == {"entityTypeId": [str(type_id)] * 2}


@pytest.mark.parametrize(
    ("filters", "place"),
    [
        ({"mimeType": "pff"}, ("mimeType",)),
        ({"mimeType": "image/*/x"}, ("mimeType",)),
        ({"mimeType": 5}, ("mimeType",)),
        ({"size": [[1]]}, ("size",)),
        ({"size": []}, ("size",)),
        ({"size": [1] * 101}, ("size",)),
        ({"name": "x" * 1001}, ("name",)),
        ({"": 1}, ("",)),
        (
            {"fields": {"a": {"b": {"c": {"d": {"e": {"f": {"g": {"h": 1}}}}}}}}},
            ("fields", *"abcdefgh"),
        ),
        ({f"fields.f{n}": n for n in range(51)}, ()),
        ({"mime_type": "pdf", "file_type": "pdf"}, ("file_type",)),
    ],
)
def test_what_is_no_filter_says_where(filters: dict[str, Any], place: tuple[str, ...]) -> None:
    (problem,) = read({"type": "document_upload", "filters": filters}).problems
    assert problem.path == ("triggers", "0", "filters", *place)


def test_an_ending_that_nobody_knows_is_guessed_at() -> None:
    assert complaint({"type": "document_upload", "filter": {"file_type": "docxx"}})[2] == "Did you mean 'docx'?"


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
ENTRIES = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["event", "document_upload", "manual"]) | ANYTHING,
        "event": st.sampled_from(["document.uploaded", "run.completed", "a.b"]) | ANYTHING,
        "filter": st.dictionaries(
            st.sampled_from(["mime_type", "size", "entityId", "status", "fields", "a.b", ".", "file_type"]), ANYTHING
        )
        | ANYTHING,
        "condition": st.sampled_from(["payload.size > 5", "payload."]) | ANYTHING,
        "input": st.dictionaries(st.text(max_size=4), st.sampled_from(["payload", "1 +", "event.id"])) | ANYTHING,
        "parameters": ANYTHING,
        "config": ANYTHING,
        "enabled": ANYTHING,
    },
)
SCHEMAS = st.sampled_from([None, {"type": "object", "properties": {"size": {"type": "string"}}, "required": ["size"]}])


@given(triggers=st.lists(ENTRIES | ANYTHING, max_size=3), over_entities=st.booleans(), schema=SCHEMAS)
@settings(max_examples=300, deadline=None)
def test_whatever_strangers_write_is_read_or_told(triggers: list[Any], over_entities: bool, schema: Any) -> None:
    reading = read(*triggers)
    for trigger in reading.definition.triggers or ():
        problems = problems_of(trigger, Receiver(over_entities, schema, schema))
        if not (problems or reading.problems):
            assert Matcher.of(trigger)
    if not reading.problems:
        canonical = write_definition(reading.definition)
        assert write_definition(read_definition(canonical).definition) == canonical
