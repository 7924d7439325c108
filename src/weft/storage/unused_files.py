"""Files that nothing uses any more: found by walking through the tables, a slice at a time, over and over.

A file is used by the documents that have it, and by the uploads that it came in by. Whoever takes the same content in again
waits for the lock of its row here, and then notes it anew, before the object is put into the store.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.ids import UUID

PLACE = text("SELECT place FROM retention_turn WHERE name = :name")
MOVE = text("UPDATE retention_turn SET place = :place WHERE name = :name")

# Entities are deleted by the million, and look for no documents.
DOCUMENTS = text(
    """
    WITH slice AS (
      SELECT workspace_id, entity_id FROM document WHERE entity_id > :after ::uuid ORDER BY entity_id LIMIT :most
    ), gone AS (
      DELETE FROM document d USING slice s
      WHERE d.entity_id = s.entity_id
        AND NOT EXISTS (SELECT FROM entity e WHERE e.id = s.entity_id AND e.workspace_id = s.workspace_id)
      RETURNING d.entity_id
    )
    SELECT (SELECT count(*) FROM gone) AS dropped, (SELECT count(*) FROM slice) AS seen,
      (SELECT entity_id FROM slice ORDER BY entity_id DESC LIMIT 1) AS last
    """
)
_UNUSED = """
    NOT EXISTS (SELECT FROM document d WHERE d.workspace_id = f.workspace_id AND d.sha256 = f.sha256)
    AND NOT EXISTS (SELECT FROM upload u WHERE u.workspace_id = f.workspace_id AND u.sha256 = f.sha256)
"""
FILES = text(
    f"""
    SELECT f.workspace_id, f.sha256, f.created_at < :before AND {_UNUSED} AS unused FROM (
      SELECT * FROM file WHERE (workspace_id, sha256) > (:workspace_id ::uuid, :sha256) ORDER BY workspace_id, sha256 LIMIT :most
    ) f
    ORDER BY f.workspace_id, f.sha256
    """
)
_NOTHING = UUID(int=0)


@dataclass(frozen=True, slots=True)
class FilePlace:
    workspace_id: UUID
    sha256: str


async def drop_documents(connection: AsyncConnection, most: int) -> int:
    """Of the next `most` documents, those whose entity is gone; how many they were."""
    after = await _place(connection, "documents") or str(_NOTHING)
    row = (await connection.execute(DOCUMENTS, {"after": after, "most": most})).one()
    await _move(connection, "documents", str(row.last) if row.seen == most else "")
    return row.dropped


async def unused_files(connection: AsyncConnection, before: datetime, most: int) -> list[FilePlace]:
    """Of the next `most` files, those that nothing has used since they came in before."""
    workspace_id, _, sha256 = (await _place(connection, "files")).partition("/")
    values = {"workspace_id": workspace_id or str(_NOTHING), "sha256": sha256, "before": before, "most": most}
    rows = (await connection.execute(FILES, values)).all()
    await _move(connection, "files", f"{rows[-1].workspace_id}/{rows[-1].sha256}" if len(rows) == most else "")
    return [FilePlace(row.workspace_id, row.sha256) for row in rows if row.unused]


LOCK = text("SELECT size FROM file WHERE workspace_id = :workspace_id AND sha256 = :sha256 FOR UPDATE SKIP LOCKED")
DROP = text(
    f"DELETE FROM file f WHERE f.workspace_id = :workspace_id AND f.sha256 = :sha256 AND {_UNUSED} RETURNING size"
)
COUNT = text("UPDATE file_total SET files = files - 1, bytes = bytes - :size WHERE workspace_id = :workspace_id")


async def drop_file(connection: AsyncConnection, place: FilePlace) -> int | None:
    """Its size, when nothing has begun to use it; the row is gone then. To be followed by `count_down`."""
    values = {"workspace_id": place.workspace_id, "sha256": place.sha256}
    # In a statement of its own: what was committed before the lock was had is seen by the next one.
    if (await connection.execute(LOCK, values)).one_or_none() is None:
        return None
    return (await connection.execute(DROP, values)).scalar_one_or_none()


async def count_down(connection: AsyncConnection, place: FilePlace, size: int) -> None:
    """Last, since all files of the workspace are counted in that row."""
    await connection.execute(COUNT, {"workspace_id": place.workspace_id, "size": size})


async def _place(connection: AsyncConnection, name: str) -> str:
    return (await connection.execute(PLACE, {"name": name})).scalar_one()


async def _move(connection: AsyncConnection, name: str, place: str) -> None:
    await connection.execute(MOVE, {"name": name, "place": place})
