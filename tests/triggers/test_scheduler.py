"""The scheduler: what it starts when, what it does after a stop, and what it does not start."""

from datetime import timedelta

import pytest
from triggers.scheduling import MINUTE, NINE, Scheduling, started

from weft.domain.entity import EntityFilter, EntityInput, FieldCondition, FilterOp
from weft.domain.run import Selection
from weft.domain.schedule import CatchUp, Overlap
from weft.domain.workflow import WorkflowStatus
from weft.operations.entities import delete_entities
from weft.operations.entity_creation import create_entities
from weft.operations.entity_types import create_entity_type
from weft.operations.run_retries import RetryRun, retry_run
from weft.operations.workflow_changes import WorkflowChanges, update_workflow
from weft.operations.workflows import delete_workflow

STOP = timedelta(hours=1)


async def test_a_slot_starts_one_run_and_tells_what_started_it(scheduling: Scheduling) -> None:
    definition = {
        "steps": [{"id": "say", "type": "echo"}],
        "inputSchema": {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]},
    }
    schedule = await scheduling.schedule(await scheduling.workflow(definition), input={"n": 7}, name="each ten")
    assert schedule.next_at == NINE
    assert await scheduling.look(NINE - timedelta(milliseconds=1)) == 0
    assert await scheduling.look(NINE) == 1
    assert await scheduling.look(NINE + timedelta(seconds=1)) == 0
    (run,) = await scheduling.rows("SELECT * FROM run WHERE trigger_id = :id", id=schedule.id)
    assert (run["trigger_type"], run["triggered_by"], run["input"]) == ("SCHEDULE", "each ten", {"n": 7})
    (firing,) = await scheduling.firings(schedule)
    assert (firing["outcome"], firing["run_id"], firing["slot_at"]) == ("STARTED", run["id"], NINE)
    assert (firing["trigger_type"], firing["trigger_name"], firing["reason"]) == ("SCHEDULE", "each ten", None)
    state = await scheduling.state(schedule)
    assert (state["next_at"], state["last_slot_at"], state["last_run_at"]) == (NINE + 10 * MINUTE, NINE, NINE)
    assert state["revision"] == 1


async def test_the_entities_are_chosen_anew_at_each_slot(scheduling: Scheduling) -> None:
    services, viewer = scheduling.services, scheduling.viewer
    schema = {"type": "object", "properties": {"price": {"type": "integer"}}}
    kind = await create_entity_type(services, viewer, name="thing", description="", schema=schema)
    workflow = await scheduling.workflow(entity_type_id=kind.id)
    dear = EntityFilter(where=(FieldCondition("price", FilterOp.GT, 10),))
    schedule = await scheduling.schedule(workflow, selection=Selection(filter=dear))
    totals: list[int] = []
    for number in range(3):
        await scheduling.look(NINE + number * 10 * MINUTE)
        (row,) = await scheduling.rows(
            "SELECT total, status FROM run_state WHERE run_id = :id", id=(await scheduling.runs(schedule))[-1]
        )
        totals.append(row["total"])
        prices = [EntityInput({"price": price}) for price in (5, 20, 30)]
        await create_entities(services, viewer, kind.id, prices)
    assert totals == [0, 2, 4]


@pytest.mark.parametrize(
    ("catch_up", "runs", "missed"),
    [
        (CatchUp.NONE, [], "7 times were missed, 2026-03-02T09:00:00Z to 2026-03-02T10:00:00Z"),
        (CatchUp.LAST, [60], "6 times were missed, 2026-03-02T09:00:00Z to 2026-03-02T09:50:00Z"),
        (CatchUp.ALL, [0, 10, 20, 30, 40, 50, 60], None),
    ],
)
async def test_after_a_stop_of_an_hour_each_policy_does_what_it_says(
    scheduling: Scheduling, catch_up: CatchUp, runs: list[int], missed: str | None
) -> None:
    schedule = await scheduling.schedule(await scheduling.workflow(), catch_up=catch_up)
    await scheduling.look(NINE + STOP + 5 * MINUTE)
    firings = await scheduling.firings(schedule)
    assert started(firings) == [NINE + minutes * MINUTE for minutes in runs]
    skipped = [one["reason"] for one in firings if one["outcome"] == "SKIPPED"]
    assert [reason.startswith(missed) for reason in skipped] == ([True] if missed else [])
    assert (await scheduling.state(schedule))["next_at"] == NINE + 70 * MINUTE


