"""An outside service that answers as many calls as it is told to, and keeps the others waiting."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from aiohttp import web


class Receiver:
    def __init__(self) -> None:
        self.url = ""
        self.calls = Counter[str]()
        """By the name that each call was about."""
        self._allowed = 0.0
        self._answered = 0
        self._changed = asyncio.Condition()

    async def allow(self, calls: float) -> None:
        """So many more are answered; math.inf for all."""
        async with self._changed:
            self._allowed = self._answered + calls
            self._changed.notify_all()

    async def answer(self, request: web.Request) -> web.Response:
        self.calls[request.query["name"]] += 1
        async with self._changed:
            await self._changed.wait_for(lambda: self._answered < self._allowed)
            self._answered += 1
        return web.json_response({"known": True})


@asynccontextmanager
async def served(app: web.Application) -> AsyncGenerator[str]:
    """The address of it, on a free port of this machine, without a slash at the end."""
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def receiving() -> AsyncGenerator[Receiver]:
    receiver, app = Receiver(), web.Application()
    app.router.add_get("/", receiver.answer)
    async with served(app) as origin:
        receiver.url = f"{origin}/"
        yield receiver
