"""AI: items whose only step asks a model that answers after 200 ms, 100 at once, one worker: from the mutation to the last push.

The model is a server in a process of its own (`model_server`), reached as any provider is: through the model libraries, the
address guard and the limits of the provider, which allow 100 calls at once. The ideal is as many rounds of 200 ms as the
places need; the median of the rounds counts. The processor time of the worker per call stands in the details.

Then the same step with a cache: a second run over the same entities must make no call.
"""

import re
from statistics import median

import orjson

from benchmarks.bench import Bench
from benchmarks.figure import Better, Figure
from benchmarks.process import BenchmarkError, Process, cpu_seconds
from benchmarks.runs import carried_out, warm_up
from benchmarks.system import System

ANSWER_SECONDS = 0.2
RUNS_PER_ROUND = 2
CREATE_PROVIDER = """mutation ($input: CreateModelProviderInput!) {
  createModelProvider(input: $input) { modelProvider { id } errors { message path } } }"""
STEP = {
    "id": "ask",
    "type": "ai_generate",
    "config": {
        "provider": "benchmark",
        "model": "gpt-4o-mini",
        "instructions": "You know customers.",
        "prompt": "Describe the customer {{ name }} in one sentence.",
    },
}


async def models(bench: Bench) -> list[Figure]:
    system, sizes = bench.system, bench.sizes
    server = Process.start(
        "models", "benchmarks.model_server", str(ANSWER_SECONDS), env=system.environment, folder=system.folder
    )
    try:
        await server.said("Listening on port")
        figures = await _measured(bench, server, sizes.calls, sizes.calls_at_once)
        return [*figures, await _cached(bench, server, sizes.calls)]
    finally:
        await server.stop()


async def _measured(bench: Bench, server: Process, calls: int, at_once: int) -> list[Figure]:
    system, url = bench.system, _address(server)
    await system.client.change(
        CREATE_PROVIDER, name="benchmark", kind="OPENAI_COMPATIBLE", baseUrl=f"{url}/v1", concurrency=at_once
    )
    asking = await bench.dataset("asking", calls, steps=[STEP])
    await system.use_workers(1)
    await warm_up(system.client, asking)
    before, spent = await _answered(system, url), cpu_seconds(system.workers[0].pid)
    runs = bench.sizes.rounds * RUNS_PER_ROUND
    took = [(await carried_out(system.client, asking, concurrency=2 * at_once)).seconds for _ in range(runs)]
    spent = cpu_seconds(system.workers[0].pid) - spent
    answered = await _answered(system, url) - before
    if answered != calls * runs:
        raise BenchmarkError(f"{calls * runs:,} calls were due, and the model answered {answered:,}")
    return [
        Figure(
            name="AI, of the ideal",
            measured=median(took),
            unit="s",
            floor=calls / at_once * ANSWER_SECONDS,
            better=Better.LOWER,
            bar=1.25,
            aim=1.1,
            details={
                "items": calls,
                "atOnce": at_once,
                "seconds": [round(one, 3) for one in took],
                "workerCpuMsPerCall": round(spent / answered * 1_000, 3),
            },
        )
    ]


async def _cached(bench: Bench, server: Process, calls: int) -> Figure:
    """The same run again, with the answers of the first one in the cache."""
    system, url = bench.system, _address(server)
    asking = await bench.dataset("asking with a cache", calls, steps=[{**STEP, "cache": True}])
    first = await carried_out(system.client, asking)
    before = await _answered(system, url)
    again = await carried_out(system.client, asking)
    return Figure(
        name="AI, calls of a cached run again",
        measured=await _answered(system, url) - before,
        unit="calls",
        better=Better.LOWER,
        bar=0,
        details={"items": calls, "firstSeconds": round(first.seconds, 3), "againSeconds": round(again.seconds, 3)},
    )


def _address(server: Process) -> str:
    (port,) = re.findall(r"port (\d+)", server.output())
    return f"http://127.0.0.1:{port}"


async def _answered(system: System, url: str) -> int:
    async with system.client.session.get(url) as reply:
        counts = orjson.loads(await reply.read())
    return counts["answered"]
