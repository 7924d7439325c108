"""The closed loop of `live`: the next state is published as soon as the last watcher has the one before."""

import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

from benchmarks.bench import Bench
from benchmarks.figure import Better, Figure
from benchmarks.live_crowd import Crowd, crowd
from benchmarks.live_servers import Floor, api_process, floor_process
from benchmarks.live_updates import Updates
from benchmarks.process import cpu_seconds
from weft.domain.ids import UUID

WARM_UP_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Rate:
    per_second: float
    details: dict[str, Any]


async def closed_loop(bench: Bench, updates: Updates, run: str, run_id: UUID) -> Figure:
    """`run` as clients name it."""
    system, sizes = bench.system, bench.sizes
    rates: dict[str, list[Rate]] = {"floor": [], "weft": []}
    async with AsyncExitStack() as running:
        api = await running.enter_async_context(api_process(system, "unlimited-api", "benchmarks.live_api"))
        floor = await running.enter_async_context(floor_process(system))
        watched, env, folder = [run] * sizes.watchers, system.environment, system.folder
        watchers = await running.enter_async_context(crowd("watchers", api.address, watched, env=env, folder=folder))
        await floor.send(0, watchers.frame)
        others = await running.enter_async_context(crowd("floor", floor.address, watched, env=env, folder=folder))
        publish, send = _Published(updates, run_id, watchers), _Sent(floor, others)
        for seconds, kept in ((WARM_UP_SECONDS, False), *[(sizes.closed_seconds, True)] * sizes.rounds):
            for name, crowd_, step, pid in (
                ("floor", others, send.one, floor.process.pid),
                ("weft", watchers, publish.one, api.process.pid),
            ):
                rate = await _rate(crowd_, step, pid, seconds)
                rates[name] += [rate] * kept
    best = {name: max(found, key=lambda rate: rate.per_second) for name, found in rates.items()}
    return Figure(
        name="Live, messages a second to the watchers of a run, of the floor",
        measured=best["weft"].per_second,
        unit="/s",
        better=Better.HIGHER,
        floor=best["floor"].per_second,
        bar=0.9,
        aim=1.5,
        details={
            "watchers": sizes.watchers,
            "frameBytes": len(watchers.frame),
            **{f"{name}Rates": [round(rate.per_second) for rate in found] for name, found in rates.items()},
            **{name: rate.details for name, rate in best.items()},
        },
    )


class _Published:
    """Each state is in the database before the watchers have the one before it, so that a round is its delivery."""

    def __init__(self, updates: Updates, run_id: UUID, watchers: Crowd) -> None:
        self._updates = updates
        self._run_id = run_id
        self._watchers = watchers

    async def one(self) -> None:
        states = await self._updates.commit([self._run_id])
        await self._watchers.reach(states[-1].revision - 1)
        self._updates.publish(states)


class _Sent:
    def __init__(self, floor: Floor, watchers: Crowd) -> None:
        self._floor = floor
        self._watchers = watchers
        self._revision = 0

    async def one(self) -> None:
        self._revision += 1
        await self._floor.send(self._revision)
        await self._watchers.reach(self._revision)


async def _rate(watchers: Crowd, step: Callable[[], Awaitable[None]], pid: int, seconds: float) -> Rate:
    """What one round after the other comes to in this time."""
    watchers.watch_cpu()
    before, began, rounds = cpu_seconds(pid), time.perf_counter(), 0
    while (took := time.perf_counter() - began) < seconds:
        await step()
        rounds += 1
    share = (cpu_seconds(pid) - before) / took * 100
    return Rate(rounds * watchers.size / took, {"serverPercentOfACore": round(share), **watchers.cpu()})
