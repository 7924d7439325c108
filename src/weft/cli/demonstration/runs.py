"""What every demo does with its run: start it, follow it live, tell why items failed, and give it up on Ctrl-C."""

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import Any

from weft.cli.demonstration import operations, pictures
from weft.cli.demonstration.client import Api, DemoError
from weft.cli.demonstration.display import Display

_CANCEL_SECONDS = 3.0


async def followed_run(api: Api, display: Display, workflow_id: str, entities: dict[str, Any], expected: int) -> str:
    """The id of a run that has finished every one of `expected` items. Raises DemoError when it did not end as it should."""
    payload = await api.change(operations.RUN_WORKFLOW, workflowId=workflow_id, entities=entities)
    run_id: str = payload["run"]["id"]
    try:
        ended = await _followed(api, display, run_id)
    except asyncio.CancelledError:
        await _cancel(api, run_id)
        raise
    _check(ended, expected)
    return run_id


async def show_failures(api: Api, display: Display, run_id: str, title: str) -> None:
    run = (await api.ask(operations.FAILURES, id=run_id))["run"]
    if run["failures"]:
        display.show(pictures.heading(title), pictures.failures(run["failures"]))


async def together(*work: Coroutine[Any, Any, None]) -> None:
    """All of them, or the first failure, with nothing left behind."""
    tasks = [asyncio.create_task(one) for one in work]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _followed(api: Api, display: Display, run_id: str) -> dict[str, Any]:
    state = dict[str, Any]()
    with display.following(pictures.run_picture, pictures.run_line) as show:
        async for state in api.watch(operations.RUN_PROGRESS, id=run_id):
            show(state)
    return state


async def _cancel(api: Api, run_id: str) -> None:
    # Best effort: a Weft that is going away itself has nothing left to cancel.
    with contextlib.suppress(Exception):
        async with asyncio.timeout(_CANCEL_SECONDS):
            await api.change(operations.CANCEL_RUN, runId=run_id)


def _check(ended: dict[str, Any], expected: int) -> None:
    if ended.get("status") not in {"COMPLETED", "COMPLETED_WITH_FAILURES"}:
        raise DemoError(f"The run has not completed: it is {ended.get('status', 'unknown')}.")
    if not ended["completed"] or not ended["total"] == ended["finished"] == expected:
        raise DemoError(f"Of {expected:,} items the run has finished {ended['finished']:,}.")
