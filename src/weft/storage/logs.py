"""The log of runs, as it is read. How it is written, and what the place of a line is, says `log_lines`."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.ids import LAST_ID, UUID
from weft.domain.run import LogLevel, LogLine, LogPlace

_BEHIND = """(revision, number, id) > (:revision ::bigint, :number ::int, :last_id ::uuid) AND level = ANY (:levels ::text[])
        AND (:step_id ::text IS NULL OR step_id = :step_id ::text)"""

FIRST_LINES = text(
    f"""
    SELECT l.*
    FROM unnest(:run_ids ::uuid[]) AS w (run_id)
    JOIN run r ON r.id = w.run_id AND r.workspace_id = :workspace_id
    CROSS JOIN LATERAL (
      SELECT * FROM run_log WHERE run_id = r.id AND {_BEHIND} ORDER BY revision, number, id LIMIT :most
    ) l
    ORDER BY l.revision, l.number, l.id
    """
)


async def first_lines(
    connection: AsyncConnection,
    workspace_id: UUID,
    run_ids: Sequence[UUID],
    place: LogPlace,
    levels: Sequence[LogLevel],
    step_id: str | None,
    most: int,
) -> dict[UUID, list[LogLine]]:
    """Of each run, the first `most` lines behind a place, in order."""
    values = _values(workspace_id, place, levels, step_id, most)
    rows = await connection.execute(FIRST_LINES, {**values, "run_ids": list(run_ids)})
    lines: dict[UUID, list[LogLine]] = {run_id: [] for run_id in run_ids}
    for row in rows.mappings():
        lines[row["run_id"]].append(_line_of(row))
    return lines


BEHIND = text(
    f"""
    SELECT l.*
    FROM run r
    CROSS JOIN LATERAL (
      SELECT * FROM run_log
      WHERE run_id = r.id AND revision <= :up_to_revision ::bigint AND {_BEHIND} ORDER BY revision, number, id LIMIT :most
    ) l
    WHERE r.id = :run_id AND r.workspace_id = :workspace_id
    ORDER BY l.revision, l.number, l.id
    """
)


async def behind(
    connection: AsyncConnection,
    workspace_id: UUID,
    run_id: UUID,
    revision: int,
    number: int,
    up_to_revision: int,
    levels: Sequence[LogLevel],
    step_id: str | None,
    most: int,
    *,
    last_id: UUID = LAST_ID,
) -> list[LogLine]:
    """The first `most` lines behind a place, in order; a number of -1 stands before all lines of its revision."""
    values = _values(workspace_id, LogPlace(revision, number, last_id), levels, step_id, most)
    rows = await connection.execute(BEHIND, {**values, "run_id": run_id, "up_to_revision": up_to_revision})
    return [_line_of(row) for row in rows.mappings()]


def place_in(written: str) -> LogPlace | None:
    """The place that `LogPlace` writes so."""
    revision, _, rest = written.partition(":")
    number, _, id = rest.partition(":")
    try:
        place = LogPlace(int(revision[:19]), int(number[:10]), UUID(id) if id else LAST_ID)
    except ValueError:
        return None
    return place if str(place) == written and 0 <= place.revision < 2**62 and -1 <= place.number < 2**31 else None


def _values(
    workspace_id: UUID, place: LogPlace, levels: Sequence[LogLevel], step_id: str | None, most: int
) -> dict[str, Any]:
    return {
        "workspace_id": workspace_id,
        "revision": place.revision,
        "number": place.number,
        "last_id": place.id,
        "levels": [level.value for level in levels],
        "step_id": step_id,
        "most": most,
    }


def _line_of(row: Any) -> LogLine:
    return LogLine(
        id=row["id"],
        run_id=row["run_id"],
        ordinal=row["ordinal"],
        step_id=row["step_id"],
        level=LogLevel(row["level"]),
        message=row["message"],
        fields=row["fields"],
        at=row["at"],
        revision=row["revision"],
        number=row["number"],
    )
