"""What operations see of live progress. An API process holds one feed."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable
from types import TracebackType
from typing import Self

from weft.domain.progress import Progress
from weft.progress.hub import ProgressHub, ReadNewer


class ProgressFeed:
    """Use it as an async context: it listens inside it, and lets all watchers go at its end."""

    def __init__(self, redis_url: str, read_newer: ReadNewer) -> None:
        self._hub = ProgressHub(redis_url, read_newer)
        self._running: asyncio.Task[None] | None = None

    @property
    def runs_watched(self) -> int:
        return len(self._hub.watched)

    @property
    def watchers(self) -> int:
        return sum(len(run.watchers) for run in self._hub.watched.values())

    async def __aenter__(self) -> Self:
        self._running = asyncio.create_task(self._hub.run(), name="progress feed")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._running is not None:
            self._running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._running

    def hear(self, channel: bytes, heard: Callable[[bytes], None]) -> Callable[[], None]:
        """`heard` gets each message of another channel, over the same connection, until what is returned is called. Hints only: what
        is published while Redis is away is lost.
        """
        return self._hub.hear(channel, heard)

    async def watch(self, state: Progress) -> AsyncGenerator[Progress]:
        """The run's progress from `state` on, which the caller has just read: first that or a newer one, then the newest
        with a rising revision, and the terminal one last.

        It ends early only when the run is deleted or the process stops.
        """
        if state.status.is_terminal:
            yield state
            return
        revision = -1
        watcher = self._hub.join(state)
        try:
            async for newest in watcher:
                if newest.revision <= revision:  # the state it joined with, told again to all watchers
                    continue
                revision = newest.revision
                yield newest
                if newest.status.is_terminal:
                    return
        finally:
            self._hub.leave(state.run_id, watcher)
