"""The open loop of `live`: states come when they are due, and what is measured is how long each takes to every watcher."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.figure import Better, Figure
from benchmarks.live_crowd import Crowd, Received
from benchmarks.live_servers import Api
from benchmarks.live_updates import Updates
from benchmarks.percentile import percentile
from benchmarks.process import BenchmarkError, cpu_seconds
from benchmarks.system import System
from weft.domain.ids import UUID

WARM_UP_SECONDS = 1.0
SETTLING_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Loop:
    runs: Mapping[str, UUID]
    """As clients name them, and as the database does."""
    at_once: int
    """States that are committed in one transaction, each of another run."""
    transactions_per_second: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Latencies:
    milliseconds: Sequence[float]
    """Of every state to every watcher."""
    details: dict[str, Any]

    def figure(self, name: str, percent: float, *, bar: float | None = None, aim: float | None = None) -> Figure:
        measured = percentile(self.milliseconds, percent)
        return Figure(
            name=name, measured=measured, unit="ms", better=Better.LOWER, bar=bar, aim=aim, details=self.details
        )


async def open_loop(system: System, server: Api, watchers: Crowd, updates: Updates, loop: Loop) -> Latencies:
    await _update(updates, loop, WARM_UP_SECONDS)
    await watchers.reach(min(updates.newest.values()))
    await asyncio.sleep(SETTLING_SECONDS)
    updates.commits.clear()
    await watchers.note()
    before, began = cpu_seconds(server.process.pid), time.perf_counter()
    updates_late = await _update(updates, loop, loop.seconds)
    took = time.perf_counter() - began
    details = {
        "apiPercentOfACore": round((cpu_seconds(server.process.pid) - before) / took * 100),
        **watchers.cpu(),
        "watchers": watchers.size,
        "runs": len(loop.runs),
        "statesPerSecond": round(sum(map(len, updates.commits.values())) / took, 1),
        "latestUpdateMs": round(updates_late * 1000, 1),
    }
    await watchers.reach(min(updates.newest.values()))
    await asyncio.sleep(SETTLING_SECONDS)  # some runs are one state ahead of others
    milliseconds, conflated = _latencies(await watchers.noted(system.folder), updates, loop)
    return Latencies(milliseconds, details | {"states": len(milliseconds), "conflated": conflated})


async def _update(updates: Updates, loop: Loop, seconds: float) -> float:
    """The runs take turns. How late the latest transaction was, in seconds."""
    ids, each, began = list(loop.runs.values()), 1 / loop.transactions_per_second, time.perf_counter()
    latest = 0.0
    for number in range(round(seconds * loop.transactions_per_second)):
        early = began + number * each - time.perf_counter()
        latest = max(latest, -early)
        await asyncio.sleep(max(0.0, early))
        first = number * loop.at_once % len(ids)
        updates.publish(await updates.commit(ids[first : first + loop.at_once]))
    return latest


def _latencies(found: Sequence[Received], updates: Updates, loop: Loop) -> tuple[list[float], int]:
    """Milliseconds from each state's commit until each of its watchers has it or a newer one, and how many had a newer one."""
    took, conflated = list[float](), 0
    for one in found:
        commits, known = updates.commits[loop.runs[one.run]], one.known
        for revision, at in one.states:
            took += [(at - commits[told]) * 1000 for told in range(known + 1, revision + 1)]
            conflated += revision - known - 1
            known = revision
        if known < max(commits):
            raise BenchmarkError(
                f"A watcher of {one.run} was told of revision {known} last, and {max(commits)} is the newest."
            )
    return took, conflated
