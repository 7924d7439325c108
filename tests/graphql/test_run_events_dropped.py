"""`runEvents` over connections that are lost at random, while real workers carry the run out: the union is the truth."""

import asyncio
import random
from contextlib import aclosing
from typing import Any

import pytest
from sqlalchemy import text
from watching_clients import RUN, Socket, asked, over_sse, workflow_of
from workers import working

from weft.operations.services import Services

pytestmark = pytest.mark.timeout(120)

ITEMS = 120
EVENTS = """subscription ($run: ID!, $after: String) {
  runEvents(runId: $run, after: $after, include: [STATUS, ITEMS, STEPS, LOGS]) {
    __typename cursor
    ... on RunStatusChanged { status }
    ... on ItemFinished { item { ordinal status } }
    ... on StepFinished { step { stepId status attempt } item { ordinal } }
    ... on LogWritten { line { message } } } }"""
TRUTH = text(
    """
    SELECT c.revision, c.status, i.ordinal, i.status AS item_status,
      (SELECT count(*) FROM json_array_elements(i.steps) s WHERE s ->> 's' IN ('C', 'F', 'S')) AS steps
    FROM run_change c
    LEFT JOIN LATERAL generate_series(1, cardinality(c.finished), 2) p ON true
    LEFT JOIN run_item i ON i.run_id = c.run_id AND i.ordinal BETWEEN c.finished[p] AND c.finished[p + 1]
    ORDER BY c.revision, i.ordinal
    """
)


async def over_sockets(api: Any, run: str, chance: random.Random) -> tuple[list[dict[str, Any]], int]:
    """Many operations on each socket, of which some are lost with it; all events, and how many operations it took."""
    found, operations, socket = list[dict[str, Any]](), 0, Socket(api)
    while True:
        left, operations = chance.randint(1, 8), operations + 1
        variables = {"run": run, "after": found[-1]["cursor"] if found else None}
        async with aclosing(socket.over(EVENTS, variables)) as stream:
            async for payload in stream:
                found.append(payload["data"]["runEvents"])
                left -= 1
                if not left:
                    break
            else:
                await socket.lose()
                return found, operations
            if chance.random() < 0.3:
                await socket.lose()


async def over_streams(api: Any, run: str, chance: random.Random) -> tuple[list[dict[str, Any]], int]:
    found, operations = list[dict[str, Any]](), 0
    while True:
        left, operations = chance.randint(1, 30), operations + 1
        variables = {"run": run, "after": found[-1]["cursor"] if found else None}
        async with aclosing(over_sse(api, EVENTS, variables)) as stream:
            async for payload in stream:
                found.append(payload["data"]["runEvents"])
                left -= 1
                if not left:
                    break
            else:
                return found, operations


async def test_what_comes_over_connections_that_are_lost_at_random_is_the_truth(api: Any, services: Services) -> None:
    run = await asked(api, RUN, workflow=await workflow_of(api, ITEMS))
    async with working(services), asyncio.timeout(100):
        answers = await asyncio.gather(
            *(over_sockets(api, run, random.Random(seed)) for seed in range(2)),
            over_streams(api, run, random.Random(4)),
        )
    async with services.database.reading() as connection:
        rows = (await connection.execute(TRUTH)).all()
        lines = (
            (await connection.execute(text("SELECT message FROM run_log ORDER BY revision, number"))).scalars().all()
        )
    whole = answers[0][0]
    assert all(found == whole for found, _ in answers)
    assert sum(operations for _, operations in answers) > 200
    assert len({event["cursor"] for event in whole}) == len(whole)
    of = {kind: [event for event in whole if event["__typename"] == kind] for kind in {e["__typename"] for e in whole}}
    ended = [(row.ordinal, row.item_status) for row in rows if row.ordinal is not None]
    assert [(event["item"]["ordinal"], event["item"]["status"]) for event in of["ItemFinished"]] == ended
    assert len(ended) == ITEMS
    assert len(of["StepFinished"]) == sum(row.steps for row in rows)
    assert [event["line"]["message"] for event in of["LogWritten"]] == lines
    assert len(lines) == len([number for number in range(ITEMS) if number % 7])
    statuses = dict.fromkeys(row.status for row in rows if row.status is not None)
    assert [event["status"] for event in of["RunStatusChanged"]] == ["PENDING", *statuses]
