"""W1: entities through three computing steps, every step result stored and readable; one worker, then two.

Floor (`floor.py`), one worker and two workers take turns. The best of each counts: what makes one slower than another
of its kind is the machine. The engine is measured from the mutation to the terminal push, with workers that have run the
workflow before; no worker is there while the floor runs.
"""

from benchmarks.bench import Bench
from benchmarks.data import Dataset
from benchmarks.figure import Better, Figure
from benchmarks.process import BenchmarkError, Process
from benchmarks.runs import carried_out, warm_up
from benchmarks.system import System, plain_url


async def w1(bench: Bench) -> list[Figure]:
    system = bench.system
    customers = await bench.dataset("customers", bench.sizes.entities)
    floors: list[float] = []
    rates: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(bench.sizes.rounds):
        await system.use_workers(0)
        await system.settle()
        floors.append(await floor_rate(system, customers))
        for workers, found in rates.items():
            await system.use_workers(workers)
            await warm_up(system.client, customers)
            await system.settle()
            found.append(customers.size / (await carried_out(system.client, customers)).seconds)
    details = {
        "entities": customers.size,
        "floors": [round(rate) for rate in floors],
        "oneWorker": [round(rate) for rate in rates[1]],
        "twoWorkers": [round(rate) for rate in rates[2]],
    }
    one, two = (max(found) for found in rates.values())
    return [
        Figure(
            name="W1, one worker, of the floor",
            measured=one,
            unit="/s",
            floor=max(floors),
            better=Better.HIGHER,
            bar=0.5,
            aim=0.7,
            details=details,
        ),
        Figure(
            name="W1, two workers, of one",
            measured=two,
            unit="/s",
            floor=one,
            better=Better.HIGHER,
            bar=1.3,
            details=details,
        ),
    ]


async def floor_rate(system: System, dataset: Dataset) -> float:
    """Entities per second of the plain script."""
    arguments = (plain_url(system.services.database_url), str(dataset.entity_type), str(dataset.size))
    script = Process.start("floor", "benchmarks.floor", *arguments, env=system.environment, folder=system.folder)
    try:
        if await script.child.wait():
            raise BenchmarkError(f"The floor failed. It said:\n{script.output()}")
    finally:
        await script.stop()
    return float(script.output())
