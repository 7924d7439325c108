"""Waiting longer after each failure, by a random share, so that those who failed together do not return together."""

import random


class Backoff:
    """Full jitter: anything between nothing and a limit that doubles from `first` to `longest` seconds."""

    def __init__(self, first: float, longest: float) -> None:
        self._first = first
        self._longest = longest
        self._limit = first

    def next(self) -> float:
        limit = self._limit
        self._limit = min(2 * limit, self._longest)
        return random.uniform(0, limit)  # noqa: S311 - spreads load, guards nothing

    def reset(self) -> None:
        self._limit = self._first
