"""What is old, deleted a chunk at a time: one short statement each, by an index, of every workspace.

Nothing here waits for a lock: what somebody else holds is passed over, and found the next time. Ids rise with time, so the
oldest rows of a table are the first of its primary key, and most tables need no index of their own for their age.
"""

from datetime import datetime, timedelta

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.ids import first_id_at

TAKE = text(
    "UPDATE retention_turn SET due_at = now() + :lease ::interval WHERE name = 'sweep' AND due_at <= now() RETURNING name"
)
GIVE_BACK = text("UPDATE retention_turn SET due_at = now() + :pause ::interval WHERE name = 'sweep'")


async def take_turn(connection: AsyncConnection, lease: timedelta) -> bool:
    """Whether it is this process's turn to delete, for as long as the lease at most."""
    return (await connection.execute(TAKE, {"lease": lease})).one_or_none() is not None


async def give_turn_back(connection: AsyncConnection, pause: timedelta) -> None:
    """To be taken by anybody after the pause."""
    await connection.execute(GIVE_BACK, {"pause": pause})


def _oldest(table: str, over: str, *, order: str = "id", key: str = "id") -> TextClause:
    """`over` says which rows may go; `order` is what an index has them in."""
    return text(
        f"""
        DELETE FROM {table} WHERE ({key}) IN (
          SELECT {key} FROM {table} t WHERE {over} ORDER BY {order} LIMIT :most FOR UPDATE SKIP LOCKED)
        """
    )


LOGS = _oldest("run_log", "t.id < :first_kept")
EVENTS = _oldest("event", "t.id < :first_kept AND t.handled_at IS NOT NULL")
# One that waits belongs to the queue of its schedule.
FIRINGS = _oldest(
    "firing",
    "t.id < :first_kept AND (t.outcome <> 'QUEUED' OR NOT EXISTS (SELECT FROM schedule s WHERE s.id = t.trigger_id))",
)
DELIVERIES = _oldest("delivery", "t.finished_at < :before", order="finished_at")
AUDIT = _oldest("audit_entry", "t.id < :first_kept")
IMPORTS = _oldest("entity_import", "t.id < :first_kept AND greatest(t.updated_at, t.upload_expires_at) < :before")
UPLOADS = _oldest("upload", "t.id < :first_kept AND t.expires_at < :before")
IDEMPOTENCY_KEYS = _oldest(
    "idempotency_key", "t.created_at < :before", order="created_at", key="workspace_id, operation, key"
)
API_KEYS = _oldest(
    "api_key",
    """t.id < :first_kept AND least(t.revoked_at, t.expires_at) < :before
    AND NOT EXISTS (SELECT FROM audit_entry a WHERE a.workspace_id = t.workspace_id AND a.key_id = t.id)""",
)


async def drop_oldest(connection: AsyncConnection, what: TextClause, before: datetime, most: int) -> int:
    """Up to `most` rows of those that are older; how many they were."""
    given = {"before": before, "first_kept": first_id_at(before), "most": most}
    wanted = {name: value for name, value in given.items() if name in what.compile().params}
    return (await connection.execute(what, wanted)).rowcount
