"""One operation, executed once for all who ask for it."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import aclosing
from typing import Any, Protocol

from strawberry.types import ExecutionResult
from strawberry.types.execution import PreExecutionError

from weft.domain.access import Anyone
from weft.kit.json import dump_deep

TOLD_AT_ONCE = 250
"""Watchers that are told before others get their turn: some milliseconds."""


_reading: set[asyncio.Task[None]] = set()
"""Also those that were cancelled and are closing their source: the event loop itself would not keep them."""


class Watcher(Protocol):
    """One who asked. None of its methods waits."""

    told: bytes | None
    """The payload that it was told last, by identity. Set by the execution."""

    def tell(self, payload: bytes) -> None:
        """The newest payload, `{"data": …}`; one that could not be handed on yet is out of date."""
        ...

    def end(self, errors: bytes | None) -> None:
        """Nothing more comes. With `errors`, a JSON list, because the operation was refused or broke off."""
        ...

    def go_alone(self) -> None:
        """The operation depends on who asks after all: execute it for this watcher alone, from the beginning."""
        ...


class Opened(Protocol):
    """An operation that is being executed, for `Anyone`."""

    viewer: Anyone
    revision: int | None
    """Of the source's event that came last; None before the first."""

    def results(self) -> Coroutine[Any, Any, AsyncGenerator[Any]]: ...

    def shown(self, error: Exception) -> object:
        """An error that breaks it off, as clients see it. What nobody expected is in the log afterwards."""
        ...


class SharedExecution:
    """Lives in one event loop. Joining and leaving are plain calls.

    Watchers wait in `_arrivals` until the operation has been opened for them, so that they see a state that is not older
    than their question; then they are among `_watchers`.
    """

    def __init__(
        self, open_again: Callable[[], Opened], forget: Callable[[], None], is_personal: Callable[[], None]
    ) -> None:
        """`forget` is called when nobody watches any more, `is_personal` when it turns out that it cannot be shared."""
        self._open_again = open_again
        self._forget = forget
        self._is_personal = is_personal
        self._arrivals: set[Watcher] = set()
        self._watchers: set[Watcher] = set()
        self._newest: tuple[int, bytes] | None = None
        self._current: _Reading | None = None
        self._opening: _Reading | None = None
        self._is_over = False

    def __len__(self) -> int:
        return len(self._watchers) + len(self._arrivals) + (len(self._opening.arrivals) if self._opening else 0)

    def join(self, watcher: Watcher) -> None:
        self._arrivals.add(watcher)
        if self._opening is None:
            self._open()

    def leave(self, watcher: Watcher) -> None:
        self._watchers.discard(watcher)
        self._arrivals.discard(watcher)
        if self._opening is not None:
            self._opening.arrivals.discard(watcher)
        if not len(self):
            self._stop()

    def _open(self) -> None:
        arrivals, self._arrivals = self._arrivals, set()
        self._opening = _Reading(self, self._open_again(), arrivals)

    def _stop(self) -> None:
        if self._is_over:
            return
        self._is_over = True
        for reading in (self._current, self._opening):
            if reading is not None:
                reading.cancel()
        self._current = self._opening = None
        self._forget()

    # What a reading says

    async def take(self, reading: "_Reading", revision: int, payload: bytes) -> None:
        """Its next payload. Of two readings, the newer revision counts, whichever is read first."""
        if reading is self._opening:
            self._switch(reading)
        elif reading is not self._current:
            return
        newest = self._newest
        if newest is None or revision > newest[0] or (revision == newest[0] and payload != newest[1]):
            self._newest = newest = (revision, payload)
        await self._tell_all(newest[1])

    def _switch(self, reading: "_Reading") -> None:
        """To the execution that was opened for those who came; whoever watches already goes on with it as well."""
        if self._current is not None:
            self._current.cancel()
        self._watchers |= reading.arrivals
        reading.arrivals = set()
        self._current, self._opening = reading, None
        if self._arrivals:
            self._open()

    async def _tell_all(self, payload: bytes) -> None:
        """All who have not been told it; also those whom an earlier call was about to tell when it was cut off."""
        for count, watcher in enumerate(list(self._watchers), 1):
            if watcher.told is not payload and watcher in self._watchers:
                watcher.told = payload
                watcher.tell(payload)
            if not count % TOLD_AT_ONCE:
                await asyncio.sleep(0)

    def failed(self, reading: "_Reading", payload: bytes) -> None:
        """It could not be opened, and says why. Whoever watches already goes on as before."""
        for watcher in reading.arrivals:
            watcher.tell(payload)

    def ended(self, reading: "_Reading", errors: bytes | None = None) -> None:
        if reading is self._opening:
            over, self._opening = reading.arrivals, None
        elif reading is self._current:
            over, self._watchers, self._current, self._newest = self._watchers, set(), None, None
        else:
            return
        for watcher in over:
            watcher.end(errors)
        if self._opening is None and self._arrivals:
            self._open()
        elif not len(self):
            self._stop()

    def dissolve(self) -> None:
        everybody = [*self._watchers, *self._arrivals, *(self._opening.arrivals if self._opening else ())]
        self._watchers, self._arrivals = set(), set()
        self._is_personal()
        self._stop()
        for watcher in everybody:
            watcher.go_alone()


class _Reading:
    """Reads the results of the operation, opened once, and says them to the shared execution."""

    def __init__(self, shared: SharedExecution, opened: Opened, arrivals: set[Watcher]) -> None:
        self.arrivals = arrivals
        """For whom it was opened, until they are told its first result."""
        self._shared = shared
        self._opened = opened
        self._task = asyncio.create_task(self._read(), name="shared subscription")
        _reading.add(self._task)
        self._task.add_done_callback(_reading.discard)

    def cancel(self) -> None:
        if asyncio.current_task() is not self._task:
            self._task.cancel()

    async def _read(self) -> None:
        try:
            async with aclosing(await self._opened.results()) as results:
                async for result in results:
                    if self._opened.viewer.is_personal:
                        self._shared.dissolve()
                        return
                    if isinstance(result, PreExecutionError):
                        self._shared.ended(self, dump_deep(_formatted(result)))
                        return
                    if self._opened.revision is None:
                        self._shared.failed(self, encoded(result))
                    else:
                        await self._shared.take(self, self._opened.revision, encoded(result))
        except Exception as error:  # noqa: BLE001 - whatever the source broke with, those who watch are told
            self._shared.ended(self, dump_deep([self._opened.shown(error)]))
            return
        self._shared.ended(self)


def encoded(result: ExecutionResult) -> bytes:
    """What a client sees of one event: `{"data": …}`, with `errors` and `extensions` where there are any."""
    payload: dict[str, Any] = {"data": result.data}
    if result.errors:
        payload["errors"] = _formatted(result)
    if result.extensions:
        payload["extensions"] = result.extensions
    return dump_deep(payload)


def _formatted(result: ExecutionResult) -> list[Any]:
    return [error.formatted for error in result.errors or ()]
