"""The torture itself: a system, its runs, its watchers, what is done to them, and what is found afterwards."""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path

from acceptance.system import System, running_system
from torture import findings, outside
from torture.faults import Scale, plan
from torture.findings import Evidence
from torture.machine import Machine
from torture.report import Report
from torture.runs import SMALL_ITEMS, Starter, settle_seconds, steps, workflow_over
from torture.tormentor import Tormentor
from torture.truth import truth
from torture.watchers import Watcher

ENDS_WITHIN = 60.0
"""Seconds after the last fault."""
SMALL_SETTLE_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Options:
    seed: int
    items: int = 50_000
    watchers: int = 20
    scale: Scale = field(default_factory=Scale)


async def torture(options: Options, folder: Path, tell: Callable[[str], None]) -> Report:
    """Logs of all processes are left in `folder / "logs"`."""
    logs, scale = folder / "logs", options.scale
    logs.mkdir(parents=True)
    async with running_system(
        folder / "data",
        workers=scale.workers,
        apis=scale.apis,
        durable=True,
        postgres={"track_commit_timestamp": "on"},
        logs=logs,
        PYTHONPATH=outside.offered_step_types(folder / "package"),
        WEFT_LOG_LEVEL="info",
        WEFT_LEASE_SECONDS=f"{scale.lease_seconds:g}",
    ) as system:
        evidence = await _tortured(system, options, tell)
        return findings.report(evidence)


async def _tortured(system: System, options: Options, tell: Callable[[str], None]) -> Evidence:
    scale, settle = options.scale, settle_seconds(options.items, options.scale.seconds, options.scale.workers)
    await outside.create(system.database, system.services.database_url)
    large = await workflow_over(system, "large", options.items, steps(settle))
    small = await workflow_over(system, "small", SMALL_ITEMS, steps(SMALL_SETTLE_SECONDS))
    watchers = [Watcher(system, number % scale.apis) for number in range(options.watchers)]

    def cut_websockets() -> None:
        for watcher in watchers:
            watcher.cut()

    async def watch(run: str) -> None:
        await asyncio.gather(*(watcher.add(run) for watcher in watchers))

    tormentor, starter = Tormentor(system, cut_websockets), Starter(system, "small", small, watch)
    faults = plan(options.seed, scale)
    tell(f"{options.items:,} items, {scale.workers} workers, {scale.apis} API processes, {len(faults)} faults")
    began, machine = time.time(), Machine()
    duties = (tormentor.replace_the_dead, lambda: starter.start_every_second(scale.seconds))
    async with _meanwhile(*duties, *(watcher.watch for watcher in watchers)):
        await Starter(system, "large", large, watch).start()
        await tormentor.carry_out(faults)
        last_fault, rest = time.time(), Machine()
        tell(f"The last fault is over after {last_fault - began:.0f} s; now it has to end by itself")
        while starter.waiting or any(watcher.open for watcher in watchers):
            await asyncio.sleep(0.2)
            if time.time() - last_fault > ENDS_WITHIN * rest.stretch:
                break
        ended = time.time()
    await system.services.ready()
    await system.database.close()  # its connections were cut
    return Evidence(
        began=began,
        last_fault=last_fault,
        ended=ended,
        ends_within=ENDS_WITHIN * rest.stretch,
        stretch=machine.stretch,
        lease_seconds=scale.lease_seconds,
        runs_asked=1 + starter.asked,
        runs_answered=1 + len(starter.answered),
        longest_answer=starter.longest,
        refused=starter.refused,
        diary=tormentor.diary,
        watchers=watchers,
        truth=await truth(system.database),
        calls=await outside.calls(system.services.database_url),
        payments=await outside.payments(system.services.database_url),
        records=await outside.recorded(system.database),
    )


@contextlib.asynccontextmanager
async def _meanwhile(*duties: Callable[[], Coroutine[None, None, None]]) -> AsyncGenerator[None]:
    """Beside the block, until it ends. A duty that fails ends nothing, but is raised at the end."""
    tasks = [asyncio.create_task(duty()) for duty in duties]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
    for result in results:
        if isinstance(result, Exception):
            raise result
