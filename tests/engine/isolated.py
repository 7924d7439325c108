"""Calls through an Isolation, and what is left of processes after them."""

import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psutil
from engine.heavy_steps import Context, planned

from weft.domain.step import Fail, Output
from weft.engine.plan import PlannedStep
from weft.engine.sandbox.isolation import Isolation

LOADER = "engine.heavy_steps:catalogue"


@asynccontextmanager
async def isolating(loader: str = LOADER, *, processes: int = 1, **settings: Any) -> AsyncGenerator[Isolation]:
    isolation = Isolation(loader, processes=processes, **settings)
    try:
        yield isolation
    finally:
        await isolation.close()


async def call(isolation: Isolation, step: str | PlannedStep, ctx: Context | None = None, **given: Any) -> Any:
    ctx = ctx or Context({"input": given, "steps": {"before": {"count": 1}}})
    answer = await isolation.run(planned(step) if isinstance(step, str) else step, ctx, ctx.values["input"])
    assert isinstance(answer, Output)
    return answer.value


async def failure(isolation: Isolation, step: str | PlannedStep, **given: Any) -> Fail:
    try:
        answer = await call(isolation, step, **given)
    except Fail as fail:
        return fail
    raise AssertionError(f"it answered {answer!r:.200}")


def is_gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def wait_until_gone(*pids: int) -> bool:
    """Whether all of them end within a few seconds."""
    return soon(lambda: all(is_gone(pid) for pid in pids))


def pids_in(path: Path) -> list[int]:
    """What StartsProcess noted, as soon as it is there."""
    assert soon(lambda: path.exists() and path.read_text().endswith("\n"))
    return [int(pid) for pid in path.read_text().split()]


def children(pid: int | None = None) -> list[int]:
    return [child.pid for child in psutil.Process(pid).children(recursive=True) if not is_gone(child.pid)]


def soon(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 10
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True
