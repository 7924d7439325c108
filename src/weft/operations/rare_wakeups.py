"""Wake-ups for what comes in masses: at once for the first, and then so often that workers notice, not once for each."""

import asyncio

from weft.engine.ports import Wakeups

EVERY_SECONDS = 0.1


class RareWakeups:
    """Nobody waits for Redis here. A wake-up that was asked for is sent, at the latest after `EVERY_SECONDS`."""

    def __init__(self, wakeups: Wakeups, every_seconds: float = EVERY_SECONDS) -> None:
        self._wakeups = wakeups
        self._every_seconds = every_seconds
        self._wanted = False
        self._sending: asyncio.Task[None] | None = None

    def wake(self) -> None:
        self._wanted = True
        if self._sending is None:
            self._sending = asyncio.create_task(self._send())

    async def _send(self) -> None:
        try:
            while self._wanted:
                self._wanted = False
                await self._wakeups.wake()
                await asyncio.sleep(self._every_seconds)
        finally:
            self._sending = None
