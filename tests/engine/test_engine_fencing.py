"""What the statements of leases and flushes hold, one by one."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta

import pytest
from engine.conftest import Bench
from sqlalchemy import text

from weft.domain.run import Run
from weft.engine.recorder import RunRecorder
from weft.engine.writes import NO_STEPS, FinishedItem, Unfinished
from weft.operations import runs
from weft.storage import batches, doubt, results
from weft.storage.batches import ClaimedBatch, Lease
from weft.storage.doubt import Written
from weft.storage.item_rows import ItemRow
from weft.storage.results import CheckpointRow, Hold

pytestmark = pytest.mark.timeout(30)

LEASE = timedelta(seconds=10)


async def _run_of_two_batches(bench: Bench) -> tuple[Run, ClaimedBatch, ClaimedBatch]:
    run = await bench.start(
        await bench.workflow({"id": "gate", "type": "test_gate"}, entity_type=await bench.movies(10))
    )
    first, second = [await _claim(bench) for _ in range(2)]
    return run, first, second


async def _claim(bench: Bench) -> ClaimedBatch:
    async with bench.services.database.transaction() as connection:
        (batch,) = await batches.claim(connection, "somebody", LEASE, [])
    return batch


async def _renew(bench: Bench, *leases: Lease) -> dict[Lease, bool]:
    async with asyncio.timeout(5), bench.services.database.transaction() as connection:
        return await batches.renew(connection, leases, LEASE)


async def _keep(bench: Bench, lease: Lease, *, released: bool = False) -> frozenset[Lease]:
    ready_in = timedelta() if released else LEASE
    async with bench.services.database.transaction() as connection:
        return await results.keep_leases(connection, lease.run_id, [Hold(lease, False, released, ready_in)])


def _item(ordinal: int) -> ItemRow:
    return ItemRow(ordinal, None, None, "COMPLETED", None, None, b"[]", 0, 0)


async def test_a_renewal_waits_for_no_flush_and_still_knows_what_it_holds(bench: Bench) -> None:
    _, first, second = await _run_of_two_batches(bench)
    async with bench.services.database.transaction() as flush:
        await results.keep_leases(flush, first.lease.run_id, [Hold(first.lease, False, False, LEASE)])
        assert await _renew(bench, second.lease, first.lease) == {first.lease: False, second.lease: False}


async def test_a_batch_that_was_given_back_is_not_held_again_by_a_late_renewal_or_write(bench: Bench) -> None:
    _, first, _ = await _run_of_two_batches(bench)
    assert await _keep(bench, first.lease, released=True) == {first.lease}
    await _renew(bench, first.lease)
    assert await _keep(bench, first.lease) == frozenset()
    (row,) = await bench.rows(
        "SELECT holder, ready_at <= now() AS ready FROM run_batch WHERE number = :number", number=first.lease.number
    )
    assert (row["holder"], row["ready"]) == (None, True)


async def test_nothing_is_held_of_a_run_that_has_ended(bench: Bench) -> None:
    run, first, _ = await _run_of_two_batches(bench)
    await runs.cancel_run(bench.services, bench.viewer, run.id)
    assert await _keep(bench, first.lease) == frozenset()
    assert await _renew(bench, first.lease) == {}


async def test_what_another_worker_recorded_is_not_taken_for_the_flush_in_doubt(bench: Bench) -> None:
    run, first, second = await _run_of_two_batches(bench)
    flush = [Written(first.lease, [first.first_ordinal], []), Written(second.lease, [second.first_ordinal], [])]
    async with bench.services.database.transaction() as connection:
        # The flush failed before its commit; then the first batch was taken over and its item recorded by another.
        await connection.execute(
            text("UPDATE run_batch SET token = token + 1 WHERE number = :n"), {"n": first.lease.number}
        )
        await results.add_items(connection, run.id, [_item(first.first_ordinal)])
        assert await doubt.already_there(connection, run.id, flush) == frozenset()


async def test_a_flush_in_doubt_is_known_by_its_items_or_its_checkpoints(bench: Bench) -> None:
    run, first, second = await _run_of_two_batches(bench)
    checkpoint = CheckpointRow(second.first_ordinal, '[{"id":"gate","s":"C","o":1}]', None)
    items, checkpoints = Written(first.lease, [first.first_ordinal], []), Written(second.lease, [], [checkpoint])
    async with bench.services.database.transaction() as connection:
        assert await doubt.already_there(connection, run.id, [items, checkpoints]) == frozenset()
        await results.save_checkpoints(connection, run.id, [checkpoint])
        both = {first.lease, second.lease}
        assert await doubt.already_there(connection, run.id, [items, checkpoints]) == both
        await results.add_items(connection, run.id, [_item(first.first_ordinal)])
        assert await doubt.already_there(connection, run.id, [items]) == {first.lease}


@dataclass
class Idle:
    """An execution whose items all have finished."""

    lease: Lease
    is_lost: bool = False

    def take_checkpoints(self) -> Unfinished:
        return Unfinished()

    def lost(self) -> None:
        self.is_lost = True

    def pause(self) -> None:
        pass


async def test_a_worker_that_claims_its_own_batch_again_writes_nothing_with_the_old_token(bench: Bench) -> None:
    run, first, _ = await _run_of_two_batches(bench)
    async with bench.services.database.transaction() as connection:  # the clock of Postgres went ahead
        await connection.execute(text("UPDATE run_batch SET ready_at = now() WHERE number = 0"))
    again = await _claim(bench)
    old, new = Idle(first.lease), Idle(again.lease)
    recorder = RunRecorder(
        bench.services.database, run.id, bench.viewer.workspace_id, 1, LEASE, bench.published.publish
    )
    records = [recorder.begin(execution) for execution in (old, new)]
    for ordinal, record in enumerate(records):
        recorder.finished(record, FinishedItem(_item(ordinal), NO_STEPS))
    assert recorder._task is not None
    await recorder._task
    assert (first.lease.number, [item["ordinal"] for item in await bench.items(run)]) == (again.lease.number, [1])
    assert (old.is_lost, new.is_lost) == (True, False)


async def _claimed_at_once(bench: Bench, run: Run, room: int) -> list[int]:
    async with bench.services.database.transaction() as connection:
        claimed = await batches.claim(connection, "somebody", LEASE, [], {run.id: room})
    return [batch.lease.number for batch in claimed]


async def test_a_claim_takes_as_many_batches_of_a_run_as_there_is_room_for(bench: Bench) -> None:
    workflow = await bench.workflow({"id": "gate", "type": "test_gate"}, entity_type=await bench.movies(40))
    run = await bench.start(workflow)
    assert [await _claimed_at_once(bench, run, 3) for _ in range(3)] == [[0, 1, 2], [3, 4, 5], [6, 7]]
    assert await _claimed_at_once(bench, run, 3) == []


async def test_a_claim_of_many_keeps_to_the_limit_of_the_run(bench: Bench) -> None:
    workflow = await bench.workflow({"id": "gate", "type": "test_gate"}, entity_type=await bench.movies(40))
    run = await bench.start(workflow, concurrency=15)
    assert [await _claimed_at_once(bench, run, room) for room in (2, 8, 8)] == [[0, 1], [2], []]


async def test_a_claim_of_many_takes_those_of_one_run(bench: Bench) -> None:
    kind = await bench.movies(10)
    workflow = await bench.workflow({"id": "gate", "type": "test_gate"}, entity_type=kind)
    one, other = [await bench.start(workflow) for _ in range(2)]
    assert await _claimed_at_once(bench, one, 5) == [0, 1]
    assert await _claimed_at_once(bench, other, 5) == [0, 1]
