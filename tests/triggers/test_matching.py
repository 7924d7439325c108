"""Which events a trigger is for, and what the run is given."""

from contextlib import suppress
from time import monotonic
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from triggers.sample_events import NOW, UPLOADED, call, event, trigger

from weft.domain.errors import ErrorCode, Invalid
from weft.domain.ids import UUID, new_id
from weft.graphql.nodes import encode_id
from weft.triggers.events.matching import Matcher, MatchingError

ONE = UUID(UPLOADED["entityId"])


def matches(filters: dict[str, Any], payload: Any = UPLOADED) -> bool:
    return Matcher.of(trigger(filter=filters)).matches(event(payload))


@pytest.mark.parametrize(
    "filters",
    [
        {},
        {"mimeType": "application/pdf"},
        {"mimeType": ["image/*", "application/pdf"]},
        {"mime_type": "Application/*"},
        {"mimeType": "*/*"},
        {"mimeType": "*"},
        {"size": 4_000},
        {"size": 4_000.0},
        {"externalId": None},
        {"nobody": None},
        {"knowledge_base_id": "kb-uuid"},
        {"knowledgeBaseId": "kb-uuid"},
        {"fields.knowledge_base_id": ["x", "kb-uuid"]},
        {"customer.country": "DE"},
        {"tags": "paid"},
        {"mimeType": "application/pdf", "name": "Bill.pdf", "tags": ["new"]},
    ],
)
def test_an_event_that_has_what_the_filter_says_is_for_the_trigger(filters: dict[str, Any]) -> None:
    assert matches(filters)


@pytest.mark.parametrize(
    "filters",
    [
        {"mimeType": "image/*"},
        {"mimeType": "application"},
        {"mimeType": ["application/pdfx", "application/p*"]},
        {"name": "bill.pdf"},
        {"size": "4000"},
        {"size": True},
        {"nobody": "x"},
        {"customer": "DE"},
        {"customer.country.code": "DE"},
        {"knowledge_base_id": ["a", "b"]},
        {"mimeType": "application/pdf", "name": "another.pdf"},
    ],
)
def test_an_event_that_has_not_is_left_alone(filters: dict[str, Any]) -> None:
    assert not matches(filters)


def test_a_mime_type_with_parameters_is_of_its_type() -> None:
    assert matches({"mimeType": "text/csv"}, {"mimeType": "Text/CSV; charset=utf-8"})


def test_true_is_not_one() -> None:
    assert not matches({"vip": True}, {"vip": 1})
    assert not matches({"vip": 1}, {"vip": True})
    assert matches({"vip": True}, {"vip": True})


def test_a_name_at_the_top_comes_before_a_free_field() -> None:
    payload = {"name": "top", "fields": {"name": "free"}}
    assert matches({"name": "top"}, payload)
    assert not matches({"name": "free"}, payload)


def test_a_condition_reads_payload_and_event() -> None:
    condition = (
        'payload.size > 1000 && event.name == "document.uploaded" && event.depth == 1 && event.payload == payload'
    )
    assert Matcher.of(trigger(condition=condition)).matches(event())
    assert not Matcher.of(trigger(condition="payload.size > 5000")).matches(event())


def test_a_filter_that_fails_spares_the_condition() -> None:
    matcher = Matcher.of(trigger(filter={"name": "x"}, condition="payload.fields.nobody == 1"))
    assert not matcher.matches(event())


def test_a_condition_that_fails_says_why() -> None:
    matcher = Matcher.of(trigger(event="order.placed", condition="payload.total > 5"))
    with pytest.raises(MatchingError, match=r"The condition failed: .*total"):
        matcher.matches(event({"sum": 1}, "order.placed"))


def test_a_condition_that_gives_no_answer_says_so() -> None:
    matcher = Matcher.of(trigger(event="order.placed", condition="payload.total"))
    with pytest.raises(MatchingError, match="neither true nor false"):
        matcher.matches(event({"total": 5}, "order.placed"))


