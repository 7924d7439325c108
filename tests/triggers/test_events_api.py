"""Events and firings in GraphQL: emitted by callers, seen with what came of them."""

from dataclasses import replace
from typing import Any

import pytest
from asking import ask, ask_anything
from triggers.routing import Routing

from weft.domain.access import Role, Viewer
from weft.domain.events import PlatformEvent
from weft.operations.events import LARGEST_PAYLOAD_BYTES

EMIT = """mutation ($input: EmitEventInput!) { emitEvent(input: $input) {
  event { id name payload depth createdAt handledAt } errors { code message path hint } } }"""


async def emitted(routing: Routing, **given: Any) -> tuple[Any, Any]:
    answer = (await ask(routing.services, routing.viewer, EMIT, input=given))["emitEvent"]
    return answer["event"], answer["errors"]


async def test_an_event_is_stored_and_wakes_only_where_somebody_listens(routing: Routing, wakeups: Any) -> None:
    event, errors = await emitted(routing, name="order.paid", payload={"total": 12.5, "lines": [1, None]})
    assert (errors, wakeups.count) == ([], 0)
    assert (event["name"], event["payload"], event["depth"]) == ("order.paid", {"total": 12.5, "lines": [1, None]}, 0)
    assert event["handledAt"] is not None
    await routing.workflow({"event": "order.paid"})
    event, _ = await emitted(routing, name="order.paid", payload={})
    assert (event["handledAt"], wakeups.count) == (None, 1)


@pytest.mark.parametrize("name", ["chat.message", "ping", "Order-2.paid_v2.eu", "a" * 100])
async def test_names_of_ones_own_and_chat_messages_are_taken(routing: Routing, name: str) -> None:
    event, errors = await emitted(routing, name=name, payload={})
    assert (event["name"], errors) == (name, [])


@pytest.mark.parametrize(
    "name", ["", "a" * 101, "a..b", ".a", "a b", "é", "a\0", *(name for name in PlatformEvent if name != "chat.message"), "run.mine", "webhook.received"]
)  # fmt: skip
async def test_names_of_the_platform_and_what_is_no_name_are_refused_with_a_hint(routing: Routing, name: str) -> None:
    event, (error,) = await emitted(routing, name=name, payload={})
    assert (event, error["code"], error["path"]) == (None, "INVALID", ["input", "name"])
    assert error["hint"]


@pytest.mark.parametrize(
    ("payload", "code"),
    [(None, "INVALID"), ([], "INVALID"), ("x", "INVALID"), ({"a": "\0"}, "INVALID"), ({"a": "x" * LARGEST_PAYLOAD_BYTES}, "LIMIT_EXCEEDED")],
    ids=["null", "list", "text", "NUL", "large"],
)  # fmt: skip
async def test_a_payload_is_an_object_that_can_be_stored_and_is_not_large(
    routing: Routing, payload: Any, code: str
) -> None:
    found, errors = await ask_anything(
        routing.services, routing.viewer, EMIT, input={"name": "order.paid", "payload": payload}
    )
    if errors:  # GraphQL itself takes no null here
        assert payload is None
        return
    answer = found["emitEvent"]
    assert (answer["event"], answer["errors"][0]["code"]) == (None, code)
    assert answer["errors"][0]["path"][:2] == ["input", "payload"]


async def test_the_same_key_gives_the_same_event_and_with_another_body_a_conflict(routing: Routing) -> None:
    await routing.workflow({"event": "order.paid"})
    given = {"name": "order.paid", "payload": {"n": 1}, "idempotencyKey": "k"}
    first, _ = await emitted(routing, **given)
    again, errors = await emitted(routing, **given)
    assert (again["id"], errors) == (first["id"], [])
    for other in ({"payload": {"n": 2}}, {"name": "order.sent"}):
        event, (error,) = await emitted(routing, **(given | other))
        assert (event, error["code"], error["path"]) == (None, "CONFLICT", ["input", "idempotencyKey"])
    await routing.route()
    assert len(await routing.runs()) == 1


async def test_a_viewer_sees_events_and_emits_none(routing: Routing) -> None:
    viewer = replace(routing.viewer, role=Role.VIEWER)
    given: dict[str, Any] = {"name": "order.paid", "payload": {}}
    _, (error,) = await ask_anything(routing.services, viewer, EMIT, input=given)
    assert error["extensions"]["code"] == "FORBIDDEN"
    await emitted(routing, **given)
    found = await ask(routing.services, viewer, "{ events { nodes { name } } }")
    assert found["events"]["nodes"] == [{"name": "order.paid"}]


