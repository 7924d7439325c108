"""One item through the three steps of W1 on an idle system: from the mutation to the terminal push over the websocket.

The client has both connections open, as a web page has. Between two samples lies a pause of random length, so that the
system is idle again and no sample keeps step with anything that happens periodically. Median and 99th percentile of
all samples.
"""

import asyncio
import random
from statistics import median

from benchmarks.bench import Bench
from benchmarks.figure import Better, Figure
from benchmarks.percentile import percentile
from benchmarks.runs import carried_out, warm_up

ENTITIES = 1_000
PAUSE_SECONDS = (0.1, 0.2)


async def one_item(bench: Bench) -> list[Figure]:
    system = bench.system
    singles = await bench.dataset("singles", ENTITIES)
    await system.use_workers(1)
    await warm_up(system.client, singles)
    chance, took = random.Random(1), list[float]()
    for number in range(bench.sizes.samples):
        await asyncio.sleep(chance.uniform(*PAUSE_SECONDS))
        ended = await carried_out(system.client, singles, {"ids": [singles.some[number % len(singles.some)]]})
        took.append(ended.seconds * 1000)
    details = {"samples": len(took), "fastest": round(min(took), 2), "slowest": round(max(took), 2)}
    return [
        Figure(
            name="One item, median",
            measured=median(took),
            unit="ms",
            better=Better.LOWER,
            bar=30,
            aim=12,
            details=details,
        ),
        Figure(
            name="One item, p99", measured=percentile(took, 99), unit="ms", better=Better.LOWER, bar=80, details=details
        ),
    ]
