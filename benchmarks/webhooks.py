"""Inbound webhooks: 1,000 calls a second over four connections, a tenth of them forged, each genuine one stored before it is answered.

What is measured is the answer. What the calls start is run meanwhile, and may lag behind; in the end there has to be exactly
one completed run for each genuine call, and nothing of a forged one, or the figure fails. Beside it, as fast as four connections
can, a quarter as many calls, against the same client on a route that stores nothing (`bare_route`).
"""

import asyncio
import time
from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID

from standardwebhooks import Webhook

from benchmarks.bench import Bench
from benchmarks.callers import Answers, call, request
from benchmarks.figure import Better, Figure
from benchmarks.percentile import percentile
from benchmarks.process import BenchmarkError, Process
from weft.cli.up import free_port
from weft.graphql.nodes import read_id

CONNECTIONS = 4
FORGED_EVERY = 10
RUNS_SECONDS = 300

WORKFLOW = (
    "mutation ($input: CreateWorkflowInput!) { createWorkflow(input: $input) { workflow { id } errors { message } } }"
)
TRIGGER = """
mutation ($input: CreateWebhookTriggerInput!) {
  createWebhookTrigger(input: $input) { webhookTrigger { id } url secret errors { message } }
}
"""
STORED = "SELECT count(*) FROM event WHERE trigger_id = $1"
RUNS = """
    SELECT count(*), count(DISTINCT r.event_id), count(*) FILTER (WHERE s.status = 'COMPLETED')
    FROM run r JOIN run_state s ON s.run_id = r.id WHERE r.trigger_id = $1
"""


async def webhooks(bench: Bench) -> list[Figure]:
    system, sizes = bench.system, bench.sizes
    await system.use_workers(1)
    made = await system.client.change(WORKFLOW, name="called", definition={"steps": [{"id": "say", "type": "echo"}]})
    trigger = await system.client.change(
        TRIGGER,
        workflowId=made["workflow"]["id"],
        name="orders",
        input={"order": "payload.order", "total": "payload.total * 1.19"},
        ratePerMinute=1_000_000,
    )
    trigger_id = read_id(trigger["webhookTrigger"]["id"], "WebhookTrigger")
    host, _, path = trigger["url"].removeprefix("http://").partition("/")
    port, target = int(host.rpartition(":")[2]), f"/{path}"
    warm, calls, fast = (
        _calls(target, host, trigger["secret"], count) for count in (100, sizes.hooks, sizes.hooks // 4)
    )
    await call(port, warm, connections=CONNECTIONS, per_second=None)
    await _all_run(bench, trigger_id, _genuine(len(warm)))
    await system.settle()

    steady = await call(port, calls, connections=CONNECTIONS, per_second=sizes.hooks_per_second)
    ran = await _all_run(bench, trigger_id, _genuine(len(warm)) + _genuine(len(calls)))
    hurried = await call(port, fast, connections=CONNECTIONS, per_second=None)
    await _all_run(bench, trigger_id, sum(_genuine(len(some)) for some in (warm, calls, fast)))
    for answers in (steady, hurried):
        _check(answers)
    floor_steady, floor_hurried = await _floor(bench, calls, fast)

    details = {
        "calls": len(calls),
        "forged": len(calls) - _genuine(len(calls)),
        "lastRunSecondsAfter": round(ran, 2),
        "floorP50": round(percentile(floor_steady.seconds, 50) * 1000, 2),
        "floorP99": round(percentile(floor_steady.seconds, 99) * 1000, 2),
    }
    return [
        _rate(steady, sizes.hooks_per_second, details),
        _latency("Webhooks, answer, p50", steady, 50, 4, details),
        _latency("Webhooks, answer, p99", steady, 99, 50, details),
        Figure(
            name="Webhooks, most a second, of a bare route",
            measured=hurried.rate,
            unit="/s",
            better=Better.HIGHER,
            floor=floor_hurried.rate,
            details={"calls": len(fast)},
        ),
    ]


def _rate(answers: Answers, wanted: float, details: dict[str, Any]) -> Figure:
    return Figure(
        name="Webhooks, calls a second, of those wanted",
        measured=answers.rate,
        unit="/s",
        better=Better.HIGHER,
        floor=wanted,
        bar=0.98,
        details=details,
    )


def _latency(name: str, answers: Answers, percent: float, bar: float, details: dict[str, Any]) -> Figure:
    measured = percentile(answers.seconds, percent) * 1000
    return Figure(name=name, measured=measured, unit="ms", better=Better.LOWER, bar=bar, details=details)


def _calls(target: str, host: str, secret: str, count: int) -> list[bytes]:
    """Signed beforehand: what is measured is the server. Every tenth with another secret."""
    signing, forging = Webhook(secret), Webhook(b"a secret of somebody else's, 32 ")
    return [_call(target, host, forging if _is_forged(number) else signing, number) for number in range(count)]


def _call(target: str, host: str, signing: Webhook, number: int) -> bytes:
    body = f'{{"order": {number}, "total": {number}.5, "customer": {{"name": "Ada", "email": "ada@example.com"}}}}'
    message_id, sent = f"msg_{time.monotonic_ns()}_{number}", time.time()
    at = datetime.fromtimestamp(int(sent), UTC)
    headers = {
        "content-type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(sent)),
        "webhook-signature": signing.sign(message_id, at, body),
    }
    return request(target, host, headers, body.encode())


def _is_forged(number: int) -> bool:
    return number % FORGED_EVERY == FORGED_EVERY - 1


def _genuine(count: int) -> int:
    return count - count // FORGED_EVERY


def _check(answers: Answers) -> None:
    wrong = [
        (number, status)
        for number, status in enumerate(answers.statuses)
        if status != (404 if _is_forged(number) else 202)
    ]
    if wrong:
        raise BenchmarkError(f"{len(wrong):,} calls were answered wrongly, such as {wrong[:5]}")


async def _all_run(bench: Bench, trigger_id: UUID, genuine: int) -> float:
    """The seconds until each genuine call has come to one completed run."""
    connection, began = bench.system.connection, time.perf_counter()
    while True:
        stored = cast("int", await connection.fetchval(STORED, trigger_id))
        runs, causes, completed = cast("tuple[int, int, int]", await connection.fetchrow(RUNS, trigger_id))
        if stored != genuine or runs != causes:
            raise BenchmarkError(f"{genuine:,} genuine calls: {stored:,} stored, {runs:,} runs of {causes:,} calls")
        if completed == genuine:
            return time.perf_counter() - began
        if time.perf_counter() - began > RUNS_SECONDS:
            raise BenchmarkError(f"Of {genuine:,} calls {completed:,} have run after {RUNS_SECONDS} s")
        await asyncio.sleep(0.05)


async def _floor(bench: Bench, calls: list[bytes], fast: list[bytes]) -> tuple[Answers, Answers]:
    port, system = free_port("127.0.0.1", 0), bench.system
    route = Process.start("bare-route", "benchmarks.bare_route", str(port), env={}, folder=system.folder)
    try:
        await route.said("Uvicorn running")
        steady = await call(port, calls, connections=CONNECTIONS, per_second=bench.sizes.hooks_per_second)
        return steady, await call(port, fast, connections=CONNECTIONS, per_second=None)
    finally:
        await route.stop()
