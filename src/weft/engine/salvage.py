"""When Postgres refuses a flush for good: what can be written is written, and what cannot fails by name.

A value may pass every check of ours and still be one that Postgres does not take. Then the flush is cut into halves until
the guilty item stands alone; its neighbours are recorded as they are, and in its place a failure is recorded.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from weft.engine.writes import NO_STEPS, BatchWrites, FinishedItem, Flushed, Unfinished
from weft.kit.json import dump_bytes, loads
from weft.storage.batches import Lease

Write = Callable[[Lease, BatchWrites], Awaitable[Flushed]]
"""Writes, and tries again what failed for now; raises `UnwritableError` for what will never do."""


class UnwritableError(Exception):
    """The database refuses these rows, and would refuse them again."""


async def salvage(write: Write, lease: Lease, batch: BatchWrites) -> Flushed:
    """How the last of the parts came out; with it the batch has ended, when it was to end."""
    flushed = await _write_items(write, lease, batch.finished)
    if flushed is not None and lease not in flushed.held:
        return flushed
    rest = BatchWrites(unfinished=batch.unfinished, ended=batch.ended)
    try:
        last = await write(lease, rest)
    except UnwritableError:
        # The steps behind these checkpoints are done again, and their items come here when they are finished.
        last = await write(lease, BatchWrites(unfinished=Unfinished(paid=batch.unfinished.paid), ended=batch.ended))
    return last if last.progress is not None or flushed is None else replace(last, progress=flushed.progress)


async def _write_items(write: Write, lease: Lease, items: list[FinishedItem]) -> Flushed | None:
    if not items:
        return None
    try:
        return await write(lease, BatchWrites(finished=items))
    except UnwritableError as error:
        if len(items) == 1:
            return await write(lease, BatchWrites(finished=[_failure_in_place_of(items[0], error)]))
    half = len(items) // 2
    first = await _write_items(write, lease, items[:half])
    if first is not None and lease not in first.held:
        return first
    return await _write_items(write, lease, items[half:])


def _failure_in_place_of(item: FinishedItem, error: UnwritableError) -> FinishedItem:
    failure = {"code": "RESULT_NOT_STORED", "message": f"The result of this item cannot be stored: {error}"}
    # What was paid stays paid: figures that we wrote ourselves.
    paid = [{"id": step["id"], "s": "X", "u": step["u"]} for step in loads(item.row.steps) if "u" in step]
    row = item.row._replace(status="FAILED", error=dump_bytes(failure), output=None, steps=dump_bytes(paid))
    return replace(item, row=row, steps=NO_STEPS, publication=None, messages=())