async def test_with_skip_a_slot_is_skipped_while_a_run_goes_on(scheduling: Scheduling) -> None:
    schedule = await scheduling.schedule(await scheduling.workflow(), overlap=Overlap.SKIP)
    await scheduling.look(NINE)
    await scheduling.look(NINE + 10 * MINUTE)
    (first,) = await scheduling.runs(schedule)
    await scheduling.end(first)
    await scheduling.look(NINE + 20 * MINUTE)
    firings = await scheduling.firings(schedule)
    assert [one["outcome"] for one in firings] == ["STARTED", "SKIPPED", "STARTED"]
    assert firings[1]["reason"] == f"The run {first} of this schedule is PENDING still."


async def test_a_paused_run_counts_as_one_that_goes_on(scheduling: Scheduling) -> None:
    schedule = await scheduling.schedule(await scheduling.workflow(), overlap=Overlap.SKIP)
    await scheduling.look(NINE)
    await scheduling.do("UPDATE run_state SET status = 'PAUSED'")
    await scheduling.look(NINE + 10 * MINUTE)
    assert await scheduling.outcomes(schedule) == ["STARTED", "SKIPPED"]


async def test_with_allow_runs_go_on_side_by_side(scheduling: Scheduling) -> None:
    schedule = await scheduling.schedule(await scheduling.workflow(), overlap=Overlap.ALLOW)
    for number in range(3):
        await scheduling.look(NINE + number * 10 * MINUTE)
    assert await scheduling.outcomes(schedule) == ["STARTED"] * 3


async def test_with_queue_runs_follow_each_other_in_their_order(scheduling: Scheduling) -> None:
    schedule = await scheduling.schedule(await scheduling.workflow(), overlap=Overlap.QUEUE)
    for number in range(3):
        await scheduling.look(NINE + number * 10 * MINUTE)
    assert await scheduling.outcomes(schedule) == ["STARTED", "QUEUED", "QUEUED"]
    later = NINE + 25 * MINUTE
    seen: list[list[str]] = []
    for _ in range(3):
        assert await scheduling.look(later) == 0
        await scheduling.end((await scheduling.runs(schedule))[-1])
        await scheduling.look(later)
        seen.append(await scheduling.outcomes(schedule))
    assert seen == [["STARTED", "STARTED", "QUEUED"], ["STARTED"] * 3, ["STARTED"] * 3]
    firings = await scheduling.firings(schedule)
    assert [one["run_id"] for one in firings] == await scheduling.runs(schedule)
    assert [one["reason"] for one in firings] == [None] * 3
    state = await scheduling.state(schedule)
    assert (state["queue"], state["waits_for"]) == ([], None)


async def test_a_queue_goes_on_where_the_run_it_waited_for_was_deleted(scheduling: Scheduling) -> None:
    schedule = await scheduling.schedule(await scheduling.workflow(), overlap=Overlap.QUEUE)
    await scheduling.look(NINE)
    await scheduling.look(NINE + 10 * MINUTE)
    await scheduling.do("DELETE FROM run WHERE id = :id", id=(await scheduling.runs(schedule))[0])
    await scheduling.look(NINE + 11 * MINUTE)
    assert await scheduling.outcomes(schedule) == ["STARTED", "STARTED"]


async def test_what_waits_is_given_up_with_its_workflow(scheduling: Scheduling) -> None:
    workflow = await scheduling.workflow()
    schedule = await scheduling.schedule(workflow, overlap=Overlap.QUEUE)
    await scheduling.look(NINE)
    await scheduling.look(NINE + 10 * MINUTE)
    await scheduling.end(*await scheduling.runs(schedule))
    await delete_workflow(scheduling.services, scheduling.viewer, workflow.id)
    assert [(one["outcome"], one["reason"]) for one in await scheduling.firings(schedule)] == [
        ("STARTED", None),
        ("SKIPPED", "The workflow was deleted."),
    ]


