"""A duty that looks for work: whenever it is woken, and every so often by itself, since a call may be lost."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import structlog

from weft.storage.database import DATABASE_IS_AWAY, in_short

log = structlog.get_logger(__name__)

LOOK_AROUND = timedelta(seconds=1)
"""How often a worker looks for what nobody woke it for: a lost wake-up, a dead worker's work, what has become due."""


class LookAround:
    """Calls `look` again and again, and never two at a time. Whatever it raises is logged: the duty lasts as long as its process."""

    def __init__(self, what: str, look: Callable[[], Awaitable[object]], every: timedelta = LOOK_AROUND) -> None:
        self._what = what
        self._look = look
        self._every = every.total_seconds()
        self._work = asyncio.Event()
        self.stopping = False

    def wake(self) -> None:
        """Look at once; while it looks already, once more after that."""
        self._work.set()

    def stop(self) -> None:
        """Begin no other look."""
        self.stopping = True
        self._work.set()

    async def run(self) -> None:
        """Until `stop`."""
        while not self.stopping:
            self._work.clear()
            await self._look_once()
            try:
                async with asyncio.timeout(self._every):
                    await self._work.wait()
            except TimeoutError:
                pass

    async def _look_once(self) -> None:
        try:
            await self._look()
        except DATABASE_IS_AWAY as error:
            log.warning("The database cannot be asked at the moment", what=self._what, error=in_short(error))
        except Exception as error:
            log.exception("Looking for work failed and is tried again", what=self._what, exc_info=error)
