"""The integrations that the workspace has configured, for the steps that send through them."""

from collections.abc import Sequence

from weft.domain.ids import UUID
from weft.domain.outside import IntegrationFacts
from weft.storage.database import Database


class WorkspaceIntegrations:
    def __init__(self, workspace_id: UUID, database: Database) -> None:
        self._workspace_id = workspace_id
        self._database = database

    async def find(self, reference: str) -> IntegrationFacts | None:
        del reference
        return None

    async def names(self) -> Sequence[str]:
        return ()
