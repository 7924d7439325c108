"""`runProgress` as the schema executes it, below any transport."""

import asyncio
from contextlib import aclosing
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

from progress import states
from progress.stored_runs import commit, store

from weft.domain.access import Viewer
from weft.domain.errors import Unauthenticated
from weft.domain.ids import new_id
from weft.domain.progress import Progress, StepProgress
from weft.domain.usage import Usage
from weft.graphql.context import Context
from weft.graphql.nodes import encode_id
from weft.graphql.schema import WeftSchema
from weft.operations.services import Services

QUERY = """
subscription ($runId: ID!) {
  runProgress(runId: $runId) {
    runId status total pending completed failed skipped cancelled finished percent itemsPerSecond eta revision
    startedAt finishedAt updatedAt steps { stepId completed failed skipped retried busyMs usage { calls } }
    usage { calls inputTokens outputTokens cachedTokens cost }
  }
}
"""

schema = WeftSchema()


async def subscribed(services: Services, caller: Viewer | Unauthenticated, run_id: object) -> Any:
    context = Context(services, "request", caller)
    stream = await schema.subscribe(QUERY, {"runId": encode_id("Run", run_id)}, context_value=context)
    return aclosing(cast("Any", stream))


async def test_every_field_of_progress_can_be_asked_for(services: Services, viewer: Viewer) -> None:
    state = replace(
        states.started(),
        completed=300,
        failed=100,
        skipped=50,
        cancelled=50,
        updated_at=states.STARTED + timedelta(seconds=10),
        steps=(
            StepProgress("check", 450, 100, 50, 7, timedelta(seconds=3_000_000.0015), Usage(9, 2**40, 8, 7, 1)),
            StepProgress("say", 0, 0, 0, 0, timedelta(0)),
        ),
    )
    await store(services.database, viewer, state)
    async with asyncio.timeout(10), await subscribed(services, viewer, state.run_id) as results:
        result = await anext(results)
    assert result.errors is None
    assert result.data["runProgress"] == {
        "runId": encode_id("Run", state.run_id),
        "status": "RUNNING",
        "total": 1_000,
        "pending": 500,
        "completed": 300,
        "failed": 100,
        "skipped": 50,
        "cancelled": 50,
        "finished": 500,
        "percent": 50.0,
        "itemsPerSecond": 50.0,
        "eta": "PT10S",
        "revision": 1,
        "startedAt": "2026-01-31T09:30:00Z",
        "finishedAt": None,
        "updatedAt": "2026-01-31T09:30:10Z",
        "steps": [
            {
                "stepId": "check",
                "completed": 450,
                "failed": 100,
                "skipped": 50,
                "retried": 7,
                "busyMs": 3_000_000_001,
                "usage": {"calls": 9},
            },
            {
                "stepId": "say",
                "completed": 0,
                "failed": 0,
                "skipped": 0,
                "retried": 0,
                "busyMs": 0,
                "usage": {"calls": 0},
            },
        ],
        "usage": {
            "calls": 9,
            "inputTokens": 2**40,
            "outputTokens": 8,
            "cachedTokens": 7,
            "cost": "0.000000001",
        },
    }


async def test_a_subscription_ends_after_the_terminal_state(services: Services, viewer: Viewer) -> None:
    state = states.started()
    await store(services.database, viewer, state)
    seen: list[int] = []
    async with asyncio.timeout(10), await subscribed(services, viewer, state.run_id) as results:
        async for result in results:
            seen.append(result.data["runProgress"]["revision"])
            following: Progress = states.later(state, 2) if len(seen) == 1 else states.ended(state)
            await commit(services.database, following)
            await services.channel.publish(following)
    assert seen == [1, 2, 1_000]


async def test_a_subscription_that_is_closed_early_leaves_nothing_behind(services: Services, viewer: Viewer) -> None:
    state = states.started()
    await store(services.database, viewer, state)
    async with asyncio.timeout(10), await subscribed(services, viewer, state.run_id) as results:
        await anext(results)
        assert services.progress.watchers == 1
    assert services.progress.watchers == 0


async def test_runs_that_the_viewer_cannot_see_are_refused_before_anything_is_watched(
    services: Services, viewer: Viewer, stranger: Viewer
) -> None:
    state = states.started()
    await store(services.database, viewer, state)
    for caller, run_id in ((stranger, state.run_id), (viewer, new_id()), (Unauthenticated(), state.run_id)):
        async with asyncio.timeout(10), await subscribed(services, caller, run_id) as results:
            answers = [result async for result in results]
        assert [bool(answer.errors) for answer in answers] == [True]
        assert not answers[0].data
    assert services.progress.runs_watched == 0
