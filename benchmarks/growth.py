"""Growth: a run of a million beside one of a hundred thousand, one worker.

The small run is measured before and after the large one, and the mean of its two rates is what the large one is held
against, so that a machine that becomes slower or faster meanwhile counts for neither. Memory is resident memory, every
100 ms of the large run: the highest, and for "flat" the median of the last quarter against that of the second. The time to the
first item is from the mutation to the first push that tells of a finished one.
"""

from statistics import mean

from benchmarks.bench import Bench
from benchmarks.data import Dataset
from benchmarks.figure import Better, Figure
from benchmarks.process import Memory, memory_watched
from benchmarks.runs import Ended, carried_out, warm_up
from benchmarks.system import System

FLAT = 1.05
"""The program says only "flat": this much is taken for noise."""


async def growth(bench: Bench) -> list[Figure]:
    system, sizes = bench.system, bench.sizes
    few = await bench.dataset("few", sizes.entities, failing_every=sizes.fails_every)
    many = await bench.many()
    await system.use_workers(1)
    for dataset in (few, many):
        await warm_up(system.client, dataset)
    before = await _measured(system, few)
    async with memory_watched(system.workers[0].pid, system.api.pid) as (worker, api):
        large = await _measured(system, many)
    after = await _measured(system, few)
    bench.keep_run_of_many(large.run)
    rates = [few.size / ended.seconds for ended in (before, after)]
    return [
        Figure(
            name="Growth, rate of a large run, of a small one",
            measured=many.size / large.seconds,
            unit="/s",
            floor=mean(rates),
            better=Better.HIGHER,
            bar=0.9,
            aim=1.0,
            details={
                "large": many.size,
                "small": few.size,
                "smallRates": [round(rate) for rate in rates],
                "rateByTenth": large.rates(10),
            },
        ),
        *_memory("worker", worker),
        *_memory("API", api),
        Figure(
            name="Growth, mutation to first item",
            measured=large.first_item_seconds,
            unit="s",
            better=Better.LOWER,
            bar=3.0,
            aim=1.0,
        ),
    ]


async def _measured(system: System, dataset: Dataset) -> Ended:
    await system.settle()
    return await carried_out(system.client, dataset)


def _memory(name: str, memory: Memory) -> list[Figure]:
    details = {"atTheStart": round(memory.samples[0], 1), "atTheEnd": round(memory.samples[-1], 1)}
    return [
        Figure(
            name=f"Growth, memory of the {name}",
            measured=memory.peak,
            unit="MiB",
            better=Better.LOWER,
            bar=250,
            aim=150,
            details=details,
        ),
        Figure(
            name=f"Growth, memory of the {name}, flat",
            measured=memory.growth,
            unit="x",
            better=Better.LOWER,
            bar=FLAT,
            details=details,
        ),
    ]
