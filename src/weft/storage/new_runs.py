"""Runs that are under way, and runs that came since somebody looked last: none is missed, none comes twice.

Neither the ids of runs nor their times come in the order in which they are committed: a large selection is frozen for seconds
while many small runs start and end beside it. What is in order is the horizon, the oldest transaction that is still under way.
Who looks remembers it: every run that becomes visible later was made in a transaction from there on.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.ids import UUID


@dataclass(frozen=True, slots=True)
class RunScope:
    """The runs of a workflow, or of the whole workspace."""

    workspace_id: UUID
    workflow_id: UUID | None

    @property
    def values(self) -> dict[str, UUID | None]:
        return {"workspace_id": self.workspace_id, "workflow_id": self.workflow_id}


@dataclass(frozen=True, slots=True)
class Look:
    horizon: int
    runs: frozenset[UUID]
    """All that are visible of the transactions that were looked at, whether they were seen before or not."""
    changed: frozenset[UUID]
    """Of the known runs: those that have a newer revision, or are gone."""


_IN_SCOPE = "r.workspace_id = :workspace_id AND (:workflow_id ::uuid IS NULL OR r.workflow_id = :workflow_id ::uuid)"

# The second bound leaves out what another cluster numbered, from which this database was copied.
LOOK = text(
    f"""
    SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS horizon, found.id, found.is_known
    FROM (VALUES (1)) AS once
    LEFT JOIN (
      SELECT r.id, false AS is_known FROM run r
      WHERE {_IN_SCOPE} AND r.created_in >= coalesce(:since ::bigint, pg_snapshot_xmin(pg_current_snapshot())::text::bigint)
        AND r.created_in < pg_snapshot_xmax(pg_current_snapshot())::text::bigint AND r.created_at > now() - interval '1 day'
      UNION ALL
      SELECT k.run_id, true FROM unnest(:ids ::uuid[], :revisions ::bigint[]) AS k (run_id, revision)
      LEFT JOIN run_state s ON s.run_id = k.run_id
      WHERE s.run_id IS NULL OR s.revision > k.revision
    ) found ON true
    """
)
UNDER_WAY = text(
    f"""
    SELECT r.id, s.revision FROM run_state s JOIN run r ON r.id = s.run_id
    WHERE s.status IN ('PENDING', 'RUNNING') AND {_IN_SCOPE}
    UNION ALL
    SELECT r.id, s.revision FROM run_state s JOIN run r ON r.id = s.run_id WHERE s.status = 'PAUSED' AND {_IN_SCOPE}
    """
)


async def look(
    connection: AsyncConnection, scope: RunScope, since: int | None = None, known: Mapping[UUID, int] | None = None
) -> Look:
    """At the runs that were made since the horizon of an earlier look, and at those that are known, with their revisions.

    The known ones are not bound to a workspace: they were found in one.
    """
    known = known or {}
    values = {**scope.values, "since": since, "ids": list(known), "revisions": list(known.values())}
    rows = (await connection.execute(LOOK, values)).all()
    return Look(
        rows[0].horizon,
        frozenset(row.id for row in rows if row.is_known is False),
        frozenset(row.id for row in rows if row.is_known),
    )


async def under_way(connection: AsyncConnection, scope: RunScope) -> dict[UUID, int]:
    """With their revisions, the oldest run first."""
    rows = (await connection.execute(UNDER_WAY, scope.values)).all()
    return dict(sorted((row.id, row.revision) for row in rows))
