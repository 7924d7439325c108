"""A run as its user sees it: from the mutation to the last push over the websocket."""

import time
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from benchmarks.client import Client
from benchmarks.data import Dataset
from benchmarks.process import BenchmarkError

RUN = "mutation ($input: RunWorkflowInput!) { runWorkflow(input: $input) { run { id } errors { message path } } }"
CANCEL = "mutation ($input: RunIdInput!) { cancelRun(input: $input) { run { id } errors { message path } } }"
WATCH = "subscription ($run: ID!) { runProgress(runId: $run) { revision status total finished completed failed } }"
ALL = {"all": True}
OVER = frozenset({"COMPLETED", "COMPLETED_WITH_FAILURES", "FAILED", "CANCELLED"})


@dataclass(frozen=True, slots=True)
class Ended:
    """A run that is over; times since the mutation was sent."""

    run: str
    seconds: float
    marks: Sequence[tuple[float, int]]
    """What the pushes told: when, and how many items were finished then."""

    @property
    def first_item_seconds(self) -> float:
        return next((at for at, finished in self.marks if finished), self.seconds)

    def rates(self, parts: int) -> list[int]:
        """Items per second in each part of the items, in their order."""
        total = self.marks[-1][1]
        bounds = [
            next((at, finished) for at, finished in self.marks if finished * parts >= total * part)
            for part in range(parts + 1)
        ]
        return [
            round((last[1] - first[1]) / (last[0] - first[0])) if last[0] > first[0] else 0
            for first, last in pairwise(bounds)
        ]


async def begin(client: Client, dataset: Dataset, entities: dict[str, Any], **more: Any) -> str:
    """The run's id."""
    payload = await client.change(RUN, workflowId=dataset.workflow, entities=entities, **more)
    return payload["run"]["id"]


async def carried_out(client: Client, dataset: Dataset, entities: dict[str, Any] | None = None, **more: Any) -> Ended:
    """A run over the chosen entities, or over all of them with exactly the failures that they have."""
    began = time.perf_counter()
    run = await begin(client, dataset, entities or ALL, **more)
    marks, state = list[tuple[float, int]](), dict[str, Any]()
    async with aclosing(client.watch(WATCH, run=run)) as states:
        async for state in states:
            marks.append((time.perf_counter() - began, state["finished"]))
            if state["status"] in OVER:
                break
    seconds = time.perf_counter() - began
    expected = (dataset.size - dataset.failing, dataset.failing)
    if entities is None and (state["completed"], state["failed"]) != expected:
        raise BenchmarkError(f"{expected[0]:,} completed and {expected[1]:,} failed items were due, and it is {state}")
    return Ended(run, seconds, marks)


async def warm_up(client: Client, dataset: Dataset) -> None:
    """The workers know the plan, and their connections the statements: what a user meets from the second run on."""
    for _ in range(2):
        await carried_out(client, dataset, {"ids": list(dataset.some)})
