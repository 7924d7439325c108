"""Databases to write into, by the datastores that the workspace has configured."""

from collections.abc import Sequence

from weft.domain.ids import UUID
from weft.domain.outside import TableFacts, TableRows
from weft.domain.step import Fail
from weft.storage.database import Database


class WorkspaceDatastores:
    def __init__(self, workspace_id: UUID, database: Database) -> None:
        self._workspace_id = workspace_id
        self._database = database

    async def names(self) -> Sequence[str]:
        return ()

    async def table(self, datastore: str, table: str) -> TableFacts | None:
        raise Fail(f"There is no datastore {datastore!r}, so no table {table!r} in it.", code="DATASTORE_UNKNOWN")

    async def write(self, rows: TableRows) -> Sequence[Exception | None]:
        raise Fail(f"There is no datastore {rows.datastore!r} in this workspace.", code="DATASTORE_UNKNOWN")
