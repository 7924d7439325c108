"""Saying something at most once in a while, however often there is reason to."""

import time
from collections.abc import Callable


class Rarely:
    def __init__(self, seconds: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._monotonic = monotonic
        self._last: float | None = None

    def due(self) -> bool:
        """Whether it is time to speak; asking counts as having spoken."""
        now = self._monotonic()
        if self._last is not None and now - self._last < self._seconds:
            return False
        self._last = now
        return True
