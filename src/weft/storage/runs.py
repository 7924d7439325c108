"""Runs: their facts, their frozen selections, and the changes of state that callers ask for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import any_, bindparam, func, insert, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.entity import EntityFilter
from weft.domain.ids import UUID
from weft.domain.progress import Progress, RunStatus
from weft.domain.run import Run, TriggerType
from weft.domain.trigger import Cause
from weft.storage.batches import STATE_COLUMNS
from weft.storage.entity_filter import where
from weft.storage.progress import PROGRESS_COLUMNS, progress_of
from weft.storage.run_changes import noted
from weft.storage.run_milestones import noting_the_end
from weft.storage.tables import Id, entity, run, run_batch, run_state


@dataclass(frozen=True, slots=True)
class NewRun:
    """The immutable facts of a run that is about to start."""

    id: UUID
    workspace_id: UUID
    workflow_id: UUID
    version_id: UUID
    entity_type_id: UUID | None
    parameters: dict[str, Any]
    input: Any
    cause: Cause
    retry_of: UUID | None = None


@dataclass(frozen=True, slots=True)
class NewState:
    run_id: UUID
    total: int
    step_ids: Sequence[str]
    priority: int
    concurrency: int | None
    held_limit: int | None
    at: datetime
    """Now."""


# Starting


async def add(connection: AsyncConnection, *new: NewRun) -> None:
    rows = [
        {
            "id": one.id,
            "workspace_id": one.workspace_id,
            "workflow_id": one.workflow_id,
            "version_id": one.version_id,
            "entity_type_id": one.entity_type_id,
            "parameters": one.parameters,
            "input": one.input,
            "trigger_type": one.cause.type.value,
            "triggered_by": one.cause.by,
            "trigger_id": one.cause.trigger_id,
            "event_id": one.cause.event_id,
            "depth": one.cause.depth,
            "retry_of": one.retry_of,
        }
        for one in new
    ]
    await connection.execute(insert(run), rows)


async def add_state(connection: AsyncConnection, *new: NewState) -> None:
    """The counters of new runs. One over nothing has ended at once."""
    await connection.execute(insert(run_state), [_state_row(one) for one in new])


def _state_row(new: NewState) -> dict[str, Any]:
    empty = new.total == 0
    zeros = [0] * len(new.step_ids)
    counters = ("step_completed", "step_failed", "step_skipped", "step_retried", "step_busy_us")
    return {
        "run_id": new.run_id,
        "status": (RunStatus.COMPLETED if empty else RunStatus.PENDING).value,
        "priority": new.priority,
        "concurrency": new.concurrency,
        "held_limit": new.held_limit,
        "total": new.total,
        "step_ids": list(new.step_ids),
        **dict.fromkeys(counters, zeros),
        "started_at": new.at if empty else None,
        "finished_at": new.at if empty else None,
    }


async def freeze_input(connection: AsyncConnection, *run_ids: UUID) -> int:
    """One item each: the run's own input."""
    # Touched from the start: only the general query of a batch's items knows an item without an entity.
    one = {"number": 0, "first_ordinal": 0, "size": 1, "touched": True}
    await connection.execute(insert(run_batch), [{"run_id": run_id, **one} for run_id in run_ids])
    return 1


async def freeze_ids(connection: AsyncConnection, run_id: UUID, ids: Sequence[UUID], size: int) -> int:
    """These entities, in this order."""
    batches = [
        {
            "run_id": run_id,
            "number": number,
            "first_ordinal": first,
            "size": len(ids[first : first + size]),
            "entity_ids": list(ids[first : first + size]),
        }
        for number, first in enumerate(range(0, len(ids), size))
    ]
    if batches:
        await connection.execute(insert(run_batch), batches)
    return len(ids)


async def freeze_entity(connection: AsyncConnection, entities: Mapping[UUID, UUID]) -> None:
    """One item each: by run, its one entity."""
    rows = [
        {"run_id": run_id, "number": 0, "first_ordinal": 0, "size": 1, "entity_ids": [entity_id]}
        for run_id, entity_id in entities.items()
    ]
    await connection.execute(insert(run_batch), rows)