def test_the_input_is_the_payload_or_what_the_mapping_makes_of_it() -> None:
    assert Matcher.of(trigger()).input_of(event()) == UPLOADED
    mapping = {"file": "payload.name", "at": "timestamp(event.createdAt)", "id": "event.id"}
    seen = event()
    assert Matcher.of(trigger(input=mapping)).input_of(seen) == {
        "file": "Bill.pdf",
        "at": NOW.isoformat().replace("+00:00", "Z"),
        "id": str(seen.id),
    }


def test_parameters_are_none_or_what_the_mapping_makes() -> None:
    assert Matcher.of(trigger()).parameters_of(event()) == {}
    assert Matcher.of(trigger(parameters={"limit": "payload.size + 1"})).parameters_of(event()) == {"limit": 4_001}


def test_a_mapping_that_fails_names_its_entry() -> None:
    matcher = Matcher.of(trigger(event="order.placed", input={"order": "payload.order.id"}))
    with pytest.raises(MatchingError, match=r"The input could not be made: order: there is no .*order"):
        matcher.input_of(event({}, "order.placed"))


def test_a_webhook_sees_body_headers_and_query() -> None:
    received = call({"action": "opened", "issue": {"id": 7}}, {"x-github-event": "issues"}, {"team": "a"})
    matcher = Matcher.of(
        trigger(
            None,
            filter={"action": ["opened", "closed"], "headers.x-github-event": "issues", "query.team": "a"},
            condition='headers["x-github-event"] == "issues" && query.team == "a" && event.payload.body == payload',
            parameters={"issue": "payload.issue.id"},
        )
    )
    assert matcher.matches(received)
    assert matcher.input_of(received) == {"action": "opened", "issue": {"id": 7}}
    assert matcher.parameters_of(received) == {"issue": 7}
    assert not matcher.matches(call({"action": "labeled"}, {"x-github-event": "issues"}, {"team": "a"}))


def test_a_webhook_may_carry_anything_but_an_object() -> None:
    for body in (None, "text", 5, ["list"]):
        assert Matcher.of(trigger(None)).matches(call(body))
        assert Matcher.of(trigger(None)).input_of(call(body)) == body
        assert Matcher.of(trigger(None)).entity_ids_of(call(body)) == ()


@pytest.mark.parametrize(
    "payload",
    [
        {"entityId": str(ONE)},
        {"entity_id": encode_id("Entity", ONE)},
        {"document_id": str(ONE)},
        {"entityIds": [str(ONE), encode_id("Entity", ONE)]},
        {"documentIds": [str(ONE)]},
    ],
)
def test_entities_are_named_by_the_payload(payload: dict[str, Any]) -> None:
    assert Matcher.of(trigger("a.b")).entity_ids_of(event(payload, "a.b")) == (ONE,)
    assert Matcher.of(trigger(None)).entity_ids_of(call(payload)) == (ONE,)


def test_entities_are_named_by_the_mapping_where_there_is_one() -> None:
    other = new_id()
    matcher = Matcher.of(trigger("a.b", input={"entityIds": "payload.customers.map(c, c.id)"}))
    payload = {"entityId": str(ONE), "customers": [{"id": str(other)}]}
    assert matcher.entity_ids_of(event(payload, "a.b")) == (other,)


@pytest.mark.parametrize(
    "payload",
    [
        {"entityId": "an id"},
        {"entityId": 5},
        {"entityId": encode_id("Workflow", ONE)},
        {"entityIds": str(ONE)},
        {"entityIds": [str(ONE), None]},
        {"entityIds": [str(ONE)] * 1_001},
    ],
)
def test_what_is_no_id_of_an_entity_says_so(payload: dict[str, Any]) -> None:
    with pytest.raises(MatchingError, match="entityId"):
        Matcher.of(trigger("a.b")).entity_ids_of(event(payload, "a.b"))


