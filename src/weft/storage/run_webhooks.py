"""Run webhooks: who is told what, and when it is time for the next message.

A message is made under the lock of the webhook's row, and only while none is on its way: so the messages of a run arrive in
the order of their revisions, however many workers make and send them, and however often one is tried again. What a run
writes while it goes on knows nothing of this: its state is compared with what was told last.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import RowMapping, any_, bindparam, insert, select, text, tuple_
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.delivery import DeliveryStatus
from weft.domain.ids import UUID
from weft.domain.run import Run
from weft.domain.run_webhook import RunNews, RunWebhook
from weft.kit.json import dumps
from weft.storage.items import TERMINAL
from weft.storage.runs import RUNS, run_of
from weft.storage.tables import Id, delivery, run, run_webhook

APART = timedelta(seconds=1)
"""Between what is told of the progress of one run."""
PATIENCE = timedelta(seconds=10)
"""The end of a run waits as long for its beginning to arrive. Behind a receiver that stays away longer, it takes its place."""
SUPERSEDED = "SUPERSEDED"


@dataclass(frozen=True, slots=True)
class NewWebhook:
    run_id: UUID
    workspace_id: UUID
    sealed: bytes
    host: str
    lane: UUID


async def add(connection: AsyncConnection, new: NewWebhook) -> None:
    await connection.execute(
        insert(run_webhook).values(
            run_id=new.run_id, workspace_id=new.workspace_id, sealed=new.sealed, host=new.host, lane=new.lane
        )
    )


WEBHOOKS = select(run_webhook, delivery.c.status.label("last"), delivery.c.attempts.label("last_attempts")).select_from(
    run_webhook.outerjoin(delivery, delivery.c.id == run_webhook.c.delivery_id)
)


async def of_runs(connection: AsyncConnection, workspace_id: UUID, run_ids: Sequence[UUID]) -> dict[UUID, RunWebhook]:
    statement = WEBHOOKS.where(run_webhook.c.workspace_id == workspace_id, run_webhook.c.run_id.in_(run_ids))
    return {row["run_id"]: _webhook_of(row) for row in (await connection.execute(statement)).mappings()}


async def receivers(
    connection: AsyncConnection, wanted: Collection[tuple[UUID, UUID]]
) -> dict[tuple[UUID, UUID], RunWebhook]:
    """Of many workspaces, each by its workspace and its run: for a worker, which sends for all of them."""
    if not wanted:
        return {}
    asked = tuple_(run_webhook.c.workspace_id, run_webhook.c.run_id).in_(sorted(wanted))
    rows = (await connection.execute(WEBHOOKS.where(asked))).mappings()
    return {(row["workspace_id"], row["run_id"]): _webhook_of(row) for row in rows}


def _webhook_of(row: RowMapping) -> RunWebhook:
    return RunWebhook(
        run_id=row["run_id"],
        workspace_id=row["workspace_id"],
        host=row["host"],
        sealed=row["sealed"],
        told=None if row["told"] is None else RunNews(row["told"]),
        told_revision=row["told_revision"],
        last=None if row["last"] is None else DeliveryStatus(row["last"]),
        last_attempts=row["last_attempts"] or 0,
    )


# What to tell next

_OVER = f"s.status IN ({TERMINAL})"

# `w` is the webhook, `s` the state of its run, `d` its newest message. Null while there is nothing to tell, or something
# on its way that has to arrive first.
_NEXT = f"""
    CASE
      WHEN d.status = 'SENDING' THEN NULL
      WHEN d.status = 'PENDING' THEN CASE
        WHEN {_OVER} AND (w.told = 'PROGRESS' OR d.attempts > 0 AND d.next_at > now() + :patience ::interval) THEN 'ENDED'
        WHEN w.told = 'PROGRESS' AND d.attempts > 0 AND d.next_at <= now() + :apart ::interval
          AND s.revision > w.told_revision THEN 'PROGRESS' END
      WHEN w.told IS NULL AND s.started_at IS NOT NULL AND s.total > 0 THEN 'STARTED'
      WHEN {_OVER} THEN 'ENDED'
      WHEN d.status = 'FAILED' THEN NULL
      WHEN s.revision > w.told_revision AND w.told_at <= now() - :apart ::interval THEN 'PROGRESS'
    END"""
_FROM = """
    FROM run_webhook w JOIN run_state s ON s.run_id = w.run_id LEFT JOIN delivery d ON d.id = w.delivery_id
    WHERE w.told IS DISTINCT FROM 'ENDED'"""

LOCK = text(f"SELECT w.run_id {_FROM} AND {_NEXT} IS NOT NULL LIMIT :most FOR UPDATE OF w SKIP LOCKED")
# Asked once more, since what was found before the lock may have been told meanwhile.
DUE = text(
    f"""
    SELECT * FROM (
      SELECT w.run_id, {_NEXT} AS news, CASE WHEN d.status = 'PENDING' THEN d.id END AS waiting, d.next_at,
        d.attempts - d.series_start AS made
      {_FROM} AND w.run_id = ANY (:run_ids ::uuid[])
    ) found WHERE news IS NOT NULL
    """
)


@dataclass(frozen=True, slots=True)
class DueNews:
    """A message that it is time for."""

    run: Run
    news: RunNews
    waiting: UUID | None
    """The message that waits for another attempt, whose place it takes."""
    next_at: datetime | None
    """When that one would have been tried again."""
    made: int
    """How often that one was tried: where the receiver is away, patience goes on from one message to the next."""


async def lock_due(connection: AsyncConnection, most: int) -> list[DueNews]:
    """Up to `most`, of every workspace, locked until the end of the transaction."""
    times = {"apart": APART, "patience": PATIENCE}
    locked = list((await connection.execute(LOCK, {"most": most, **times})).scalars())
    if not locked:
        return []
    rows = (await connection.execute(DUE, {"run_ids": locked, **times})).mappings().all()
    known = run.c.id == any_(bindparam("ids", [row["run_id"] for row in rows], ARRAY(Id)))
    runs = {row["id"]: run_of(row) for row in (await connection.execute(RUNS.where(known))).mappings()}
    return [
        DueNews(runs[row["run_id"]], RunNews(row["news"]), row["waiting"], row["next_at"], row["made"] or 0)
        for row in rows
        if row["run_id"] in runs
    ]


# Telling it


@dataclass(frozen=True, slots=True)
class NewMessage:
    id: UUID
    due: DueNews
    revision: int
    payload: Mapping[str, Any]


SUPERSEDE = text(
    f"""
    UPDATE delivery SET status = 'FAILED', next_at = NULL, finished_at = now(), error_code = '{SUPERSEDED}',
      error = 'A newer message about the run took its place.'
    WHERE id = ANY (:ids ::uuid[]) AND kind = 'RUN' AND status = 'PENDING'
    RETURNING id
    """
)
TELL = text(
    """
    WITH told AS (
      UPDATE run_webhook w SET told = n.news, told_revision = n.revision, told_at = now(), delivery_id = n.id
      FROM unnest(:ids ::uuid[], :run_ids ::uuid[], :news ::text[], :revisions ::bigint[], :messages ::text[],
        :next_ats ::timestamptz[], :series_starts ::int[])
        AS n (id, run_id, news, revision, message, next_at, series_start)
      WHERE w.run_id = n.run_id
      RETURNING n.*, w.workspace_id, w.lane, w.host
    )
    INSERT INTO delivery (id, workspace_id, kind, lane, integration_name, run_id, message, status, next_at, series_start)
    SELECT id, workspace_id, 'RUN', lane, host, run_id, message ::json, 'PENDING', coalesce(next_at, now()), series_start
    FROM told ORDER BY run_id
    """
)


async def tell(connection: AsyncConnection, messages: Sequence[NewMessage]) -> int:
    """Of runs whose webhooks are locked. How many it were: one that a sender has taken meanwhile keeps its place."""
    waiting = [one.due.waiting for one in messages if one.due.waiting is not None]
    given_way = set((await connection.execute(SUPERSEDE, {"ids": waiting})).scalars()) if waiting else set[UUID]()
    told = [one for one in messages if one.due.waiting is None or one.due.waiting in given_way]
    # The end of a run is worth a fresh start; what only changes goes on with the patience of what it takes the place of.
    goes_on = [one.due.waiting is not None and one.due.news is RunNews.PROGRESS for one in told]
    await connection.execute(
        TELL,
        {
            "ids": [one.id for one in told],
            "run_ids": [one.due.run.id for one in told],
            "news": [one.due.news.value for one in told],
            "revisions": [one.revision for one in told],
            "messages": [dumps({"payload": one.payload}) for one in told],
            "next_ats": [one.due.next_at if on else None for one, on in zip(told, goes_on, strict=True)],
            "series_starts": [-one.due.made if on else 0 for one, on in zip(told, goes_on, strict=True)],
        },
    )
    return len(told)