async def count_matching(
    connection: AsyncConnection, workspace_id: UUID, entity_type_id: UUID, wanted: EntityFilter, *, most: int
) -> int:
    """Not counted further than `most`."""
    found = select(entity.c.id).where(*where(wanted, workspace_id, entity_type_id)).limit(most).subquery()
    return (await connection.execute(select(func.count()).select_from(found))).scalar_one()


async def freeze_matching(
    connection: AsyncConnection,
    run_id: UUID,
    workspace_id: UUID,
    entity_type_id: UUID,
    wanted: EntityFilter,
    size: int,
) -> int:
    """The entities of a type that match, oldest first: one statement, however many they are."""
    source = select(entity.c.id.label("entity_id"), (func.row_number().over(order_by=entity.c.id) - 1).label("place"))
    return await _freeze(connection, run_id, source.where(*where(wanted, workspace_id, entity_type_id)), size)


async def freeze_failed(connection: AsyncConnection, run_id: UUID, of_run: UUID, size: int) -> int:
    """The entities of the failed items of another run, in its order. Those without entities are not for here."""
    source = text(
        "SELECT entity_id, row_number() OVER (ORDER BY ordinal) - 1 AS place FROM run_item "
        "WHERE run_id = :of_run AND status = 'FAILED'"
    ).bindparams(of_run=of_run)
    return await _freeze(connection, run_id, source.columns(entity_id=Id, place=run_batch.c.number.type), size)


async def _freeze(connection: AsyncConnection, run_id: UUID, source: Any, size: int) -> int:
    """`source` gives `entity_id` and `place` from 0."""
    chosen = source.subquery("chosen")
    number = chosen.c.place.op("/")(size)  # of whole numbers; SQLAlchemy's `//` goes by way of floating point
    batches = (
        select(
            bindparam("of_run_id", run_id, Id),
            number,
            number * size,
            func.count(),
            func.array_agg(chosen.c.entity_id.op("ORDER BY")(chosen.c.place), type_=ARRAY(Id)),
        )
        .select_from(chosen)
        .group_by(number)
    )
    statement = insert(run_batch).from_select(["run_id", "number", "first_ordinal", "size", "entity_ids"], batches)
    sizes = await connection.execute(statement.returning(run_batch.c.size))
    return sum(sizes.scalars())


COPY_CHECKPOINTS = text(
    """
    INSERT INTO run_checkpoint (run_id, ordinal, steps, started_at)
    SELECT :run_id, f.place, k.steps, NULL
    FROM (
      SELECT (row_number() OVER (ORDER BY ordinal) - 1)::int AS place, entity_id, entity_version, steps
      FROM run_item WHERE run_id = :of_run AND status = 'FAILED'
    ) f
    LEFT JOIN entity n ON n.id = f.entity_id
    CROSS JOIN LATERAL (
      SELECT json_agg(
        CASE WHEN e.step -> 'u' IS NULL THEN e.step
          ELSE (SELECT json_object_agg(part.key, part.value) FROM json_each(e.step) part WHERE part.key <> 'u') END
        ORDER BY e.nth) AS steps
      FROM json_array_elements(f.steps) WITH ORDINALITY AS e (step, nth)
      WHERE e.step ->> 's' = 'C' AND e.step ->> 'id' = ANY (:step_ids ::text[])
    ) k
    WHERE k.steps IS NOT NULL AND n.version IS NOT DISTINCT FROM f.entity_version
    """
)


async def copy_checkpoints(connection: AsyncConnection, run_id: UUID, of_run: UUID, step_ids: Sequence[str]) -> None:
    """What these steps completed for the failed items of another run, so that a retry begins behind them.

    Their usage stays with the run that paid it. Only where the entity is as it was: results of another version of it say nothing about this one.
    """
    await connection.execute(COPY_CHECKPOINTS, {"run_id": run_id, "of_run": of_run, "step_ids": list(step_ids)})
    await connection.execute(text("UPDATE run_batch SET touched = true WHERE run_id = :run_id"), {"run_id": run_id})


