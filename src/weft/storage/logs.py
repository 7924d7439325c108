"""What steps wrote into the log of their run."""

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.ids import UUID
from weft.domain.page import Page, PageRequest
from weft.domain.run import LogLevel, LogLine
from weft.storage.paging import after_id

LINES = text(
    """
    SELECT l.*
    FROM unnest(:run_ids ::uuid[]) AS w (run_id)
    JOIN run r ON r.id = w.run_id AND r.workspace_id = :workspace_id
    CROSS JOIN LATERAL (
      SELECT * FROM run_log
      WHERE run_id = r.id AND (:after ::uuid IS NULL OR id > :after ::uuid) AND level = ANY (:levels ::text[])
        AND (:step_id ::text IS NULL OR step_id = :step_id ::text)
      ORDER BY id LIMIT :most
    ) l
    ORDER BY l.id
    """
)


async def pages(
    connection: AsyncConnection,
    workspace_id: UUID,
    run_ids: Sequence[UUID],
    levels: Sequence[LogLevel],
    step_id: str | None,
    request: PageRequest,
) -> dict[UUID, Page[LogLine]]:
    """The log of each run, oldest line first."""
    rows = await connection.execute(
        LINES,
        {
            "workspace_id": workspace_id,
            "run_ids": list(run_ids),
            "after": after_id(request),
            "levels": [level.value for level in levels],
            "step_id": step_id,
            "most": request.first + 1,
        },
    )
    lines: dict[UUID, list[LogLine]] = {run_id: [] for run_id in run_ids}
    for row in rows.mappings():
        lines[row["run_id"]].append(
            LogLine(
                id=row["id"],
                run_id=row["run_id"],
                ordinal=row["ordinal"],
                step_id=row["step_id"],
                level=LogLevel(row["level"]),
                message=row["message"],
                fields=row["fields"],
                at=row["at"],
            )
        )
    return {
        run_id: Page[LogLine].of(found, request.first, lambda line: str(line.id)) for run_id, found in lines.items()
    }
