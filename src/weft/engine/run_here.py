"""A run as one worker knows it, and its share of the batches that the worker holds."""

import asyncio
from dataclasses import dataclass, field

from weft.domain.outside import Outside
from weft.engine.plan import Plan
from weft.engine.preparing import Preparation
from weft.engine.recorder import RunRecorder

MOST_BATCHES = 32
"""That one worker holds at once, of all runs."""
MOST_COMPUTING = 6
"""Of one run whose items go in bulk. One computes at a time; the others are being claimed, read and written, and each of those
steps waits for the end of a slice of it (`execution.SLICE_US`). With three of them a quarter of the time nothing computed.
"""


@dataclass(slots=True)
class RunHere:
    plan: Plan
    preparation: Preparation
    recorder: RunRecorder
    outside: Outside
    held: int = 0
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held by the batch whose items are being begun: side by side, batches would only come to their ends later."""

    def room(self, held_by_all: int) -> int:
        """How many batches it may take beside those that it holds, of all that this worker holds."""
        left_by_others = MOST_BATCHES - (held_by_all - self.held)
        share = MOST_COMPUTING if self.plan.in_bulk else max(1, left_by_others // 2)
        return max(0, min(share - self.held, MOST_BATCHES - held_by_all))