# Changing


def _change(assignments: str, statuses: str) -> str:
    return f"""
    UPDATE run_state s SET {assignments}, revision = s.revision + 1, updated_at = now()
    FROM run r
    WHERE s.run_id = :run_id AND r.id = s.run_id AND r.workspace_id = :workspace_id AND s.status IN ({statuses})
    RETURNING {STATE_COLUMNS}, s.error, old.status AS was
    """


def _noting(change: str) -> str:
    return f"WITH changed AS ({change}), {noted('changed')} SELECT * FROM changed"


# What is under way in workers is not waited for: their next write finds the run ended and is dropped.
CANCEL = text(
    noting_the_end(
        _change(
            "status = 'CANCELLED', cancelled = s.total - s.completed - s.failed - s.skipped, "
            "finished_at = greatest(now(), s.started_at)",
            "'PENDING', 'RUNNING', 'PAUSED'",
        ),
        also=noted("changed"),
    )
)
PAUSE = text(_noting(_change("status = 'PAUSED'", "'PENDING', 'RUNNING'")))
RESUME = text(_noting(_change("status = CASE WHEN s.started_at IS NULL THEN 'PENDING' ELSE 'RUNNING' END", "'PAUSED'")))


async def cancel(connection: AsyncConnection, workspace_id: UUID, run_id: UUID) -> Progress | None:
    """End the run; what is not finished is cancelled. None when it has ended already, or is none of the workspace."""
    return await _changed(connection, CANCEL, workspace_id, run_id)


async def pause(connection: AsyncConnection, workspace_id: UUID, run_id: UUID) -> Progress | None:
    """Begin no further item. None when the run is neither waiting nor running."""
    return await _changed(connection, PAUSE, workspace_id, run_id)


async def resume(connection: AsyncConnection, workspace_id: UUID, run_id: UUID) -> Progress | None:
    """Go on. None when the run is not paused."""
    return await _changed(connection, RESUME, workspace_id, run_id)


async def _changed(connection: AsyncConnection, change: Any, workspace_id: UUID, run_id: UUID) -> Progress | None:
    rows = await connection.execute(change, {"run_id": run_id, "workspace_id": workspace_id})
    row = rows.mappings().one_or_none()
    return None if row is None else progress_of(row)


# Reading

RUNS = select(
    run,
    run_state.c.priority,
    run_state.c.concurrency,
    run_state.c.error,
    run_state.c.log_lines_left_out,
    *PROGRESS_COLUMNS,
).join(run_state, run_state.c.run_id == run.c.id)


# Built once: it is asked several times for every page of items.
BY_ID = RUNS.where(run.c.workspace_id == bindparam("workspace_id"), run.c.id == any_(bindparam("ids", type_=ARRAY(Id))))


async def get_many(connection: AsyncConnection, workspace_id: UUID, ids: Sequence[UUID]) -> dict[UUID, Run]:
    rows = await connection.execute(BY_ID, {"workspace_id": workspace_id, "ids": list(ids)})
    return {row["id"]: run_of(row) for row in rows.mappings()}


def run_of(row: Any) -> Run:
    return Run(
        id=row["id"],
        workspace_id=row["workspace_id"],
        workflow_id=row["workflow_id"],
        version_id=row["version_id"],
        entity_type_id=row["entity_type_id"],
        parameters=row["parameters"],
        input=row["input"],
        trigger_type=TriggerType(row["trigger_type"]),
        triggered_by=row["triggered_by"],
        trigger_id=row["trigger_id"],
        event_id=row["event_id"],
        depth=row["depth"],
        retry_of=row["retry_of"],
        priority=row["priority"],
        concurrency=row["concurrency"],
        created_at=row["created_at"],
        progress=progress_of(row),
        error=row["error"],
        log_lines_left_out=row["log_lines_left_out"],
    )
