"""Servers on loopback that speak as OpenAI and Anthropic do, and misbehave as they are told."""

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

KEY = "sk-the-secret-of-this-test-0123456789"


@dataclass(frozen=True)
class Says:
    """An answer of the model, with what it took."""

    text: str = "Hello"
    input_tokens: int = 100
    output_tokens: int = 20
    cached_tokens: int = 0
    finish: str = "stop"
    after: float = 0.0
    model: str | None = None


@dataclass(frozen=True)
class Refuses:
    """An error, with its body as the provider words it."""

    status: int
    message: str = "no"
    headers: dict[str, str] = field(default_factory=dict[str, str])
    code: str | None = None


class Hangs:
    """Never an answer."""


class BreaksOff:
    """The connection is closed in the middle of the answer."""


@dataclass(frozen=True)
class Babbles:
    """Status 200 with something that is no answer."""

    body: bytes
    content_type: str = "application/json"


Conduct = Says | Refuses | Hangs | BreaksOff | Babbles


@dataclass
class ModelServer:
    """What it was asked and how it behaves: `script` is used up first, then `usual` holds."""

    url: str = ""
    script: list[Conduct] = field(default_factory=list[Conduct])
    usual: Conduct | Callable[[dict[str, Any]], Conduct] = field(default_factory=Says)
    asked: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    headers: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    times: list[float] = field(default_factory=list[float])
    under_way: int = 0
    most_at_once: int = 0
    broken_off: int = 0
    """Exchanges that the caller closed before they were answered."""

    async def serve(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.asked.append(body)
        self.headers.append({name.lower(): value for name, value in request.headers.items()})
        self.times.append(asyncio.get_running_loop().time())
        self.under_way += 1
        self.most_at_once = max(self.most_at_once, self.under_way)
        try:
            return await self._answer(request, body)
        except asyncio.CancelledError:
            self.broken_off += 1
            raise
        finally:
            self.under_way -= 1

    async def _answer(self, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        anthropic = request.path.endswith("/messages")
        conduct = self.script.pop(0) if self.script else self.usual
        if callable(conduct):
            conduct = conduct(body)
        match conduct:
            case Says():
                await asyncio.sleep(conduct.after)
                return web.json_response(_message(conduct, body) if anthropic else _completion(conduct, body))
            case Refuses():
                error = {"type": "error", "error": {"type": "an_error", "message": conduct.message}}
                if not anthropic:
                    error = {"error": {"message": conduct.message, "type": "an_error", "code": conduct.code}}
                return web.json_response(error, status=conduct.status, headers=conduct.headers)
            case Babbles():
                return web.Response(body=conduct.body, content_type=conduct.content_type)
            case BreaksOff():
                response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": "1000"})
                await response.prepare(request)
                await response.write(b'{"id":')
                assert request.transport is not None
                request.transport.close()
                return response
            case _:
                await asyncio.sleep(60)
                raise AssertionError("nobody waits so long")


def _completion(says: Says, body: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": says.model or body["model"],
        "choices": [{"index": 0, "message": {"role": "assistant", "content": says.text}, "finish_reason": says.finish}],
        "usage": {
            "prompt_tokens": says.input_tokens,
            "completion_tokens": says.output_tokens,
            "total_tokens": says.input_tokens + says.output_tokens,
            "prompt_tokens_details": {"cached_tokens": says.cached_tokens},
        },
    }


def _message(says: Says, body: dict[str, Any]) -> dict[str, Any]:
    content: dict[str, Any] = {"type": "text", "text": says.text}
    if tools := body.get("tools"):
        content = {"type": "tool_use", "id": "toolu_1", "name": tools[0]["name"], "input": json.loads(says.text)}
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": says.model or body["model"],
        "content": [content],
        "stop_reason": {"stop": "end_turn", "length": "max_tokens"}.get(says.finish, says.finish),
        "stop_sequence": None,
        "usage": {
            "input_tokens": says.input_tokens - says.cached_tokens,
            "output_tokens": says.output_tokens,
            "cache_read_input_tokens": says.cached_tokens,
            "cache_creation_input_tokens": 0,
        },
    }


@asynccontextmanager
async def serving(handle: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> AsyncGenerator[str]:
    """The URL of a server on loopback. A handler is cancelled when its caller goes away."""
    app = web.Application()
    app.router.add_post("/{path:.*}", handle)
    runner = web.AppRunner(app, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield site.name
    finally:
        await runner.shutdown()
        await runner.cleanup()


@asynccontextmanager
async def model_server(**conduct: Any) -> AsyncGenerator[ModelServer]:
    server = ModelServer(**conduct)
    async with serving(server.serve) as url:
        server.url = url
        yield server
