"""Tells the watchers about progress, behind the recorder's back: of several states of a run only the newest is sent."""

import asyncio
from collections.abc import Awaitable, Callable

from weft.domain.ids import UUID
from weft.domain.progress import Progress

Send = Callable[[Progress], Awaitable[None]]


class LatestPublisher:
    """`publish` never waits: a flush goes on while the state before it is still being sent."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._newest: dict[UUID, Progress] = {}
        self._sender: asyncio.Task[None] | None = None

    def publish(self, progress: Progress) -> None:
        waiting = self._newest.get(progress.run_id)
        if waiting is None or waiting.revision < progress.revision:
            self._newest[progress.run_id] = progress
        if self._sender is None or self._sender.done():
            self._sender = asyncio.create_task(self._send_all())

    async def _send_all(self) -> None:
        while self._newest:
            # The longest waiting first: a run that changes all the time does not keep the others waiting.
            progress = self._newest.pop(next(iter(self._newest)))
            await self._send(progress)

    async def close(self) -> None:
        """Returns when everything was sent."""
        if self._sender is not None:
            await self._sender