EVENTS = """query ($filter: EventFilterInput, $after: String) { events(first: 2, after: $after, filter: $filter) {
  nodes { id name } pageInfo { hasNextPage endCursor } } }"""


async def test_events_are_listed_newest_first_by_name_and_time(routing: Routing) -> None:
    made = [(await emitted(routing, name=f"n.{number % 2}", payload={}))[0] for number in range(4)]
    page = (await ask(routing.services, routing.viewer, EVENTS))["events"]
    assert [node["id"] for node in page["nodes"]] == [made[3]["id"], made[2]["id"]]
    after = page["pageInfo"]["endCursor"]
    page = (await ask(routing.services, routing.viewer, EVENTS, after=after))["events"]
    assert [node["id"] for node in page["nodes"]] == [made[1]["id"], made[0]["id"]]
    assert page["pageInfo"]["hasNextPage"] is False
    for filter, wanted in (({"name": "n.1"}, [3, 1]), ({"createdAfter": made[2]["createdAt"]}, [3])):
        page = (await ask(routing.services, routing.viewer, EVENTS, filter=filter))["events"]
        assert [node["id"] for node in page["nodes"]] == [made[number]["id"] for number in wanted]


WHAT_CAME = """query ($id: ID!) { event(id: $id) { firings { nodes {
  id triggerType triggerName outcome reason slotAt createdAt workflow { id } event { id }
  run { id trigger { type by name depth event { id name } firing { id } } } } } } }"""


async def test_what_came_of_an_event_can_be_followed_both_ways(routing: Routing) -> None:
    schema = {"type": "object", "required": ["total"]}
    fits = await routing.workflow({"event": "order.paid", "name": "paid"}, name="fits")
    await routing.workflow({"event": "order.paid"}, name="does not fit", inputSchema=schema)
    event, _ = await emitted(routing, name="order.paid", payload={})
    await routing.route()
    found = (await ask(routing.services, routing.viewer, WHAT_CAME, id=event["id"]))["event"]
    by_outcome = {firing["outcome"]: firing for firing in found["firings"]["nodes"]}
    assert by_outcome.keys() == {"STARTED", "REFUSED"}
    started, refused = by_outcome["STARTED"], by_outcome["REFUSED"]
    assert (started["triggerType"], started["triggerName"], started["reason"]) == ("EVENT", "paid", None)
    assert started["run"]["trigger"] == {
        "type": "EVENT", "by": "paid", "name": "paid", "depth": 0,
        "event": {"id": event["id"], "name": "order.paid"}, "firing": {"id": started["id"]},
    }  # fmt: skip
    assert (refused["run"], "total" in refused["reason"]) == (None, True)
    assert {firing["event"]["id"] for firing in by_outcome.values()} == {event["id"]}
    wanted = """query ($filter: FiringFilterInput, $id: ID!) {
      firings(filter: $filter) { nodes { id } } node(id: $id) { ... on Workflow { firings { nodes { id } } } } }"""
    workflow_id = started["workflow"]["id"]
    (trigger,) = await routing.rows("SELECT id FROM trigger WHERE workflow_id = :id", id=fits.id)
    for filter in (
        {"outcome": ["STARTED", "CUT"]}, {"workflowId": workflow_id}, {"triggerId": str(trigger["id"])},
        {"triggerType": "EVENT", "outcome": ["STARTED"]},
    ):  # fmt: skip
        answer = await ask(routing.services, routing.viewer, wanted, filter=filter, id=workflow_id)
        assert answer["firings"]["nodes"] == answer["node"]["firings"]["nodes"] == [{"id": started["id"]}]
    none = await ask(routing.services, routing.viewer, wanted, filter={"triggerType": "SCHEDULE"}, id=workflow_id)
    assert none["firings"]["nodes"] == []


async def test_a_stranger_sees_neither_events_nor_firings(routing: Routing, stranger: Viewer) -> None:
    await routing.workflow({"event": "order.paid"})
    event, _ = await emitted(routing, name="order.paid", payload={})
    await routing.route()
    (firing,) = (await ask(routing.services, routing.viewer, "{ firings { nodes { id } } }"))["firings"]["nodes"]
    seen = await ask(
        routing.services,
        stranger,
        """query ($event: ID!, $firing: ID!) { event(id: $event) { id } node(id: $firing) { id } events { nodes { id } }
          firings { nodes { id } } }""",
        event=event["id"],
        firing=firing["id"],
    )
    assert seen == {"event": None, "node": None, "events": {"nodes": []}, "firings": {"nodes": []}}
