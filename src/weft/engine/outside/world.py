"""What one process reaches, opened once; and the share of it that belongs to one workspace."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from weft.auth.secrets import Secrets
from weft.domain.ids import UUID
from weft.domain.outside import Outside
from weft.engine.outside.datastores import DatastoreTools, WorkspaceDatastores
from weft.engine.outside.files import WorkspaceFiles
from weft.engine.outside.integrations import WorkspaceIntegrations
from weft.engine.outside.models import ProviderDirectory, WorkspaceModels
from weft.integrations.http import HttpClient
from weft.integrations.mail import Mailer, MailServer
from weft.integrations.models.clients import ModelClients
from weft.integrations.object_store import FileOptions, open_store
from weft.integrations.sql.databases import Databases
from weft.storage.database import Database


@dataclass(frozen=True, slots=True)
class OutsideOptions:
    """What the operator decides, for every workspace."""

    secret_key: bytes
    """What secrets at rest are sealed with."""
    redis_url: str
    """Where limits are counted that hold for all processes together."""
    allowed_hosts: Iterable[str] = ()
    files: FileOptions = field(default_factory=FileOptions)
    sqlite_folder: Path | None = None
    """Where SQLite files may lie that steps write into; None: nowhere."""
    mail: MailServer | None = None
    """None where this server sends no mail."""


class World:
    """One per process, opened in its event loop."""

    def __init__(self, database: Database, options: OutsideOptions) -> None:
        self._database = database
        self._options = options
        self.secrets = Secrets(options.secret_key)
        self.http = HttpClient(allowed_hosts=options.allowed_hosts)
        self.mailer = None if options.mail is None else Mailer(options.mail)
        self.files = open_store(options.files)
        self._model_clients = ModelClients(self.http, options.redis_url)
        self.models = ProviderDirectory(database, self.secrets, self._model_clients)
        self._databases = Databases(options.allowed_hosts)
        self._datastores = DatastoreTools(database, self.secrets, self._databases, options.sqlite_folder)
        self._known: dict[UUID, Outside] = {}

    async def __aenter__(self) -> Self:
        await self.http.open()
        await self.files.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._databases.close()
        await self._model_clients.close()
        await self.files.close()
        await self.http.close()

    def of(self, workspace_id: UUID) -> Outside:
        outside = self._known.get(workspace_id)
        if outside is None:
            outside = self._known[workspace_id] = Outside(
                http=self.http,
                files=WorkspaceFiles(workspace_id, self.files),
                models=WorkspaceModels(workspace_id, self.models),
                datastores=WorkspaceDatastores(workspace_id, self._datastores),
                integrations=WorkspaceIntegrations(workspace_id, self._database),
            )
        return outside