async def test_a_full_queue_takes_no_more(scheduling: Scheduling) -> None:
    schedule = await scheduling.schedule(
        await scheduling.workflow(), "* * * * *", overlap=Overlap.QUEUE, catch_up=CatchUp.ALL
    )
    await scheduling.look(NINE + 104 * MINUTE)
    firings = await scheduling.firings(schedule)
    assert [one["outcome"] for one in firings] == ["STARTED", *["QUEUED"] * 100, *["SKIPPED"] * 4]
    assert firings[-1]["reason"] == "100 runs of this schedule wait already."


async def test_a_retry_of_its_run_does_not_hold_up_a_schedule(scheduling: Scheduling) -> None:
    schedule = await scheduling.schedule(await scheduling.workflow(), overlap=Overlap.SKIP)
    await scheduling.look(NINE)
    (first,) = await scheduling.runs(schedule)
    await scheduling.do("UPDATE run_state SET status = 'FAILED', failed = 1, finished_at = now(), started_at = now()")
    retry = await retry_run(scheduling.services, scheduling.viewer, RetryRun(first))
    assert not retry.status.is_terminal
    await scheduling.look(NINE + 10 * MINUTE)
    assert await scheduling.outcomes(schedule) == ["STARTED", "STARTED"]
    assert retry.id not in await scheduling.runs(schedule)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (WorkflowChanges(status=WorkflowStatus.ARCHIVED), "is ARCHIVED"),
        (WorkflowChanges(status=WorkflowStatus.DRAFT), "is DRAFT"),
        (WorkflowChanges(enabled=False), "is disabled"),
    ],
)
async def test_a_workflow_that_may_not_run_is_refused_and_the_schedule_goes_on(
    scheduling: Scheduling, changes: WorkflowChanges, told: str
) -> None:
    workflow = await scheduling.workflow()
    schedule = await scheduling.schedule(workflow)
    await update_workflow(scheduling.services, scheduling.viewer, workflow.id, changes)
    await scheduling.look(NINE)
    back = WorkflowChanges(status=WorkflowStatus.ACTIVE, enabled=True)
    await update_workflow(scheduling.services, scheduling.viewer, workflow.id, back)
    await scheduling.look(NINE + 10 * MINUTE)
    firings = await scheduling.firings(schedule)
    assert [one["outcome"] for one in firings] == ["REFUSED", "STARTED"]
    assert told in firings[0]["reason"]
    assert firings[0]["run_id"] is None


