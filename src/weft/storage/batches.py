"""Batches: claimed, kept and given back under a lease with a fencing token.

A batch is held while `ready_at` lies in the future and `holder` is set. Every claim raises its token; every later write
names the token it was claimed with, so a worker that was overtaken matches no row. Locks are always taken in the order
batch, then run_state; nothing locks them the other way round.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.ids import UUID
from weft.domain.progress import Progress
from weft.storage.progress import PROGRESS_COLUMNS, progress_of

STATE_COLUMNS = ", ".join(f"s.{column.name}" for column in PROGRESS_COLUMNS)
"""What `progress_of` needs, in hand-written SQL; `s` is run_state."""


@dataclass(frozen=True, slots=True)
class Lease:
    """Who holds a batch, and with which token."""

    run_id: UUID
    number: int
    token: int


@dataclass(frozen=True, slots=True)
class ClaimedBatch:
    lease: Lease
    first_ordinal: int
    size: int
    touched: bool
    """Some of its items may have results or checkpoints already."""
    attempts: int
    """How often it was claimed, this time included."""
    progress: Progress
    """Of its run, after the claim."""
    began: bool
    """This claim is the first of the run: it has just become RUNNING."""


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What the worker has to know of a run, once."""

    run_id: UUID
    workspace_id: UUID
    workflow_id: UUID
    version_id: UUID
    parameters: dict[str, Any]
    input: Any
    created_at: datetime
    definition: dict[str, Any]
    entity_schema: dict[str, Any] | None


@dataclass(slots=True)
class LoadedItem:
    """One item to do: its entity as it is now, and what was recorded of it before."""

    ordinal: int
    entity_id: UUID | None
    external_id: str | None
    entity_version: int | None
    data: dict[str, Any] | None
    """None when the entity was deleted, or when the run has none."""
    checkpoint: list[dict[str, Any]] | None


CLAIM = text(
    f"""
    WITH candidate AS (
      SELECT s.run_id, b.number
      FROM run_state s
      CROSS JOIN LATERAL (
        SELECT o.number FROM run_batch o
        WHERE o.run_id = s.run_id AND NOT o.done AND o.ready_at <= now()
        ORDER BY o.number
        LIMIT 1
        FOR UPDATE SKIP LOCKED
      ) b
      WHERE s.status IN ('PENDING', 'RUNNING') AND s.run_id <> ALL (:excluded ::uuid[])
        AND (s.held_limit IS NULL OR s.held_limit > (
          SELECT count(*) FROM run_batch h
          WHERE h.run_id = s.run_id AND NOT h.done AND h.holder IS NOT NULL AND h.ready_at > now()))
      ORDER BY s.priority DESC, s.served_at
      LIMIT 1
    ), claimed AS (
      UPDATE run_batch b
      SET ready_at = now() + :lease ::interval, token = b.token + 1, holder = :holder, attempts = b.attempts + 1
      FROM candidate c WHERE b.run_id = c.run_id AND b.number = c.number
      RETURNING b.run_id, b.number, b.token, b.first_ordinal, b.size, b.touched, b.attempts
    )
    UPDATE run_state s
    SET served_at = clock_timestamp(), status = 'RUNNING', started_at = coalesce(s.started_at, now()),
        revision = s.revision + (s.status = 'PENDING')::int, updated_at = now()
    FROM claimed c
    WHERE s.run_id = c.run_id AND s.status IN ('PENDING', 'RUNNING')
    RETURNING c.number, c.token, c.first_ordinal, c.size, c.touched, c.attempts, old.status = 'PENDING' AS began,
      s.held_limit, {STATE_COLUMNS}
    """
)

HELD = text(
    "SELECT count(*) FROM run_batch WHERE run_id = :run_id AND NOT done AND holder IS NOT NULL AND ready_at > now()"
)


async def claim(
    connection: AsyncConnection, holder: str, lease: timedelta, excluded: Sequence[UUID]
) -> ClaimedBatch | None:
    """Take the next batch of the run that was served least recently (higher priority first).

    None when none is ready: then the caller rolls back.
    """
    rows = await connection.execute(CLAIM, {"holder": holder, "lease": lease, "excluded": list(excluded)})
    row = rows.mappings().one_or_none()
    if row is None:
        return None
    if row["held_limit"] is not None:
        # The claim's update of run_state made rival claims of this run wait; what they took is counted only now.
        held = (await connection.execute(HELD, {"run_id": row["run_id"]})).scalar_one()
        if held > row["held_limit"]:
            return None
    return ClaimedBatch(
        Lease(row["run_id"], row["number"], row["token"]),
        row["first_ordinal"],
        row["size"],
        row["touched"],
        row["attempts"],
        progress_of(row),
        row["began"],
    )


