"""How a selection is cut into batches. Pure.

Large batches cost few statements per item; small ones let several workers share a run and lose little to a takeover.
Steps that compute take microseconds, and those that serve many take little for each, so their batches are as large as one
flush. Steps that wait take seconds for each item, so theirs are small, and all items of a batch wait at once.
"""

from dataclasses import dataclass
from math import ceil

LARGEST_IN_BULK = 1_000
SMALLEST_IN_BULK = 50
SHARES_OF_A_SMALL_RUN = 8
SMALLEST_WAITING = 5
LARGEST_WAITING = 25
LARGE_ENOUGH = SHARES_OF_A_SMALL_RUN * LARGEST_IN_BULK
"""From so many items on, more of them are cut in the same way."""


@dataclass(frozen=True, slots=True)
class Cut:
    size: int
    """Items per batch."""
    held_limit: int | None
    """Batches that may be held at once over all workers; None for no limit."""


def cut(total: int, *, in_bulk: bool, concurrency: int | None) -> Cut:
    """`concurrency`: how many items may be under way at once, over all workers; None for no limit."""
    share = ceil(total / SHARES_OF_A_SMALL_RUN) if total else 1
    if in_bulk:
        size = min(max(share, SMALLEST_IN_BULK), LARGEST_IN_BULK)
    else:
        size = min(max(share, SMALLEST_WAITING), LARGEST_WAITING)
    if concurrency is None:
        return Cut(size, None)
    size = min(size, concurrency)
    return Cut(size, max(1, concurrency // size))
