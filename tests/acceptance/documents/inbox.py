"""Where messages arrive: a receiver that keeps what is posted to each of its paths."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import orjson
from aiohttp import web

PATIENCE = 60


@dataclass(frozen=True)
class Post:
    method: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)


class Inbox:
    def __init__(self) -> None:
        self.address = ""
        self._posts: dict[str, list[Post]] = {}
        self._changed = asyncio.Condition()

    @property
    def host(self) -> str:
        return self.address.partition("://")[2]

    def url(self, path: str) -> str:
        return f"{self.address}{path}"

    async def at(self, path: str, count: int = 1) -> list[Post]:
        """What was posted there, once it is so much."""
        async with asyncio.timeout(PATIENCE), self._changed:
            await self._changed.wait_for(lambda: len(self._posts.get(path, ())) >= count)
            return list(self._posts[path])

    def so_far(self, path: str) -> list[Post]:
        return list(self._posts.get(path, ()))

    async def take(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        post = Post(request.method, headers, await request.read())
        async with self._changed:
            self._posts.setdefault(request.path, []).append(post)
            self._changed.notify_all()
        return web.Response(text="ok")


@asynccontextmanager
async def inbox() -> AsyncGenerator[Inbox]:
    taken, app = Inbox(), web.Application()
    app.router.add_route("*", "/{path:.*}", taken.take)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        taken.address = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield taken
    finally:
        await runner.cleanup()
