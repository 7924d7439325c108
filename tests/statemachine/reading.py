"""What Postgres and the operations show of runs, in the shape that the model shows."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import text
from statemachine.records import StepCounters
from statemachine.views import BatchView, ItemView, ResultView, RunView, Seen, records_of
from statemachine.way import Record

from weft.domain.access import Viewer
from weft.domain.ids import UUID
from weft.domain.page import Page, PageRequest
from weft.domain.progress import Progress
from weft.domain.run import Item, ItemStatus, StepResult
from weft.operations.items import ItemFilter, ItemList, load_item_pages
from weft.operations.runs import get_runs
from weft.operations.services import Services

LISTS = (
    ItemFilter(),
    ItemFilter(frozenset({ItemStatus.PENDING, ItemStatus.RUNNING, ItemStatus.FAILED})),
)
# One statement for all that is stored, since it is asked after every rule.
STORED = text(
    """
    SELECT
      (SELECT json_agg(b) FROM (
        SELECT run_id, number, first_ordinal, size, done, holder, token, attempts, NOT done AND
          (token = 0 OR ready_at <= now() OR ready_at > now() + ready_within + interval '1 second') AS is_ready
        FROM run_batch ORDER BY number) b) AS batches,
      (SELECT json_agg(i) FROM (
        SELECT run_id, ordinal, status, steps, error ->> 'code' AS error, entity_version FROM run_item) i) AS results,
      (SELECT json_agg(c) FROM (SELECT run_id, ordinal, steps FROM run_checkpoint) c) AS checkpoints,
      (SELECT json_agg(e) FROM (
        SELECT version, data -> 'published' AS published FROM entity ORDER BY external_id) e) AS entities
    """
)

Rows = dict[str, list[dict[str, Any]]]


async def read_all(services: Services, viewer: Viewer, run_ids: Sequence[UUID], entities: Sequence[UUID]) -> Seen:
    async with services.database.reading() as connection:
        stored = (await connection.execute(STORED)).one()
    batches, results, checkpoints = _by_run(stored.batches), _by_run(stored.results), _by_run(stored.checkpoints)
    pages = await load_item_pages(
        services, viewer, [ItemList(run_id, wanted, PageRequest(100)) for run_id in run_ids for wanted in LISTS]
    )
    views: list[RunView] = []
    for place, (run_id, run) in enumerate(zip(run_ids, await get_runs(services, viewer, run_ids), strict=True)):
        assert run is not None
        lists = [_items(page, entities) for page in pages[place * len(LISTS) : (place + 1) * len(LISTS)]]
        progress = run.progress
        views.append(
            RunView(
                progress.status,
                progress.revision,
                (progress.total, progress.completed, progress.failed, progress.skipped, progress.cancelled),
                run.error,
                _steps(progress),
                [] if progress.status.is_terminal else [_batch(row) for row in batches[str(run_id)]],
                {row["ordinal"]: _result(row) for row in results[str(run_id)]},
                {row["ordinal"]: records_of(row["steps"]) for row in checkpoints[str(run_id)]},
                *lists,
            )
        )
    return Seen(views, [(row["version"], row["published"]) for row in stored.entities])


def _by_run(rows: list[dict[str, Any]] | None) -> Rows:
    of_run: Rows = defaultdict(list)
    for row in rows or ():
        of_run[row["run_id"]].append(row)
    return of_run


def _batch(row: Mapping[str, Any]) -> BatchView:
    first = row["first_ordinal"]
    return BatchView(
        row["number"],
        range(first, first + row["size"]),
        row["done"],
        row["holder"],
        row["token"],
        row["attempts"],
        row["is_ready"],
    )


def _result(row: Mapping[str, Any]) -> ResultView:
    return ResultView(row["status"], records_of(row["steps"]), row["error"], row["entity_version"])


def _steps(progress: Progress) -> dict[str, StepCounters]:
    return {
        step.step_id: StepCounters(step.completed, step.failed, step.skipped, step.retried) for step in progress.steps
    }


def _items(page: Page[Item], entities: Sequence[UUID]) -> list[ItemView]:
    return [
        ItemView(
            item.ordinal,
            None if item.entity_id is None else entities.index(item.entity_id),
            item.status,
            {step.step_id: _record(step) for step in item.steps},
        )
        for item in page.rows
    ]


def _record(step: StepResult) -> Record:
    """`StepResult.attempt` is 0 for a step that never began; the stored form leaves that out, as it does a 1."""
    letter = "X" if step.status == "CANCELLED" else step.status[0]
    return Record(letter, step.output, max(1, step.attempt))