async def test_an_input_that_no_longer_fits_is_refused_with_every_problem(scheduling: Scheduling) -> None:
    workflow = await scheduling.workflow()
    schedule = await scheduling.schedule(workflow, input={"n": "seven"})
    demanding = {
        "steps": [{"id": "say", "type": "echo"}],
        "inputSchema": {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n", "m"]},
    }
    changes = WorkflowChanges(definition=demanding)
    await update_workflow(scheduling.services, scheduling.viewer, workflow.id, changes)
    await scheduling.look(NINE)
    (firing,) = await scheduling.firings(schedule)
    assert firing["outcome"] == "REFUSED"
    assert firing["reason"] == 'input.m: input is missing; input.n: input "seven" is not of type "integer".'
    assert await scheduling.runs(schedule) == []


async def test_entities_that_are_gone_are_refused_and_leave_nothing_behind(scheduling: Scheduling) -> None:
    services, viewer = scheduling.services, scheduling.viewer
    kind = await create_entity_type(services, viewer, name="thing", description="", schema={"type": "object"})
    made = await create_entities(services, viewer, kind.id, [EntityInput({}), EntityInput({})])
    both = tuple(one.id for one in made.entities)
    schedule = await scheduling.schedule(
        await scheduling.workflow(entity_type_id=kind.id), selection=Selection(ids=both)
    )
    await delete_entities(services, viewer, Selection(ids=both[:1]))
    await scheduling.look(NINE)
    (firing,) = await scheduling.firings(schedule)
    assert firing["outcome"] == "REFUSED"
    assert firing["reason"].startswith("entities.ids.0: There is no entity")
    counts = await scheduling.rows(
        "SELECT (SELECT count(*) FROM run) AS runs, (SELECT count(*) FROM run_batch) AS batches"
    )
    assert counts == [{"runs": 0, "batches": 0}]


async def test_a_queued_run_that_is_refused_lets_the_next_one_begin(scheduling: Scheduling) -> None:
    workflow = await scheduling.workflow()
    schedule = await scheduling.schedule(workflow, overlap=Overlap.QUEUE)
    for number in range(3):
        await scheduling.look(NINE + number * 10 * MINUTE)
    await update_workflow(scheduling.services, scheduling.viewer, workflow.id, WorkflowChanges(enabled=False))
    await scheduling.end(*await scheduling.runs(schedule))
    await scheduling.look(NINE + 25 * MINUTE)
    assert await scheduling.outcomes(schedule) == ["STARTED", "REFUSED", "REFUSED"]


async def test_a_fault_while_starting_is_told_and_the_schedule_goes_on(scheduling: Scheduling) -> None:
    services, viewer = scheduling.services, scheduling.viewer
    kind = await create_entity_type(services, viewer, name="thing", description="", schema={"type": "object"})
    schedule = await scheduling.schedule(
        await scheduling.workflow(entity_type_id=kind.id), selection=Selection(all=True)
    )
    broken = '{"filter": {"where": [{"field": "n", "op": "IN", "value": 5}]}}'  # which no check lets in
    await scheduling.do("UPDATE schedule SET selection = :broken ::json", broken=broken)
    await scheduling.look(NINE)
    await scheduling.do("""UPDATE schedule SET selection = '{"all": true}'""")
    await scheduling.look(NINE + 10 * MINUTE)
    firings = await scheduling.firings(schedule)
    assert [one["outcome"] for one in firings] == ["REFUSED", "STARTED"]
    assert firings[0]["reason"] == "A fault of Weft kept the run from being started: TypeError."


async def test_a_schedule_that_cannot_be_read_keeps_no_other_from_its_turn(scheduling: Scheduling) -> None:
    workflow = await scheduling.workflow()
    broken = [await scheduling.schedule(workflow) for _ in range(5)]
    sound = await scheduling.schedule(workflow, "1 9 * * *")
    await scheduling.do("UPDATE schedule SET timezone = 'Europe/Atlantis' WHERE id <> :id", id=sound.id)
    await scheduling.look(NINE + MINUTE)
    assert await scheduling.outcomes(sound) == ["STARTED"]
    assert [await scheduling.outcomes(one) for one in broken] == [[]] * 5
    await scheduling.do("UPDATE schedule SET timezone = 'Europe/Berlin'")
    await scheduling.look(NINE + MINUTE)
    assert [await scheduling.outcomes(one) for one in broken] == [["STARTED"]] * 5


async def test_a_deleted_workflow_takes_its_schedules_with_it(scheduling: Scheduling) -> None:
    workflow = await scheduling.workflow()
    await scheduling.schedule(workflow)
    await delete_workflow(scheduling.services, scheduling.viewer, workflow.id)
    assert await scheduling.look(NINE) == 0
    assert await scheduling.rows("SELECT * FROM schedule") == []


async def test_a_workflow_that_is_being_deleted_is_passed_by(scheduling: Scheduling) -> None:
    """Neither waits for the other: who deletes a workflow locks it first, and its schedules then."""
    workflow = await scheduling.workflow()
    await scheduling.schedule(workflow)
    async with scheduling.services.database.transaction() as connection:
        await connection.exec_driver_sql("SELECT FROM workflow FOR UPDATE")
        assert await scheduling.look(NINE) == 0
    assert await scheduling.look(NINE) == 1
