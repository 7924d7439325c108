"""Live progress, one API process: how many states a second its watchers get, and how long after their commit.

Each watcher has a websocket connection of its own, with one `runProgress` on it, in client processes of their own. Every state is
committed to PostgreSQL and published through Valkey as a worker does it. The rest of what is measured:

- Closed loop, all watch one run: the next state, which is committed by then, is published as soon as the last watcher has the one
  before. The API sends a run's watchers 20 states a second, so for this figure that limit, and nothing else, is lifted
  (`live_api`). The floor is Starlette that sends the same bytes to as many watchers of the same client, served in the same way
  (`live_floor`). The two take turns, and the best of each counts.
- Open loop: more watchers of one run, ten states a second; and as many runs as watchers, each with a state once or twice a second.
  Counted from when the transaction was sent until the watcher has this state or a newer one, for every state and watcher; a
  state in whose place a newer one came is conflated, and told in the details. This is `weft api` as it is.

Memory is the resident memory of the API, at its highest while it has the most watchers.
"""

import resource
from collections.abc import Mapping, Sequence

from benchmarks.bench import Bench
from benchmarks.figure import Better, Figure
from benchmarks.live_closed import closed_loop
from benchmarks.live_crowd import crowd
from benchmarks.live_open import Latencies, Loop, open_loop
from benchmarks.live_servers import Api, api_process
from benchmarks.live_updates import Updates, updating
from benchmarks.process import memory_watched
from benchmarks.runs import ALL, CANCEL, begin
from weft.domain.ids import UUID
from weft.graphql.nodes import read_id

RUNS_AT_ONCE = 25
"""Of many runs: those that are updated in one transaction."""
SECONDS_BETWEEN_STATES = 0.75
"""Of each of many runs."""


async def live(bench: Bench) -> list[Figure]:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # of the processes that are started from here
    system, sizes = bench.system, bench.sizes
    await system.use_workers(0)
    customers = await bench.dataset("customers", sizes.entities)
    one = await begin(system.client, customers, ALL)
    many = [await begin(system.client, customers, {"ids": [customers.some[0]]}) for _ in range(sizes.watchers)]
    ids = {run: read_id(run, "Run") for run in (one, *many)}
    await system.settle()
    try:
        async with updating(system) as updates:
            closed = await closed_loop(bench, updates, one, ids[one])
            async with api_process(system, "live-api", "weft.cli", "api") as api:
                return [
                    closed,
                    *await _one_run(bench, api, updates, {one: ids[one]}),
                    await _many_runs(bench, api, updates, {run: ids[run] for run in many}),
                ]
    finally:
        for run in ids:
            await system.client.change(CANCEL, runId=run)


async def _one_run(bench: Bench, api: Api, updates: Updates, run: Mapping[str, UUID]) -> list[Figure]:
    sizes = bench.sizes
    loop = Loop(run, 1, sizes.states_per_second, sizes.live_seconds)
    async with memory_watched(api.process.pid) as (memory,):
        found = await _measured(bench, api, updates, list(run) * sizes.crowd, loop)
    details = {"without": round(memory.samples[0], 1), "watchers": sizes.crowd}
    return [
        found.figure("Live, many watchers of a run, p50", 50),
        found.figure("Live, many watchers of a run, p99", 99, bar=150, aim=80),
        Figure(
            name="Live, many watchers of a run, memory of the API",
            measured=memory.peak,
            unit="MiB",
            better=Better.LOWER,
            bar=300,
            details=details,
        ),
    ]


async def _many_runs(bench: Bench, api: Api, updates: Updates, runs: Mapping[str, UUID]) -> Figure:
    loop = Loop(runs, RUNS_AT_ONCE, len(runs) / RUNS_AT_ONCE / SECONDS_BETWEEN_STATES, bench.sizes.live_seconds)
    found = await _measured(bench, api, updates, list(runs), loop)
    return found.figure("Live, a run for each watcher, p99", 99, bar=250)


async def _measured(bench: Bench, api: Api, updates: Updates, watched: Sequence[str], loop: Loop) -> Latencies:
    env, folder = bench.system.environment, bench.system.folder
    async with crowd("watchers", api.address, watched, env=env, folder=folder) as watchers:
        return await open_loop(bench.system, api, watchers, updates, loop)
