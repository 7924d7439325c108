"""Long work in an event loop, in slices: others have their turn in between."""

import asyncio
import time


class Slices:
    def __init__(self, seconds: float = 0.005) -> None:
        """Each slice takes about as long as this."""
        self._seconds = seconds
        self._until = time.monotonic() + seconds

    async def breathe(self) -> None:
        """Gives way where the slice is over. Called between pieces of work that are short themselves."""
        if time.monotonic() >= self._until:
            await asyncio.sleep(0)
            self._until = time.monotonic() + self._seconds
