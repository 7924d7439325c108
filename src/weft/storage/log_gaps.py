"""Whether lines of the log of a run are gone: they are deleted by their age, sooner than what says how many there were."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.ids import UUID
from weft.domain.run import LogPlace


@dataclass(frozen=True, slots=True)
class LogGap:
    end: LogPlace
    """Of the last line that is gone."""
    at: datetime
    """About when it was said."""


# A change counts the lines that came with it, so the first one behind the place is known, and has to be the first that is there.
BEHIND = text(
    """
    WITH expected AS (
      SELECT c.revision, CASE WHEN c.revision = :revision ::bigint THEN :number ::int + 1 ELSE 0 END AS number
      FROM run r JOIN run_change c ON c.run_id = r.id
      WHERE r.id = :run_id AND r.workspace_id = :workspace_id AND c.logs > 0 AND c.revision >= :revision ::bigint
        AND (c.revision > :revision ::bigint OR c.logs > :number ::int + 1)
      ORDER BY c.revision LIMIT 1
    ), there AS (
      SELECT l.revision, l.number, l.at FROM run_log l
      WHERE l.run_id = :run_id AND (l.revision, l.number, l.id) > (:revision ::bigint, :number ::int, :last_id ::uuid)
      ORDER BY l.revision, l.number, l.id LIMIT 1
    )
    SELECT t.revision, t.number - 1 AS number, t.at
    FROM expected e JOIN there t ON (t.revision, t.number) > (e.revision, e.number)
    UNION ALL
    SELECT c.revision, c.logs - 1, c.at
    FROM expected e JOIN run_change c ON c.run_id = :run_id AND c.revision >= e.revision AND c.logs > 0
    WHERE NOT EXISTS (SELECT FROM there)
    ORDER BY revision DESC LIMIT 1
    """
)


async def behind(connection: AsyncConnection, workspace_id: UUID, run_id: UUID, place: LogPlace) -> LogGap | None:
    """The gap behind a place; None where the first line behind it is there, or there has never been one."""
    values = {
        "workspace_id": workspace_id,
        "run_id": run_id,
        "revision": place.revision,
        "number": place.number,
        "last_id": place.id,
    }
    row = (await connection.execute(BEHIND, values)).one_or_none()
    return None if row is None else LogGap(LogPlace(row.revision, row.number), row.at)
