"""Where a demo plays: a Weft of its own for as long as it lasts, or the one that runs in the data folder already."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp

from weft.cli.answering import unready
from weft.cli.demonstration.client import Api
from weft.cli.demonstration.display import Display
from weft.cli.demonstration.operations import LOOK_AT_RUN
from weft.cli.demonstration.pictures import heading
from weft.cli.kept_secrets import secret_key_of
from weft.cli.up import everything, free_port
from weft.domain.errors import StartupError
from weft.embedded import Children, ended_by_signals, running_services
from weft.settings import Settings

_INTERRUPTED = 130
"""The exit status of what Ctrl-C ended."""

Telling = Callable[[Api, Display], Coroutine[Any, Any, str]]
"""A story: it shows itself, and gives the id of its finished run."""


def play(telling: Telling, started: float) -> None:
    """Tell it from its beginning to its end; `started` is when the command began, by `time.monotonic`."""
    settings, display = Settings(), Display()
    run_id = asyncio.run(_told(settings, display, telling))
    if run_id is None:
        display.show("Stopped.")
        raise SystemExit(_INTERRUPTED)
    display.show(heading(f"All of it took {time.monotonic() - started:.1f} s. To look closer"))
    address = f"{settings.reached_at}/graphql" if settings.port else "the address that it prints"
    display.show(f"  make up (or weft up), then paste at {address}\n")
    display.show_to_copy(LOOK_AT_RUN % run_id)


@dataclass(frozen=True, slots=True)
class _Weft:
    url: str
    api_key: str
    children: Children | None
    """None where a `weft up` was there before."""


async def _told(settings: Settings, display: Display, telling: Telling) -> str | None:
    """The id of the run; None when a signal ended it."""
    async with ended_by_signals(), _weft(settings, display) as weft, Api.connected(weft.url, weft.api_key) as api:
        story = telling(api, display)
        return await (story if weft.children is None else _while_alive(story, weft.children))
    return None


@asynccontextmanager
async def _weft(settings: Settings, display: Display) -> AsyncGenerator[_Weft]:
    if (holder := running_services(settings.data_dir)) is not None:
        beside = _beside(settings, holder.pid)
        await _check_answer(settings, beside.url, holder.pid)
        yield beside
        return
    async with AsyncExitStack() as closing:
        with display.waiting("Starting PostgreSQL, Valkey, the API and the workers …"):
            running = await closing.enter_async_context(everything(_on_a_free_port(settings)))
        yield _Weft(running.url, running.api_key, running.children)


def _beside(settings: Settings, pid: int) -> _Weft:
    key = settings.data_dir / "api_key"
    if not settings.port and settings.public_url is None:
        raise StartupError(
            f"Weft is running in {settings.data_dir} already (process {pid}), on a port that only its output tells: "
            "stop it, or set WEFT_PORT to that port."
        )
    try:
        return _Weft(settings.reached_at, key.read_text(encoding="utf-8").strip(), None)
    except OSError as error:
        raise StartupError(
            f"Weft is running already (process {pid}), and its API key cannot be read from {key}: {error.strerror}."
        ) from error


async def _check_answer(settings: Settings, url: str, pid: int) -> None:
    """The key of a folder is for the Weft of that folder, and for nobody else."""
    try:
        async with aiohttp.ClientSession() as session:
            said = await unready(session, url, secret_key_of(settings))
    except StartupError as error:
        raise StartupError(
            f"Weft is running in {settings.data_dir} already (process {pid}), but what answers at {url} is another: "
            "set WEFT_PORT to the port that its output tells, or stop it."
        ) from error
    if said is not None:
        raise StartupError(f"Weft is running already (process {pid}), and at {url} it says: {said}")


def _on_a_free_port(settings: Settings) -> Settings:
    """The demo's API is there for the demo: where its usual port is taken, any other will do."""
    try:
        free_port(settings.host, settings.port)
    except StartupError:
        return settings.model_copy(update={"port": 0})
    return settings


async def _while_alive(telling: Coroutine[Any, Any, str], children: Children) -> str:
    """Ends with the reason of a child that was given up, which would otherwise be waited for without end."""
    story, life = asyncio.create_task(telling), asyncio.create_task(children.wait())
    try:
        await asyncio.wait((story, life), return_when=asyncio.FIRST_COMPLETED)
        if not story.done():
            life.result()
        return await story
    finally:
        story.cancel()
        life.cancel()
        await asyncio.gather(story, life, return_exceptions=True)
