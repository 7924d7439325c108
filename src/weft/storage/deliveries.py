"""Deliveries: made, claimed, and what became of them.

The claim is fair between receivers. Deliveries to one receiver share a lane; a claim takes from every lane that has
something due, the lanes with the least under way first, and from none more than it has room for. So a receiver that hangs
costs its own messages time, and nobody else's.

A claimed delivery is SENDING until `next_at`; after that its sender is taken for dead, and it is due again. What is under
way is on record before it begins: an attempt without an outcome is one whose worker vanished.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import RowMapping, TextClause, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.delivery import AttemptOutcome, Delivery, DeliveryKind, DeliveryStatus, NewDelivery
from weft.domain.ids import UUID, id_in, new_id
from weft.domain.integration import Integration, IntegrationType
from weft.kit.json import dumps
from weft.storage.tables import delivery

NOT_FOUND = "INTEGRATION_NOT_FOUND"
DISABLED = "INTEGRATION_DISABLED"
ATTEMPT_LOST = "ATTEMPT_LOST"
COLUMNS = list(delivery.c)
_NAMES = ", ".join(f"d.{column.name}" for column in COLUMNS)


def delivery_of(row: RowMapping | Mapping[str, Any]) -> Delivery:
    values: dict[str, Any] = {column.name: row[column.name] for column in COLUMNS}
    kind = values["integration_type"]
    values["integration_type"] = None if kind is None else IntegrationType(kind)
    values |= {"kind": DeliveryKind(values["kind"]), "status": DeliveryStatus(values["status"])}
    return Delivery(**values)


ADD = text(
    f"""
    INSERT INTO delivery (
      id, workspace_id, kind, lane, integration_id, integration_name, integration_type, run_id, ordinal, step_id, message,
      status, next_at, finished_at, error_code, error)
    SELECT n.id, :workspace_id, 'MESSAGE', coalesce(i.id, n.id), i.id, coalesce(i.name, n.reference), i.type, :run_id,
      n.ordinal, n.step_id, n.message ::json,
      CASE WHEN i.enabled THEN 'PENDING' ELSE 'FAILED' END,
      CASE WHEN i.enabled THEN now() END,
      CASE WHEN i.enabled THEN NULL ELSE now() END,
      CASE WHEN i.id IS NULL THEN '{NOT_FOUND}' WHEN NOT i.enabled THEN '{DISABLED}' END,
      CASE WHEN i.id IS NULL THEN 'There is no such integration in this workspace.'
        WHEN NOT i.enabled THEN 'The integration was disabled when the message was made.' END
    FROM unnest(:ids ::uuid[], :references ::text[], :integration_ids ::uuid[], :ordinals ::int[], :step_ids ::text[],
      :messages ::text[]) AS n (id, reference, integration_id, ordinal, step_id, message)
    LEFT JOIN LATERAL (
      SELECT * FROM integration
      WHERE workspace_id = :workspace_id AND (id = n.integration_id OR name = n.reference)
      ORDER BY id = n.integration_id DESC NULLS LAST LIMIT 1
    ) i ON true
    ON CONFLICT (id) DO NOTHING
    """
)


async def add_deliveries(
    connection: AsyncConnection, workspace_id: UUID, run_id: UUID, rows: Sequence[NewDelivery]
) -> None:
    """Once each: what is there by its id already is left as it is. A message without a receiver is stored as FAILED."""
    # Always in the same order: two transactions that make the same ones wait for each other, and never in a circle.
    rows = sorted(rows, key=lambda row: row.id)
    await connection.execute(
        ADD,
        {
            "workspace_id": workspace_id,
            "run_id": run_id,
            "ids": [row.id for row in rows],
            "references": [row.integration for row in rows],
            "integration_ids": [id_in(row.integration, "Integration") for row in rows],
            "ordinals": [row.ordinal for row in rows],
            "step_ids": [row.step_id for row in rows],
            "messages": [dumps(row.message) for row in rows],
        },
    )


async def begin_test(
    connection: AsyncConnection, receiver: Integration, message: Mapping[str, Any], lease: timedelta
) -> Delivery:
    """A delivery whose one attempt the caller makes now."""
    statement = text(
        f"""
        WITH made AS (
          INSERT INTO delivery AS d (id, workspace_id, kind, lane, integration_id, integration_name, integration_type,
            message, status, attempts, next_at)
          VALUES (:id, :workspace_id, 'TEST', :integration_id, :integration_id, :name, :type, :message ::json, 'SENDING', 1,
            now() + :lease ::interval)
          RETURNING {_NAMES}
        ), noted AS (INSERT INTO delivery_attempt (delivery_id, number, started_at) SELECT id, 1, now() FROM made)
        SELECT * FROM made
        """
    )
    values = {
        "id": new_id(),
        "workspace_id": receiver.workspace_id,
        "integration_id": receiver.id,
        "name": receiver.name,
        "type": receiver.type,
        "message": dumps(message),
        "lease": lease,
    }
    return delivery_of((await connection.execute(statement, values)).mappings().one())


# The lanes are walked by the index, one step for each, however many deliveries wait in one of them.
CLAIM = text(
    f"""
    WITH RECURSIVE lanes AS (
      (SELECT lane FROM delivery WHERE status IN ('PENDING', 'SENDING') ORDER BY lane LIMIT 1)
      UNION ALL
      SELECT (SELECT d.lane FROM delivery d WHERE d.status IN ('PENDING', 'SENDING') AND d.lane > l.lane
              ORDER BY d.lane LIMIT 1)
      FROM lanes l WHERE l.lane IS NOT NULL
    ), room AS (
      SELECT l.lane, coalesce(b.busy, 0) AS busy
      FROM lanes l LEFT JOIN unnest(:lanes ::uuid[], :busy ::int[]) AS b (lane, busy) ON b.lane = l.lane
      WHERE l.lane IS NOT NULL AND coalesce(b.busy, 0) < :per_lane ::int
    ), due AS MATERIALIZED (
      SELECT w.id, row_number() OVER (PARTITION BY r.lane ORDER BY w.next_at) + r.busy AS turn, w.next_at
      FROM room r CROSS JOIN LATERAL (
        SELECT id, next_at FROM delivery
        WHERE lane = r.lane AND status IN ('PENDING', 'SENDING') AND next_at <= now()
        ORDER BY next_at LIMIT :per_lane ::int - r.busy FOR UPDATE SKIP LOCKED
      ) w
    ), taken AS (
      UPDATE delivery d
      SET status = 'SENDING', attempts = d.attempts + 1, token = d.token + 1, next_at = now() + :lease ::interval
      WHERE d.id IN (SELECT id FROM due ORDER BY turn, next_at LIMIT :most ::int)
      RETURNING {_NAMES}
    ), lost AS (
      UPDATE delivery_attempt a
      SET duration = now() - a.started_at, error_code = '{ATTEMPT_LOST}',
        error = 'The worker ended before it could tell how this attempt came out: the message may have arrived.'
      FROM taken t WHERE a.delivery_id = t.id AND a.number = t.attempts - 1 AND a.duration IS NULL
    ), begun AS (
      INSERT INTO delivery_attempt (delivery_id, number, started_at) SELECT id, attempts, now() FROM taken
    )
    SELECT * FROM taken
    """
)


async def claim(
    connection: AsyncConnection, lease: timedelta, most: int, per_lane: int, busy: Mapping[UUID, int]
) -> list[Delivery]:
    """Up to `most` that are due, from each lane no more than what `busy` leaves of `per_lane`. Of every workspace: workers
    serve all.
    """
    rows = await connection.execute(
        CLAIM,
        {
            "lanes": list(busy),
            "busy": list(busy.values()),
            "per_lane": per_lane,
            "most": most,
            "lease": lease,
        },
    )
    return [delivery_of(row) for row in rows.mappings()]


END = text(
    f"""
    WITH told AS (
      UPDATE delivery_attempt
      SET duration = :duration ::interval, status_code = :status_code ::int, error_code = :error_code ::text,
        error = :error ::text, excerpt = :excerpt ::text
      WHERE delivery_id = :id AND number = :attempt AND duration IS NULL
    )
    UPDATE delivery d
    SET status = CASE WHEN :arrived ::bool THEN 'DELIVERED' WHEN :ends ::bool THEN 'FAILED' ELSE 'PENDING' END,
      next_at = CASE WHEN NOT :ends ::bool THEN now() + :wait ::interval END,
      finished_at = CASE WHEN :ends ::bool THEN now() END, error_code = :error_code ::text, error = :error ::text
    WHERE d.id = :id AND d.workspace_id = :workspace_id AND d.token = :token AND d.status = 'SENDING'
    RETURNING {_NAMES}
    """
)


async def end_attempt(
    connection: AsyncConnection,
    sent: Delivery,
    outcome: AttemptOutcome,
    duration: timedelta,
    wait: timedelta | None,
) -> Delivery | None:
    """How the attempt came out; `wait` until the next one, None where there is none. None when somebody else has claimed
    the delivery meanwhile: then only the attempt itself is noted.
    """
    row = (
        await connection.execute(
            END,
            {
                "id": sent.id,
                "workspace_id": sent.workspace_id,
                "attempt": sent.attempts,
                "token": sent.token,
                "duration": duration,
                "status_code": outcome.status_code,
                "error_code": outcome.error_code,
                "error": outcome.error,
                "excerpt": outcome.excerpt,
                "arrived": outcome.arrived,
                "ends": wait is None,
                "wait": wait or timedelta(),
            },
        )
    ).mappings()
    found = row.one_or_none()
    return None if found is None else delivery_of(found)


async def give_up_waiting(
    connection: AsyncConnection, workspace_id: UUID, integration_id: UUID, code: str, reason: str
) -> int:
    """What waits for an integration that is no more is FAILED; how many it were. What is under way ends by itself."""
    statement = text(
        """
        UPDATE delivery SET status = 'FAILED', next_at = NULL, finished_at = now(), error_code = :code, error = :reason
        WHERE workspace_id = :workspace_id AND lane = :integration_id AND status = 'PENDING'
        """
    )
    values = {"workspace_id": workspace_id, "integration_id": integration_id, "code": code, "reason": reason}
    return (await connection.execute(statement, values)).rowcount


def _again(receiver: str, found: str) -> TextClause:
    """`receiver` sets what follows from the receiver and says where it is found; `found` whether it is that of the delivery."""
    return text(
        f"""
        UPDATE delivery d
        SET status = 'PENDING', next_at = now(), finished_at = NULL, series_start = d.attempts, error_code = NULL, error = NULL,
          {receiver}
        WHERE d.id = :id AND d.workspace_id = :workspace_id AND d.status <> 'SENDING' AND {found}
        RETURNING {_NAMES}
        """
    )


AGAIN = _again(
    "lane = i.id, integration_id = i.id, integration_name = i.name, integration_type = i.type FROM integration i",
    "i.workspace_id = :workspace_id AND i.enabled AND d.kind <> 'RUN' "
    "AND (i.id = d.integration_id OR (d.integration_id IS NULL AND i.name = d.integration_name))",
)
AGAIN_OF_RUN = _again(
    "lane = w.lane FROM run_webhook w", "w.workspace_id = :workspace_id AND d.kind = 'RUN' AND w.run_id = d.run_id"
)


async def send_again(connection: AsyncConnection, workspace_id: UUID, delivery_id: UUID) -> Delivery | None:
    """Due at once, in a new series of attempts, through the integration that its reference means now, or the webhook of its
    run. None where there is no such delivery, or one that is being sent, or no receiver that could take it.
    """
    for statement in (AGAIN, AGAIN_OF_RUN):
        rows = await connection.execute(statement, {"id": delivery_id, "workspace_id": workspace_id})
        if (row := rows.mappings().one_or_none()) is not None:
            return delivery_of(row)
    return None


async def by_ids(connection: AsyncConnection, workspace_id: UUID, ids: Sequence[UUID]) -> dict[UUID, Delivery]:
    statement = select(*COLUMNS).where(delivery.c.workspace_id == workspace_id, delivery.c.id.in_(ids))
    return {row["id"]: delivery_of(row) for row in (await connection.execute(statement)).mappings()}
