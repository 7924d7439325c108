"""Calls through an Isolation, and what is left of processes after them."""

import asyncio
import os
from pathlib import Path
from typing import Any

import psutil

from engine.heavy_steps import Context, planned
from weft.domain.step import Fail, Output
from weft.engine.isolation import Isolation
from weft.engine.plan import PlannedStep

LOADER = "engine.heavy_steps:catalogue"


async def call(isolation: Isolation, step: str | PlannedStep, ctx: Context | None = None, **input: Any) -> Any:
    ctx = ctx or Context({"input": input, "steps": {"before": {"count": 1}}})
    answer = await isolation.run(planned(step) if isinstance(step, str) else step, ctx, ctx.values["input"])
    assert isinstance(answer, Output)
    return answer.value


async def failure(isolation: Isolation, step: str | PlannedStep, **input: Any) -> Fail:
    try:
        answer = await call(isolation, step, **input)
    except Fail as fail:
        return fail
    raise AssertionError(f"it answered {answer!r:.200}")


def is_gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


async def gone(*pids: int) -> bool:
    """Whether all of them end within a few seconds."""
    async with asyncio.timeout(5):
        while not all(is_gone(pid) for pid in pids):
            await asyncio.sleep(0.01)
    return True


async def pids_in(path: Path) -> list[int]:
    """What StartsProcess noted, as soon as it is there."""
    async with asyncio.timeout(10):
        while not (path.exists() and path.read_text().endswith("\n")):
            await asyncio.sleep(0.01)
    return [int(pid) for pid in path.read_text().split()]


def children() -> list[int]:
    return [child.pid for child in psutil.Process(os.getpid()).children(recursive=True) if not is_gone(child.pid)]