# What is locked is being written by its holder, which renews it too, or is being taken over: neither is waited for, so
# that a flush and a renewal, which lock several batches each, cannot wait for each other.
RENEW = text(
    """
    WITH held AS (
      SELECT * FROM unnest(:runs ::uuid[], :numbers ::int[], :tokens ::bigint[]) AS h (run_id, number, token)
    ), free AS (
      SELECT b.run_id, b.number FROM run_batch b JOIN held h USING (run_id, number, token)
      WHERE NOT b.done AND b.holder IS NOT NULL
      FOR UPDATE OF b SKIP LOCKED
    ), renewed AS (
      UPDATE run_batch b SET ready_at = now() + :lease ::interval
      FROM free f, run_state s
      WHERE b.run_id = f.run_id AND b.number = f.number AND s.run_id = b.run_id AND s.status IN ('RUNNING', 'PAUSED')
    )
    SELECT b.run_id, b.number, b.token, s.status = 'PAUSED' AS paused
    FROM run_batch b JOIN held h USING (run_id, number, token) JOIN run_state s ON s.run_id = b.run_id
    WHERE NOT b.done AND s.status IN ('RUNNING', 'PAUSED')
    """
)


async def renew(connection: AsyncConnection, leases: Sequence[Lease], lease: timedelta) -> dict[Lease, bool]:
    """Hold these batches longer. Gives the leases that still hold, each with whether its run is paused."""
    rows = await connection.execute(
        RENEW,
        {
            "lease": lease,
            "runs": [held.run_id for held in leases],
            "numbers": [held.number for held in leases],
            "tokens": [held.token for held in leases],
        },
    )
    return {Lease(row.run_id, row.number, row.token): row.paused for row in rows}


FACTS = text(
    """
    SELECT r.id, r.workspace_id, r.workflow_id, r.version_id, r.parameters, r.input, r.created_at, v.definition,
      t.schema
    FROM run r JOIN workflow_version v ON v.id = r.version_id LEFT JOIN entity_type t ON t.id = r.entity_type_id
    WHERE r.id = :run_id
    """
)


async def run_facts(connection: AsyncConnection, run_id: UUID) -> RunFacts:
    row = (await connection.execute(FACTS, {"run_id": run_id})).one()
    return RunFacts(
        run_id=row.id,
        workspace_id=row.workspace_id,
        workflow_id=row.workflow_id,
        version_id=row.version_id,
        parameters=row.parameters,
        input=row.input,
        created_at=row.created_at,
        definition=row.definition,
        entity_schema=row.schema,
    )


FRESH_ITEMS = text(
    """
    SELECT b.first_ordinal + u.place - 1 AS ordinal, u.entity_id, e.external_id, e.version, e.data,
      NULL AS steps
    FROM run_batch b, unnest(b.entity_ids) WITH ORDINALITY AS u (entity_id, place)
    LEFT JOIN entity e ON e.id = u.entity_id AND e.workspace_id = :workspace_id
    WHERE b.run_id = :run_id AND b.number = :number
    """
)

OPEN_ITEMS = text(
    """
    SELECT u.ordinal, u.entity_id, e.external_id, e.version, e.data, c.steps
    FROM run_batch b
    CROSS JOIN LATERAL (
      SELECT b.first_ordinal + w.place::int - 1 AS ordinal, w.entity_id
      FROM unnest(coalesce(b.entity_ids, ARRAY[NULL]::uuid[])) WITH ORDINALITY AS w (entity_id, place)
    ) u
    LEFT JOIN entity e ON e.id = u.entity_id AND e.workspace_id = :workspace_id
    LEFT JOIN run_checkpoint c ON c.run_id = b.run_id AND c.ordinal = u.ordinal
    WHERE b.run_id = :run_id AND b.number = :number
      AND NOT EXISTS (SELECT FROM run_item i WHERE i.run_id = b.run_id AND i.ordinal = u.ordinal)
    """
)


async def load_items(connection: AsyncConnection, batch: ClaimedBatch, facts: RunFacts) -> list[LoadedItem]:
    """The items of a batch that have no result yet, in order."""
    # A fresh batch of entities needs no look at results and checkpoints; that is nearly every batch.
    query = OPEN_ITEMS if batch.touched else FRESH_ITEMS
    rows = await connection.execute(
        query, {"run_id": facts.run_id, "number": batch.lease.number, "workspace_id": facts.workspace_id}
    )
    items = [
        LoadedItem(
            row.ordinal,
            row.entity_id,
            row.external_id,
            row.version,
            row.data,
            row.steps,
        )
        for row in rows
    ]
    items.sort(key=lambda item: item.ordinal)
    return items
