"""Databases to write into, by the datastores that the workspace has configured."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from weft.auth.secrets import Secrets, SecretUnreadable, identity_of
from weft.domain.datastore import Datastore, DatastoreKind, TlsMode
from weft.domain.ids import UUID
from weft.domain.outside import NewTable, TableFacts, TableRows
from weft.domain.step import Fail, StepSignal
from weft.integrations.sql.databases import Databases
from weft.integrations.sql.folders import file_in
from weft.integrations.sql.pools import Version
from weft.integrations.sql.target import FileTarget, ServerTarget, Target
from weft.kit.suggest import hint_for
from weft.storage import datastores
from weft.storage.database import Database

REMEMBERED_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class DatastoreTools:
    """What the datastores of all workspaces share in this process."""

    database: Database
    secrets: Secrets
    databases: Databases
    sqlite_folder: Path | None


class WorkspaceDatastores:
    def __init__(self, workspace_id: UUID, tools: DatastoreTools) -> None:
        self._workspace_id = workspace_id
        self._tools = tools
        self._known: dict[str, tuple[float, Version, Target]] = {}

    async def names(self) -> Sequence[str]:
        async with self._tools.database.reading() as connection:
            return await datastores.names(connection, self._workspace_id)

    async def tables(self, datastore: str) -> Sequence[str]:
        version, target = await self._look_up(datastore)
        return await self._tools.databases.tables(version, target)

    async def table(self, datastore: str, table: str) -> TableFacts | None:
        version, target = await self._look_up(datastore)
        return await self._tools.databases.facts(version, target, table, fresh=True)

    async def create_table(self, datastore: str, new: NewTable) -> None:
        version, target = await self._look_up(datastore)
        await self._tools.databases.create_table(version, target, new)

    async def write(self, rows: TableRows) -> Sequence[Exception | None]:
        try:
            version, target = await self._find(rows.datastore)
            return await self._tools.databases.write(version, target, rows)
        except StepSignal as signal:
            return [signal] * len(rows.rows)

    async def _find(self, name: str) -> tuple[Version, Target]:
        known = self._known.get(name)
        if known is not None and known[0] > time.monotonic():
            return known[1], known[2]
        return await self._look_up(name)

    async def _look_up(self, name: str) -> tuple[Version, Target]:
        async with self._tools.database.reading() as connection:
            found = await datastores.with_password(connection, self._workspace_id, name)
            names = [] if found else await datastores.names(connection, self._workspace_id)
        if found is None:
            self._known.pop(name, None)
            hint = hint_for(name, names)
            raise Fail(f"There is no datastore {name!r} in this workspace{hint}.", code="DATASTORE_UNKNOWN")
        version = Version(found[0].id, found[0].revision)
        target = self._target(*found)
        self._known[name] = (time.monotonic() + REMEMBERED_SECONDS, version, target)
        return version, target

    def _target(self, datastore: Datastore, sealed: bytes | None) -> Target:
        if datastore.kind is DatastoreKind.SQLITE:
            return FileTarget(file_in(self._tools.sqlite_folder, self._workspace_id, datastore.file or ""))
        return ServerTarget(
            kind=datastore.kind,
            host=datastore.host or "",
            port=datastore.port or 0,
            database=datastore.database or "",
            user=datastore.user or "",
            password=self._opened(datastore, sealed),
            tls=datastore.tls or TlsMode.VERIFIED,
        )

    def _opened(self, datastore: Datastore, sealed: bytes | None) -> str:
        if sealed is None:
            return ""
        identity = identity_of("datastore", self._workspace_id, datastore.id)
        try:
            return self._tools.secrets.open(sealed, identity).decode()
        except SecretUnreadable as error:
            raise Fail(f"The password of the datastore {datastore.name!r} cannot be read: {error}", code="DATASTORE_FAILED") from error  # fmt: skip
