"""What one process reaches, opened once; and the share of it that belongs to one workspace."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from weft.auth.secrets import Secrets
from weft.domain.ids import UUID
from weft.domain.outside import Outside
from weft.engine.outside.datastores import WorkspaceDatastores
from weft.engine.outside.files import WorkspaceFiles
from weft.engine.outside.integrations import WorkspaceIntegrations
from weft.engine.outside.models import WorkspaceModels
from weft.integrations.http import HttpClient
from weft.storage.database import Database


@dataclass(frozen=True, slots=True)
class OutsideOptions:
    """What the operator decides, for every workspace."""

    secret_key: bytes
    """What secrets at rest are sealed with."""
    redis_url: str
    """Where limits are counted that hold for all processes together."""
    allowed_hosts: Iterable[str] = ()


class World:
    """One per process, opened in its event loop."""

    def __init__(self, database: Database, options: OutsideOptions) -> None:
        self._database = database
        self._options = options
        self.secrets = Secrets(options.secret_key)
        self.http = HttpClient(allowed_hosts=options.allowed_hosts)
        self._known: dict[UUID, Outside] = {}

    async def __aenter__(self) -> Self:
        await self.http.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.http.close()

    def of(self, workspace_id: UUID) -> Outside:
        outside = self._known.get(workspace_id)
        if outside is None:
            outside = self._known[workspace_id] = Outside(
                http=self.http,
                files=WorkspaceFiles(workspace_id),
                models=WorkspaceModels(workspace_id, self._database),
                datastores=WorkspaceDatastores(workspace_id, self._database),
                integrations=WorkspaceIntegrations(workspace_id, self._database),
            )
        return outside
