"""Schedules over GraphQL: made, changed, deleted, listed, and checked when they are saved."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from asking import ask, ask_anything
from sqlalchemy import text
from triggers.scheduling import carried_out
from workers import counted

from weft.domain.access import Role, Viewer
from weft.domain.entity import EntityInput
from weft.domain.workflow import Workflow
from weft.graphql.nodes import encode_id
from weft.operations.entity_creation import create_entities
from weft.operations.entity_types import create_entity_type
from weft.operations.services import Services
from weft.operations.workflows import NewWorkflow, create_workflow
from weft.triggers.schedules.scheduler import Scheduler

FIELDS = """id name cronExpression timezone overlap catchUp enabled input parameters nextRunAt lastRunAt revision createdBy
  entities { all ids filter } workflow { name }"""
CREATE = f"""mutation ($input: CreateScheduleInput!) {{ createSchedule(input: $input) {{
  schedule {{ {FIELDS} }} errors {{ code message path hint }} }} }}"""
UPDATE = CREATE.replace("CreateSchedule", "UpdateSchedule").replace("createSchedule", "updateSchedule")
DELETE = "mutation ($id: ID!) { deleteSchedule(input: {id: $id}) { deletedId errors { code path } } }"
SHOW = f"query ($id: ID!) {{ schedule(id: $id) {{ {FIELDS} }} }}"
LIST = """query ($first: Int = 20, $after: String, $filter: ScheduleFilterInput) {
  schedules(first: $first, after: $after, filter: $filter) { totalCount nodes { name } pageInfo { endCursor hasNextPage } } }"""
NEXT = """query ($expression: String!, $zone: String! = "UTC", $count: Int! = 5) {
  nextRuns(cronExpression: $expression, timezone: $zone, count: $count) }"""
MONDAY = datetime(2026, 3, 2, 12, tzinfo=UTC)
"""Seven in the morning in New York."""
DEMANDING = {
    "steps": [{"id": "say", "type": "echo"}],
    "inputSchema": {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]},
}


@pytest.fixture
def monday(services: Services) -> Services:
    return replace(services, clock=lambda: MONDAY)


@pytest.fixture
async def workflow(services: Services, viewer: Viewer) -> Workflow:
    definition = {"steps": [{"id": "say", "type": "echo"}]}
    return await create_workflow(services, viewer, NewWorkflow("report", definition))


async def create(services: Services, viewer: Viewer, workflow: Workflow, **given: Any) -> dict[str, Any]:
    given = {"workflowId": encode_id("Workflow", workflow.id), **given}
    return (await ask(services, viewer, CREATE, input=given))["createSchedule"]


async def created(services: Services, viewer: Viewer, workflow: Workflow, **given: Any) -> dict[str, Any]:
    answer = await create(services, viewer, workflow, **{"cronExpression": "0 9 * * 1-5", **given})
    assert answer["errors"] == []
    return answer["schedule"]


async def update(services: Services, viewer: Viewer, schedule: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return (await ask(services, viewer, UPDATE, input={"id": schedule["id"], **changes}))["updateSchedule"]


async def test_a_schedule_is_made_with_an_expression_and_a_time_zone(
    monday: Services, viewer: Viewer, workflow: Workflow
) -> None:
    made = await created(monday, viewer, workflow, timezone="America/New_York")
    assert made == {
        "id": made["id"],
        "name": "0 9 * * 1-5 America/New_York",
        "cronExpression": "0 9 * * 1-5",
        "timezone": "America/New_York",
        "overlap": "SKIP",
        "catchUp": "LAST",
        "enabled": True,
        "input": None,
        "parameters": {},
        "nextRunAt": "2026-03-02T14:00:00Z",
        "lastRunAt": None,
        "revision": 1,
        "createdBy": "key of tests",
        "entities": None,
        "workflow": {"name": "report"},
    }
    assert (await ask(monday, viewer, SHOW, id=made["id"]))["schedule"] == made


async def test_a_changed_expression_counts_from_now_and_what_is_left_out_stays(
    monday: Services, viewer: Viewer, workflow: Workflow
) -> None:
    made = await created(monday, viewer, workflow, timezone="America/New_York", overlap="QUEUE", parameters={"a": 1})
    later = replace(monday, clock=lambda: MONDAY + timedelta(hours=2, minutes=30))  # half past nine there
    changed = await update(later, viewer, made, cronExpression="0 10 * * 1-5", enabled=True)
    assert changed["errors"] == []
    expected = {
        "cronExpression": "0 10 * * 1-5",
        "name": "0 10 * * 1-5 America/New_York",
        "nextRunAt": "2026-03-02T15:00:00Z",
        "revision": 2,
    }
    assert changed["schedule"] == made | expected
    renamed = await update(later, viewer, made, name="at ten")
    assert renamed["schedule"] == changed["schedule"] | {"name": "at ten", "revision": 3}


async def test_a_disabled_schedule_is_never_due_and_enabling_counts_from_now(
    monday: Services, viewer: Viewer, workflow: Workflow
) -> None:
    made = await created(monday, viewer, workflow, enabled=False)
    assert made["nextRunAt"] is None
    much_later = replace(monday, clock=lambda: MONDAY + timedelta(days=30))
    enabled = await update(much_later, viewer, made, enabled=True)
    assert enabled["schedule"]["nextRunAt"] == "2026-04-02T09:00:00Z"
    assert (await update(much_later, viewer, made, enabled=False))["schedule"]["nextRunAt"] is None


async def test_a_change_that_leaves_the_time_alone_leaves_what_is_due(
    monday: Services, viewer: Viewer, workflow: Workflow
) -> None:
    made = await created(monday, viewer, workflow, cronExpression="0 13 * * *")
    late = replace(monday, clock=lambda: MONDAY + timedelta(hours=3))
    changed = await update(late, viewer, made, overlap="ALLOW", enabled=True, timezone="UTC")
    assert changed["schedule"]["nextRunAt"] == "2026-03-02T13:00:00Z"


async def test_a_change_of_what_somebody_else_changed_can_be_refused(
    monday: Services, viewer: Viewer, workflow: Workflow
) -> None:
    made = await created(monday, viewer, workflow)
    assert (await update(monday, viewer, made, name="a", expectedRevision=1))["errors"] == []
    (error,) = (await update(monday, viewer, made, name="b", expectedRevision=1))["errors"]
    assert (error["code"], error["path"]) == ("CONFLICT", ["input", "expectedRevision"])


async def test_a_deleted_schedule_is_gone(monday: Services, viewer: Viewer, workflow: Workflow) -> None:
    made = await created(monday, viewer, workflow)
    assert (await ask(monday, viewer, DELETE, id=made["id"]))["deleteSchedule"] == {
        "deletedId": made["id"],
        "errors": [],
    }
    assert (await ask(monday, viewer, SHOW, id=made["id"]))["schedule"] is None
    again = (await ask(monday, viewer, DELETE, id=made["id"]))["deleteSchedule"]
    assert again == {"deletedId": None, "errors": [{"code": "NOT_FOUND", "path": ["input", "id"]}]}


@pytest.mark.parametrize(
    ("given", "path", "told"),
    [
        ({"cronExpression": "0 25 * * *"}, ["cronExpression"], "'25' is not a hour"),
        ({"cronExpression": "0 0 31 2 *"}, ["cronExpression"], "would never be due"),
        ({"cronExpression": "* * */20 * 1L"}, ["cronExpression"], "would never be due"),
        ({"cronExpression": "0 0 9 * * *"}, ["cronExpression"], "Seconds are not supported"),
        ({"timezone": "Europe/Berlln"}, ["timezone"], 'did you mean "Europe/Berlin"'),
        ({"name": "x" * 201}, ["name"], "201 characters"),
        ({"input": {"n": "a\0b"}}, ["input"], "NUL"),
        ({"parameters": [1]}, ["parameters"], "are an object"),
        ({"entities": {"all": True}}, ["entities"], "runs on its input alone"),
        (
            {"workflowId": encode_id("Workflow", "01a20616-c65d-7697-a081-d1badd5c29f0")},
            ["workflowId"],
            "no such workflow",
        ),
    ],
)
async def test_what_cannot_be_is_refused_when_it_is_saved(
    monday: Services, viewer: Viewer, workflow: Workflow, given: dict[str, Any], path: list[str], told: str
) -> None:
    answer = await create(monday, viewer, workflow, **{"cronExpression": "@daily", **given})
    assert answer["schedule"] is None
    (error,) = answer["errors"]
    assert error["path"] == ["input", *path]
    assert told in error["message"]


async def test_all_problems_of_the_time_are_told_at_once(monday: Services, viewer: Viewer, workflow: Workflow) -> None:
    answer = await create(monday, viewer, workflow, cronExpression="daily", timezone="Berlin", name=" ")
    assert [error["path"][1] for error in answer["errors"]] == ["name", "cronExpression", "timezone"]
    made = await created(monday, viewer, workflow)
    changed = await update(monday, viewer, made, cronExpression="@reboot", timezone="Berlin")
    assert [error["path"][1] for error in changed["errors"]] == ["cronExpression", "timezone"]
    (error,) = (await update(monday, viewer, made, cronExpression=None))["errors"]
    assert (error["path"], error["code"]) == (["input", "cronExpression"], "INVALID")


async def test_input_and_parameters_have_to_fit_the_workflow_as_it_is_now(monday: Services, viewer: Viewer) -> None:
    workflow = await create_workflow(monday, viewer, NewWorkflow("demanding", DEMANDING))
    (error,) = (await create(monday, viewer, workflow, cronExpression="@daily", input={"n": "x"}))["errors"]
    assert error["path"] == ["input", "input", "n"]
    made = await created(monday, viewer, workflow, input={"n": 3})
    (error,) = (await update(monday, viewer, made, input=None))["errors"]
    assert error["path"][:2] == ["input", "input"]
    assert (await update(monday, viewer, made, enabled=False))["schedule"]["input"] == {"n": 3}


async def test_entities_are_given_as_for_a_run_and_shown_as_they_were_given(monday: Services, viewer: Viewer) -> None:
    schema = {"type": "object", "properties": {"price": {"type": "integer"}}, "additionalProperties": False}
    kind = await create_entity_type(monday, viewer, name="thing", description="", schema=schema)
    thing = (await create_entities(monday, viewer, kind.id, [EntityInput({"price": 3})])).entities[0]
    definition = {"steps": [{"id": "say", "type": "echo"}]}
    workflow = await create_workflow(monday, viewer, NewWorkflow("things", definition, entity_type_id=kind.id))
    made = await created(monday, viewer, workflow, entities={"all": True})
    assert made["entities"] == {"all": True, "ids": None, "filter": None}
    chosen = {"where": [{"field": "price", "op": "GT", "value": 2}], "createdAfter": "2026-01-31T09:30:00+00:00"}
    changed = await update(monday, viewer, made, entities={"filter": chosen})
    assert changed["schedule"]["entities"] == {"all": False, "ids": None, "filter": chosen}
    ids = [encode_id("Entity", thing.id)]
    changed = await update(monday, viewer, made, entities={"ids": ids})
    assert changed["schedule"]["entities"] == {"all": False, "ids": ids, "filter": None}
    wrong = {"where": [{"field": "prize", "op": "GT", "value": 2}]}
    for entities, path in (
        (None, ["entities"]),
        ({"filter": wrong}, ["entities", "filter", "where", "0", "field"]),
        ({"ids": [encode_id("Entity", kind.id)]}, ["entities", "ids", "0"]),
        ({"ids": ids * 10_001}, ["entities", "ids"]),
    ):
        (error,) = (await update(monday, viewer, made, entities=entities))["errors"]
        assert error["path"] == ["input", *path]


async def test_schedules_are_listed_by_workflow_and_by_whether_they_are_enabled(
    monday: Services, viewer: Viewer, stranger: Viewer, workflow: Workflow
) -> None:
    other = await create_workflow(monday, viewer, NewWorkflow("other", {"steps": [{"id": "say", "type": "echo"}]}))
    for number in range(3):
        await created(monday, viewer, workflow, name=f"s{number}", enabled=number != 1)
    await created(monday, viewer, other, name="o")
    first = (await ask(monday, viewer, LIST, first=3))["schedules"]
    assert (first["totalCount"], [one["name"] for one in first["nodes"]]) == (4, ["o", "s2", "s1"])
    rest = (await ask(monday, viewer, LIST, after=first["pageInfo"]["endCursor"]))["schedules"]
    assert [one["name"] for one in rest["nodes"]] == ["s0"]
    mine = {"workflowId": encode_id("Workflow", workflow.id), "enabled": True}
    found = (await ask(monday, viewer, LIST, filter=mine))["schedules"]
    assert (found["totalCount"], [one["name"] for one in found["nodes"]]) == (2, ["s2", "s0"])
    of_workflows = await ask(monday, viewer, "{ workflows { nodes { name schedules(first: 2) { nodes { name } } } } }")
    assert of_workflows["workflows"]["nodes"] == [
        {"name": "other", "schedules": {"nodes": [{"name": "o"}]}},
        {"name": "report", "schedules": {"nodes": [{"name": "s2"}, {"name": "s1"}]}},
    ]
    assert (await ask(monday, stranger, LIST))["schedules"]["totalCount"] == 0


async def test_another_workspace_sees_and_changes_nothing(
    monday: Services, viewer: Viewer, stranger: Viewer, workflow: Workflow
) -> None:
    made = await created(monday, viewer, workflow)
    assert (await ask(monday, stranger, SHOW, id=made["id"]))["schedule"] is None
    assert (await update(monday, stranger, made, enabled=False))["errors"][0]["code"] == "NOT_FOUND"
    assert (await create(monday, stranger, workflow, cronExpression="@daily"))["errors"][0]["code"] == "NOT_FOUND"
    assert (await ask(monday, stranger, DELETE, id=made["id"]))["deleteSchedule"]["deletedId"] is None
    assert (await ask(monday, viewer, SHOW, id=made["id"]))["schedule"] == made


async def test_only_editors_make_schedules(monday: Services, viewer: Viewer, workflow: Workflow) -> None:
    given = {"workflowId": encode_id("Workflow", workflow.id), "cronExpression": "@daily"}
    _, errors = await ask_anything(monday, replace(viewer, role=Role.RUNNER), CREATE, input=given)
    assert [error["extensions"]["code"] for error in errors] == ["FORBIDDEN"]


async def test_every_change_is_in_the_audit_log(monday: Services, viewer: Viewer, workflow: Workflow) -> None:
    made = await created(monday, viewer, workflow)
    await update(monday, viewer, made, enabled=False)
    await ask(monday, viewer, DELETE, id=made["id"])
    async with monday.database.reading() as connection:
        rows = await connection.execute(
            text("SELECT action, details FROM audit_entry WHERE action LIKE 'schedule.%' ORDER BY id")
        )
        entries = [tuple(row) for row in rows]
    assert [action for action, _ in entries] == ["schedule.created", "schedule.updated", "schedule.deleted"]
    assert entries[1][1] == {"fields": ["enabled"], "revision": 2}


async def test_the_next_times_are_told_before_anything_is_saved(monday: Services, viewer: Viewer) -> None:
    spring = replace(monday, clock=lambda: datetime(2026, 3, 28, 12, tzinfo=UTC))
    times = await ask(spring, viewer, NEXT, expression="30 2 * * *", zone="Europe/Berlin", count=3)
    assert times["nextRuns"] == ["2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z", "2026-03-31T00:30:00Z"]
    assert len((await ask(spring, viewer, NEXT, expression="* * * * *", count=100))["nextRuns"]) == 100
    for variables, path in (
        ({"expression": "* * *"}, ["cronExpression"]),
        ({"expression": "@daily", "zone": "Mars"}, ["timezone"]),
        ({"expression": "@daily", "count": 101}, ["count"]),
        ({"expression": "@daily", "count": 0}, ["count"]),
    ):
        _, (error,) = await ask_anything(spring, viewer, NEXT, **variables)
        assert (error["extensions"]["code"], error["extensions"]["path"]) == ("INVALID", path)


async def test_a_schedule_tells_its_next_times_also_while_it_is_disabled(
    monday: Services, viewer: Viewer, workflow: Workflow
) -> None:
    await created(monday, viewer, workflow, enabled=False)
    found = await ask(monday, viewer, "{ schedules { nodes { nextRuns(count: 2) } } }")
    assert found["schedules"]["nodes"] == [{"nextRuns": ["2026-03-03T09:00:00Z", "2026-03-04T09:00:00Z"]}]


async def test_no_request_asks_for_more_times_than_are_computed_quickly(
    monday: Services, viewer: Viewer, workflow: Workflow
) -> None:
    for minute in range(21):
        await created(monday, viewer, workflow, cronExpression=f"{minute} 9 * * *")
    data, (error, *_) = await ask_anything(
        monday, viewer, "{ schedules(first: 21) { nodes { nextRuns(count: 100) } } }"
    )
    assert data is None
    assert error["extensions"]["code"] == "LIMIT_EXCEEDED"


async def test_a_workflow_has_so_many_schedules_and_no_more(
    monday: Services, viewer: Viewer, workflow: Workflow
) -> None:
    made = await created(monday, viewer, workflow)
    async with monday.database.transaction() as connection:
        await connection.execute(
            text(
                """INSERT INTO schedule (id, workspace_id, workflow_id, name, cron_expression, timezone, selection, input,
                   parameters, overlap, catch_up, created_by)
                   SELECT uuidv7(), workspace_id, workflow_id, name, cron_expression, timezone, selection, input, parameters,
                   overlap, catch_up, created_by FROM schedule, generate_series(2, 100)"""
            )
        )
    (error,) = (await create(monday, viewer, workflow, cronExpression="@daily"))["errors"]
    assert (error["code"], error["path"]) == ("LIMIT_EXCEEDED", ["input", "workflowId"])
    await ask(monday, viewer, DELETE, id=made["id"])
    await created(monday, viewer, workflow)


async def test_what_it_did_is_shown_from_both_ends(monday: Services, viewer: Viewer, workflow: Workflow) -> None:
    made = await created(monday, viewer, workflow, cronExpression="0 13 * * *", name="at one")
    slot = MONDAY + timedelta(hours=1)
    for now in (slot, slot + timedelta(days=1)):
        await carried_out(Scheduler(monday.database, monday.plans, monday.wakeups, lambda now=now: now))
    document = """query ($id: ID!) { schedule(id: $id) { nextRunAt lastRunAt
      runs { nodes { status trigger { type by name schedule { name } } } }
      firings { nodes { outcome reason slotAt triggerName run { status } workflow { name } } } } }"""
    shown = (await ask(monday, viewer, document, id=made["id"]))["schedule"]
    assert (shown["nextRunAt"], shown["lastRunAt"]) == ("2026-03-04T13:00:00Z", "2026-03-02T13:00:00Z")
    trigger = {"type": "SCHEDULE", "by": "at one", "name": "at one", "schedule": {"name": "at one"}}
    assert shown["runs"]["nodes"] == [{"status": "PENDING", "trigger": trigger}]
    skipped, started = shown["firings"]["nodes"]
    assert (skipped["outcome"], skipped["run"]) == ("SKIPPED", None)
    assert skipped["reason"].endswith("of this schedule is PENDING still.")
    assert started == {
        "outcome": "STARTED",
        "reason": None,
        "slotAt": "2026-03-02T13:00:00Z",
        "triggerName": "at one",
        "run": {"status": "PENDING"},
        "workflow": {"name": "report"},
    }
    await ask(monday, viewer, DELETE, id=made["id"])
    left = await ask(monday, viewer, "{ runs { nodes { trigger { by schedule { name } } } } }")
    assert left["runs"]["nodes"] == [{"trigger": {"by": "at one", "schedule": None}}]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"enabled": False}, "The schedule was disabled."),
        ({"overlap": "SKIP"}, "The schedule no longer queues runs."),
        (None, "The schedule was deleted."),
    ],
)
async def test_runs_that_wait_are_given_up_with_their_queue(
    monday: Services, viewer: Viewer, workflow: Workflow, changes: dict[str, Any] | None, told: str
) -> None:
    made = await created(monday, viewer, workflow, cronExpression="0 13 * * *", overlap="QUEUE")
    for days in range(3):
        now = MONDAY + timedelta(days=days, hours=1)
        await carried_out(Scheduler(monday.database, monday.plans, monday.wakeups, lambda now=now: now))
    kept = await update(monday, viewer, made, name="still queues")
    assert kept["errors"] == []
    if changes is None:
        await ask(monday, viewer, DELETE, id=made["id"])
    else:
        assert (await update(monday, viewer, made, **changes))["errors"] == []
    shown = await ask(monday, viewer, "{ firings { nodes { outcome reason } } }")
    given_up = {"outcome": "SKIPPED", "reason": told}
    assert shown["firings"]["nodes"] == [given_up, given_up, {"outcome": "STARTED", "reason": None}]


async def test_what_many_schedules_did_costs_no_more_statements_than_of_one(
    monday: Services, viewer: Viewer, workflow: Workflow
) -> None:
    for number in range(4):
        await created(monday, viewer, workflow, cronExpression="0 13 * * *", name=f"s{number}")
    slot = MONDAY + timedelta(hours=1)
    assert await carried_out(Scheduler(monday.database, monday.plans, monday.wakeups, lambda: slot)) == 4
    document = """query ($first: Int!) { schedules(first: $first) { nodes { nextRuns workflow { name }
      firings { nodes { run { trigger { schedule { name } } } } } runs { nodes { trigger { schedule { name } } } } } } }"""
    counts: list[int] = []
    for first in (1, 4):
        with counted(monday.database) as statements:
            shown = (await ask(monday, viewer, document, first=first))["schedules"]["nodes"]
        counts.append(statements.count)
        assert [len(one["runs"]["nodes"]) for one in shown] == [1] * first
    assert counts[0] == counts[1]
