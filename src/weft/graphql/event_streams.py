"""Event streams (SSE) that end before their time: the process stops, or the key behind them does."""

import asyncio
from collections.abc import AsyncGenerator, Callable

from anyio import CancelScope

from weft.kit.json import dumps

Join = Callable[[asyncio.Future[str]], Callable[[], None]]
"""Arranges that the future gets the last that is sent when the stream has to end; what it returns undoes that."""


async def until(stopping: asyncio.Event, join: Join, stream: AsyncGenerator[str]) -> AsyncGenerator[str]:
    """The stream, cut off when `stopping` is set, or after the last words that it is told to say."""
    ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    leave = join(ended)
    stopped = asyncio.create_task(stopping.wait())
    chunk: asyncio.Task[str | None] | None = None
    try:
        while True:
            chunk = asyncio.create_task(_next(stream))
            await asyncio.wait({chunk, stopped, ended}, return_when=asyncio.FIRST_COMPLETED)
            text = chunk.result() if chunk.done() else None
            if text is None:
                if ended.done():
                    yield ended.result()
                return
            yield text
    finally:
        leave()
        stopped.cancel()
        # Starlette cancels again and again until its task ends, and a generator cannot be closed while it still runs.
        with CancelScope(shield=True):
            if chunk is not None and not chunk.done():
                chunk.cancel()
                await asyncio.wait({chunk})
            await stream.aclose()


def last_words(error: object) -> str:
    """An event with the error, and the one that says that none follows."""
    return f"event: next\r\ndata: {dumps({'data': None, 'errors': [error]})}\r\n\r\nevent: complete\r\ndata: \r\n\r\n"


async def _next(stream: AsyncGenerator[str]) -> str | None:
    return await anext(stream, None)
