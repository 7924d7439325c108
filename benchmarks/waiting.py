"""W2: items whose only step waits 100 ms, 200 at once, one worker: from the mutation to the terminal push.

The step is a type of the benchmarks' own that sleeps. The `http` step against a receiver would measure the HTTP client and
the receiver: on two cores two thousand calls a second are more than half of what both can do, and what is asked here
is how well the engine keeps 200 places filled. The type comes to the processes through the entry-point group
`weft.steps`, as any third party's does. The ideal is as many rounds of 100 ms as the places need; the median of the
rounds counts.
"""

from statistics import median

from benchmarks.bench import Bench
from benchmarks.figure import Better, Figure
from benchmarks.runs import carried_out, warm_up

WAIT_SECONDS = 0.1
RUNS_PER_ROUND = 3


async def waiting(bench: Bench) -> list[Figure]:
    system, sizes = bench.system, bench.sizes
    steps = [{"id": "wait", "type": "benchmark_wait", "config": {"seconds": WAIT_SECONDS}}]
    waiting = await bench.dataset("waiting", sizes.waits, steps=steps)
    await system.use_workers(1)
    await warm_up(system.client, waiting)
    took = [
        (await carried_out(system.client, waiting, concurrency=sizes.waits_at_once)).seconds
        for _ in range(sizes.rounds * RUNS_PER_ROUND)
    ]
    return [
        Figure(
            name="W2, of the ideal",
            measured=median(took),
            unit="s",
            floor=sizes.waits / sizes.waits_at_once * WAIT_SECONDS,
            better=Better.LOWER,
            bar=1.25,
            aim=1.1,
            details={"items": sizes.waits, "atOnce": sizes.waits_at_once, "seconds": [round(one, 3) for one in took]},
        )
    ]
