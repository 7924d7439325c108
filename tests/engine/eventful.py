"""A run of which there is everything to tell, what is told of it, and what is true."""

import asyncio
import random
from contextlib import aclosing, suppress
from datetime import timedelta
from typing import Any, TypeAlias

import orjson
from engine.conftest import Bench
from pydantic import BaseModel

from weft.domain.definition import RetryPolicy
from weft.domain.run import LogLevel, Run
from weft.domain.step import Fail, Retry, Skip, StepCategory, StepContext, StepType
from weft.operations.run_events.asking import EVERYTHING, Asked, RunEventKind
from weft.operations.run_events.events import (
    ItemFinished,
    LogWritten,
    RunEvent,
    RunStatusChanged,
    SnapshotReset,
    StepFinished,
)
from weft.operations.run_events.watching import watch_events

Fact: TypeAlias = tuple[Any, ...]
LEVELS: list[LogLevel] = list(LogLevel)


class EventfulConfig(BaseModel):
    delay_ms: int = 20


class Eventful(StepType[EventfulConfig]):
    """By its ordinal an item fails, is skipped or is tried again, and says something."""

    kind = "test_eventful"
    title = "Eventful"
    description = "All that can happen."
    category = StepCategory.PROCESSING
    Config = EventfulConfig
    default_retry = RetryPolicy(max_attempts=3, initial_delay=timedelta(milliseconds=10))

    async def run(self, ctx: StepContext, input: Any) -> Any:
        ordinal: int = ctx.values["item"]["ordinal"]
        if ordinal % 3 == 0:
            ctx.log(LEVELS[ordinal % 4], f"attempt {ctx.attempt} of {ordinal}", ordinal=ordinal)
        await asyncio.sleep(self.config.delay_ms / 1000)
        if ordinal % 5 == 0 and ctx.attempt == 1:
            raise Retry("come back later")
        if ordinal % 7 == 0:
            raise Fail(f"item {ordinal} is broken", code="BROKEN")
        if ordinal % 11 == 0:
            raise Skip("not this one")
        return input


DEFINITION: list[dict[str, Any]] = [
    {"id": "some", "type": "test_eventful"},
    {"id": "check", "type": "condition", "config": {"branches": {"odd": "input.year % 2 == 1", "even": "true"}}},
    {
        "id": "odd",
        "type": "text",
        "dependsOn": ["check:odd"],
        "config": {"operation": "template", "template": "{{ year }}"},
    },
]
ORDER = [step["id"] for step in DEFINITION]
ENDED = {"C": "COMPLETED", "F": "FAILED", "S": "SKIPPED"}


async def eventful(bench: Bench, count: int, **options: Any) -> Run:
    return await bench.start(await bench.workflow(*DEFINITION, entity_type=await bench.movies(count)), **options)


def fact(event: RunEvent) -> Fact:
    match event:
        case RunStatusChanged():
            return ("status", event.status)
        case ItemFinished():
            return ("item", event.item.ordinal, event.item.status)
        case StepFinished():
            result = event.step.result
            return ("step", event.item.ordinal, event.step.step.id, result.status, result.attempt)
        case LogWritten():
            return ("line", event.line.id)
        case SnapshotReset():
            return ("reset", event.place.revision)
        case _:
            raise AssertionError(event)


async def truth(bench: Bench, run: Run) -> list[Fact]:
    """What has happened in the run, in order, from the bare rows."""
    values = {"id": run.id}
    changes = await bench.rows("SELECT * FROM run_change WHERE run_id = :id ORDER BY revision", **values)
    rows = {row["ordinal"]: row for row in await bench.items(run)}
    lines = await bench.rows("SELECT * FROM run_log WHERE run_id = :id ORDER BY revision, number", **values)
    facts: list[Fact] = [("status", "PENDING")]
    for change in changes:
        ends: list[int] = change["finished"]
        for low, high in zip(ends[::2], ends[1::2], strict=True):
            for ordinal in range(low, high + 1):
                facts += _of_item(rows[ordinal])
        of_change = [line for line in lines if line["revision"] == change["revision"]]
        facts += [("line", line["id"]) for line in of_change[: change["logs"]]]
        if change["status"] is not None:
            facts.append(("status", change["status"]))
    return facts


def _of_item(row: Any) -> list[Fact]:
    steps = row["steps"] if isinstance(row["steps"], list) else orjson.loads(row["steps"])
    known = {step["id"]: step for step in steps if step["s"] in ENDED}
    found: list[Fact] = []
    for step_id in ORDER:
        if (step := known.get(step_id)) is not None:
            attempts = step.get("a", 1 if "t" in step else 0)
            found.append(("step", row["ordinal"], step_id, ENDED[step["s"]], attempts))
    return [*found, ("item", row["ordinal"], row["status"])]


async def told(
    bench: Bench, run: Run, after: str | None = None, most: int | None = None, asked: Asked | None = EVERYTHING
) -> list[RunEvent]:
    """The events behind `after`: up to `most`, then the connection is lost; or all to the end of the run."""
    found: list[RunEvent] = []
    async with aclosing(await watch_events(bench.services, bench.viewer, run.id, after, asked)) as events:
        async for event in events:
            found.append(event)
            if len(found) == most:
                break
    return found


async def told_in_pieces(
    bench: Bench, run: Run, chance: random.Random, most: int, choices: list[Asked]
) -> list[tuple[Asked, list[RunEvent]]]:
    """Over connections that are lost again and again, one behind the other: while an event is told, or while the next one is
    waited for. The last one lasts to the end of the run.
    """
    pieces: list[tuple[Asked, list[RunEvent]]] = []
    after: str | None = None
    while True:
        piece, asked, left = list[RunEvent](), chance.choice(choices), chance.randint(1, most)
        pieces.append((asked, piece))
        async with aclosing(await watch_events(bench.services, bench.viewer, run.id, after, asked)) as events:
            with suppress(TimeoutError):
                async with asyncio.timeout(None if chance.random() < 0.7 else chance.random() * 0.05):
                    while left:
                        event = await anext(events, None)
                        if event is None:
                            return pieces
                        piece.append(event)
                        left -= 1
        after = str(piece[-1].place) if piece else after


def wants(asked: Asked, event: RunEvent) -> bool:
    """By the words of the arguments."""
    match event:
        case RunStatusChanged():
            return RunEventKind.STATUS in asked.kinds
        case ItemFinished():
            return RunEventKind.ITEMS in asked.kinds and event.item.status in (
                asked.item_statuses or {event.item.status}
            )
        case StepFinished():
            status = event.step.result.status
            return (
                RunEventKind.STEPS in asked.kinds
                and event.item.status in (asked.item_statuses or {event.item.status})
                and status in (asked.step_statuses or {status})
                and asked.step_id in {None, event.step.step.id}
            )
        case LogWritten():
            return (
                RunEventKind.LOGS in asked.kinds
                and LEVELS.index(event.line.level) >= LEVELS.index(asked.log_level)
                and asked.step_id in {None, event.line.step_id}
            )
        case _:
            return True