def test_all_that_is_wrong_with_the_expressions_is_told_at_once() -> None:
    with pytest.raises(Invalid) as caught:
        Matcher.of(
            trigger(
                condition="payload.size",
                input={"good": "payload.name", "typo": "payload.nmae", "torn": "payload."},
                parameters={"headers": 'headers["a"]'},
            )
        )
    assert [(problem.code, problem.path) for problem in caught.value.problems] == [
        (ErrorCode.TYPE_MISMATCH, ("condition",)),
        (ErrorCode.UNKNOWN_REFERENCE, ("input", "typo")),
        (ErrorCode.INVALID_EXPRESSION, ("input", "torn")),
        (ErrorCode.UNKNOWN_REFERENCE, ("parameters", "headers")),
    ]


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
FIELDS = st.sampled_from(["a", "entityId", "entityIds", "mimeType", "fields", "a.b", ".", "fields.a", "", "headers.a"])
PAYLOADS = st.dictionaries(FIELDS | st.text(max_size=4), ANYTHING, max_size=5)
EXPRESSIONS = st.sampled_from(
    [
        "payload.a > 1",
        "payload.a == payload.fields",
        "payload.entityIds.all(x, x.size() > 1)",
        'payload.a.matches("^(a+)+$")',
        "payload.fields.map(f, f + f)",
        "payload.a.b.c[0]",
        "has(payload.a) && payload.a",
        "payload",
        "timestamp(payload.a)",
        "int(payload.a) * int(payload.a)",
    ]
)


@given(payload=PAYLOADS, filters=st.dictionaries(FIELDS, ANYTHING, max_size=3), expression=EXPRESSIONS)
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_strangers_send_ends_in_an_answer_or_a_reason(
    payload: dict[str, Any], filters: dict[str, Any], expression: str
) -> None:
    for seen, name in ((event(payload, "a.b"), "a.b"), (call(payload), None)):
        for one in (
            trigger(name, filter=filters),
            trigger(name, condition=f"dyn({expression})", input={"entityId": expression}, parameters={"x": expression}),
        ):
            matcher = Matcher.of(one)
            for ask in (matcher.matches, matcher.input_of, matcher.parameters_of, matcher.entity_ids_of):
                with suppress(MatchingError):
                    ask(seen)


@pytest.mark.parametrize(
    ("condition", "payload"),
    [
        ("payload.a.all(x, payload.a.all(y, x + y >= 0))", {"a": list(range(900))}),
        ('payload.a.matches("^(a+)+$")', {"a": "a" * 100_000 + "b"}),
        ("payload.a.map(x, payload.a).size() > 0", {"a": ["x" * 100] * 1_000}),
        ("payload.a == payload.b", {"a": "x" * 10_000_000, "b": "x" * 10_000_000}),
    ],
)
def test_a_condition_that_would_take_long_ends_soon(condition: str, payload: dict[str, Any]) -> None:
    began = monotonic()
    matcher = Matcher.of(trigger("a.b", condition=condition))
    with suppress(MatchingError):
        matcher.matches(event(payload, "a.b"))
    assert monotonic() - began < 30


@pytest.mark.parametrize("depth", [100, 300, 50_000])
def test_a_payload_of_any_depth_ends_in_an_answer_or_a_reason(depth: int) -> None:
    deep: Any = 1
    for _ in range(depth):
        deep = [deep]
    seen = event({"a": deep, "b": 1}, "a.b")
    assert Matcher.of(trigger("a.b", filter={"b": 1, "c": None})).matches(seen)
    matcher = Matcher.of(trigger("a.b", condition="payload.b == 1", input={"a": "payload.a"}))
    if depth < 200:
        assert matcher.matches(seen)
        assert matcher.input_of(seen) == {"a": deep}
    else:
        for ask in (matcher.matches, matcher.input_of):
            with pytest.raises(MatchingError, match="levels deep"):
                ask(seen)


def test_an_input_that_would_be_too_deep_is_refused() -> None:
    deep: Any = 1
    for _ in range(190):
        deep = [deep]
    nested = "[" * 20 + "payload.a" + "]" * 20
    matcher = Matcher.of(trigger("a.b", input={"a": nested}))
    with pytest.raises(MatchingError, match="The input would be nested more than 200 levels deep"):
        matcher.input_of(event({"a": deep}, "a.b"))


def test_an_input_that_postgres_could_not_keep_is_refused() -> None:
    matcher = Matcher.of(trigger(input={"name": r'payload.name + "\u0000"'}))
    with pytest.raises(MatchingError, match="The input could not be stored: it holds the character NUL"):
        matcher.input_of(event())
