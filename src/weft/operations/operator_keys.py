"""API keys as whoever runs the server sees them: of any workspace, without a key. Not reachable by the API."""

from datetime import datetime

from weft.domain.access import ApiKey
from weft.domain.errors import Conflict, NotFound
from weft.domain.page import PageRequest
from weft.storage import audit, keys
from weft.storage.database import Database

PAGE = 1_000


async def keys_of(database: Database, workspace: str) -> list[ApiKey]:
    """All keys of the workspace, newest first, revoked and expired ones included."""
    found: list[ApiKey] = []
    async with database.reading() as connection:
        workspace_id = await keys.workspace_by_name(connection, workspace)
        if workspace_id is None:
            raise NotFound(f"There is no workspace {workspace!r}.")
        after: str | None = None
        while True:
            page = await keys.page_of_keys(connection, workspace_id, PageRequest(PAGE, after))
            found += page.rows
            if not page.has_next:
                return found
            after = page.keys[-1]


async def revoke_by_prefix(database: Database, workspace: str, prefix: str, *, now: datetime, actor: str) -> ApiKey:
    """Revoke the one key that begins like this, `weft_…`, as lists show it."""
    matching = [key for key in await keys_of(database, workspace) if key.prefix == prefix]
    if len(matching) != 1:
        count = "no key begins" if not matching else f"{len(matching)} keys begin"
        raise NotFound(f"In the workspace {workspace!r}, {count} with {prefix!r}. See: weft keys list")
    (found,) = matching
    async with database.transaction() as connection:
        revoked = await keys.revoke_key(connection, found.workspace_id, found.id, now)
        if revoked is None:
            raise Conflict(f"The key {found.name!r} is revoked already.")
        details = {"name": found.name}
        await audit.record_without_key(connection, found.workspace_id, actor, "apiKey.revoked", found.id, details)
    return revoked
