"""Files that nothing uses, deleted together with their objects in the store."""

from collections.abc import Callable
from datetime import datetime

from weft.domain.files import object_key
from weft.integrations.object_store import ObjectStore
from weft.storage import unused_files
from weft.storage.database import Database
from weft.storage.unused_files import FilePlace


async def drop_unused_files(
    database: Database, store: ObjectStore, before: datetime, most: int, stopping: Callable[[], bool]
) -> int:
    """Of the next `most` files; how many were deleted. Raises StoreUnavailable."""
    async with database.transaction() as connection:
        places = await unused_files.unused_files(connection, before, most)
    dropped = 0
    for place in places:
        if stopping():
            break
        dropped += await _drop(database, store, place)
    return dropped


async def _drop(database: Database, store: ObjectStore, place: FilePlace) -> bool:
    """The object goes while the row is locked: whoever takes the same content in again puts it there after that. What breaks
    off in between leaves a row without an object, which is as unused as before.
    """
    async with database.transaction() as connection:
        size = await unused_files.drop_file(connection, place)
        if size is None:
            return False
        await store.remove(object_key(place.workspace_id, place.sha256))
        await unused_files.count_down(connection, place, size)
    return True
