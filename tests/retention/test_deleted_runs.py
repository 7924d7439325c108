"""Runs that are deleted: gone at once, and swept up bit by bit, whatever happens meanwhile."""

import asyncio
from dataclasses import replace
from datetime import timedelta

from retention.keeping import Keeping
from sqlalchemy import text

from weft.domain.ids import UUID, new_id
from weft.domain.retention import Ages
from weft.operations import run_lists, runs
from weft.operations.workflows import delete_workflow

AHEAD = timedelta(days=91)
PARTS = ("run_item", "run_checkpoint", "run_batch", "run_change", "run_log")


async def test_a_large_run_is_gone_at_once_and_what_it_leaves_goes_in_chunks_behind_a_crash_too(
    keeping: Keeping,
) -> None:
    run_id = await keeping.run(items=12_000, logs=3_000)
    small = [await keeping.run() for _ in range(3)]
    keeping.ages = replace(Ages(), logs=None)
    keeping.ahead = AHEAD
    await keeping.do("UPDATE retention_turn SET due_at = now()")
    sweeper = keeping.sweeper()
    sweeper.pause = timedelta(milliseconds=50)
    dying = asyncio.create_task(sweeper.run_once())
    async with asyncio.timeout(30):
        while await keeping.count("run_item") > 9_000:
            await asyncio.sleep(0.01)
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)
    left = await keeping.count("run_item")
    assert left > 0
    assert await runs.get_run(keeping.services, keeping.viewer, run_id) is None
    assert await keeping.count("run") == 0
    assert await keeping.sweeper().run_once() == {}, "it is still the turn of the one that died"
    await keeping.sweep()
    for table in PARTS:
        assert await keeping.count(table) == 0, table
    assert (await keeping.count("deleted_run"), len(small)) == (0, 3)


async def test_what_a_workflow_counted_and_used_stays_when_its_runs_go(keeping: Keeping) -> None:
    services, viewer = keeping.services, keeping.viewer
    await keeping.run()
    (workflow_id,) = await _column(keeping, "SELECT workflow_id FROM run")
    before = await run_lists.load_usages(services, viewer, [workflow_id])
    assert before[0].calls == 1
    await keeping.sweep(AHEAD)
    assert await keeping.count("run") == 0
    assert await run_lists.load_usages(services, viewer, [workflow_id]) == before


async def test_a_retry_stays_when_the_run_that_it_is_of_goes(keeping: Keeping) -> None:
    old = await keeping.run(status="FAILED")
    retry = await keeping.run(status="PAUSED", retry_of=old)
    await keeping.sweep(AHEAD)
    found = await runs.get_run(keeping.services, keeping.viewer, retry)
    assert found is not None
    assert found.retry_of is None


async def test_what_the_runs_of_a_deleted_workflow_leave_is_swept_up(keeping: Keeping) -> None:
    await keeping.run(items=5, logs=5)
    (workflow_id,) = await _column(keeping, "SELECT workflow_id FROM run")
    await delete_workflow(keeping.services, keeping.viewer, workflow_id)
    assert await keeping.count("run") == 0
    await keeping.sweep()
    for table in PARTS:
        assert await keeping.count(table) == 0, table


async def test_one_process_sweeps_at_a_time_and_another_goes_on_when_its_turn_has_run_out(keeping: Keeping) -> None:
    await keeping.run()
    keeping.ahead = AHEAD
    swept = await asyncio.gather(*(keeping.sweeper().run_once() for _ in range(4)))
    assert sorted(map(bool, swept)) == [False, False, False, True]
    assert await keeping.sweeper().run_once() == {}, "a minute has not passed"
    await keeping.run()
    assert (await keeping.sweep())["runs"] == 1


async def test_nothing_waits_for_what_somebody_holds(keeping: Keeping) -> None:
    held = new_id()
    for event_id in (held, new_id(), new_id()):
        await keeping.do(
            """INSERT INTO event (id, workspace_id, name, payload, handled_at)
              VALUES (:event_id, :workspace_id, 'x', '{}', now())""",
            event_id=event_id,
        )
    run_id = await keeping.run()
    other = await keeping.run()
    async with keeping.services.database.transaction() as somebody:
        await somebody.execute(text("SELECT FROM event WHERE id = :id FOR UPDATE"), {"id": held})
        await somebody.execute(text("SELECT FROM run WHERE id = :id FOR UPDATE"), {"id": run_id})
        swept = await keeping.sweep(AHEAD)
        assert (swept["events"], swept["runs"]) == (2, 1)
        assert await keeping.count("run", "id = :id", id=other) == 0
    swept = await keeping.sweep(AHEAD)
    assert (swept["events"], swept["runs"]) == (1, 1)


async def test_what_one_kind_meets_holds_up_no_other(keeping: Keeping) -> None:
    await keeping.do("ALTER TABLE run_log RENAME COLUMN id TO other")
    await keeping.do(
        "INSERT INTO event (workspace_id, name, payload, handled_at) VALUES (:workspace_id, 'x', '{}', now())"
    )
    assert (await keeping.sweep(AHEAD))["events"] == 1


async def _column(keeping: Keeping, query: str) -> list[UUID]:
    async with keeping.services.database.reading() as connection:
        return list((await connection.execute(text(query))).scalars())


async def test_runs_of_a_workflow_that_is_being_deleted_are_passed_by(keeping: Keeping) -> None:
    """Neither waits for the other: who deletes a workflow locks it first, and its runs then."""
    await keeping.run()
    async with keeping.services.database.transaction() as connection:
        await connection.execute(text("SELECT FROM workflow FOR UPDATE"))
        async with asyncio.timeout(20):
            assert "runs" not in await keeping.sweep(AHEAD)
    assert (await keeping.sweep(AHEAD))["runs"] == 1
