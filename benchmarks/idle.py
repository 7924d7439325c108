"""Idle cost: the CPU of one API and one worker with nothing to do, as a share of one core.

Both have worked before, so that all their connections are open, and are left alone for a while first. User and system
time of the processes and their children, as the kernel counts it. What PostgreSQL and Valkey need because of them, and by themselves, is
told for information.
"""

import asyncio
import time

from benchmarks.bench import Bench
from benchmarks.figure import Better, Figure
from benchmarks.process import cpu_seconds
from benchmarks.runs import warm_up


async def idle(bench: Bench) -> list[Figure]:
    system, sizes = bench.system, bench.sizes
    singles = await bench.dataset("singles", 1_000)
    await system.use_workers(1)
    await warm_up(system.client, singles)
    pids = {"api": system.api.pid, "worker": system.workers[0].pid}
    pids |= {name: pid for name, pid in system.services.pids.items() if pid is not None}
    await system.settle()
    await asyncio.sleep(sizes.settling_seconds)
    before, began = {name: cpu_seconds(pid) for name, pid in pids.items()}, time.perf_counter()
    await asyncio.sleep(sizes.idle_seconds)
    elapsed = time.perf_counter() - began
    shares = {name: (cpu_seconds(pid) - before[name]) / elapsed * 100 for name, pid in pids.items()}
    details = {name: round(share, 3) for name, share in shares.items()} | {"seconds": round(elapsed, 1)}
    return [
        Figure(
            name="Idle, API and worker",
            measured=shares["api"] + shares["worker"],
            unit="% of a core",
            better=Better.LOWER,
            bar=2.0,
            aim=0.5,
            details=details,
        ),
        *(
            Figure(name=f"Idle, {title}", measured=shares[name], unit="% of a core", better=Better.LOWER)
            for name, title in (("postgres", "PostgreSQL"), ("valkey", "Valkey"))
            if name in shares
        ),
    ]
