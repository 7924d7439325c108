"""Looking at the database again and again for those who watch, whatever becomes of it meanwhile."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from weft.storage.outage import note_outage, outage

PATIENCE_SECONDS = 10.0
"""A look that takes longer is given up, and taken again."""
SOONEST_SECONDS = 0.2
"""From one look to the next, whatever happens."""


class Looks:
    """Every so often, and sooner when something hints that it is worth it.

    Hints that lead to nothing make the next ones count less: who is told of all that happens anywhere looks hardly more often than
    it would by itself, when nothing of it concerns those who watch. While Postgres is away, looks fail and are taken again.
    """

    def __init__(
        self, look: Callable[[], Awaitable[bool]], failed: Callable[[Exception], None], every_seconds: float
    ) -> None:
        """`look` answers whether it has found anything. `failed` is told an error that is no outage; that was the last look."""
        self._look = look
        self._failed = failed
        self._every_seconds = every_seconds
        self._soonest_seconds = min(SOONEST_SECONDS, every_seconds)
        self._due = asyncio.Event()
        self._hinted = False
        self._pause_seconds = self._soonest_seconds
        self._heed_at = 0.0
        self._heeding: asyncio.TimerHandle | None = None
        self._running: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """With a look at once."""
        self._running = asyncio.create_task(self._look_on(), name="looks")

    def end(self) -> None:
        if self._running is not None:
            self._running.cancel()
        if self._heeding is not None:
            self._heeding.cancel()

    def now(self) -> None:
        """There is something to see, or somebody to see it."""
        self._due.set()

    def soon(self) -> None:
        """There may be something to see."""
        if self._heeding is None:
            self._heed()

    def _heed(self) -> None:
        loop = asyncio.get_running_loop()
        if loop.time() < self._heed_at:
            self._heeding = loop.call_at(self._heed_at, self._heed)
            return
        self._heeding = None
        self._hinted = True
        self._due.set()

    async def _look_on(self) -> None:
        while await self._looked():
            self._heed_at = asyncio.get_running_loop().time() + self._pause_seconds
            await asyncio.sleep(self._soonest_seconds)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._every_seconds - self._soonest_seconds):
                    await self._due.wait()

    async def _looked(self) -> bool:
        """Whether to go on."""
        hinted, self._hinted = self._hinted, False
        self._due.clear()
        found = False
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                found = await self._look()
        except Exception as error:  # noqa: BLE001 - which errors pass is asked right here
            if outage(error) is None:
                self._failed(error)
                return False
            note_outage(error)
        if found:
            self._pause_seconds = self._soonest_seconds
        elif hinted:
            self._pause_seconds = min(2 * self._pause_seconds, self._every_seconds)
        return True
