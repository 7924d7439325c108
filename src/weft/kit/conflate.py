"""A slot between one who tells and one who listens, in which a newer value replaces an older one."""

import asyncio
from typing import Generic, TypeVar

T = TypeVar("T")


class Latest(Generic[T]):
    """Holds at most one value, the newest. One task at a time may iterate over it.

    Not a queue: a reader that is slow misses values, and costs nobody anything.
    """

    __slots__ = ("_closed", "_pending", "_waiter")

    def __init__(self) -> None:
        self._pending: tuple[T] | None = None  # boxed, so that None can be a value too
        self._waiter: asyncio.Future[None] | None = None
        self._closed = False

    def put(self, value: T) -> None:
        self._pending = (value,)
        self._wake()

    def close(self) -> None:
        """No more values will come. One that is pending is still handed out."""
        self._closed = True
        self._wake()

    def __aiter__(self) -> "Latest[T]":
        return self

    async def __anext__(self) -> T:
        while self._pending is None:
            if self._closed:
                raise StopAsyncIteration
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        (value,) = self._pending
        self._pending = None
        return value

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
