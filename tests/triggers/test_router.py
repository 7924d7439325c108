"""The router: what comes of events."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from triggers.routing import ECHO, Routing
from workers import working

from weft.domain.access import Viewer
from weft.domain.entity import EntityInput
from weft.domain.ids import UUID, new_id
from weft.domain.trigger import DEEPEST
from weft.domain.workflow import WorkflowStatus
from weft.operations import entity_creation, entity_types
from weft.operations.run_starts import StartRun, start_run
from weft.operations.workflow_changes import WorkflowChanges, update_workflow
from weft.operations.workflows import delete_workflow

PAID = {"event": "order.paid"}


async def entities(routing: Routing, *numbers: int, name: str = "thing") -> tuple[UUID, list[UUID]]:
    """A type, and entities of it."""
    made = await entity_types.create_entity_type(
        routing.services, routing.viewer, name=name, description="", schema={"type": "object"}
    )
    given = [EntityInput({"n": number}) for number in numbers]
    stored = await entity_creation.create_entities(routing.services, routing.viewer, made.id, given)
    return made.id, [one.id for one in stored.entities]


async def test_an_event_starts_the_workflow_whose_trigger_matches_once(routing: Routing) -> None:
    workflow = await routing.workflow({**PAID, "filter": {"kind": ["book", "map"]}})
    await routing.workflow({"event": "order.sent"})
    event = await routing.emit("order.paid", kind="book", total=12.5)
    await routing.emit("order.paid", kind="pen")
    assert (await routing.route(), await routing.route()) == (2, 0)
    (run,) = await routing.runs()
    (firing,) = await routing.firings()
    assert (run["workflow_id"], run["input"]) == (workflow.id, {"kind": "book", "total": 12.5})
    assert (run["trigger_type"], run["event_id"], run["depth"]) == ("EVENT", event.id, 0)
    assert (firing["outcome"], firing["run_id"], firing["event_id"]) == ("STARTED", run["id"], event.id)
    assert (firing["trigger_id"], firing["trigger_name"]) == (run["trigger_id"], run["triggered_by"])


async def test_a_workflow_is_started_once_however_many_of_its_triggers_match(routing: Routing) -> None:
    await routing.workflow({**PAID, "name": "first", "filter": {"kind": "book"}}, {**PAID, "name": "second"})
    await routing.workflow(PAID, name="other")
    await routing.emit("order.paid", kind="book")
    await routing.emit("order.paid", kind="pen")
    await routing.route()
    by = sorted(run["triggered_by"] for run in await routing.runs())
    assert (len(by), by.count("first"), by.count("second")) == (4, 1, 1)


async def test_a_trigger_that_cannot_be_applied_leaves_the_way_to_the_next_one(routing: Routing) -> None:
    broken = {**PAID, "name": "broken", "condition": "payload.total > 10"}
    workflow = await routing.workflow(broken, {**PAID, "name": "sound"})
    await routing.workflow(broken)
    await routing.emit("order.paid", kind="book")
    await routing.route()
    (run,) = await routing.runs()
    assert (run["workflow_id"], run["triggered_by"]) == (workflow.id, "sound")
    (refused,) = [firing for firing in await routing.firings() if firing["outcome"] == "REFUSED"]
    assert refused["run_id"] is None
    assert "condition failed" in refused["reason"]
    assert "total" in refused["reason"]


async def test_an_input_that_does_not_fit_is_refused_and_says_why(routing: Routing) -> None:
    schema = {"type": "object", "properties": {"total": {"type": "number"}}, "required": ["total"]}
    await routing.workflow(PAID, inputSchema=schema)
    await routing.emit("order.paid", total="much")
    await routing.emit("order.paid", total=3)
    await routing.route()
    (run,) = await routing.runs()
    assert run["input"] == {"total": 3}
    (refused,) = [firing for firing in await routing.firings() if firing["outcome"] == "REFUSED"]
    assert refused["reason"].startswith("The run could not begin with this: ")
    assert "total" in refused["reason"]


@pytest.mark.parametrize(
    "change",
    [{"enabled": False}, {"status": WorkflowStatus.DRAFT}, {"status": WorkflowStatus.ARCHIVED}],
    ids=["disabled", "draft", "archived"],
)
async def test_what_is_not_active_and_enabled_neither_listens_nor_is_started(
    routing: Routing, change: dict[str, Any]
) -> None:
    workflow = await routing.workflow(PAID)
    before = await routing.emit("order.paid")
    await update_workflow(routing.services, routing.viewer, workflow.id, WorkflowChanges(**change))
    after = await routing.emit("order.paid")
    assert (before.handled_at is None, after.handled_at is None) == (True, False)
    assert await routing.route() == 1
    assert (await routing.runs(), await routing.firings()) == ([], [])


async def test_a_workflow_over_entities_runs_over_those_that_the_event_names(routing: Routing) -> None:
    type_id, (first, second, third) = await entities(routing, 1, 2, 3)
    _, (other,) = await entities(routing, 1, name="other")
    await routing.workflow(PAID, entity_type_id=type_id)
    await routing.emit("order.paid", entityId=str(first))
    await routing.emit("order.paid", entityIds=[str(second), str(other), str(third), str(new_id())])
    await routing.emit("order.paid", entityId=str(other))
    await routing.emit("order.paid", total=1)
    assert await routing.route() == 4
    batches = await routing.rows("SELECT b.entity_ids, r.entity_type_id FROM run_batch b JOIN run r ON r.id = b.run_id")
    assert sorted(len(batch["entity_ids"]) for batch in batches) == [1, 2]
    assert {one for batch in batches for one in batch["entity_ids"]} == {first, second, third}
    refused = [firing["reason"] for firing in await routing.firings() if firing["outcome"] == "REFUSED"]
    assert len(refused) == 2
    assert any(f"names no entity of the workflow's type: {other}" in reason for reason in refused)
    assert any("the event names none" in reason for reason in refused)


async def test_an_entity_of_another_workspace_is_none(routing: Routing, stranger: Viewer) -> None:
    elsewhere = replace(routing, viewer=stranger)
    _, (theirs,) = await entities(elsewhere, 1)
    type_id, _ = await entities(routing)
    await routing.workflow(PAID, entity_type_id=type_id)
    await routing.emit("order.paid", entityId=str(theirs))
    await elsewhere.emit("order.paid", entityId=str(theirs))
    await routing.route()
    assert await routing.runs() == []
    assert [firing["outcome"] for firing in await routing.firings()] == ["REFUSED"]


async def test_workflows_that_start_each_other_are_cut_at_a_depth_and_it_is_told(routing: Routing) -> None:
    one = await routing.workflow(name="one")
    other = await routing.workflow({"event": "run.completed", "filter": {"workflowId": str(one.id)}}, name="other")
    back = {"steps": ECHO, "triggers": [{"event": "run.completed", "filter": {"workflowId": str(other.id)}}]}
    await update_workflow(routing.services, routing.viewer, one.id, WorkflowChanges(definition=back))
    async with working(routing.services) as served:
        await start_run(served, routing.viewer, StartRun(one.id, input={}))
        async with asyncio.timeout(30):
            while not [firing for firing in await routing.firings() if firing["outcome"] == "CUT"]:
                await asyncio.sleep(0.02)
    runs = await routing.runs()
    assert [run["depth"] for run in runs] == list(range(DEEPEST + 1))
    assert [run["workflow_id"] for run in runs] == [one.id, other.id] * (DEEPEST // 2) + [one.id]
    (cut,) = [firing for firing in await routing.firings() if firing["outcome"] == "CUT"]
    assert (cut["workflow_id"], cut["run_id"]) == (other.id, None)
    assert f"{DEEPEST + 1} runs lie behind this event" in cut["reason"]


async def test_an_event_that_was_handled_before_starts_nothing_again(routing: Routing) -> None:
    await routing.workflow(PAID)
    await routing.emit("order.paid")
    await routing.route()
    await routing.do("UPDATE event SET handled_at = NULL")
    assert await routing.route() == 1
    assert (len(await routing.runs()), len(await routing.firings())) == (1, 1)


async def test_a_workflow_that_is_deleted_meanwhile_costs_only_its_own_run(routing: Routing) -> None:
    gone, stays = await routing.workflow(PAID, name="gone"), await routing.workflow(PAID, name="stays")
    await routing.emit("order.paid")
    async with routing.services.database.transaction() as connection:
        await connection.execute(text("DELETE FROM workflow WHERE id = :id"), {"id": gone.id})
        routed = asyncio.create_task(routing.route())
        waiting = "SELECT 1 FROM pg_locks WHERE NOT granted"
        async with asyncio.timeout(20):
            while not await routing.rows(waiting):
                await asyncio.sleep(0.01)
    assert await routed == 1
    assert [run["workflow_id"] for run in await routing.runs()] == [stays.id]


async def test_a_workflow_stays_until_the_runs_of_a_round_are_stored(routing: Routing) -> None:
    workflow = await routing.workflow(PAID)
    await routing.emit("order.paid")
    await routing.route()
    with pytest.raises(Exception, match="not finished"):
        await delete_workflow(routing.services, routing.viewer, workflow.id)


async def test_a_run_that_cannot_be_stored_costs_only_itself(routing: Routing) -> None:
    bad, good = await routing.workflow(PAID, name="bad"), await routing.workflow(PAID, name="good")
    await routing.do(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$"
    )
    await routing.do(
        f"CREATE TRIGGER refuse BEFORE INSERT ON run FOR EACH ROW WHEN (NEW.workflow_id = '{bad.id}') "
        "EXECUTE FUNCTION refuse()"
    )
    for _ in range(3):
        await routing.emit("order.paid")
    assert (await routing.route(), await routing.route()) == (3, 0)
    assert [run["workflow_id"] for run in await routing.runs()] == [good.id] * 3
    firings = await routing.firings()
    assert sorted((firing["workflow_id"] == bad.id, firing["outcome"]) for firing in firings) == [
        *[(False, "STARTED")] * 3,
        *[(True, "REFUSED")] * 3,
    ]
    assert {firing["reason"] for firing in firings if firing["workflow_id"] == bad.id} == {
        "A fault of Weft kept the run from being stored: DBAPIError."
    }


async def test_a_call_of_an_inbound_webhook_is_for_its_trigger_alone_and_a_refusal_is_told(routing: Routing) -> None:
    workflow = await routing.workflow()
    trigger_id = new_id()
    owner = {"workspace_id": routing.viewer.workspace_id, "trigger_id": trigger_id}
    await routing.do(
        "INSERT INTO trigger (id, workspace_id, workflow_id, type, name, filter, created_by) "
        "VALUES (:trigger_id, :workspace_id, :workflow_id, 'WEBHOOK', 'hook', '{}', 'tests')",
        workflow_id=workflow.id,
        **owner,
    )
    call = """INSERT INTO event (workspace_id, name, payload, trigger_id)
        VALUES (:workspace_id, 'webhook.received', '{"body": {"n": 1}, "headers": {}, "query": {}}', :trigger_id)"""
    await routing.do(call, **owner)
    await routing.route()
    (run,) = await routing.runs()
    assert (run["input"], run["trigger_type"], run["trigger_id"]) == ({"n": 1}, "WEBHOOK", trigger_id)
    await update_workflow(routing.services, routing.viewer, workflow.id, WorkflowChanges(enabled=False))
    await routing.do(call, **owner)
    await routing.route()
    refused = (await routing.firings())[-1]
    assert (refused["outcome"], len(await routing.runs())) == ("REFUSED", 1)
    assert "is disabled" in refused["reason"]


async def test_what_a_router_starts_is_carried_out_at_once(routing: Routing) -> None:
    await routing.workflow(PAID)
    async with working(routing.services) as served:
        await replace(routing, services=served).emit("order.paid")
        async with asyncio.timeout(20):
            while not await routing.rows("SELECT 1 FROM run_state WHERE status = 'COMPLETED'"):
                await asyncio.sleep(0.01)
    (took,) = await routing.rows("SELECT s.finished_at - e.created_at AS took FROM run_state s, event e")
    assert took["took"] < timedelta(seconds=15)
