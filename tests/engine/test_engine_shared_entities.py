"""Two runs over the same entities: what one writes takes nothing from the other."""

import asyncio

from engine.conftest import Bench
from engine.step_types import Counting, Gate


async def test_a_step_that_was_recorded_is_not_done_again_because_another_run_wrote_the_entity(bench: Bench) -> None:
    Counting.calls.clear()
    Gate.waiting.clear()
    Gate.opened = asyncio.Event()
    type_id = await bench.movies(10)
    held = await bench.start(
        await bench.workflow(
            {"id": "count", "type": "test_counting"},
            {"id": "publish", "type": "publish", "config": {"fields": {"gross": "1.5"}}},
            {"id": "gate", "type": "test_gate"},
            entity_type=type_id,
        )
    )
    worker = bench.new_worker()
    working = asyncio.create_task(worker.run())
    async with asyncio.timeout(10):
        while len(await bench.rows("SELECT 1 FROM run_checkpoint WHERE run_id = :id", id=held.id)) < 10:
            await asyncio.sleep(0.02)
    other = await bench.workflow(
        {"id": "publish", "type": "publish", "config": {"fields": {"year": "1999"}}}, entity_type=type_id
    )
    await bench.finish(await bench.start(other), bench.new_worker("other"))
    # The first worker loses its batches, and with them everything that it has not recorded.
    async with bench.services.database.transaction() as connection:
        await connection.exec_driver_sql("UPDATE run_batch SET ready_at = now() - interval '1 second' WHERE NOT done")
    heir = bench.new_worker("heir")
    inheriting = asyncio.create_task(heir.run())
    async with asyncio.timeout(10):
        while {row["holder"] for row in await bench.rows("SELECT holder FROM run_batch WHERE NOT done")} != {"heir"}:
            await asyncio.sleep(0.02)
    Gate.opened.set()
    progress = await bench.until(held, lambda progress: progress.status.is_terminal)
    for stopping, task in ((worker, working), (heir, inheriting)):
        await stopping.stop()
        task.cancel()
    assert progress.completed == 10
    assert set(Counting.calls.values()) == {1}
    versions = await bench.rows("SELECT DISTINCT version FROM entity")
    assert [row["version"] for row in versions] == [3]


async def test_a_worker_that_stood_still_begins_no_step_that_others_may_have_paid_for(bench: Bench) -> None:
    Counting.calls.clear()
    workflow = await bench.workflow({"id": "count", "type": "test_counting"}, entity_type=await bench.movies(4))
    run = await bench.start(workflow)
    worker = bench.new_worker()
    # As after a SIGSTOP that came between its claim and its work, and was longer than its lease.
    worker._held.renewed = float("-inf")
    (batch,) = await worker._claim([])
    worker._start(batch)
    await asyncio.wait(worker._tasks)
    assert Counting.calls == {}
    assert (await bench.until(run, lambda _: True)).finished == 0
    assert (await bench.finish(run)).completed == 4
