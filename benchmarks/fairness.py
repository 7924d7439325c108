"""Fairness: runs of 10 items, one after the other, while a run of a million is under way on one worker.

Each is started while the large run is under way, and measured from its mutation to its terminal push. The slowest of
them is the figure: "done within" is said of every run. The large run is cancelled at the end.
"""

import asyncio
import random
from contextlib import aclosing
from statistics import median

from benchmarks.bench import Bench
from benchmarks.client import Client
from benchmarks.figure import Better, Figure
from benchmarks.process import BenchmarkError
from benchmarks.runs import CANCEL, OVER, WATCH, begin, carried_out, warm_up

SMALL = 10
PAUSE_SECONDS = (0.1, 0.3)
STATUS = "query ($run: ID!) { run(id: $run) { status } }"


async def fairness(bench: Bench) -> list[Figure]:
    system, many = bench.system, await bench.many()
    await system.use_workers(1)
    await warm_up(system.client, many)
    large = await begin(system.client, many, {"all": True})
    await _under_way(system.client, large)
    chance, took = random.Random(1), list[float]()
    for _ in range(bench.sizes.small_runs):
        if (await system.client.ask(STATUS, run=large))["run"]["status"] in OVER:
            break
        took.append((await carried_out(system.client, many, {"ids": list(many.some[:SMALL])})).seconds)
        await asyncio.sleep(chance.uniform(*PAUSE_SECONDS))
    # Not `change`: that it is refused because the run has just ended is as good.
    await system.client.ask(CANCEL, input={"runId": large})
    if not took:
        raise BenchmarkError(f"The run of {many.size:,} was over before one of {SMALL}.")
    return [
        Figure(
            name=f"Fairness, slowest run of {SMALL} beside a large one",
            measured=max(took),
            unit="s",
            better=Better.LOWER,
            bar=1.0,
            aim=0.3,
            details={"runs": len(took), "median": round(median(took), 4)},
        )
    ]


async def _under_way(client: Client, run: str) -> None:
    async with aclosing(client.watch(WATCH, run=run)) as states:
        async for state in states:
            if state["status"] != "PENDING":
                return
