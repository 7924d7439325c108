"""What the statements of leases and flushes hold, one by one."""

import asyncio
from datetime import timedelta

import pytest
from engine.conftest import Bench
from sqlalchemy import text

from weft.domain.run import Run
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
        batch = await batches.claim(connection, "somebody", LEASE, [])
    assert batch is not None
    return batch


async def _renew(bench: Bench, *leases: Lease) -> dict[Lease, bool]:
    async with asyncio.timeout(5), bench.services.database.transaction() as connection:
        return await batches.renew(connection, leases, LEASE)


async def _keep(bench: Bench, lease: Lease, *, released: bool = False) -> frozenset[int]:
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
    assert await _keep(bench, first.lease, released=True) == {first.lease.number}
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
        both = {first.lease.number, second.lease.number}
        assert await doubt.already_there(connection, run.id, [items, checkpoints]) == both
        await results.add_items(connection, run.id, [_item(first.first_ordinal)])
        assert await doubt.already_there(connection, run.id, [items]) == {first.lease.number}
