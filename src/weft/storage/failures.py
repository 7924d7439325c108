"""Failures of runs, grouped by cause.

Messages that differ only in their numbers, ids and quoted values have the same cause. Digits are levelled first, which
is cheap and makes few groups of many messages; quoted values, which need a regular expression, only on those. How much
else was wrong with an item, "(and 2 more)", is no part of its cause: the groups are told without it.
"""

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.ids import UUID
from weft.domain.run import FailureGroup

MOST_EXAMINED = 100_000
"""Failed items of a run that are looked at, the first ones: read and grouped in well under a second."""
COMPARED_LENGTH = 1_000
"""Characters of a message that are compared."""

# Levelled digits are zeros. An apostrophe within a word quotes nothing.
VALUES = (
    r"[0a-fA-F]{8}-(?:[0a-fA-F]{4}-){3}[0a-fA-F]{12}"
    r"|(?<!\w)'[^']*'|(?<!\w)\"[^\"]*\"|(?<!\w)`[^`]*`|“[^”]*”|«[^»]*»"
    r"|[-+]?0+(?:[.,]0+)*(?:[eE][-+]?0+)?"
)

OTHERS = r" \(and [0-9]+ more\)$"
"""How a message ends of which only the first reason is told (`steps.validate`)."""

GROUPS = text(
    """
    SELECT w.run_id, g.step_id, g.code, g.count, g.ordinal, regexp_replace(e.error ->> 'message', :others, '') AS message
    FROM unnest(:run_ids ::uuid[]) AS w (run_id)
    JOIN run r ON r.id = w.run_id AND r.workspace_id = :workspace_id
    CROSS JOIN LATERAL (
      SELECT step_id, code, sum(levelled.count) AS count, min(ordinal) AS ordinal
      FROM (
        SELECT step_id, code, message, count(*) AS count, min(ordinal) AS ordinal
        FROM (
          SELECT ordinal, error ->> 'step' AS step_id, error ->> 'code' AS code,
            translate(left(error ->> 'message', :compared), '123456789', '000000000') AS message
          FROM run_item
          WHERE run_id = r.id AND status = 'FAILED' AND status <> 'COMPLETED'
          ORDER BY ordinal LIMIT :examined
        ) failed
        GROUP BY step_id, code, message
      ) levelled
      GROUP BY step_id, code, regexp_replace(regexp_replace(message, :others, ''), :values, '…', 'g')
      ORDER BY sum(levelled.count) DESC, min(ordinal)
      LIMIT :first
    ) g
    JOIN run_item e ON e.run_id = r.id AND e.ordinal = g.ordinal
    ORDER BY g.count DESC, g.ordinal
    """
)


async def groups_of(
    connection: AsyncConnection, workspace_id: UUID, run_ids: Sequence[UUID], first: int
) -> dict[UUID, list[FailureGroup]]:
    """Of each run the `first` most frequent ones."""
    rows = await connection.execute(
        GROUPS,
        {
            "workspace_id": workspace_id,
            "run_ids": list(run_ids),
            "first": first,
            "examined": MOST_EXAMINED,
            "compared": COMPARED_LENGTH,
            "others": OTHERS,
            "values": VALUES,
        },
    )
    found: dict[UUID, list[FailureGroup]] = {run_id: [] for run_id in run_ids}
    for row in rows.mappings():
        found[row["run_id"]].append(
            FailureGroup(row["run_id"], row["step_id"], row["code"], row["message"], int(row["count"]), row["ordinal"])
        )
    return found
